//! The part of a page in which a new password is chosen: the rules as a checklist, and what Relatch says to a try.

use super::advice::advice;
use super::language::Language;
use super::refused::Refused;
use crate::pb::{CheckPasswordResponse, PasswordPolicy};
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

/// A rule as a page shows it.
pub(super) struct Rule {
    /// Its name in the API.
    pub(super) name: &'static str,
    pub(super) text: String,
    /// Whether the password that was sent last broke it.
    pub(super) broken: bool,
}

/// What the fields of a new password are shown with.
pub(super) struct Fields {
    pub(super) rules: Vec<Rule>,
    /// What password managers make passwords by.
    pub(super) password_rules: String,
    /// The fewest characters, where Relatch has said so.
    pub(super) min_length: Option<i32>,
    /// Where a try is sent.
    pub(super) check: &'static str,
    pub(super) error: Option<String>,
}

/// What was wrong with a new password, so that it is to be typed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The two fields differ.
    Differs,
    /// The policy refuses it by these rules.
    Rejected(Vec<String>),
}

/// The names of the rules in the API, but for those that only strange passwords break.
const RULES: [&str; 5] = ["TOO_SHORT", "COMMON", "CONTEXT", "BREACHED", "TOO_WEAK"];

impl Fields {
    /// By this policy, after this went wrong.
    pub(super) fn new(
        policy: Option<&PasswordPolicy>,
        check: &'static str,
        wrong: Option<&Wrong>,
        t: Language,
    ) -> Self {
        let broken = match wrong {
            Some(Wrong::Rejected(rules)) => rules.as_slice(),
            Some(Wrong::Differs) | None => &[],
        };
        let rules = RULES.map(|name| Rule {
            name,
            text: words(name, policy, t),
            broken: broken.iter().any(|rule| rule == name),
        });
        let rare = broken.iter().filter(|rule| !RULES.contains(&rule.as_str()));
        let error = match wrong {
            None => None,
            Some(Wrong::Differs) => Some(
                t.say(
                    "The two passwords are not the same. Type both again.",
                    "Die beiden Passwörter sind nicht gleich. Geben Sie beide noch einmal ein.",
                )
                .to_owned(),
            ),
            Some(Wrong::Rejected(_)) => {
                let general = t.say(
                    "This password cannot be used; the marked rules say why.",
                    "Dieses Passwort geht nicht; die markierten Regeln sagen, warum.",
                );
                let more = rare.map(|rule| words(rule, policy, t));
                Some(
                    [general.to_owned()]
                        .into_iter()
                        .chain(more)
                        .collect::<Vec<_>>()
                        .join(" "),
                )
            }
        };
        Self {
            rules: rules.into(),
            password_rules: match policy {
                Some(PasswordPolicy {
                    min_length,
                    max_length,
                    ..
                }) => format!("minlength: {min_length}; maxlength: {max_length};"),
                // As long as any policy can ask for.
                None => "minlength: 64; maxlength: 256;".to_owned(),
            },
            min_length: policy.map(|policy| policy.min_length),
            check,
            error,
        }
    }
}

fn words(rule: &str, policy: Option<&PasswordPolicy>, t: Language) -> String {
    let text = match (rule, policy) {
        ("TOO_SHORT", Some(policy)) => {
            let length = policy.min_length;
            return match t {
                Language::English => {
                    format!("At least {length} characters; several words are easy to remember")
                }
                Language::German => {
                    format!("Mindestens {length} Zeichen; mehrere Wörter merkt man sich leicht")
                }
            };
        }
        ("TOO_SHORT", None) => t.say(
            "Long enough; several words are easy to remember",
            "Lang genug; mehrere Wörter merkt man sich leicht",
        ),
        ("TOO_LONG", _) => t.say("It is too long.", "Es ist zu lang."),
        ("COMMON", _) => t.say("Not a common password", "Kein häufiges Passwort"),
        ("CONTEXT", _) => t.say(
            "Not made of your name, your address or our name",
            "Nicht aus Ihrem Namen, Ihrer Adresse oder unserem Namen gemacht",
        ),
        ("BREACHED", _) => t.say(
            "Not known from a data breach",
            "Nicht aus einem Datenleck bekannt",
        ),
        ("TOO_WEAK", _) => t.say("Hard to guess", "Schwer zu erraten"),
        ("UNASSIGNED", _) => t.say(
            "It holds signs that are no characters.",
            "Es enthält Zeichen, die keine sind.",
        ),
        _ => t.say(
            "Choose a quite different one.",
            "Wählen Sie ein ganz anderes.",
        ),
    };
    text.to_owned()
}

/// A password that is tried while somebody types.
#[derive(Deserialize)]
pub(super) struct Try {
    pub(super) password: Zeroizing<String>,
    #[serde(default)]
    pub(super) token: Zeroizing<String>,
}

/// What the checklist is told.
pub(super) fn checked(
    answer: Result<CheckPasswordResponse, Refused>,
    t: Language,
) -> Result<Response, Refused> {
    let answer = answer?;
    let broken: Vec<_> = answer
        .violations
        .iter()
        .map(|broken| &broken.rule)
        .collect();
    let strength = match answer.score {
        0 | 1 => t.say("Very easy to guess.", "Sehr leicht zu erraten."),
        2 => t.say("Easy to guess.", "Leicht zu erraten."),
        3 => t.say("Hard to guess.", "Schwer zu erraten."),
        _ => t.say("Very hard to guess.", "Sehr schwer zu erraten."),
    };
    let suggestions = answer.suggestions.iter();
    let suggestions: Vec<_> = suggestions.map(|said| advice(said, t)).collect();
    let told = json!({
        "violations": broken,
        "score": answer.score,
        "strength": strength,
        "suggestions": suggestions,
    });
    Ok(Json(told).into_response())
}
