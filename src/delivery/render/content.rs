//! What templates see: mails in the words of one language, every value ready to be shown.
//!
//! Both template engines read these structs, one by field, the other by serialisation. Their fields
//! are what an operator's templates rely on, so a name once released stays.

use serde::Serialize;

use super::single_line::{greeting_name, single_line};
use super::spelling::Spelling;
use super::{
    AddressCodeMail, Asked, Brand, CodeMail, FactorRemovalMail, Mail, NoticeMail, ResetLink,
};
use crate::domain::message::Notice;
use crate::domain::user_agent::{Browser, System};

/// `brand` in a template.
#[derive(Debug, Serialize)]
pub(super) struct BrandContent {
    pub(super) product_name: String,
    pub(super) support_contact: String,
}

/// `mail` in a template.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    ResetLink(ResetLinkContent<'a>),
    Code(CodeContent<'a>),
    AddressCode(AddressCodeContent<'a>),
    FactorRemoval(FactorRemovalContent<'a>),
    Notice(NoticeContent<'a>),
}

#[derive(Serialize)]
pub(super) struct ResetLinkContent<'a> {
    #[serde(skip)]
    pub(super) asked: Asked,
    pub(super) language: &'a str,
    pub(super) name: String,
    pub(super) from_profile: bool,
    pub(super) reset_url: &'a str,
    pub(super) cancel_url: &'a str,
    pub(super) lifetime: String,
    pub(super) expires_at: String,
}

#[derive(Serialize)]
pub(super) struct AddressCodeContent<'a> {
    pub(super) language: &'a str,
    pub(super) code: &'a str,
    pub(super) lifetime: String,
    pub(super) expires_at: String,
    pub(super) host: &'a str,
}

#[derive(Serialize)]
pub(super) struct CodeContent<'a> {
    pub(super) language: &'a str,
    pub(super) name: String,
    pub(super) code: &'a str,
    pub(super) for_sign_in: bool,
    pub(super) lifetime: String,
    pub(super) expires_at: String,
    pub(super) host: &'a str,
    pub(super) forgot_password_url: &'a str,
}

#[derive(Serialize)]
pub(super) struct FactorRemovalContent<'a> {
    pub(super) language: &'a str,
    pub(super) name: String,
    pub(super) happened_at: String,
    pub(super) effective_at: String,
    pub(super) cancel_url: &'a str,
}

#[derive(Serialize)]
pub(super) struct NoticeContent<'a> {
    #[serde(skip)]
    pub(super) about: Notice,
    pub(super) language: &'a str,
    pub(super) name: String,
    pub(super) happened_at: String,
    pub(super) network: String,
    pub(super) browser: String,
    pub(super) system: String,
    pub(super) codes_left: String,
    pub(super) forgot_password_url: &'a str,
}

impl BrandContent {
    pub(super) fn new(brand: &Brand) -> Self {
        let support_contact = brand.support_contact.as_deref().unwrap_or_default();
        Self {
            product_name: single_line(&brand.product_name),
            support_contact: single_line(support_contact),
        }
    }
}

impl<'a> Content<'a> {
    /// `mail` in the words of `language`.
    pub(super) fn new(language: &'a str, mail: &Mail<'a>) -> Self {
        match mail {
            Mail::ResetLink(link) => Self::ResetLink(ResetLinkContent::new(language, link)),
            Mail::Code(code) => Self::Code(CodeContent::new(language, code)),
            Mail::AddressCode(code) => Self::AddressCode(AddressCodeContent::new(language, code)),
            Mail::FactorRemoval(removal) => {
                Self::FactorRemoval(FactorRemovalContent::new(language, removal))
            }
            Mail::Notice(notice) => Self::Notice(NoticeContent::new(language, notice)),
        }
    }
}

impl<'a> ResetLinkContent<'a> {
    fn new(language: &'a str, link: &ResetLink<'a>) -> Self {
        let spelling = Spelling::of(language);
        Self {
            asked: link.asked,
            language,
            name: greeting_name(link.display_name),
            from_profile: link.asked == Asked::FromProfile,
            reset_url: link.reset_url,
            cancel_url: link.cancel_url,
            lifetime: spelling.span(link.lifetime),
            expires_at: spelling.moment(link.expires_at),
        }
    }
}

impl<'a> AddressCodeContent<'a> {
    fn new(language: &'a str, mail: &AddressCodeMail<'a>) -> Self {
        let spelling = Spelling::of(language);
        Self {
            language,
            code: mail.code,
            lifetime: spelling.span(mail.lifetime),
            expires_at: spelling.moment(mail.expires_at),
            host: mail.host,
        }
    }
}

impl<'a> CodeContent<'a> {
    fn new(language: &'a str, mail: &CodeMail<'a>) -> Self {
        let spelling = Spelling::of(language);
        Self {
            language,
            name: greeting_name(mail.display_name),
            code: mail.code,
            for_sign_in: mail.for_sign_in,
            lifetime: spelling.span(mail.lifetime),
            expires_at: spelling.moment(mail.expires_at),
            host: mail.host,
            forgot_password_url: mail.forgot_password_url,
        }
    }
}

impl<'a> FactorRemovalContent<'a> {
    fn new(language: &'a str, removal: &FactorRemovalMail<'a>) -> Self {
        let spelling = Spelling::of(language);
        Self {
            language,
            name: greeting_name(removal.display_name),
            happened_at: spelling.moment(removal.ordered_at),
            effective_at: spelling.moment(removal.effective_at),
            cancel_url: removal.cancel_url,
        }
    }
}

impl<'a> NoticeContent<'a> {
    fn new(language: &'a str, notice: &NoticeMail<'a>) -> Self {
        let (network, browser, system) = notice.whence.map_or_else(
            || (String::new(), Browser::Unknown, System::Unknown),
            |(network, device)| (network.to_string(), device.browser, device.system),
        );
        let browser = match browser {
            Browser::Unknown => String::new(),
            known => known.to_string(),
        };
        let system = match system {
            System::Unknown => String::new(),
            known => known.to_string(),
        };
        Self {
            about: notice.about,
            language,
            name: greeting_name(notice.display_name),
            happened_at: Spelling::of(language).moment(notice.happened_at),
            network,
            browser,
            system,
            codes_left: notice
                .about
                .codes_left()
                .map_or_else(String::new, |left| left.to_string()),
            forgot_password_url: notice.forgot_password_url,
        }
    }
}
