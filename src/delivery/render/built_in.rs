//! The compiled-in templates, rendered by askama, and their sources for overrides to build on.

use askama::Template;

use super::content::{BrandContent, Content, NoticeContent, ResetLinkContent};
use super::language::nearest;
use super::{Mail, RenderedMail, TemplateError};
use crate::domain::message::Notice;

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
    EnglishChangedText(NoticeContent): "mail/en/password_changed.txt";
    EnglishChangedHtml(NoticeContent): "mail/en/password_changed.html";
    EnglishWrongText(NoticeContent): "mail/en/wrong_passwords.txt";
    EnglishWrongHtml(NoticeContent): "mail/en/wrong_passwords.html";
    EnglishCompromisedText(NoticeContent): "mail/en/password_compromised.txt";
    EnglishCompromisedHtml(NoticeContent): "mail/en/password_compromised.html";
    GermanResetText(ResetLinkContent): "mail/de/reset_link.txt";
    GermanResetHtml(ResetLinkContent): "mail/de/reset_link.html";
    GermanChangedText(NoticeContent): "mail/de/password_changed.txt";
    GermanChangedHtml(NoticeContent): "mail/de/password_changed.html";
    GermanWrongText(NoticeContent): "mail/de/wrong_passwords.txt";
    GermanWrongHtml(NoticeContent): "mail/de/wrong_passwords.html";
    GermanCompromisedText(NoticeContent): "mail/de/password_compromised.txt";
    GermanCompromisedHtml(NoticeContent): "mail/de/password_compromised.html";
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
    let (text, html) = parts(language, brand, mail).map_err(|error| TemplateError::Broken {
        file: format!("{}/{}", language.tag(), mail.stem()),
        line: 0,
        problem: error.to_string(),
    })?;
    RenderedMail::from_parts(language.tag(), mail, &text, html)
}

/// The rendered text and HTML templates.
fn parts(
    language: Language,
    brand: &BrandContent,
    mail: &Mail<'_>,
) -> askama::Result<(String, String)> {
    /// Renders two templates with one mail.
    macro_rules! both {
        ($mail:ident: $text:ident, $html:ident) => {
            (
                $text {
                    brand,
                    mail: &$mail,
                }
                .render()?,
                $html {
                    brand,
                    mail: &$mail,
                }
                .render()?,
            )
        };
    }
    use Language::{English, German};
    Ok(match Content::new(language.tag(), mail) {
        Content::ResetLink(link) => match language {
            English => both!(link: EnglishResetText, EnglishResetHtml),
            German => both!(link: GermanResetText, GermanResetHtml),
        },
        Content::Notice(notice) => match (language, notice.about) {
            (English, Notice::PasswordChanged) => {
                both!(notice: EnglishChangedText, EnglishChangedHtml)
            }
            (English, Notice::WrongPasswords) => both!(notice: EnglishWrongText, EnglishWrongHtml),
            (English, Notice::PasswordCompromised) => {
                both!(notice: EnglishCompromisedText, EnglishCompromisedHtml)
            }
            (German, Notice::PasswordChanged) => {
                both!(notice: GermanChangedText, GermanChangedHtml)
            }
            (German, Notice::WrongPasswords) => both!(notice: GermanWrongText, GermanWrongHtml),
            (German, Notice::PasswordCompromised) => {
                both!(notice: GermanCompromisedText, GermanCompromisedHtml)
            }
        },
    })
}
