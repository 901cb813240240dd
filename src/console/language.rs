//! Which language a page speaks.

/// A language of the pages. The mails speak the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language, as the switch shows them.
    pub(super) const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its BCP 47 tag.
    pub(super) const fn tag(self) -> &'static str {
        self.say("en", "de")
    }

    /// Its name in itself.
    pub(super) const fn name(self) -> &'static str {
        self.say("English", "Deutsch")
    }

    /// The text of this language.
    pub(super) const fn say<'a>(self, english: &'a str, german: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::German => german,
        }
    }

    /// The language with this tag.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// What an `Accept-Language` (RFC 9110 §12.5.4) likes best of these; English if it names none of them.
    pub(super) fn preferred(accepted: &str) -> Self {
        let mut best = (0.0, Self::default());
        for range in accepted.split(',') {
            let (tag, parameter) = range.split_once(';').unwrap_or((range, ""));
            let quality = match parameter.trim().strip_prefix("q=") {
                Some(quality) => quality.parse().unwrap_or(0.0),
                None => 1.0,
            };
            let primary = tag.trim().split('-').next().unwrap_or_default();
            if let Some(language) = Self::of_tag(&primary.to_ascii_lowercase())
                && quality > best.0
            {
                best = (quality, language);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_it_likes_best() {
        for (accepted, language) in [
            ("de-AT,de;q=0.9,en;q=0.5", Language::German),
            ("en;q=0.5, DE ;q=0.8", Language::German),
            ("fr,en-GB;q=0.8,de;q=0.7", Language::English),
            ("de;q=0", Language::English),
            ("de;q=x", Language::English),
            ("fr", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::preferred(accepted), language, "{accepted}");
        }
    }
}
