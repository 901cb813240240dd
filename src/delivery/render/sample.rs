//! Mails to try an operator's templates with: between them they take every branch a template can
//! make of its variables.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use super::{AddressCodeMail, Asked, CodeMail, FactorRemovalMail, Mail, NoticeMail, ResetLink};
use crate::domain::message::Notice;
use crate::domain::network::Network;
use crate::domain::user_agent::{Browser, BrowserAndSystem, System};

/// Every kind of mail, with and without each thing that may be missing.
pub(super) fn mails() -> Vec<Mail<'static>> {
    let mut mails = vec![Mail::AddressCode(address_code())];
    for display_name in ["Ada Lovelace", ""] {
        for asked in [Asked::AtSignIn, Asked::FromProfile, Asked::ByInvitation] {
            mails.push(Mail::ResetLink(reset_link(display_name, asked)));
        }
        for for_sign_in in [true, false] {
            mails.push(Mail::Code(code(display_name, for_sign_in)));
        }
        mails.push(Mail::FactorRemoval(factor_removal(display_name)));
        for browser in [Browser::Firefox, Browser::Unknown] {
            for system in [System::Linux, System::Unknown] {
                let device = BrowserAndSystem { browser, system };
                for about in Notice::ALL {
                    mails.push(Mail::Notice(notice(about, display_name, device)));
                }
            }
        }
    }
    mails
}

/// A code for an address as the courier would hand it over.
pub(super) fn address_code() -> AddressCodeMail<'static> {
    AddressCodeMail {
        code: "012345",
        lifetime: Duration::from_mins(10),
        expires_at: Timestamp::constant(1_795_444_320, 0),
        host: "accounts.example.com",
    }
}

/// A reset link as the courier would hand it over.
pub(super) fn reset_link(display_name: &str, asked: Asked) -> ResetLink<'_> {
    ResetLink {
        display_name,
        asked,
        reset_url: "https://accounts.example.com/reset#rlt1_ThisIsNoTokenButItIsAsLongAsOneSoThatTheSampleMailsLookLikeTheMailsPeopleReceive",
        cancel_url: "https://accounts.example.com/cancel#rlc1_ThisIsNoTokenButItIsAsLongAsOneSoThatTheSampleMailsLookLikeTheMailsPeopleReceive",
        lifetime: Duration::from_mins(30),
        expires_at: Timestamp::constant(1_795_444_320, 0),
    }
}

/// A code as the courier would hand it over.
pub(super) fn code(display_name: &str, for_sign_in: bool) -> CodeMail<'_> {
    CodeMail {
        display_name,
        code: "012345",
        for_sign_in,
        lifetime: Duration::from_mins(10),
        expires_at: Timestamp::constant(1_795_444_320, 0),
        host: "accounts.example.com",
        forgot_password_url: "https://accounts.example.com/forgot",
    }
}

/// A removal as the courier would hand it over.
pub(super) fn factor_removal(display_name: &str) -> FactorRemovalMail<'_> {
    FactorRemovalMail {
        display_name,
        ordered_at: Timestamp::constant(1_795_444_320, 0),
        effective_at: Timestamp::constant(1_795_617_120, 0),
        cancel_url: "https://accounts.example.com/cancel#rlc1_ThisIsNoTokenButItIsAsLongAsOneSoThatTheSampleMailsLookLikeTheMailsPeopleReceive",
    }
}

/// A notice as the courier would hand it over.
pub(super) fn notice(
    about: Notice,
    display_name: &str,
    device: BrowserAndSystem,
) -> NoticeMail<'_> {
    let network = Network::of(Ipv4Addr::new(203, 0, 113, 9).into());
    let whence = match about {
        Notice::PasswordChanged
        | Notice::RecoveryCodeUsed { .. }
        | Notice::WrongPasswords
        | Notice::WrongSecondFactors => Some((network, device)),
        Notice::AddressChanged
        | Notice::SecondFactorChanged
        | Notice::RecoveryCodesRenewed
        | Notice::PasswordCompromised => None,
    };
    NoticeMail {
        about,
        display_name,
        happened_at: Timestamp::constant(1_795_444_320, 0),
        whence,
        forgot_password_url: "https://accounts.example.com/forgot",
    }
}
