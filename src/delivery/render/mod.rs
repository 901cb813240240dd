//! The mails and text messages of Relatch: what is to be said becomes a subject, a text part and an
//! HTML part, or one short text.
//!
//! Every mail is a pair of templates, `LANGUAGE/MAIL.txt` and `LANGUAGE/MAIL.html`, and the HTML
//! ones share `layout.html`; every text message is one, `LANGUAGE/MAIL.txt` below a directory of its
//! own. English and German are compiled in and checked when they are compiled. An operator may put
//! files of the same names into directories of their own, where a further language directory adds
//! that language; see [`Renderer::new`]. But for the layout every file is whole, though notices have the
//! same table: what an operator copies to change it, or to translate it, needs no other file beside it.
//!
//! A mail's text template begins with `Subject: …` and an empty line. Its paragraphs stand on one
//! line each and are folded once the values are in. A text message goes out as it is written. The
//! built-in ones keep to GSM-7 (3GPP TS 23.038), of which twice as many characters fit into one as of
//! any others. Templates see two variables, the second of which is called `sms` in text messages:
//!
//! | variable | meaning |
//! |---|---|
//! | `brand.product_name` | what the service is called |
//! | `brand.support_contact` | whom to ask for help; empty when nobody is configured |
//! | `mail.language` | the tag of the template's language, for the `lang` attribute |
//! | `mail.name` | how to greet the person; empty when there is no name to greet by; not in `address_code`, which a stranger may read |
//! | `mail.from_profile`, `mail.reset_url`, `mail.cancel_url`, `mail.lifetime`, `mail.expires_at` | `reset_link` and `invitation` only |
//! | `mail.code`, `mail.for_sign_in`, `mail.lifetime`, `mail.expires_at`, `mail.host`, `mail.forgot_password_url` | `code` only, the first and the third to fifth also `address_code`; the host is that of the page where codes are typed, for the last line of a text message |
//! | `mail.happened_at`, `mail.effective_at`, `mail.cancel_url` | `second_factor_removal` only |
//! | `mail.happened_at`, `mail.network`, `mail.browser`, `mail.system`, `mail.forgot_password_url` | the notices only; what is unknown of the middle three is empty |
//! | `mail.codes_left` | `recovery_code_used` only |
//!
//! All are text but `mail.from_profile` and `mail.for_sign_in`, which are true or false.

mod built_in;
mod content;
mod error;
mod language;
mod overrides;
mod sample;
mod single_line;
mod spelling;
mod text_part;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use self::content::BrandContent;
pub use self::error::TemplateError;
use self::overrides::Overrides;
use crate::domain::message::{ChannelKind, Notice};
use crate::domain::network::Network;
use crate::domain::user_agent::BrowserAndSystem;

/// What the operator is called, the same in every mail.
#[derive(Debug, Clone)]
pub struct Brand {
    /// The name of the product people have an account with.
    pub product_name: String,
    /// Whom people can ask for help: an email address, a telephone number or a web address.
    pub support_contact: Option<String>,
}

/// A mail to be rendered, or a text message. It holds live links, so it has no `Debug`.
pub enum Mail<'a> {
    /// A link to choose a new password.
    ResetLink(ResetLink<'a>),
    /// A code for the second factor.
    Code(CodeMail<'a>),
    /// A code that proves the address that it goes to.
    AddressCode(AddressCodeMail<'a>),
    /// The second factor is about to be removed, and a link to stop that.
    FactorRemoval(FactorRemovalMail<'a>),
    /// Something that the account's owner should know.
    Notice(NoticeMail<'a>),
}

/// A link to choose a new password, or the first one, and one to say "this was not me".
pub struct ResetLink<'a> {
    /// The account's display name; empty when it has none.
    pub display_name: &'a str,
    /// How the link came to be asked for.
    pub asked: Asked,
    /// The reset page with its token in the fragment.
    pub reset_url: &'a str,
    /// The page that makes every open link of the account useless.
    pub cancel_url: &'a str,
    /// How long the link was made to live, counted from the request.
    pub lifetime: Duration,
    /// When the link stops working. Shown to the minute, rounded down, so that no mail promises
    /// more than the link holds.
    pub expires_at: Timestamp,
}

/// How a reset link came to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// At sign-in, by somebody who typed the address: not necessarily its owner.
    AtSignIn,
    /// From the profile, by somebody who was signed in.
    FromProfile,
    /// By the company, for somebody who has no password yet: an invitation.
    ByInvitation,
}

/// A code for the second factor.
pub struct CodeMail<'a> {
    /// The account's display name; empty when it has none.
    pub display_name: &'a str,
    /// Six digits.
    pub code: &'a str,
    /// Whether it finishes a sign-in; otherwise it lets a reset link be used.
    pub for_sign_in: bool,
    /// How long it was made to live, counted from the request.
    pub lifetime: Duration,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// The host of the page where it is typed, which browsers fill it in on
    /// (WICG, origin-bound one-time codes delivered via SMS).
    pub host: &'a str,
    /// The page where anybody can ask for a reset link.
    pub forgot_password_url: &'a str,
}

/// The second factor is about to be removed, and a link to say "this was not me".
pub struct FactorRemovalMail<'a> {
    /// The account's display name; empty when it has none.
    pub display_name: &'a str,
    /// When the support desk ordered it.
    pub ordered_at: Timestamp,
    /// When the factor is gone, and the link stops nothing any more.
    pub effective_at: Timestamp,
    /// The page that stops it.
    pub cancel_url: &'a str,
}

/// A code that proves an address. Whoever reads it may be a stranger, so it names nobody.
pub struct AddressCodeMail<'a> {
    /// Six digits.
    pub code: &'a str,
    /// How long it was made to live, counted from the request.
    pub lifetime: Duration,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// The host of the page where it is typed.
    pub host: &'a str,
}

/// A notice: what happened, when, roughly from where, and what to do if it was somebody else
/// (NIST SP 800-63B-4 §4.6). It never carries a token.
pub struct NoticeMail<'a> {
    /// What happened.
    pub about: Notice,
    /// The account's display name; empty when it has none.
    pub display_name: &'a str,
    /// When it happened.
    pub happened_at: Timestamp,
    /// From which network, and with which browser and system; `None` if nobody's browser did it.
    pub whence: Option<(Network, BrowserAndSystem)>,
    /// The page where anybody can ask for a reset link.
    pub forgot_password_url: &'a str,
}

/// A mail ready to be sent, its lines separated by LF.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line without control characters, so that it cannot add a header of its own.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part, a whole document.
    pub html: String,
}

impl Mail<'_> {
    /// The name of the mail's templates, without language and extension. Invitations go by email alone.
    const fn stem(&self, channel: ChannelKind) -> &'static str {
        match self {
            Self::ResetLink(link) => match (link.asked, channel) {
                (Asked::ByInvitation, ChannelKind::Email) => "invitation",
                (Asked::AtSignIn | Asked::FromProfile | Asked::ByInvitation, _) => "reset_link",
            },
            Self::Code(_) => "code",
            Self::AddressCode(_) => "address_code",
            Self::FactorRemoval(_) => "second_factor_removal",
            Self::Notice(mail) => match mail.about {
                Notice::PasswordChanged => "password_changed",
                Notice::RecoveryCodeUsed { .. } => "recovery_code_used",
                Notice::AddressChanged => "address_changed",
                Notice::SecondFactorChanged => "second_factor_changed",
                Notice::RecoveryCodesRenewed => "recovery_codes_renewed",
                Notice::WrongPasswords => "wrong_passwords",
                Notice::WrongSecondFactors => "wrong_second_factors",
                Notice::PasswordCompromised => "password_compromised",
            },
        }
    }

    /// The name of its templates in this language, without extension: `mail/en/reset_link`.
    fn template(&self, channel: ChannelKind, language: &str) -> String {
        format!("{}/{language}/{}", variable(channel), self.stem(channel))
    }

    /// Without which the message is of no use: a template's name for it, and its value.
    const fn essential(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::ResetLink(link) => Some(("reset_url", link.reset_url)),
            Self::Code(mail) => Some(("code", mail.code)),
            Self::AddressCode(mail) => Some(("code", mail.code)),
            Self::FactorRemoval(removal) => Some(("cancel_url", removal.cancel_url)),
            Self::Notice(_) => None,
        }
    }
}

impl RenderedMail {
    /// The mail from its rendered templates of this name, whose text one begins with the subject.
    fn from_parts(template: &str, text: &str, html: String) -> Result<Self, TemplateError> {
        let (subject, text) = text_part::split(text).ok_or_else(|| TemplateError::NoSubject {
            file: format!("{template}.txt"),
        })?;
        Ok(Self {
            subject,
            text,
            html,
        })
    }
}

/// Shows the subject only: the parts hold live links.
impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedMail")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What the templates of a channel call their message, and the directory that they are in.
const fn variable(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Email => "mail",
        ChannelKind::Sms => "sms",
    }
}

/// The text message from its rendered template of this name.
fn text_message(template: &str, text: &str) -> Result<String, TemplateError> {
    match text.trim() {
        "" => Err(TemplateError::Empty {
            file: format!("{template}.txt"),
        }),
        text => Ok(text.to_owned()),
    }
}

/// Where an operator's own templates are; `None` is nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateDirs<'a> {
    /// Those of mails.
    pub mail: Option<&'a Path>,
    /// Those of text messages.
    pub sms: Option<&'a Path>,
}

/// Turns mails into what is sent.
#[derive(Debug)]
pub struct Renderer {
    brand: BrandContent,
    overrides: Option<Overrides>,
}

impl Renderer {
    /// A renderer for `brand`, with the operator's templates in `overrides` if there are any.
    ///
    /// A directory may hold any of the compiled-in files under the same name, in the Jinja syntax the
    /// compiled-in ones are written in, and that of mails also `layout.html`; what it lacks is taken
    /// from those. A further directory named by a language tag (`fr`, `pt-BR`) adds that language for
    /// the messages it holds; mails need both parts. Names that begin with a dot are passed over, as
    /// Kubernetes puts such beside the files of a mounted ConfigMap.
    ///
    /// Every template is tried here with sample content, so that a mistake stops the start and not a
    /// mail: a file nobody asks for, a syntax error, a variable that does not exist, a missing
    /// subject or a reset link that is never shown is a [`TemplateError`].
    pub fn new(brand: &Brand, overrides: TemplateDirs<'_>) -> Result<Self, TemplateError> {
        let brand = BrandContent::new(brand);
        let overrides = match overrides {
            TemplateDirs {
                mail: None,
                sms: None,
            } => None,
            own => Some(Overrides::read(own, &brand)?),
        };
        Ok(Self { brand, overrides })
    }

    /// Renders `mail` as a mail in the language nearest to `locale`, a BCP 47 tag such as `de-AT`; English
    /// when it is empty or names no language there are templates for.
    ///
    /// Fails only where an operator's template trips over a value it was not tried with at the start.
    pub fn render(&self, locale: &str, mail: &Mail<'_>) -> Result<RenderedMail, TemplateError> {
        match &self.overrides {
            None => built_in::render(&self.brand, locale, mail),
            Some(overrides) => overrides.render(&self.brand, locale, mail),
        }
    }

    /// Renders `mail` as a text message, its lines separated by LF and without one at its end. The
    /// language is chosen, and it fails, as with [`render`](Self::render).
    pub fn render_sms(&self, locale: &str, mail: &Mail<'_>) -> Result<String, TemplateError> {
        match &self.overrides {
            None => built_in::render_sms(&self.brand, locale, mail),
            Some(overrides) => overrides.render_sms(&self.brand, locale, mail),
        }
    }
}
