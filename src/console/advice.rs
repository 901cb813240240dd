//! What would make a password harder to guess, in the language of the page. Relatch says it in English.

use super::language::Language;

/// Each sentence as Relatch says it, and in German.
const GERMAN: [(&str, &str); 27] = [
    (
        "Avoid rows of neighbouring keys.",
        "Vermeiden Sie Reihen benachbarter Tasten.",
    ),
    (
        "Avoid short patterns on the keyboard.",
        "Vermeiden Sie kurze Muster auf der Tastatur.",
    ),
    (
        "Avoid repeated characters such as \"aaa\".",
        "Vermeiden Sie wiederholte Zeichen wie „aaa“.",
    ),
    (
        "Avoid repeated groups such as \"abcabcabc\".",
        "Vermeiden Sie wiederholte Gruppen wie „abcabcabc“.",
    ),
    (
        "This is one of the ten most common passwords.",
        "Das ist eines der zehn häufigsten Passwörter.",
    ),
    (
        "This is one of the hundred most common passwords.",
        "Das ist eines der hundert häufigsten Passwörter.",
    ),
    (
        "This is a common password.",
        "Das ist ein häufiges Passwort.",
    ),
    (
        "This is close to a common password.",
        "Das ist einem häufigen Passwort ähnlich.",
    ),
    (
        "Avoid sequences such as \"abc\" or \"6543\".",
        "Vermeiden Sie Folgen wie „abc“ oder „6543“.",
    ),
    (
        "Years of our time are easy to guess.",
        "Jahreszahlen unserer Zeit sind leicht zu erraten.",
    ),
    (
        "A single word is easy to guess.",
        "Ein einzelnes Wort ist leicht zu erraten.",
    ),
    (
        "Dates are easy to guess.",
        "Ein Datum ist leicht zu erraten.",
    ),
    (
        "A single name is easy to guess.",
        "Ein einzelner Name ist leicht zu erraten.",
    ),
    (
        "Common names are easy to guess.",
        "Häufige Namen sind leicht zu erraten.",
    ),
    (
        "Use a few words that do not belong together.",
        "Nehmen Sie einige Wörter, die nicht zusammengehören.",
    ),
    (
        "Symbols, digits and capital letters are not needed.",
        "Sonderzeichen, Ziffern und Großbuchstaben sind nicht nötig.",
    ),
    (
        "Add another word or two, the less common the better.",
        "Fügen Sie noch ein oder zwei Wörter hinzu, je seltener, desto besser.",
    ),
    (
        "A capital letter at the beginning helps little.",
        "Ein Großbuchstabe am Anfang hilft wenig.",
    ),
    (
        "Capital letters throughout help little.",
        "Durchgehende Großbuchstaben helfen wenig.",
    ),
    (
        "Words written backwards help little.",
        "Rückwärts geschriebene Wörter helfen wenig.",
    ),
    (
        "Symbols for letters, such as \"@\" for \"a\", help little.",
        "Sonderzeichen für Buchstaben, wie „@“ für „a“, helfen wenig.",
    ),
    (
        "Use words instead of a pattern on the keyboard.",
        "Nehmen Sie Wörter statt eines Musters auf der Tastatur.",
    ),
    (
        "Avoid repeated words and characters.",
        "Vermeiden Sie wiederholte Wörter und Zeichen.",
    ),
    ("Avoid sequences.", "Vermeiden Sie Folgen."),
    (
        "Avoid years of our time.",
        "Vermeiden Sie Jahreszahlen unserer Zeit.",
    ),
    (
        "Avoid years that have to do with you.",
        "Vermeiden Sie Jahreszahlen, die mit Ihnen zu tun haben.",
    ),
    (
        "Avoid dates and years that have to do with you.",
        "Vermeiden Sie Daten und Jahreszahlen, die mit Ihnen zu tun haben.",
    ),
];

/// A sentence of Relatch in this language. One that a newer Relatch says stays as it is.
pub(super) fn advice(sentence: &str, t: Language) -> &str {
    let known = GERMAN.iter().find(|(english, _)| *english == sentence);
    known.map_or(sentence, |(_, german)| t.say(sentence, german))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_that_relatch_says_has_its_german() {
        let source = include_str!("../domain/password/strength.rs");
        let (_, said) = source.split_once("const fn reason").unwrap();
        let (said, _) = said.split_once("#[cfg(test)]").unwrap();
        let said = said.replace("\\\"", "\u{1}");
        let sentences = said.split('"').skip(1).step_by(2);
        let sentences: Vec<_> = sentences.map(|said| said.replace('\u{1}', "\"")).collect();
        assert_eq!(sentences.len(), GERMAN.len());
        for sentence in &sentences {
            assert_eq!(advice(sentence, Language::English), sentence);
            assert_ne!(advice(sentence, Language::German), sentence);
        }
        assert_eq!(advice("Be wise.", Language::German), "Be wise.");
    }
}
