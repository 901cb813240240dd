//! Addresses that their owner proves by a code.

use super::{AddressNotices, Limited, ProofFails, ShownProof};
use crate::domain::account::CredentialVersion;
use crate::domain::call::Call;
use crate::domain::destination::Destination;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::limit::Rate;
use crate::domain::message::ChannelKind;
use crate::domain::new_address::NewAddress;
use crate::domain::seal::Sealed;
use std::time::Duration;

/// Begin to verify an address, in the place of a verification begun before.
#[derive(Debug, Clone)]
pub struct BeginVerification {
    /// On whose behalf.
    pub call: Call,
    /// Of the present factor.
    pub proof: ShownProof,
    /// Where the code goes.
    pub to: Destination,
    /// The same address, for the store to keep.
    pub sealed_address: Sealed,
    /// Names the message, and the verification.
    pub message_id: MessageId,
    /// How many codes an account is sent.
    pub rate: Rate,
    /// How long the code is good.
    pub lifetime: Duration,
}

/// How that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerificationBegun {
    /// The code is on its way.
    Begun,
    /// Too soon after the last one, or there were as many as there are.
    Limited(Limited),
    /// Nothing is sent by this way.
    ChannelMissing(ChannelKind),
    /// The proof does not stand.
    Refused(ProofFails),
}

/// Take a try at the code. It counts before the code is looked at.
#[derive(Debug, Clone)]
pub struct TryVerification {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
}

/// What the code is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerificationTried {
    /// With that of this message.
    Compare {
        /// The message.
        message_id: MessageId,
        /// The way it went.
        channel: ChannelKind,
        /// The address that it went to.
        sealed_address: Sealed,
        /// The account's credentials.
        credential_version: CredentialVersion,
    },
    /// With nothing: none was begun, or it is out of time or tries, or the credentials have moved.
    Gone,
    /// The account is gone.
    NoAccount,
}

/// End a verification, whose code was right.
#[derive(Debug, Clone)]
pub struct FinishVerification {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
    /// The credentials that the code was compared under.
    pub credential_version: CredentialVersion,
    /// Which verification.
    pub message_id: MessageId,
    /// The address.
    pub address: NewAddress,
    /// Names the notices that are due if it is another one.
    pub notices: AddressNotices,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationFinished {
    /// The address is the account's, verified, and its credentials have this version.
    Finished(CredentialVersion),
    /// It is another account's.
    EmailTaken,
    /// The verification was ended or the credentials moved meanwhile, and nothing is changed.
    Gone,
}
