//! Codes of the second factor: sent, tried, and used up by what they were asked for.

use super::{App, DeadLink, Limited, Whence};
use crate::domain::account::{CredentialVersion, Locale, SecondFactor};
use crate::domain::call::Call;
use crate::domain::code::CodeFor;
use crate::domain::id::{AccountId, ChallengeId, MessageId};
use crate::domain::limit::{Limit, Rate};
use crate::domain::message::ChannelKind;
use crate::domain::recovery_code::RecoveryCodeDigest;
use crate::domain::totp::Step;
use std::time::Duration;

/// Send a code.
#[derive(Debug, Clone)]
pub struct SendCode {
    /// On whose behalf.
    pub call: Call,
    /// The link or the sign-in that asks for it.
    pub what_for: CodeFor,
    /// The limits of the source.
    pub limits: Vec<Limit>,
    /// What the message is made with.
    pub order: CodeOrder,
}

/// What a message with a code is made with.
#[derive(Debug, Clone)]
pub struct CodeOrder {
    /// Names the message.
    pub message_id: MessageId,
    /// How many codes an account is sent.
    pub rate: Rate,
    /// The language the person's browser asked for, if the account names none.
    pub fallback_locale: Locale,
}

/// How that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeSent {
    /// The message is queued.
    Sent(SentCode),
    /// There is no code to send: none is asked for, an app makes it, or there is no such address or channel.
    Nothing,
    /// The link or the sign-in does not ask for anything any more.
    Dead(DeadLink),
    /// The source's limit is reached.
    SourceLimited(Limited),
    /// Too soon after the last one, or there were as many as there are.
    Limited(Limited),
}

/// A code on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    /// How it travels.
    pub channel: ChannelKind,
    /// The masked address.
    pub destination: String,
    /// How long no other one is sent.
    pub resend_after: Duration,
}

/// Count a code that somebody typed, before anybody looks at it.
#[derive(Debug, Clone)]
pub struct TryFactor {
    /// On whose behalf.
    pub call: Call,
    /// The link or the sign-in that asks for it.
    pub what_for: CodeFor,
    /// The limits of the source.
    pub limits: Vec<Limit>,
    /// What kind of code it looks like.
    pub looks_like: LooksLike,
}

/// What a code that somebody typed looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooksLike {
    /// One that is sent, or that an app shows.
    SixDigits,
    /// A recovery code, with this digest.
    RecoveryCode(RecoveryCodeDigest),
    /// None.
    Nothing,
}

/// How that ended.
#[derive(Debug, Clone)]
pub enum FactorTried {
    /// It counts as wrong from now on: look at it.
    Counted(CountedTry),
    /// Nothing is asked for beside the link.
    NotAsked,
    /// The link or the sign-in does not ask for anything any more.
    Dead(DeadLink),
    /// The source's limit is reached.
    SourceLimited(Limited),
}

/// A try that counts as wrong until what it was asked for is used.
#[derive(Debug, Clone)]
pub struct CountedTry {
    /// Whose factor it is.
    pub account_id: AccountId,
    /// The account's credentials, as they must still be then.
    pub credential_version: CredentialVersion,
    /// The factor.
    pub second_factor: SecondFactor,
    /// How many wrong ones there are in a row with this one; `None` if the factor has stopped.
    pub in_a_row: Option<u32>,
    /// What it is compared with.
    pub against: Against,
}

/// What a code is compared with.
#[derive(Debug, Clone)]
pub enum Against {
    /// The codes of these sendings.
    Sendings(Vec<u32>),
    /// The codes of this app.
    App(App),
    /// Nothing more: it is one of the account's recovery codes.
    RecoveryCode,
    /// Whatever it is, it is wrong.
    Nothing,
}

/// A code that was right.
#[derive(Debug, Clone)]
pub struct FactorPassed {
    /// What is used up beside the link or the challenge.
    pub by: PassedBy,
    /// Names the notice to the owner, if one is due.
    pub notice_id: MessageId,
    /// What the notice says about where the code came from.
    pub whence: Whence,
}

/// By what a factor was passed.
#[derive(Debug, Clone)]
pub enum PassedBy {
    /// A code that was sent: it ends with its link or challenge.
    SentCode,
    /// A code that the app showed throughout this step.
    AppCode(Step),
    /// A recovery code.
    RecoveryCode(RecoveryCodeDigest),
}

/// Write down that a counted try was wrong.
#[derive(Debug, Clone)]
pub struct RefuseFactor {
    /// On whose behalf.
    pub call: Call,
    /// The link or the sign-in that asked for it.
    pub what_for: CodeFor,
    /// The try.
    pub tried: CountedTry,
    /// Names the notice to the owner, if one is due.
    pub notice_id: MessageId,
    /// What the notice says about where the try came from.
    pub whence: Whence,
}

/// Finish a sign-in whose second factor was passed.
#[derive(Debug, Clone)]
pub struct FinishChallenge {
    /// On whose behalf.
    pub call: Call,
    /// Which sign-in.
    pub challenge_id: ChallengeId,
    /// The credentials that the factor was passed under.
    pub credential_version: CredentialVersion,
    /// The code.
    pub passed: FactorPassed,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeFinished {
    /// The person is signed in.
    SignedIn,
    /// Somebody else used the code meanwhile.
    Spent,
    /// The sign-in died meanwhile.
    Dead(DeadLink),
}
