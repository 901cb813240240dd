//! How hard a password is to guess, as zxcvbn estimates it. (Its one look at the clock, for the
//! present year, tells it how close a year in a password is.)

use zeroize::Zeroizing;
use zxcvbn::feedback::{self, Feedback, Warning};

use super::{PersonalWords, lookalike::LOOKALIKES};

/// zxcvbn's best score.
pub(super) const HIGHEST_SCORE: u8 = 4;

/// The code points that are judged. The work grows with the square of the length, and nobody
/// guesses beyond.
const JUDGED_LENGTH: usize = 100;

/// The readings of look-alike symbols as letters that are tried. zxcvbn looks the whole text up
/// once for each, at up to 3 ms a reading, and a hundred hand-picked symbols have 576: more than a
/// second of work for one password.
const MOST_READINGS: usize = 8;

/// An estimate of how many guesses a password withstands.
pub(super) struct Strength {
    /// 0 to [`HIGHEST_SCORE`].
    pub(super) score: u8,
    /// What would make the password harder to guess; some for every score below 3.
    pub(super) suggestions: Vec<Suggestion>,
}

impl Strength {
    /// Judges a text, with the words that whoever knows the person tries first.
    pub(super) fn estimate(text: &str, words: &PersonalWords) -> Self {
        let judged = Zeroizing::new(judged_part(text));
        let entropy = zxcvbn::zxcvbn(&judged, &words.iter().collect::<Vec<_>>());
        Self {
            score: entropy.score().into(),
            suggestions: entropy.feedback().map(suggestions).unwrap_or_default(),
        }
    }
}

/// One piece of advice: a fixed English sentence that holds nothing of the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion(&'static str);

impl Suggestion {
    /// The sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The first [`JUDGED_LENGTH`] code points. Where their symbols can be read as letters in too many
/// ways to try, the punctuation among them is no longer read as letters: such a mixture is no word
/// in disguise.
fn judged_part(text: &str) -> String {
    let judged: String = text.chars().take(JUDGED_LENGTH).collect();
    if readings(&judged) > MOST_READINGS {
        judged.chars().map(unreadable).collect()
    } else {
        judged
    }
}

fn readings(text: &str) -> usize {
    let present = |symbols: &str| {
        symbols
            .chars()
            .filter(|symbol| text.contains(*symbol))
            .count()
    };
    LOOKALIKES
        .iter()
        .map(|(_, symbols)| present(symbols).max(1))
        .product()
}

/// A symbol for each punctuation mark that looks like nothing else. The sixteen apart are too far
/// for a sequence.
fn unreadable(c: char) -> char {
    const PRIVATE_USE: u32 = 0xe000;
    if c.is_ascii_punctuation() {
        char::from_u32(PRIVATE_USE + 16 * u32::from(c)).unwrap_or(c)
    } else {
        c
    }
}

fn suggestions(feedback: &Feedback) -> Vec<Suggestion> {
    let reason = feedback.warning().map(reason);
    reason
        .into_iter()
        .chain(feedback.suggestions().iter().copied().map(advice))
        .map(Suggestion)
        .collect()
}

const fn reason(warning: Warning) -> &'static str {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess => "Avoid rows of neighbouring keys.",
        Warning::ShortKeyboardPatternsAreEasyToGuess => "Avoid short patterns on the keyboard.",
        Warning::RepeatsLikeAaaAreEasyToGuess => "Avoid repeated characters such as \"aaa\".",
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => {
            "Avoid repeated groups such as \"abcabcabc\"."
        }
        Warning::ThisIsATop10Password => "This is one of the ten most common passwords.",
        Warning::ThisIsATop100Password => "This is one of the hundred most common passwords.",
        Warning::ThisIsACommonPassword => "This is a common password.",
        Warning::ThisIsSimilarToACommonlyUsedPassword => "This is close to a common password.",
        Warning::SequencesLikeAbcAreEasyToGuess => "Avoid sequences such as \"abc\" or \"6543\".",
        Warning::RecentYearsAreEasyToGuess => "Years of our time are easy to guess.",
        Warning::AWordByItselfIsEasyToGuess => "A single word is easy to guess.",
        Warning::DatesAreOftenEasyToGuess => "Dates are easy to guess.",
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess => "A single name is easy to guess.",
        Warning::CommonNamesAndSurnamesAreEasyToGuess => "Common names are easy to guess.",
    }
}

const fn advice(suggestion: feedback::Suggestion) -> &'static str {
    use feedback::Suggestion as S;
    match suggestion {
        S::UseAFewWordsAvoidCommonPhrases => "Use a few words that do not belong together.",
        S::NoNeedForSymbolsDigitsOrUppercaseLetters => {
            "Symbols, digits and capital letters are not needed."
        }
        S::AddAnotherWordOrTwo => "Add another word or two, the less common the better.",
        S::CapitalizationDoesntHelpVeryMuch => "A capital letter at the beginning helps little.",
        S::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => {
            "Capital letters throughout help little."
        }
        S::ReversedWordsArentMuchHarderToGuess => "Words written backwards help little.",
        S::PredictableSubstitutionsDontHelpVeryMuch => {
            "Symbols for letters, such as \"@\" for \"a\", help little."
        }
        S::UseALongerKeyboardPatternWithMoreTurns => {
            "Use words instead of a pattern on the keyboard."
        }
        S::AvoidRepeatedWordsAndCharacters => "Avoid repeated words and characters.",
        S::AvoidSequences => "Avoid sequences.",
        S::AvoidRecentYears => "Avoid years of our time.",
        S::AvoidYearsThatAreAssociatedWithYou => "Avoid years that have to do with you.",
        S::AvoidDatesAndYearsThatAreAssociatedWithYou => {
            "Avoid dates and years that have to do with you."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(text: &str) -> u8 {
        Strength::estimate(text, &PersonalWords::default()).score
    }

    #[test]
    fn the_scores_span_the_scale() {
        assert_eq!(score("password"), 0);
        assert_eq!(score("gondola marmalade tuesday"), HIGHEST_SCORE);
    }

    #[test]
    fn only_the_first_hundred_code_points_are_judged() {
        let repeats = "a".repeat(JUDGED_LENGTH);
        assert!(score(&format!("{repeats} gondola marmalade tuesday")) < 3);
        assert_eq!(
            score(&format!("{} gondola marmalade tuesday", &repeats[..50])),
            HIGHEST_SCORE
        );
    }

    #[test]
    fn a_word_in_the_usual_disguise_is_recognised() {
        assert!(score("p@$$w0rdp@$$w0rd") < 3);
        assert_eq!(judged_part("p@$$w0rd"), "p@$$w0rd");
    }

    #[test]
    fn symbols_with_too_many_readings_are_judged_without_them() {
        let symbols = "4@8({[<3691!|170$5+7%2";
        assert!(readings(symbols) > MOST_READINGS);
        let judged = judged_part(symbols);
        assert!(readings(&judged) <= MOST_READINGS);
        assert_eq!(judged.chars().count(), symbols.chars().count());
        assert_eq!(score(symbols), HIGHEST_SCORE);
    }

    #[test]
    fn long_walks_over_the_keyboard_are_judged() {
        assert!(score(&"qw".repeat(50)) < 3);
        let _ = score(&"qawsedrftgyhujikolp".repeat(6));
    }

    #[test]
    fn a_weak_password_comes_with_the_reason_first() {
        let strength = Strength::estimate("password", &PersonalWords::default());
        assert_eq!(
            strength.suggestions[0].as_str(),
            "This is one of the ten most common passwords."
        );
    }

    #[test]
    fn a_strong_password_comes_without_suggestions() {
        let strength = Strength::estimate("gondola marmalade tuesday", &PersonalWords::default());
        assert_eq!(strength.suggestions, []);
    }
}
