//! `[links]`: where the links of mails lead, and for how long.

use super::Profile;
use super::reader::Reader;
use super::span::span;
use crate::domain::page::{PageUrl, Pages};
use crate::domain::reset::{InvitationLifetime, LinkLifetime, SmsLinkLifetime};

/// `[links]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The pages that links open; `None` is the console.
    pub pages: Option<Pages>,
    /// How long a link by email lives.
    pub lifetime: LinkLifetime,
    /// How long a link by SMS lives.
    pub sms_lifetime: SmsLinkLifetime,
    /// How long an invitation lives.
    pub invitation_lifetime: InvitationLifetime,
}

impl Reader {
    /// Reads `[links]`.
    pub(super) fn links(&mut self, profile: Profile<'_>) -> Option<Links> {
        const RESET: &str = "links.reset_url";
        const CANCEL: &str = "links.cancel_url";
        const FORGOT: &str = "links.forgot_password_url";
        let lifetime = self.text("links.lifetime", |text| {
            let span = span(text).map_err(|why| why.to_string())?;
            LinkLifetime::new(span).map_err(|why| why.to_string())
        });
        let sms_lifetime = self.text("links.sms_lifetime", |text| {
            let span = span(text).map_err(|why| why.to_string())?;
            SmsLinkLifetime::new(span).map_err(|why| why.to_string())
        });
        let invitation_lifetime = self.text("links.invitation_lifetime", |text| {
            let span = span(text).map_err(|why| why.to_string())?;
            InvitationLifetime::new(span).map_err(|why| why.to_string())
        });
        let parse = match profile {
            Profile::Serve => PageUrl::parse,
            Profile::Dev { .. } => PageUrl::parse_plain,
        };
        let none = [RESET, CANCEL, FORGOT]
            .into_iter()
            .all(|key| self.is_empty(key));
        let console = !self.is_empty("console.url");
        let pages = if none && (console || matches!(profile, Profile::Dev { .. })) {
            None
        } else {
            let reset = self.required(RESET, "the page that a reset link opens", parse);
            let cancel = self.required(CANCEL, "the page that says this was not me", parse);
            let forgot = self.required(FORGOT, "the page that asks for a new link", parse);
            Some(Pages {
                reset: reset?,
                cancel: cancel?,
                forgot_password: forgot?,
            })
        };
        Some(Links {
            pages,
            lifetime: lifetime?,
            sms_lifetime: sms_lifetime?,
            invitation_lifetime: invitation_lifetime?,
        })
    }
}
