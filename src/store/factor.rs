//! Second factors: what an account's owner enrols, chooses and renews.

use crate::domain::account::{CredentialVersion, SecondFactor};
use crate::domain::call::Call;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::message::ChannelKind;
use crate::domain::recovery_code::RecoveryCodeDigest;
use crate::domain::seal::Sealed;
use crate::domain::totp::Step;
use std::time::Duration;

/// The authenticator app of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The secret that it shares with the account.
    pub sealed_secret: Sealed,
    /// The last step of which a code was accepted.
    pub last_step: Step,
}

/// What a proof says whose signature and time hold. It stands if the account is still so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownProof {
    /// Who signed in.
    pub account_id: AccountId,
    /// The account's credentials at that time.
    pub credential_version: CredentialVersion,
    /// The factor that was passed.
    pub second_factor: SecondFactor,
}

/// Why a proof does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofFails {
    /// The account is gone.
    NoAccount,
    /// Its credentials have moved, or its factor is another.
    Void,
}

/// Begin to enrol an app, in the place of an enrolment begun before.
#[derive(Debug, Clone)]
pub struct BeginEnrolment {
    /// On whose behalf.
    pub call: Call,
    /// Of the present factor.
    pub proof: ShownProof,
    /// The secret that the app is given.
    pub sealed_secret: Sealed,
    /// How long the app's first code is waited for.
    pub lifetime: Duration,
}

/// How that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentBegun {
    /// It did, for the account of this address.
    Begun(Email),
    /// The proof does not stand.
    Refused(ProofFails),
}

/// Take a try at the app's first code. It counts before the code is looked at.
#[derive(Debug, Clone)]
pub struct TryEnrolment {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
}

/// What the code is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentTried {
    /// With this secret.
    Compare {
        /// The secret of the app.
        sealed_secret: Sealed,
        /// The account's credentials.
        credential_version: CredentialVersion,
    },
    /// With nothing: no enrolment was begun, or it is out of time or tries, or the credentials have moved.
    Gone,
    /// The account is gone.
    NoAccount,
}

/// End an enrolment, whose first code was right.
#[derive(Debug, Clone)]
pub struct FinishEnrolment {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
    /// The credentials that the code was compared under.
    pub credential_version: CredentialVersion,
    /// The secret that it was compared with, and the step that it is of.
    pub app: App,
    /// The recovery codes that the owner is given.
    pub recovery_codes: Vec<RecoveryCodeDigest>,
    /// Names the notice.
    pub notice_id: MessageId,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolmentFinished {
    /// TOTP is the account's factor.
    Finished,
    /// The enrolment was ended or the credentials moved meanwhile, and nothing is changed.
    Gone,
}

/// Choose the second factor.
#[derive(Debug, Clone)]
pub struct SetSecondFactor {
    /// On whose behalf.
    pub call: Call,
    /// Of the present factor.
    pub proof: ShownProof,
    /// The new one.
    pub second_factor: SecondFactor,
    /// Names the notice.
    pub notice_id: MessageId,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactorSet {
    /// It is the account's factor; it may have been before.
    Set,
    /// SMS needs a verified phone.
    NoVerifiedPhone,
    /// No codes could be sent by this channel.
    ChannelMissing(ChannelKind),
    /// TOTP needs an enrolled app.
    NoApp,
    /// The proof does not stand.
    Refused(ProofFails),
}

/// Put new recovery codes in the place of the old ones.
#[derive(Debug, Clone)]
pub struct RenewRecoveryCodes {
    /// On whose behalf.
    pub call: Call,
    /// Of the present factor.
    pub proof: ShownProof,
    /// The new ones.
    pub recovery_codes: Vec<RecoveryCodeDigest>,
    /// Names the notice.
    pub notice_id: MessageId,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryCodesRenewed {
    /// They are the account's.
    Renewed,
    /// No recovery code stands in for a code by email.
    NoUse,
    /// The proof does not stand.
    Refused(ProofFails),
}

/// Enrol the app of a demonstration's account, unless it has one.
#[derive(Debug, Clone)]
pub struct EnrolDemoApp {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
    /// The secret that the app is given.
    pub sealed_secret: Sealed,
}
