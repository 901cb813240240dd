//! A message as it goes over the wire: RFC 5322 and MIME, seven bits a byte.

use lettre::address::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox as HeaderMailbox, MultiPart, SinglePart};
use std::time::{Duration, UNIX_EPOCH};
use thiserror::Error;

use crate::delivery::channel::OutgoingMessage;
use crate::domain::email::Email;
use crate::domain::id::MessageId;
use crate::domain::mailbox::Mailbox;
use crate::domain::time::Timestamp;

/// A letter in its envelope.
pub(super) struct Letter {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) content: String,
}

/// What is to be written.
pub(super) struct Draft {
    pub(super) message_id: MessageId,
    /// The full address.
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: Option<String>,
    pub(super) at: Timestamp,
}

impl From<OutgoingMessage> for Draft {
    fn from(message: OutgoingMessage) -> Self {
        Self {
            message_id: message.message_id,
            to: message.to,
            subject: message.subject,
            text: message.text,
            html: message.html,
            at: message.sent_at,
        }
    }
}

/// Whom letters come from, and where answers to them go.
#[derive(Debug, Clone)]
pub struct Sender {
    from: HeaderMailbox,
    reply_to: Option<HeaderMailbox>,
}

/// An address that cannot stand in a letter. It is not told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the address cannot be written in a mail")]
pub struct Unwritable;

impl Letter {
    /// Its headers in their order, each unfolded.
    fn head(&self) -> Vec<(String, String)> {
        let head = self.content.split_once("\r\n\r\n");
        let head = head.map_or("", |(head, _)| head).replace("\r\n ", " ");
        let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Whether an address has letters that only a server with SMTPUTF8 takes (RFC 6531).
    pub(super) fn is_international(&self) -> bool {
        [&self.from, &self.to]
            .iter()
            .any(|address| !address.user().is_ascii())
    }
}

impl Sender {
    /// Letters from this mailbox.
    pub fn new(from: &Mailbox, reply_to: Option<&Email>) -> Result<Self, Unwritable> {
        let name = Some(from.name.as_str()).filter(|name| !name.is_empty());
        Ok(Self {
            from: HeaderMailbox::new(name.map(str::to_owned), address(&from.email)?),
            reply_to: reply_to
                .map(|email| Ok(HeaderMailbox::new(None, address(email)?)))
                .transpose()?,
        })
    }

    /// The headers that `message` has on its way, each on one line, by their names.
    pub fn head(&self, message: &OutgoingMessage) -> Result<Vec<(String, String)>, Unwritable> {
        Ok(self.write(message.clone())?.head())
    }

    /// Writes a letter. Everything but the date is the same at each attempt.
    pub(super) fn write(&self, draft: impl Into<Draft>) -> Result<Letter, Unwritable> {
        let draft: Draft = draft.into();
        let to = Email::parse(&draft.to).map_err(|_| Unwritable)?;
        let to = address(&to)?;
        let from = self.from.email.clone();
        let raw = |name, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        let mut letter = lettre::Message::builder()
            .date(UNIX_EPOCH + since_epoch(draft.at))
            .from(self.from.clone())
            .to(to.clone().into())
            .subject(one_line(&draft.subject))
            .message_id(Some(format!("<{}@{}>", draft.message_id, from.domain())))
            // RFC 3834 §5; and what Exchange goes by when it answers for people who are away.
            .raw_header(raw("Auto-Submitted", "auto-generated"))
            .raw_header(raw("X-Auto-Response-Suppress", "OOF, AutoReply"));
        if let Some(reply_to) = &self.reply_to {
            letter = letter.reply_to(reply_to.clone());
        }
        let text = part(ContentType::TEXT_PLAIN, draft.text)?;
        let written = match draft.html {
            Some(html) => letter.multipart(
                MultiPart::alternative()
                    // No quoted-printable line can be equal to it (RFC 2045 §6.7).
                    .boundary(format!("=_{}", draft.message_id))
                    .singlepart(text)
                    .singlepart(part(ContentType::TEXT_HTML, html)?),
            ),
            None => letter.singlepart(text),
        };
        let written = written.map_err(|_| Unwritable)?.formatted();
        let content = String::from_utf8(written).map_err(|_| Unwritable)?;
        Ok(Letter { from, to, content })
    }
}

/// Quoted-printable whatever it holds: its lines are short, and nothing on the way has to mend them.
fn part(content_type: ContentType, text: String) -> Result<SinglePart, Unwritable> {
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable);
    Ok(SinglePart::builder()
        .header(content_type)
        .body(body.map_err(|_| Unwritable)?))
}

/// The address with its domain in A-labels: only the local part may need SMTPUTF8.
fn address(email: &Email) -> Result<Address, Unwritable> {
    Address::new(email.local_part(), email.domain()).map_err(|_| Unwritable)
}

/// A header never goes on in a line of its own choosing (ASVS 1.3.11).
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn since_epoch(moment: Timestamp) -> Duration {
    moment.since(Timestamp::from_micros(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{ChannelKind, MessageKind};
    use proptest::prelude::*;

    fn message(to: &str, subject: &str, text: &str) -> OutgoingMessage {
        OutgoingMessage {
            message_id: MessageId::from_bytes([0xab; 16]),
            kind: MessageKind::ResetLink,
            channel: ChannelKind::Email,
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: Some(format!("<p>{text}</p>\n")),
            sent_at: Timestamp::from_micros(1_800_000_000_000_000),
        }
    }

    fn sender(from: &str) -> Sender {
        let reply_to = Email::parse("help@example.com").unwrap();
        Sender::new(&Mailbox::parse(from).unwrap(), Some(&reply_to)).unwrap()
    }

    fn written(message: OutgoingMessage) -> String {
        let letter = sender("Example <no-reply@example.com>").write(message);
        letter.unwrap().content
    }

    #[test]
    fn a_letter_says_who_when_what_and_that_a_machine_wrote_it() {
        let message = message("ada@example.org", "Reset your password", "Hello\n");
        let head = sender("Example <no-reply@example.com>").head(&message);
        let head = head.unwrap().into_iter();
        assert_eq!(
            head.map(|(name, value)| format!("{name}: {value}"))
                .collect::<Vec<_>>(),
            [
                "Date: Fri, 15 Jan 2027 08:00:00 +0000",
                "From: Example <no-reply@example.com>",
                "To: ada@example.org",
                "Subject: Reset your password",
                "Message-ID: <abababababababababababababababab@example.com>",
                "Auto-Submitted: auto-generated",
                "X-Auto-Response-Suppress: OOF, AutoReply",
                "Reply-To: help@example.com",
                "MIME-Version: 1.0",
                "Content-Type: multipart/alternative; boundary=\"=_abababababababababababababababab\"",
            ]
        );
        assert_eq!(written(message.clone()), written(message));
    }

    #[test]
    fn text_comes_before_html_and_long_lines_and_letters_beyond_ascii_survive() {
        let link = format!("https://example.com/reset#rlt1_{}", "A-b_".repeat(60));
        let letter = written(message(
            "ada@example.org",
            "Grüße",
            &format!("Schöne Grüße\n{link}\n"),
        ));
        assert!(letter.is_ascii());
        assert!(letter.lines().all(|line| line.len() <= 78), "{letter}");
        let mut parts = letter.split("--=_abababababababababababababababab");
        let (_, text, html) = (parts.next(), parts.next().unwrap(), parts.next().unwrap());
        for (part, kind) in [(text, "text/plain"), (html, "text/html")] {
            assert!(
                part.contains(&format!("Content-Type: {kind}; charset=utf-8")),
                "{part}"
            );
            assert!(
                part.contains("Content-Transfer-Encoding: quoted-printable"),
                "{part}"
            );
            let whole = part.replace("=\r\n", "");
            assert!(whole.contains("Sch=C3=B6ne Gr=C3=BC=C3=9Fe"), "{whole}");
            assert!(whole.contains(&link), "{whole}");
        }
        assert_eq!(parts.next(), Some("--\r\n"));
    }

    #[test]
    fn a_domain_is_written_as_dns_knows_it_and_a_local_part_as_it_is() {
        let sender = sender("no-reply@bücher.example");
        let letter = sender
            .write(message("Ada@BÜCHER.example", "x", "x"))
            .unwrap();
        assert_eq!(letter.to.to_string(), "Ada@xn--bcher-kva.example");
        assert!(!letter.is_international());
        let letter = sender
            .write(message("jürgen@example.org", "x", "x"))
            .unwrap();
        assert_eq!(letter.to.to_string(), "jürgen@example.org");
        assert!(letter.is_international());
        assert_eq!(
            sender.write(message("no address", "x", "x")).err(),
            Some(Unwritable)
        );
    }

    proptest! {
        #[test]
        fn nothing_adds_a_header_or_ends_the_letter(
            subject in "([ -~]|[\r\n\0\u{85}\u{2028}äß漢]|\r\nBcc: x@y){0,40}",
            name in "([ -~]|[äß漢\"]){0,40}",
            text in "(.|\n|\r|\r\n\\.\r\n|\n--=_ab){0,40}",
        ) {
            let Ok(from) = Mailbox::parse(&format!("{name} <no-reply@example.com>")) else {
                return Ok(());
            };
            let sender = Sender::new(&from, None).unwrap();
            let letter = sender.write(message("ada@example.org", &subject, &text)).unwrap();
            let names: Vec<_> = letter.head().into_iter().map(|(name, _)| name).collect();
            let letter = letter.content;
            prop_assert_eq!(names, [
                "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted",
                "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
            ]);
            prop_assert!(letter.is_ascii());
            let bare = letter.replace("\r\n", "");
            prop_assert!(!bare.contains(['\r', '\n']));
            prop_assert!(letter.split("\r\n").all(|line| line.len() <= 998));
            prop_assert_eq!(letter.matches("--=_abababababababababababababababab").count(), 3);
        }
    }
}
