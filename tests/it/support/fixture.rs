//! Intents as tests need them: everything that a case does not care about is filled in.

use relatch::domain::account::{AccountChange, DisplayName, Locale, Profile, SecondFactor};
use relatch::domain::call::{Call, CallerName, CorrelationId};
use relatch::domain::client::Source;
use relatch::domain::code::CodeFor;
use relatch::domain::email::Email;
use relatch::domain::id::{AccountId, ChallengeId, MessageId, ResetId};
use relatch::domain::idempotency::{Method, Repeatable};
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::limit::{self, Bucket, Limit, LimitKey, Rate};
use relatch::domain::message::ChannelKind;
use relatch::domain::network::Network;
use relatch::domain::password::{PasswordHash, PepperId};
use relatch::domain::phone::Phone;
use relatch::domain::pseudonym::{Pseudonym, Subject};
use relatch::domain::reset::{InvitationLifetime, LinkLifetime, SmsLinkLifetime};
use relatch::domain::token::Link;
use relatch::domain::user_agent::BrowserAndSystem;
use relatch::random::{self, Random, SystemRandom};
use relatch::store::{
    AccountSelector, AddressNotices, AskFactor, BeginSignIn, CancelResets, CodeOrder, ConfirmReset,
    CountedTry, CreateAccount, FactorPassed, INTAKE_CAP, LeaseMessages, LooksLike, OpenReset,
    PassedBy, PasswordTry, RefuseFactor, RequestProfileLink, Resolve, SendCode, SendInvite, TakeIn,
    TryFactor, UpdateAccount, Whence,
};
use std::net::IpAddr;
use std::time::Duration;

/// A fresh array of random bytes.
pub(crate) fn fresh<const N: usize>() -> [u8; N] {
    random::array(&SystemRandom as &dyn Random).expect("the system has entropy")
}

/// A ring of one key, the same in every test.
pub(crate) fn keyring() -> Keyring {
    Keyring::of(KeyId::from_bytes([1, 2, 3, 4]), root())
}

/// What that key is made of.
pub(crate) fn root() -> [u8; 32] {
    std::array::from_fn(|i| u8::try_from(i * 5 + 3).unwrap_or(1))
}

/// A call by the service `web`.
pub(crate) fn call() -> Call {
    Call {
        caller: CallerName::parse("web").expect("a name"),
        correlation_id: CorrelationId::from_random(fresh()),
        source_ip: Some([192, 0, 2, 1].into()),
    }
}

/// A repeatable call of `method` under `request_id` with this one field.
pub(crate) fn repeatable(method: Method, request_id: &str, field: &[u8]) -> Option<Repeatable> {
    let caller = CallerName::parse("web").expect("a name");
    Repeatable::new(&keyring(), &caller, method, request_id, &[field]).expect("a request id")
}

/// A hash that no password has; the store does not look into it.
pub(crate) fn password_hash(salt: u8) -> PasswordHash {
    let salt = data_encoding::BASE64_NOPAD.encode(&[salt; 16]);
    let tag = data_encoding::BASE64_NOPAD.encode(&[7; 32]);
    PasswordHash::parse(&format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${tag}"))
        .expect("a PHC string")
}

/// The same with a pepper.
pub(crate) fn peppered_hash(pepper: PepperId) -> PasswordHash {
    let hash = password_hash(1);
    let keyid = format!("p=1,keyid={}", pepper.keyid());
    PasswordHash::parse(&hash.as_str().replace("p=1", &keyid)).expect("a PHC string")
}

/// A limit that is never reached.
pub(crate) fn generous() -> Rate {
    Rate::per(1_000_000, Duration::from_secs(1))
}

/// A verified address without a phone.
pub(crate) fn profile(email: &str) -> Profile {
    Profile {
        email: Email::parse(email).expect("an address"),
        email_verified: true,
        phone: None,
        phone_verified: false,
        second_factor: SecondFactor::Email,
        locale: Locale::default(),
        display_name: DisplayName::parse("Ada").expect("a name"),
    }
}

/// A verified phone, to which codes go.
pub(crate) fn sms_profile(email: &str) -> Profile {
    Profile {
        phone: Some(Phone::parse("+14155550101").expect("a phone")),
        phone_verified: true,
        second_factor: SecondFactor::Sms,
        ..profile(email)
    }
}

/// Creates an account with this address.
pub(crate) fn create(email: &str) -> CreateAccount {
    CreateAccount {
        call: call(),
        repeatable: None,
        account_id: AccountId::from_bytes(fresh()),
        profile: profile(email),
    }
}

/// Creates an account with this address and a verified phone, whose second factor is SMS.
pub(crate) fn create_with_sms(email: &str) -> CreateAccount {
    CreateAccount {
        profile: Profile {
            phone: Phone::parse("+14155550101").ok(),
            phone_verified: true,
            second_factor: SecondFactor::Sms,
            ..profile(email)
        },
        ..create(email)
    }
}

/// The account with this address.
pub(crate) fn selector(email: &str) -> AccountSelector {
    AccountSelector::Email(profile(email).email.key().clone())
}

/// Changes an account, whatever was read of it.
pub(crate) fn update(account_id: AccountId, change: AccountChange) -> UpdateAccount {
    UpdateAccount {
        call: call(),
        account_id,
        expected: None,
        change,
        address_notices: address_notices(),
        notice_id: MessageId::from_bytes(fresh()),
    }
}

/// Names for the notices of another address.
pub(crate) fn address_notices() -> AddressNotices {
    AddressNotices {
        present: MessageId::from_bytes(fresh()),
        former: MessageId::from_bytes(fresh()),
    }
}

/// The limits of a source in a bucket.
pub(crate) fn source_limits(bucket: Bucket, rate: Rate, ip: &str) -> Vec<Limit> {
    limit::for_source(&keyring(), bucket, rate, source(ip))
}

/// The source of an address.
pub(crate) fn source(ip: &str) -> Source {
    Source::of(ip.parse::<IpAddr>().expect("an address"))
}

/// The pseudonym of an address.
pub(crate) fn identifier(email: &str) -> Pseudonym {
    let email = Email::parse(email).expect("an address");
    Pseudonym::of(
        &keyring(),
        Subject::Identifier,
        email.key().as_str().as_bytes(),
    )
}

/// A request for a link for this address, from this source, under no limit.
pub(crate) fn take_in(email: &str, ip: &str) -> TakeIn {
    let identifier = identifier(email);
    TakeIn {
        call: Call {
            source_ip: ip.parse().ok(),
            ..call()
        },
        repeatable: None,
        limits: source_limits(Bucket::RequestSource, generous(), ip),
        email: Email::parse(email).expect("an address"),
        identifier,
        identifier_limit: LimitKey::new(Bucket::Identifier, identifier),
        locale: Locale::default(),
        reset_id: ResetId::from_bytes(fresh()),
        message_id: MessageId::from_bytes(fresh()),
        lifetime: LinkLifetime::default(),
        cap: INTAKE_CAP,
    }
}

/// Resolves up to this many requests, under no limit.
pub(crate) fn resolve(at_most: u32) -> Resolve {
    Resolve {
        at_most,
        identifier_rate: generous(),
    }
}

/// A link requested from this profile, under no limit.
pub(crate) fn profile_link(account_id: AccountId) -> RequestProfileLink {
    let whose = Pseudonym::of(&keyring(), Subject::Account, account_id.as_bytes());
    RequestProfileLink {
        call: call(),
        repeatable: None,
        account_id,
        limit: Limit {
            key: LimitKey::new(Bucket::ProfileLink, whose),
            rate: generous(),
        },
        reset_id: ResetId::from_bytes(fresh()),
        message_id: MessageId::from_bytes(fresh()),
        lifetime: LinkLifetime::default(),
        sms_lifetime: SmsLinkLifetime::default(),
    }
}

/// Invites the owner of this account.
pub(crate) fn invite(account_id: AccountId) -> SendInvite {
    SendInvite {
        call: call(),
        repeatable: None,
        account_id,
        reset_id: ResetId::from_bytes(fresh()),
        message_id: MessageId::from_bytes(fresh()),
        lifetime: InvitationLifetime::default(),
    }
}

/// Opens a link, under no limit.
pub(crate) fn open(link: Link) -> OpenReset {
    OpenReset {
        link,
        limits: source_limits(Bucket::ConfirmSource, generous(), "192.0.2.1"),
        repeatable: None,
    }
}

/// Cancels by a link, under no limit.
pub(crate) fn cancel(link: Link) -> CancelResets {
    CancelResets {
        call: call(),
        link,
        limits: source_limits(Bucket::CheckSource, generous(), "192.0.2.1"),
    }
}

/// Uses a link that was opened.
pub(crate) fn confirm(
    link: Link,
    opened: &relatch::store::LiveReset,
    password_hash: PasswordHash,
) -> ConfirmReset {
    ConfirmReset {
        call: call(),
        repeatable: None,
        reset_id: link.reset_id,
        credential_version: opened.credential_version,
        passed: None,
        password_hash,
        notice_id: MessageId::from_bytes(fresh()),
        whence: whence(),
    }
}

/// Somewhere, with whichever browser.
pub(crate) fn whence() -> Whence {
    Whence {
        network: Network::of([192, 0, 2, 1].into()),
        device: BrowserAndSystem::recognise(""),
    }
}

/// What a second factor is asked with where codes by email are off, under no limit.
pub(crate) fn ask() -> AskFactor {
    AskFactor {
        challenge_id: ChallengeId::from_bytes(fresh()),
        email_code: false,
        code: code_order(),
    }
}

/// What a message with a code is made with, under no limit.
pub(crate) fn code_order() -> CodeOrder {
    CodeOrder {
        message_id: MessageId::from_bytes(fresh()),
        rate: generous(),
        fallback_locale: Locale::default(),
    }
}

/// Sends a code, under no limit.
pub(crate) fn send_code(what_for: CodeFor) -> SendCode {
    SendCode {
        call: call(),
        what_for,
        limits: Vec::new(),
        order: code_order(),
    }
}

/// Counts a code of six digits, under no limit.
pub(crate) fn try_factor(what_for: CodeFor) -> TryFactor {
    TryFactor {
        call: call(),
        what_for,
        limits: Vec::new(),
        looks_like: LooksLike::SixDigits,
    }
}

/// A code that was right.
pub(crate) fn passed(by: PassedBy) -> FactorPassed {
    FactorPassed {
        by,
        notice_id: MessageId::from_bytes(fresh()),
        whence: whence(),
    }
}

/// Says that a counted code was wrong.
pub(crate) fn refuse_factor(what_for: CodeFor, tried: CountedTry) -> RefuseFactor {
    RefuseFactor {
        call: call(),
        what_for,
        tried,
        notice_id: MessageId::from_bytes(fresh()),
        whence: whence(),
    }
}

/// Begins a sign-in, under no limit.
pub(crate) fn begin_sign_in(email: &str) -> BeginSignIn {
    BeginSignIn {
        email: Email::parse(email).expect("an address").key().clone(),
        limits: source_limits(Bucket::SignInSource, generous(), "192.0.2.1"),
        source: attempt("192.0.2.1").source,
    }
}

/// A password that was tried from this source.
pub(crate) fn attempt(ip: &str) -> PasswordTry {
    PasswordTry {
        source: Pseudonym::of(&keyring(), Subject::Source, source(ip).narrow()),
        notice_id: MessageId::from_bytes(fresh()),
        whence: whence(),
    }
}

/// Leases up to this many mails for half a minute.
pub(crate) fn lease(at_most: u32) -> LeaseMessages {
    lease_by(ChannelKind::Email, at_most)
}

/// Leases up to this many messages by this channel for half a minute.
pub(crate) fn lease_by(channel: ChannelKind, at_most: u32) -> LeaseMessages {
    LeaseMessages {
        channel,
        at_most,
        lease_for: Duration::from_secs(30),
    }
}
