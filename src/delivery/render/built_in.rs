//! The compiled-in templates, rendered by askama, and their sources for overrides to build on.

use askama::Template;

use super::content::{BrandContent, Content, PasswordChangedContent, ResetLinkContent};
use super::language::nearest;
use super::{Mail, RenderedMail, TemplateError};

/// Declares a template per file, and `FILES` with the source of each.
macro_rules! templates {
    ($($template:ident($content:ident): $path:literal;)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path)]
            struct $template<'a> {
                brand: &'a BrandContent,
                mail: &'a $content<'a>,
            }
        )*

        const FILES: &[(&str, &str)] = &[
            ("mail/layout.html", include_str!("../../../templates/mail/layout.html")),
            $(($path, include_str!(concat!("../../../templates/", $path))),)*
        ];
    };
}

templates! {
    EnglishResetText(ResetLinkContent): "mail/en/reset_link.txt";
    EnglishResetHtml(ResetLinkContent): "mail/en/reset_link.html";
    EnglishChangedText(PasswordChangedContent): "mail/en/password_changed.txt";
    EnglishChangedHtml(PasswordChangedContent): "mail/en/password_changed.html";
    GermanResetText(ResetLinkContent): "mail/de/reset_link.txt";
    GermanResetHtml(ResetLinkContent): "mail/de/reset_link.html";
    GermanChangedText(PasswordChangedContent): "mail/de/password_changed.txt";
    GermanChangedHtml(PasswordChangedContent): "mail/de/password_changed.html";
}

/// The compiled-in templates as `(name, source)`, the name as an operator would write it.
pub(super) fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES
        .iter()
        .filter_map(|&(path, source)| Some((path.strip_prefix("mail/")?, source)))
}

/// A language with compiled-in templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::German];

    /// The BCP 47 tag, which also names the directory.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

impl AsRef<str> for Language {
    fn as_ref(&self) -> &str {
        self.tag()
    }
}

/// Renders `mail` in the language nearest to `locale`, in English when none is near.
pub(super) fn render(
    brand: &BrandContent,
    locale: &str,
    mail: &Mail<'_>,
) -> Result<RenderedMail, TemplateError> {
    let language = nearest(locale, &Language::ALL)
        .copied()
        .unwrap_or(Language::English);
    let (text, html) =
        parts(language, brand, &Content::new(language.tag(), mail)).map_err(|error| {
            TemplateError::Broken {
                file: format!("{}/{}", language.tag(), mail.stem()),
                line: 0,
                problem: error.to_string(),
            }
        })?;
    RenderedMail::from_parts(language.tag(), mail, &text, html)
}

/// The rendered text and HTML templates.
fn parts(
    language: Language,
    brand: &BrandContent,
    content: &Content<'_>,
) -> askama::Result<(String, String)> {
    Ok(match (language, content) {
        (Language::English, Content::ResetLink(mail)) => (
            EnglishResetText { brand, mail }.render()?,
            EnglishResetHtml { brand, mail }.render()?,
        ),
        (Language::English, Content::PasswordChanged(mail)) => (
            EnglishChangedText { brand, mail }.render()?,
            EnglishChangedHtml { brand, mail }.render()?,
        ),
        (Language::German, Content::ResetLink(mail)) => (
            GermanResetText { brand, mail }.render()?,
            GermanResetHtml { brand, mail }.render()?,
        ),
        (Language::German, Content::PasswordChanged(mail)) => (
            GermanChangedText { brand, mail }.render()?,
            GermanChangedHtml { brand, mail }.render()?,
        ),
    })
}
