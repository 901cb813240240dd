//! The mails that the server took, whatever became of who sent them.

use crate::mail::server::{Mail, MailServer};
use crate::support::fixture;
use relatch::domain::id::MessageId;
use relatch::domain::time::Timestamp;
use relatch::domain::token::{self, Link, LinkKind};

/// A mail.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Its `Message-ID`.
    pub(super) message_id: MessageId,
    pub(super) to: String,
    /// Nothing, for a notice.
    pub(super) tokens: Option<Tokens>,
    /// Which life of the service sent it.
    pub(super) life: usize,
    /// When the server took it.
    pub(super) at: Timestamp,
}

/// What a mail's links carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) reset: String,
    pub(super) cancel: String,
    /// What both say.
    pub(super) link: Link,
    /// Whether they lead to a first password.
    pub(super) invites: bool,
}

impl Letter {
    fn read(mail: &Mail, life: usize) -> Self {
        let header = mail.header("Message-ID").trim_start_matches('<');
        let (message_id, _) = header.split_once('@').unwrap();
        let carries_a_link = mail.text().contains("rlt1_");
        Self {
            message_id: message_id.parse().unwrap(),
            to: mail.to()[0].as_str().unwrap().to_owned(),
            tokens: carries_a_link.then(|| Tokens::read(mail)),
            life,
            at: mail.taken_at(),
        }
    }
}

impl Tokens {
    fn read(mail: &Mail) -> Self {
        let (reset, cancel) = (mail.token("rlt1_"), mail.token("rlc1_"));
        let ring = fixture::keyring();
        let link = token::authenticate_choosing(&ring, &reset).unwrap();
        let cancels = token::authenticate(&ring, LinkKind::Cancel, &cancel);
        assert_eq!(cancels, Ok(link));
        Self {
            invites: token::authenticate(&ring, LinkKind::Invitation, &reset).is_ok(),
            reset,
            cancel,
            link,
        }
    }
}

/// Every mail, in the order in which the server took them.
#[derive(Debug, Clone, Default)]
pub(super) struct Letters(pub(super) Vec<Letter>);

impl Letters {
    /// Fetches what came in this life of the service.
    pub(super) fn collect(&mut self, post: &MailServer, life: usize) {
        let mails = post.take_mails();
        self.0
            .extend(mails.iter().map(|mail| Letter::read(mail, life)));
    }

    /// The links that came to this address, the newest first.
    pub(super) fn links_to<'a>(&'a self, address: &'a str) -> impl Iterator<Item = &'a Tokens> {
        let letters = self.0.iter().rev();
        letters
            .filter(move |letter| letter.to == address)
            .filter_map(|letter| letter.tokens.as_ref())
    }
}
