//! Writing a message: its link is minted here, at the moment of sending, and kept nowhere.

use std::time::Duration;
use thiserror::Error;

use super::channel::OutgoingMessage;
use super::links::with_token;
use super::render::{
    AddressCodeMail, Asked, CodeMail, FactorRemovalMail, Mail, NoticeMail, Renderer, ResetLink,
    TemplateError,
};
use crate::domain::code::{self, CodeFor};
use crate::domain::keyring::Keyring;
use crate::domain::message::{ChannelKind, MessageKind};
use crate::domain::page::Pages;
use crate::domain::reset::Origin;
use crate::domain::time::Timestamp;
use crate::domain::token::{LinkKind, mint};
use crate::store::{LeasedMessage, MessageContent};

/// What every message is written with.
pub(super) struct Desk<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) renderer: &'a Renderer,
    pub(super) pages: &'a Pages,
}

/// Why a message could not be written. A later version, or a mended template, may do better. The
/// texts quote nothing of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NotWritten {
    /// A time that no calendar has.
    #[error("a time in the message is beyond the calendar")]
    NoSuchTime,
    /// The engine's own words are left out: they may quote what the template was given.
    #[error("template {file}, line {line}, cannot be rendered")]
    Template { file: String, line: usize },
    /// As above, where the engine knows no line.
    #[error("the template cannot be rendered")]
    Templates,
}

impl From<TemplateError> for NotWritten {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Broken { file, line, .. } => Self::Template { file, line },
            TemplateError::Unreadable { .. }
            | TemplateError::Unknown { .. }
            | TemplateError::Unpaired { .. }
            | TemplateError::NoSubject { .. }
            | TemplateError::Empty { .. }
            | TemplateError::NotShown { .. } => Self::Templates,
        }
    }
}

impl Desk<'_> {
    /// Writes `message`. The same message gets the same link as long as the same key signs.
    pub(super) fn write(
        &self,
        message: LeasedMessage,
        now: Timestamp,
    ) -> Result<OutgoingMessage, NotWritten> {
        let (channel, locale, display_name) = (
            message.channel,
            message.locale.as_str(),
            message.display_name.as_str(),
        );
        let (kind, written) = match message.content {
            MessageContent::ResetLink {
                link,
                requested_at,
                origin,
            } => {
                let reset = mint(self.keyring, origin.link_kind(), link);
                let cancel = mint(self.keyring, LinkKind::Cancel, link);
                let mail = Mail::ResetLink(ResetLink {
                    display_name,
                    asked: asked(origin),
                    reset_url: &with_token(&self.pages.reset, &reset),
                    cancel_url: &with_token(&self.pages.cancel, &cancel),
                    lifetime: lifetime(requested_at, link.expires_at),
                    expires_at: moment(link.expires_at)?,
                });
                (origin.message_kind(), self.put(channel, locale, &mail)?)
            }
            MessageContent::Code {
                what_for,
                sending,
                requested_at,
            } => {
                let (kind, for_sign_in) = match what_for {
                    CodeFor::Reset(_) => (MessageKind::ResetCode, false),
                    CodeFor::SignIn(_) => (MessageKind::SignInCode, true),
                };
                let code = code::derive(self.keyring, what_for, sending);
                let mail = Mail::Code(CodeMail {
                    display_name,
                    code: code.expose(),
                    for_sign_in,
                    lifetime: lifetime(requested_at, message.expires_at),
                    expires_at: moment(message.expires_at)?,
                    host: &self.pages.reset.host(),
                    forgot_password_url: &self.pages.forgot_password.to_string(),
                });
                (kind, self.put(channel, locale, &mail)?)
            }
            MessageContent::AddressCode { requested_at } => {
                let code = code::derive_for_address(self.keyring, message.message_id);
                let mail = Mail::AddressCode(AddressCodeMail {
                    code: code.expose(),
                    lifetime: lifetime(requested_at, message.expires_at),
                    expires_at: moment(message.expires_at)?,
                    host: &self.pages.reset.host(),
                });
                (MessageKind::AddressCode, self.put(channel, locale, &mail)?)
            }
            MessageContent::FactorRemoval { link, ordered_at } => {
                let cancel = mint(self.keyring, LinkKind::Cancel, link);
                let mail = Mail::FactorRemoval(FactorRemovalMail {
                    display_name,
                    ordered_at: moment(ordered_at)?,
                    effective_at: moment(link.expires_at)?,
                    cancel_url: &with_token(&self.pages.cancel, &cancel),
                });
                let kind = MessageKind::SecondFactorRemoval;
                (kind, self.put(channel, locale, &mail)?)
            }
            MessageContent::Notice { about, at, whence } => {
                let mail = Mail::Notice(NoticeMail {
                    about,
                    display_name,
                    happened_at: moment(at)?,
                    whence: whence.map(|whence| (whence.network, whence.device)),
                    forgot_password_url: &self.pages.forgot_password.to_string(),
                });
                (about.kind(), self.put(channel, locale, &mail)?)
            }
        };
        Ok(OutgoingMessage {
            message_id: message.message_id,
            kind,
            channel,
            to: message.address,
            subject: written.subject,
            text: written.text,
            html: written.html,
            sent_at: now,
        })
    }

    /// Puts `mail` into words, as this channel carries them.
    fn put(
        &self,
        channel: ChannelKind,
        locale: &str,
        mail: &Mail<'_>,
    ) -> Result<Written, NotWritten> {
        Ok(match channel {
            ChannelKind::Email => {
                let mail = self.renderer.render(locale, mail)?;
                Written {
                    subject: mail.subject,
                    text: mail.text,
                    html: Some(mail.html),
                }
            }
            ChannelKind::Sms => Written {
                subject: String::new(),
                text: self.renderer.render_sms(locale, mail)?,
                html: None,
            },
        })
    }
}

/// A message in words.
struct Written {
    subject: String,
    text: String,
    html: Option<String>,
}

const fn asked(origin: Origin) -> Asked {
    match origin {
        Origin::Forgotten => Asked::AtSignIn,
        Origin::Profile(_) => Asked::FromProfile,
        Origin::Invitation => Asked::ByInvitation,
    }
}

/// How long the link lives from this request on, in full minutes, or in full seconds where it is
/// less than one: a request beyond the limit of live links sends one that is already some time old.
fn lifetime(requested_at: Timestamp, expires_at: Timestamp) -> Duration {
    match expires_at.since(requested_at).as_secs() {
        seconds @ 0..60 => Duration::from_secs(seconds),
        seconds => Duration::from_mins(seconds / 60),
    }
}

fn moment(at: Timestamp) -> Result<jiff::Timestamp, NotWritten> {
    jiff::Timestamp::from_microsecond(at.as_micros()).map_err(|_| NotWritten::NoSuchTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_told_in_full_minutes_and_never_rounded_up() {
        let start = Timestamp::from_micros(7);
        for (lives, told) in [
            (Duration::from_mins(30), Duration::from_mins(30)),
            (Duration::from_millis(1_799_999), Duration::from_mins(29)),
            (Duration::from_millis(61_500), Duration::from_mins(1)),
            (Duration::from_millis(59_999), Duration::from_secs(59)),
        ] {
            assert_eq!(lifetime(start, start.plus(lives)), told);
        }
        assert_eq!(
            lifetime(start, start.minus(Duration::from_secs(1))),
            Duration::ZERO
        );
    }

    #[test]
    fn what_a_template_was_given_stays_out_of_the_error() {
        let error = TemplateError::Broken {
            file: "mail/fr/reset_link.txt".to_owned(),
            line: 3,
            problem: "cannot add rlt1_secret".to_owned(),
        };
        assert_eq!(
            NotWritten::from(error).to_string(),
            "template mail/fr/reset_link.txt, line 3, cannot be rendered"
        );
    }
}
