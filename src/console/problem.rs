//! What went wrong, in words that say what to do next.

use super::Console;
use super::forgot::request_id;
use super::language::Language;
use super::refused::Refused;
use super::shell::{Shell, show};
use super::visit::Visit;
use askama::Template;
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::time::Duration;

/// What a whole page is about, because there is no other to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// A form that did not come from here, or too late.
    Elsewhere,
    /// A form that cannot be read.
    Unreadable,
    /// A form that is too long.
    TooLong,
    /// A link that does not work, or not any more.
    LinkInvalid,
    /// A link "this was not me" that does not work, or not any more.
    CancelInvalid,
    /// A sign-in that took too long or too many tries.
    SignInOver,
    /// Too often.
    TooOften(Duration),
    /// Relatch cannot answer at the moment.
    Unavailable,
    /// A fault of ours.
    Fault,
    /// Whatever else has such a status.
    Status(StatusCode),
}

#[derive(Template)]
#[template(path = "console/problem.html")]
struct Page<'a> {
    shell: Shell<'a>,
    title: &'static str,
    text: String,
    /// Where to go on, and what that is called.
    next: Option<(&'static str, &'static str)>,
    /// What a new link is asked for by, where that is what to do.
    new_link: Option<String>,
}

impl From<&Refused> for Problem {
    fn from(refused: &Refused) -> Self {
        match refused {
            Refused::LinkInvalid => Self::LinkInvalid,
            Refused::ChallengeInvalid => Self::SignInOver,
            Refused::TooOften(delay) => Self::TooOften(*delay),
            Refused::Unavailable => Self::Unavailable,
            Refused::Unreadable => Self::Unreadable,
            Refused::CredentialsWrong
            | Refused::ProofInvalid
            | Refused::FactorRequired
            | Refused::FactorWrong
            | Refused::PasswordRejected(_)
            | Refused::NoAccount
            | Refused::NoWay
            | Refused::EmailTaken
            | Refused::Fault => Self::Fault,
        }
    }
}

impl Problem {
    /// Its HTTP status.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Elsewhere => StatusCode::FORBIDDEN,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::LinkInvalid | Self::CancelInvalid | Self::SignInOver => StatusCode::GONE,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Status(status) => status,
        }
    }

    const fn title(self, t: Language) -> &'static str {
        match self {
            Self::Elsewhere => t.say("This page is too old", "Diese Seite ist zu alt"),
            Self::Unreadable | Self::TooLong => {
                t.say("This could not be read", "Das konnte nicht gelesen werden")
            }
            Self::LinkInvalid | Self::CancelInvalid => t.say(
                "This link does not work any more",
                "Dieser Link funktioniert nicht mehr",
            ),
            Self::SignInOver => t.say("This took too long", "Das hat zu lange gedauert"),
            Self::TooOften(_) => t.say("That was too often", "Das war zu oft"),
            Self::Unavailable => t.say(
                "This does not work at the moment",
                "Das geht im Moment nicht",
            ),
            Self::Status(StatusCode::NOT_FOUND) => t.say("Nothing here", "Hier ist nichts"),
            Self::Fault | Self::Status(_) => {
                t.say("Something went wrong", "Etwas ist schiefgegangen")
            }
        }
    }

    /// What happened, and what to do.
    pub(super) fn text(self, t: Language) -> String {
        let text = match self {
            Self::Elsewhere => t.say(
                "It was open for too long, or cookies are switched off for this site. Nothing was changed.",
                "Sie war zu lange offen, oder Cookies sind für diese Seite ausgeschaltet. Es wurde nichts geändert.",
            ),
            Self::Unreadable | Self::TooLong => t.say(
                "Something is missing or too long. Nothing was changed. Go back and try again.",
                "Etwas fehlt oder ist zu lang. Es wurde nichts geändert. Gehen Sie zurück und versuchen Sie es noch einmal.",
            ),
            Self::LinkInvalid => t.say(
                "It works once and for a short time only, and a changed password ends it too. Your password is as it was. Enter your address, and a new one is on its way.",
                "Er funktioniert einmal und nur kurze Zeit, und auch ein geändertes Passwort beendet ihn. Ihr Passwort ist, wie es war. Ihre Adresse genügt, und ein neuer ist unterwegs.",
            ),
            Self::CancelInvalid => t.say(
                "It has expired, and so has the link to reset your password that came with it: nobody can use that any more. If the message said that your second factor is removed, ask for help.",
                "Er ist abgelaufen, und mit ihm der Link zum Zurücksetzen Ihres Passworts aus derselben Nachricht: Niemand kann den mehr verwenden. Wenn die Nachricht sagte, dass Ihr zweiter Faktor entfernt wird, fragen Sie um Hilfe.",
            ),
            Self::SignInOver => t.say(
                "The code was not entered in time, or too many were wrong. Sign in once more to get a new one.",
                "Der Code wurde nicht rechtzeitig eingegeben, oder zu viele waren falsch. Melden Sie sich noch einmal an, um einen neuen zu erhalten.",
            ),
            Self::TooOften(delay) => return too_often(delay, t),
            Self::Unavailable => t.say(
                "Nothing was lost. Try again in a minute.",
                "Es ging nichts verloren. Versuchen Sie es in einer Minute noch einmal.",
            ),
            Self::Status(StatusCode::NOT_FOUND) => t.say(
                "There is no page at this address.",
                "Unter dieser Adresse gibt es keine Seite.",
            ),
            Self::Fault | Self::Status(_) => t.say(
                "It is our fault, not yours. Try again; if it stays like this, ask for help.",
                "Es liegt an uns, nicht an Ihnen. Versuchen Sie es noch einmal; wenn es so bleibt, fragen Sie um Hilfe.",
            ),
        };
        text.to_owned()
    }

    /// As a page; for a script, as JSON.
    pub(super) fn page(self, console: &Console, visit: &Visit) -> Response {
        let t = visit.language;
        let text = self.text(t);
        let response = if visit.by_script {
            (self.status(), Json(json!({ "problem": text }))).into_response()
        } else {
            let next = match self {
                Self::Elsewhere => Some(("/", t.say("Begin again", "Von vorn beginnen"))),
                Self::SignInOver | Self::Status(StatusCode::NOT_FOUND) => {
                    Some(("/sign-in", t.say("Sign in", "Anmelden")))
                }
                _ => None,
            };
            let page = Page {
                shell: Shell::new(console, visit),
                title: self.title(t),
                text,
                next,
                new_link: (self == Self::LinkInvalid).then(|| request_id(console)),
            };
            show(self.status(), &page)
        };
        self.timed(response)
    }

    /// `response`, which says when to try again if that is the matter.
    pub(super) fn timed(self, mut response: Response) -> Response {
        if let Self::TooOften(delay) = self {
            let seconds = minutes(delay) * 60;
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Where nothing is known of who asks.
    pub(super) fn bare(self) -> Response {
        self.status().into_response()
    }
}

/// How long to wait, roughly: exact times would tell of limits (OWASP BotCS).
fn minutes(delay: Duration) -> u64 {
    delay.as_secs().div_ceil(60).max(1)
}

fn too_often(delay: Duration, t: Language) -> String {
    let minutes = minutes(delay);
    match (t, minutes) {
        (Language::English, 1) => "Wait a minute, then try again.".to_owned(),
        (Language::English, _) => format!("Wait {minutes} minutes, then try again."),
        (Language::German, 1) => {
            "Warten Sie eine Minute und versuchen Sie es dann noch einmal.".to_owned()
        }
        (Language::German, _) => {
            format!("Warten Sie {minutes} Minuten und versuchen Sie es dann noch einmal.")
        }
    }
}
