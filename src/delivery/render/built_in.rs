//! The compiled-in templates, rendered by askama, and their sources for overrides to build on.

use askama::Template;

use super::content::{
    AddressCodeContent, BrandContent, CodeContent, Content, FactorRemovalContent, NoticeContent,
    ResetLinkContent,
};
use super::language::nearest;
use super::{Asked, Mail, RenderedMail, TemplateError, text_message};
use crate::domain::message::{ChannelKind, Notice};

/// Declares a template per file, with what it calls its message, and a constant with the source of each.
macro_rules! templates {
    ($variable:ident in $files:ident; $($template:ident($content:ident): $path:literal;)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path)]
            struct $template<'a> {
                brand: &'a BrandContent,
                $variable: &'a $content<'a>,
            }
        )*

        const $files: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../../templates/", $path))),)*
        ];
    };
}

templates! { mail in MAILS;
    EnglishResetText(ResetLinkContent): "mail/en/reset_link.txt";
    EnglishResetHtml(ResetLinkContent): "mail/en/reset_link.html";
    EnglishInvitationText(ResetLinkContent): "mail/en/invitation.txt";
    EnglishInvitationHtml(ResetLinkContent): "mail/en/invitation.html";
    EnglishAddressCodeText(AddressCodeContent): "mail/en/address_code.txt";
    EnglishAddressCodeHtml(AddressCodeContent): "mail/en/address_code.html";
    EnglishCodeText(CodeContent): "mail/en/code.txt";
    EnglishCodeHtml(CodeContent): "mail/en/code.html";
    EnglishRemovalText(FactorRemovalContent): "mail/en/second_factor_removal.txt";
    EnglishRemovalHtml(FactorRemovalContent): "mail/en/second_factor_removal.html";
    EnglishChangedText(NoticeContent): "mail/en/password_changed.txt";
    EnglishChangedHtml(NoticeContent): "mail/en/password_changed.html";
    EnglishAddressText(NoticeContent): "mail/en/address_changed.txt";
    EnglishAddressHtml(NoticeContent): "mail/en/address_changed.html";
    EnglishRecoveryText(NoticeContent): "mail/en/recovery_code_used.txt";
    EnglishRecoveryHtml(NoticeContent): "mail/en/recovery_code_used.html";
    EnglishFactorText(NoticeContent): "mail/en/second_factor_changed.txt";
    EnglishFactorHtml(NoticeContent): "mail/en/second_factor_changed.html";
    EnglishCodesText(NoticeContent): "mail/en/recovery_codes_renewed.txt";
    EnglishCodesHtml(NoticeContent): "mail/en/recovery_codes_renewed.html";
    EnglishWrongText(NoticeContent): "mail/en/wrong_passwords.txt";
    EnglishWrongHtml(NoticeContent): "mail/en/wrong_passwords.html";
    EnglishWrongCodesText(NoticeContent): "mail/en/wrong_second_factors.txt";
    EnglishWrongCodesHtml(NoticeContent): "mail/en/wrong_second_factors.html";
    EnglishCompromisedText(NoticeContent): "mail/en/password_compromised.txt";
    EnglishCompromisedHtml(NoticeContent): "mail/en/password_compromised.html";
    GermanResetText(ResetLinkContent): "mail/de/reset_link.txt";
    GermanResetHtml(ResetLinkContent): "mail/de/reset_link.html";
    GermanInvitationText(ResetLinkContent): "mail/de/invitation.txt";
    GermanInvitationHtml(ResetLinkContent): "mail/de/invitation.html";
    GermanAddressCodeText(AddressCodeContent): "mail/de/address_code.txt";
    GermanAddressCodeHtml(AddressCodeContent): "mail/de/address_code.html";
    GermanCodeText(CodeContent): "mail/de/code.txt";
    GermanCodeHtml(CodeContent): "mail/de/code.html";
    GermanRemovalText(FactorRemovalContent): "mail/de/second_factor_removal.txt";
    GermanRemovalHtml(FactorRemovalContent): "mail/de/second_factor_removal.html";
    GermanChangedText(NoticeContent): "mail/de/password_changed.txt";
    GermanChangedHtml(NoticeContent): "mail/de/password_changed.html";
    GermanAddressText(NoticeContent): "mail/de/address_changed.txt";
    GermanAddressHtml(NoticeContent): "mail/de/address_changed.html";
    GermanRecoveryText(NoticeContent): "mail/de/recovery_code_used.txt";
    GermanRecoveryHtml(NoticeContent): "mail/de/recovery_code_used.html";
    GermanFactorText(NoticeContent): "mail/de/second_factor_changed.txt";
    GermanFactorHtml(NoticeContent): "mail/de/second_factor_changed.html";
    GermanCodesText(NoticeContent): "mail/de/recovery_codes_renewed.txt";
    GermanCodesHtml(NoticeContent): "mail/de/recovery_codes_renewed.html";
    GermanWrongText(NoticeContent): "mail/de/wrong_passwords.txt";
    GermanWrongHtml(NoticeContent): "mail/de/wrong_passwords.html";
    GermanWrongCodesText(NoticeContent): "mail/de/wrong_second_factors.txt";
    GermanWrongCodesHtml(NoticeContent): "mail/de/wrong_second_factors.html";
    GermanCompromisedText(NoticeContent): "mail/de/password_compromised.txt";
    GermanCompromisedHtml(NoticeContent): "mail/de/password_compromised.html";
}

templates! { sms in TEXTS;
    EnglishResetSms(ResetLinkContent): "sms/en/reset_link.txt";
    EnglishAddressCodeSms(AddressCodeContent): "sms/en/address_code.txt";
    EnglishCodeSms(CodeContent): "sms/en/code.txt";
    EnglishRemovalSms(FactorRemovalContent): "sms/en/second_factor_removal.txt";
    EnglishChangedSms(NoticeContent): "sms/en/password_changed.txt";
    EnglishAddressSms(NoticeContent): "sms/en/address_changed.txt";
    EnglishRecoverySms(NoticeContent): "sms/en/recovery_code_used.txt";
    EnglishFactorSms(NoticeContent): "sms/en/second_factor_changed.txt";
    EnglishCodesSms(NoticeContent): "sms/en/recovery_codes_renewed.txt";
    EnglishWrongSms(NoticeContent): "sms/en/wrong_passwords.txt";
    EnglishWrongCodesSms(NoticeContent): "sms/en/wrong_second_factors.txt";
    EnglishCompromisedSms(NoticeContent): "sms/en/password_compromised.txt";
    GermanResetSms(ResetLinkContent): "sms/de/reset_link.txt";
    GermanAddressCodeSms(AddressCodeContent): "sms/de/address_code.txt";
    GermanCodeSms(CodeContent): "sms/de/code.txt";
    GermanRemovalSms(FactorRemovalContent): "sms/de/second_factor_removal.txt";
    GermanChangedSms(NoticeContent): "sms/de/password_changed.txt";
    GermanAddressSms(NoticeContent): "sms/de/address_changed.txt";
    GermanRecoverySms(NoticeContent): "sms/de/recovery_code_used.txt";
    GermanFactorSms(NoticeContent): "sms/de/second_factor_changed.txt";
    GermanCodesSms(NoticeContent): "sms/de/recovery_codes_renewed.txt";
    GermanWrongSms(NoticeContent): "sms/de/wrong_passwords.txt";
    GermanWrongCodesSms(NoticeContent): "sms/de/wrong_second_factors.txt";
    GermanCompromisedSms(NoticeContent): "sms/de/password_compromised.txt";
}

const LAYOUT: (&str, &str) = (
    "mail/layout.html",
    include_str!("../../../templates/mail/layout.html"),
);

/// The compiled-in templates as `(name, source)`.
pub(super) fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    let templates = [LAYOUT].into_iter().chain(MAILS.iter().copied());
    templates.chain(TEXTS.iter().copied())
}

/// A language with compiled-in templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language nearest to `locale`, English when none is near.
    fn nearest_to(locale: &str) -> Self {
        nearest(locale, &Self::ALL)
            .copied()
            .unwrap_or(Self::English)
    }

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

/// Renders `mail` as a mail, in the language nearest to `locale`.
pub(super) fn render(
    brand: &BrandContent,
    locale: &str,
    mail: &Mail<'_>,
) -> Result<RenderedMail, TemplateError> {
    let language = Language::nearest_to(locale);
    let template = mail.template(ChannelKind::Email, language.tag());
    let (text, html) = parts(language, brand, mail).map_err(|error| broken(&template, &error))?;
    RenderedMail::from_parts(&template, &text, html)
}

/// Renders `mail` as a text message, in the language nearest to `locale`.
pub(super) fn render_sms(
    brand: &BrandContent,
    locale: &str,
    mail: &Mail<'_>,
) -> Result<String, TemplateError> {
    let language = Language::nearest_to(locale);
    let template = mail.template(ChannelKind::Sms, language.tag());
    let text = sms(language, brand, mail).map_err(|error| broken(&template, &error))?;
    text_message(&template, &text)
}

fn broken(template: &str, error: &askama::Error) -> TemplateError {
    TemplateError::Broken {
        file: template.to_owned(),
        line: 0,
        problem: error.to_string(),
    }
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
        Content::ResetLink(link) => match (language, link.asked) {
            (English, Asked::ByInvitation) => {
                both!(link: EnglishInvitationText, EnglishInvitationHtml)
            }
            (German, Asked::ByInvitation) => {
                both!(link: GermanInvitationText, GermanInvitationHtml)
            }
            (English, Asked::AtSignIn | Asked::FromProfile) => {
                both!(link: EnglishResetText, EnglishResetHtml)
            }
            (German, Asked::AtSignIn | Asked::FromProfile) => {
                both!(link: GermanResetText, GermanResetHtml)
            }
        },
        Content::Code(code) => match language {
            English => both!(code: EnglishCodeText, EnglishCodeHtml),
            German => both!(code: GermanCodeText, GermanCodeHtml),
        },
        Content::AddressCode(code) => match language {
            English => both!(code: EnglishAddressCodeText, EnglishAddressCodeHtml),
            German => both!(code: GermanAddressCodeText, GermanAddressCodeHtml),
        },
        Content::FactorRemoval(removal) => match language {
            English => both!(removal: EnglishRemovalText, EnglishRemovalHtml),
            German => both!(removal: GermanRemovalText, GermanRemovalHtml),
        },
        Content::Notice(notice) => match (language, notice.about) {
            (English, Notice::PasswordChanged) => {
                both!(notice: EnglishChangedText, EnglishChangedHtml)
            }
            (English, Notice::RecoveryCodeUsed { .. }) => {
                both!(notice: EnglishRecoveryText, EnglishRecoveryHtml)
            }
            (English, Notice::WrongSecondFactors) => {
                both!(notice: EnglishWrongCodesText, EnglishWrongCodesHtml)
            }
            (English, Notice::AddressChanged) => {
                both!(notice: EnglishAddressText, EnglishAddressHtml)
            }
            (English, Notice::SecondFactorChanged) => {
                both!(notice: EnglishFactorText, EnglishFactorHtml)
            }
            (English, Notice::RecoveryCodesRenewed) => {
                both!(notice: EnglishCodesText, EnglishCodesHtml)
            }
            (English, Notice::WrongPasswords) => both!(notice: EnglishWrongText, EnglishWrongHtml),
            (English, Notice::PasswordCompromised) => {
                both!(notice: EnglishCompromisedText, EnglishCompromisedHtml)
            }
            (German, Notice::PasswordChanged) => {
                both!(notice: GermanChangedText, GermanChangedHtml)
            }
            (German, Notice::RecoveryCodeUsed { .. }) => {
                both!(notice: GermanRecoveryText, GermanRecoveryHtml)
            }
            (German, Notice::WrongSecondFactors) => {
                both!(notice: GermanWrongCodesText, GermanWrongCodesHtml)
            }
            (German, Notice::AddressChanged) => {
                both!(notice: GermanAddressText, GermanAddressHtml)
            }
            (German, Notice::SecondFactorChanged) => {
                both!(notice: GermanFactorText, GermanFactorHtml)
            }
            (German, Notice::RecoveryCodesRenewed) => {
                both!(notice: GermanCodesText, GermanCodesHtml)
            }
            (German, Notice::WrongPasswords) => both!(notice: GermanWrongText, GermanWrongHtml),
            (German, Notice::PasswordCompromised) => {
                both!(notice: GermanCompromisedText, GermanCompromisedHtml)
            }
        },
    })
}

/// The rendered template of a text message.
fn sms(language: Language, brand: &BrandContent, mail: &Mail<'_>) -> askama::Result<String> {
    /// Renders a template with one message.
    macro_rules! text {
        ($sms:ident: $text:ident) => {
            $text { brand, sms: &$sms }.render()
        };
    }
    use Language::{English, German};
    match Content::new(language.tag(), mail) {
        Content::ResetLink(link) => match language {
            English => text!(link: EnglishResetSms),
            German => text!(link: GermanResetSms),
        },
        Content::Code(code) => match language {
            English => text!(code: EnglishCodeSms),
            German => text!(code: GermanCodeSms),
        },
        Content::AddressCode(code) => match language {
            English => text!(code: EnglishAddressCodeSms),
            German => text!(code: GermanAddressCodeSms),
        },
        Content::FactorRemoval(removal) => match language {
            English => text!(removal: EnglishRemovalSms),
            German => text!(removal: GermanRemovalSms),
        },
        Content::Notice(notice) => match (language, notice.about) {
            (English, Notice::PasswordChanged) => text!(notice: EnglishChangedSms),
            (English, Notice::AddressChanged) => text!(notice: EnglishAddressSms),
            (English, Notice::SecondFactorChanged) => text!(notice: EnglishFactorSms),
            (English, Notice::RecoveryCodesRenewed) => text!(notice: EnglishCodesSms),
            (English, Notice::WrongPasswords) => text!(notice: EnglishWrongSms),
            (English, Notice::PasswordCompromised) => text!(notice: EnglishCompromisedSms),
            (German, Notice::PasswordChanged) => text!(notice: GermanChangedSms),
            (German, Notice::AddressChanged) => text!(notice: GermanAddressSms),
            (English, Notice::RecoveryCodeUsed { .. }) => text!(notice: EnglishRecoverySms),
            (English, Notice::WrongSecondFactors) => text!(notice: EnglishWrongCodesSms),
            (German, Notice::RecoveryCodeUsed { .. }) => text!(notice: GermanRecoverySms),
            (German, Notice::WrongSecondFactors) => text!(notice: GermanWrongCodesSms),
            (German, Notice::SecondFactorChanged) => text!(notice: GermanFactorSms),
            (German, Notice::RecoveryCodesRenewed) => text!(notice: GermanCodesSms),
            (German, Notice::WrongPasswords) => text!(notice: GermanWrongSms),
            (German, Notice::PasswordCompromised) => text!(notice: GermanCompromisedSms),
        },
    }
}
