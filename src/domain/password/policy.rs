//! Which new passwords are accepted.

use std::borrow::Cow;

use thiserror::Error;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::{
    Judgement, Password, PasswordUnreadable, PersonalWords, Rule, Violation, blocklist,
    strength::{HIGHEST_SCORE, Strength},
};

/// The rules a new password is judged by.
#[derive(Debug, Clone)]
pub struct Policy {
    min_length: usize,
    min_score: u8,
    service_words: PersonalWords,
}

/// Why a setting of the policy is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// The minimum length lies outside what SP 800-63B-4 §3.1.1.2 permits.
    #[error(
        "the minimum password length must be {lowest} to {highest} characters, not {0}",
        lowest = Policy::LOWEST_MIN_LENGTH,
        highest = Policy::HIGHEST_MIN_LENGTH
    )]
    MinLength(usize),
    /// The minimum score is none of zxcvbn's.
    #[error("the minimum password score must be 0 to {HIGHEST_SCORE}, not {0}")]
    MinScore(u8),
}

impl Policy {
    /// The minimum length unless configured, in code points: what SP 800-63B-4 §3.1.1.2 asks of a
    /// password that is the only factor. It holds for accounts with a second factor too, which can
    /// be removed later.
    pub const DEFAULT_MIN_LENGTH: usize = 15;
    /// The lowest minimum length that can be configured (SP 800-63B-4 §3.1.1.2, ASVS 6.2.1).
    pub const LOWEST_MIN_LENGTH: usize = 8;
    /// The highest minimum length that can be configured: passwords of this length must be
    /// permitted (ASVS 6.2.9).
    pub const HIGHEST_MIN_LENGTH: usize = 64;
    /// The maximum length in code points.
    pub const MAX_LENGTH: usize = 256;
    /// The minimum score unless configured: "safely unguessable" in zxcvbn's terms.
    pub const DEFAULT_MIN_SCORE: u8 = 3;

    /// The policy with this minimum length in code points, this minimum score and these names of
    /// the service, whose words nobody's password may consist of.
    pub fn new(
        min_length: usize,
        min_score: u8,
        service_names: &[String],
    ) -> Result<Self, PolicyError> {
        if !(Self::LOWEST_MIN_LENGTH..=Self::HIGHEST_MIN_LENGTH).contains(&min_length) {
            return Err(PolicyError::MinLength(min_length));
        }
        if min_score > HIGHEST_SCORE {
            return Err(PolicyError::MinScore(min_score));
        }
        let service_words = service_names
            .iter()
            .fold(PersonalWords::default(), |words, name| {
                words.with_text(name)
            });
        Ok(Self {
            min_length,
            min_score,
            service_words,
        })
    }

    /// The fewest code points that a password has.
    #[must_use]
    pub const fn min_length(&self) -> usize {
        self.min_length
    }

    /// The lowest score that is accepted, 0 to 4.
    #[must_use]
    pub const fn min_score(&self) -> u8 {
        self.min_score
    }

    /// What a password that cannot even be read breaks.
    #[must_use]
    pub fn judge_unreadable(&self, why: PasswordUnreadable) -> Judgement {
        let rule = match why {
            PasswordUnreadable::Empty => Rule::TooShort,
            PasswordUnreadable::TooLong => Rule::TooLong,
        };
        let violation = Violation {
            rule,
            description: self.description(rule),
        };
        Judgement {
            violations: vec![violation],
            score: 0,
            suggestions: Vec::new(),
        }
    }

    /// Holds a password against every rule and reports each one it breaks. Whether it is `breached`,
    /// a list outside of the policy knows.
    ///
    /// The strength estimate takes milliseconds of CPU: call this off the async threads.
    #[must_use]
    pub fn judge(
        &self,
        password: &Password,
        personal: &PersonalWords,
        breached: bool,
    ) -> Judgement {
        let text = password.as_str();
        let length = text.chars().count();
        let words = personal.clone().and(&self.service_words);
        let strength = Strength::estimate(text, &words);
        let breaks = |rule: &Rule| match rule {
            Rule::TooShort => length < self.min_length,
            Rule::TooLong => length > Self::MAX_LENGTH,
            Rule::Unassigned => text
                .chars()
                .any(|c| c.general_category() == GeneralCategory::Unassigned),
            Rule::Common => blocklist::contains(text),
            Rule::Breached => breached,
            Rule::Context => words.make_up(text),
            Rule::Weak => strength.score < self.min_score,
        };
        let violations = Rule::ALL
            .into_iter()
            .filter(breaks)
            .map(|rule| Violation {
                rule,
                description: self.description(rule),
            })
            .collect();
        Judgement {
            violations,
            score: strength.score,
            suggestions: strength.suggestions,
        }
    }

    /// What the rule asks for, in English, with this policy's numbers.
    #[must_use]
    pub fn description(&self, rule: Rule) -> Cow<'static, str> {
        match rule {
            Rule::TooShort => format!("Use at least {} characters.", self.min_length).into(),
            Rule::TooLong => format!("Use at most {} characters.", Self::MAX_LENGTH).into(),
            Rule::Unassigned => "Use only characters that Unicode has assigned.".into(),
            Rule::Common => "Use a password that is not a common one.".into(),
            Rule::Breached => "Use a password that is not known from a data breach.".into(),
            Rule::Context => {
                "Use more than your name, your address and the name of this service.".into()
            }
            Rule::Weak => {
                "Make it harder to guess, for example with several unrelated words.".into()
            }
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_length: Self::DEFAULT_MIN_LENGTH,
            min_score: Self::DEFAULT_MIN_SCORE,
            service_words: PersonalWords::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn judged(text: &str) -> Judgement {
        let policy = Policy::new(15, 3, &["Acme Widgets".to_owned()]).unwrap();
        let personal = PersonalWords::default().with_text("mina.katz@mail.example");
        policy.judge(&Password::parse(text).unwrap(), &personal, false)
    }

    fn broken(text: &str) -> Vec<Rule> {
        judged(text)
            .violations
            .iter()
            .map(|violation| violation.rule)
            .collect()
    }

    /// Code points that form no pattern, so that only the length is judged.
    fn patternless(length: usize) -> String {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from((state >> 16) % 26).unwrap())
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn a_password_of_fourteen_code_points_is_too_short_and_one_of_fifteen_is_not() {
        assert_eq!(broken(&patternless(14)), [Rule::TooShort]);
        assert!(judged(&patternless(15)).accepts());
    }

    #[test]
    fn passwords_of_64_and_256_code_points_are_accepted_and_one_of_257_is_too_long() {
        assert!(judged(&patternless(64)).accepts());
        assert!(judged(&patternless(256)).accepts());
        assert_eq!(broken(&patternless(257)), [Rule::TooLong]);
    }

    #[test]
    fn length_counts_code_points_after_normalisation() {
        assert!(
            !broken(&"\u{1f600}".repeat(15)).contains(&Rule::TooShort),
            "60 bytes"
        );
        assert!(
            broken(&"\u{1f600}".repeat(14)).contains(&Rule::TooShort),
            "28 UTF-16 units"
        );
        assert!(!broken(&"e\u{301}".repeat(15)).contains(&Rule::TooShort));
        assert!(
            broken(&"e\u{301}".repeat(14)).contains(&Rule::TooShort),
            "28 code points as received"
        );
    }

    #[test]
    fn no_kind_of_character_is_required_or_refused() {
        let korean = "김치찌개는 늘 매워서 물이 필요해";
        for text in [
            "marmalade gondola tuesday",
            "857203946118274",
            "GONDOLAMARMALADEVEX",
            "🐌🎻🧊🌵📎🧭🥑🛶🧅🎈🧲💡🐇🪁🎩",
            korean,
            &korean.nfd().collect::<String>(),
            "tab\tand soft\u{ad}hyphen \u{2764}\u{fe0f}",
        ] {
            assert_eq!(broken(text), [], "{text}");
        }
    }

    #[test]
    fn a_code_point_without_a_character_is_refused() {
        assert_eq!(broken("marmalade\u{378}gondola"), [Rule::Unassigned]);
        assert_eq!(broken("marmalade\u{fdd0}gondola"), [Rule::Unassigned]);
    }

    #[test]
    fn the_normal_form_and_the_assigned_code_points_are_of_one_unicode_version() {
        let (major, minor, update) = unicode_normalization::UNICODE_VERSION;
        assert_eq!(
            unicode_properties::UNICODE_VERSION,
            (major.into(), minor.into(), update.into())
        );
    }

    #[test]
    fn a_listed_password_is_common_in_any_case() {
        assert!(broken("passwordpassword").contains(&Rule::Common));
        assert!(broken("QwertyUiopAsdfgh").contains(&Rule::Common));
    }

    #[test]
    fn a_password_that_merely_contains_a_listed_one_is_accepted() {
        assert!(judged("passwordpassword of the marmalade gondola").accepts());
    }

    #[test]
    fn words_of_the_account_and_of_the_service_are_refused_together() {
        for text in [
            "minakatzminakatz",
            "mina katz acme 1986!",
            "stegdiw emca widgets",
        ] {
            assert!(broken(text).contains(&Rule::Context), "{text}");
        }
    }

    #[test]
    fn words_of_the_account_make_a_longer_password_weaker() {
        let text = Password::parse("widgetskatz").unwrap();
        let judged = |words: &PersonalWords| Policy::default().judge(&text, words, false);
        let alone = judged(&PersonalWords::default());
        let known = judged(&PersonalWords::default().with_text("Katz Widgets"));
        assert!(known.score < alone.score);
    }

    #[test]
    fn every_broken_rule_is_reported_in_one_order() {
        assert_eq!(
            broken("acme\u{378}"),
            [Rule::TooShort, Rule::Unassigned, Rule::Context, Rule::Weak]
        );
        assert_eq!(
            broken("acmeacme"),
            [Rule::TooShort, Rule::Context, Rule::Weak]
        );
        assert_eq!(
            broken("iloveyou"),
            [Rule::TooShort, Rule::Common, Rule::Weak]
        );
    }

    #[test]
    fn a_password_from_a_breach_is_refused_however_strong_it_is() {
        let strong = Password::parse("marmalade gondola tuesday").unwrap();
        let judgement = Policy::default().judge(&strong, &PersonalWords::default(), true);
        let rules: Vec<_> = judgement.violations.iter().map(|v| v.rule).collect();
        assert_eq!((rules, judgement.score), (vec![Rule::Breached], 4));
    }

    #[test]
    fn a_refusal_says_what_to_do_with_the_policys_own_numbers() {
        let policy = Policy::new(20, 3, &[]).unwrap();
        assert_eq!(
            policy.description(Rule::TooShort),
            "Use at least 20 characters."
        );
        assert_eq!(
            judged("katz").violations[0].description,
            "Use at least 15 characters."
        );
        assert!(!judged("katz").suggestions.is_empty());
    }

    #[test]
    fn a_minimum_score_of_zero_accepts_the_weak() {
        let policy = Policy::new(15, 0, &[]).unwrap();
        let weak = Password::parse("aaaabbbbaaaabbbbaa").unwrap();
        assert!(
            policy
                .judge(&weak, &PersonalWords::default(), false)
                .accepts()
        );
    }

    #[test]
    fn settings_outside_their_bounds_are_refused() {
        for length in [0, 7, 65] {
            assert_eq!(
                Policy::new(length, 3, &[]).unwrap_err(),
                PolicyError::MinLength(length)
            );
        }
        assert_eq!(
            Policy::new(15, 5, &[]).unwrap_err(),
            PolicyError::MinScore(5)
        );
        assert!(Policy::new(8, 4, &[]).is_ok());
        assert!(Policy::new(64, 0, &[]).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in any::<String>(), name in any::<String>()) {
            if let Ok(password) = Password::parse(text) {
                let words = PersonalWords::default().with_text(&name);
                let judgement = Policy::default().judge(&password, &words, false);
                prop_assert!(judgement.score <= HIGHEST_SCORE);
            }
        }

        #[test]
        fn both_normal_forms_are_judged_alike(text in "\\PC{1,60}") {
            let composed = text.nfc().collect::<String>();
            let decomposed = text.nfd().collect::<String>();
            prop_assert_eq!(judged(&composed), judged(&decomposed));
        }
    }
}
