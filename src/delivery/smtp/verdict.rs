//! What a mail server's refusal means for the message: whom is it about?
//!
//! Codes are those of RFC 5321 §4.2. Until a recipient is named, nothing is about the message: what is refused
//! then is the connection, Relatch's login or its sender, and the message waits until somebody has mended
//! that, or its time is over. From then on 4xx is "later" and 5xx is "never", whatever the words say.

use std::fmt;

/// How far an attempt had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Until the server's first `EHLO` was answered, TLS from the first byte included.
    Connecting,
    /// `STARTTLS`, the handshake, and the `EHLO` after it.
    StartTls,
    /// `AUTH`.
    Login,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, the content, and the server's word that it has it.
    Content,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::StartTls => "STARTTLS",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Content => "content",
        })
    }
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// How far it had come.
    pub(super) stage: Stage,
    /// What happened.
    pub(super) cause: Cause,
    /// In words: the server's, or the system's. They may hold addresses.
    pub(super) words: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server refused, with this code.
    Refused(u16),
    /// There is no connection, or no longer one; or the time was up.
    Lost,
    /// The server's answer cannot be read.
    Unreadable,
    /// The address needs what the server does not offer.
    AddressNotOffered,
    /// There is no password to log in by.
    NoPassword,
}

/// As it is kept with the attempt: `recipient: 550 5.1.1 no such user`.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.stage)?;
        if let Cause::Refused(code) = self.cause {
            write!(f, "{code} ")?;
        }
        f.write_str(&self.words)
    }
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server cannot be used at present, for this message or any other.
    Unavailable,
    /// This message may be taken later.
    Later,
    /// This message never will be.
    Never,
}

impl Trouble {
    /// What follows from it.
    pub(super) fn verdict(&self) -> Verdict {
        match self.cause {
            Cause::AddressNotOffered => Verdict::Never,
            // Whatever comes before a recipient is named is the same for everybody.
            _ if self.stage <= Stage::Login => Verdict::Unavailable,
            Cause::Refused(500..) if self.stage == Stage::Sender => Verdict::Unavailable,
            // With 421 it closes the connection, whatever was asked (RFC 5321 §3.8).
            Cause::Lost | Cause::NoPassword | Cause::Refused(421) => Verdict::Unavailable,
            Cause::Refused(500..) => Verdict::Never,
            Cause::Unreadable | Cause::Refused(_) => Verdict::Later,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stage::{Connecting, Content, Login, Recipient, Sender, StartTls};
    use Verdict::{Later, Never, Unavailable};

    fn refused(stage: Stage, code: u16, words: &str) -> Verdict {
        let trouble = Trouble {
            stage,
            cause: Cause::Refused(code),
            words: words.to_owned(),
        };
        trouble.verdict()
    }

    #[test]
    fn only_a_refusal_for_good_of_the_recipient_or_the_content_gives_a_message_up() {
        for (stage, code, words, verdict) in [
            (Recipient, 550, "5.1.1 no such user", Never),
            (Recipient, 550, "no such user here", Never),
            (Recipient, 552, "5.2.2 mailbox full", Never),
            (Recipient, 553, "5.1.3 bad address syntax", Never),
            (Recipient, 556, "5.1.10 recipient has null MX", Never),
            (Recipient, 501, "bad address", Never),
            (Content, 554, "5.6.0 message refused", Never),
            (Content, 552, "5.3.4 message too big", Never),
            (Recipient, 450, "4.2.0 greylisted", Later),
            (Recipient, 451, "4.3.0 try later", Later),
            (Sender, 452, "4.3.1 disk full", Later),
            (Content, 451, "4.7.1 try later", Later),
            (Connecting, 554, "5.7.1 go away", Unavailable),
            (StartTls, 454, "4.7.0 TLS not available", Unavailable),
            (Login, 535, "5.7.8 authentication failed", Unavailable),
            (Login, 454, "4.7.0 temporary failure", Unavailable),
            (Sender, 530, "5.7.0 must issue STARTTLS first", Unavailable),
            (Sender, 553, "5.7.1 sender not allowed", Unavailable),
            (Recipient, 421, "4.3.2 shutting down", Unavailable),
            (Recipient, 530, "authentication required", Never),
            (Recipient, 503, "5.5.1 authenticate first", Never),
            (Recipient, 554, "5.7.1 relay access denied", Never),
            (Recipient, 550, "relay not permitted", Never),
            (Recipient, 553, "5.1.8 sender domain not found", Never),
            (
                Content,
                550,
                "5.7.60 no right to send as this sender",
                Never,
            ),
            (Content, 550, "5.7.26 unauthenticated mail", Never),
        ] {
            assert_eq!(
                refused(stage, code, words),
                verdict,
                "{stage} {code} {words}"
            );
        }
    }

    #[test]
    fn a_lost_connection_is_the_servers_and_an_unreadable_answer_the_messages() {
        let verdict = |stage, cause| {
            let words = String::new();
            Trouble {
                stage,
                cause,
                words,
            }
            .verdict()
        };
        for stage in [Connecting, StartTls, Login, Sender, Recipient, Content] {
            assert_eq!(verdict(stage, Cause::Lost), Unavailable);
        }
        assert_eq!(verdict(Connecting, Cause::Unreadable), Unavailable);
        assert_eq!(verdict(Recipient, Cause::Unreadable), Later);
        assert_eq!(verdict(Recipient, Cause::AddressNotOffered), Never);
    }

    #[test]
    fn what_is_kept_says_how_far_it_came_and_what_was_answered() {
        let trouble = Trouble {
            stage: Recipient,
            cause: Cause::Refused(550),
            words: "5.1.1 no such user".to_owned(),
        };
        assert_eq!(trouble.to_string(), "recipient: 550 5.1.1 no such user");
    }
}
