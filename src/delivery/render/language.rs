//! Which of the available languages is nearest to the one a person asked for.

use std::iter::successors;

/// The language of `available` nearest to `locale`: the tag itself, or what is left of it when
/// subtags are dropped from its end (RFC 4647 §3.4, "lookup"). Case does not count, and `de_AT` is
/// read as `de-AT`.
pub(super) fn nearest<'a, T: AsRef<str>>(locale: &str, available: &'a [T]) -> Option<&'a T> {
    let locale = locale.replace('_', "-");
    successors(Some(locale.as_str()), |tag| {
        tag.rsplit_once('-').map(|(shorter, _)| shorter)
    })
    .find_map(|tag| {
        available
            .iter()
            .find(|language| language.as_ref().eq_ignore_ascii_case(tag))
    })
}

/// Whether `name` looks like a language tag: a language in lower case as ISO 639 writes it, then
/// subtags (RFC 5646 §2.1, as far as it matters for telling a language directory from another one).
pub(super) fn is_tag(name: &str) -> bool {
    let mut subtags = name.split('-');
    let language = subtags.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len())
                && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_language_is_found_by_dropping_subtags() {
        let available = ["en", "de", "pt-BR", "zh-Hant"];
        for (locale, expected) in [
            ("de", Some("de")),
            ("de-AT", Some("de")),
            ("DE_at", Some("de")),
            ("en-GB", Some("en")),
            ("pt-BR", Some("pt-BR")),
            ("pt-br-x-formal", Some("pt-BR")),
            ("zh-Hant-TW", Some("zh-Hant")),
            ("pt", None),
            ("zh-Hans", None),
            ("deutsch", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(nearest(locale, &available), expected.as_ref(), "{locale:?}");
        }
    }

    #[test]
    fn a_language_directory_is_told_from_others() {
        for tag in ["fr", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert!(is_tag(tag), "{tag:?}");
        }
        for name in [
            "", "f", "FR", "De", "emails", "fr_FR", "fr-", "fr--CA", "fr-ü", "images",
        ] {
            assert!(!is_tag(name), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn any_locale_finds_an_available_language_or_none(locale: String) {
            let available = ["en", "de"];
            if let Some(found) = nearest(&locale, &available) {
                prop_assert!(available.contains(found));
            }
        }
    }
}
