//! The two encoded parts of an event; field for field the `AuditLeaf` and `Opening` of the API.

use crate::domain::time::Timestamp;
use sha2::{Digest, Sha256};

/// The format that [`Leaf::format`] names.
pub(super) const FORMAT: i32 = 1;

/// What the log commits to. Encoded deterministically: fields in order, no maps.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Leaf {
    /// The version of this encoding.
    #[prost(int32, tag = "1")]
    pub format: i32,
    /// Which log.
    #[prost(string, tag = "2")]
    pub origin: String,
    /// The place in the log.
    #[prost(int64, tag = "3")]
    pub sequence: i64,
    /// 16 random bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub event_id: Vec<u8>,
    /// When it happened.
    #[prost(message, optional, tag = "5")]
    pub time: Option<WireTime>,
    /// What happened.
    #[prost(string, tag = "6")]
    pub name: String,
    /// How grave it is.
    #[prost(int32, tag = "7")]
    pub level: i32,
    /// The calling service.
    #[prost(string, tag = "8")]
    pub actor: String,
    /// How it ended.
    #[prost(string, tag = "9")]
    pub outcome: String,
    /// Why it ended so.
    #[prost(string, tag = "10")]
    pub reason: String,
    /// Which call.
    #[prost(string, tag = "11")]
    pub correlation_id: String,
    /// Facts that name nobody.
    #[prost(message, repeated, tag = "12")]
    pub attributes: Vec<Attribute>,
    /// [`commitment`] of the opening.
    #[prost(bytes = "vec", tag = "13")]
    pub commitment: Vec<u8>,
}

/// What is personal about an event.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Opening {
    /// 32 random bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub salt: Vec<u8>,
    /// Whose account; empty when none is known.
    #[prost(string, tag = "2")]
    pub account_id: String,
    /// The person's address; empty when no person is behind the call.
    #[prost(string, tag = "3")]
    pub source_ip: String,
    /// Personal facts.
    #[prost(message, repeated, tag = "4")]
    pub attributes: Vec<Attribute>,
}

/// One fact.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Attribute {
    /// What.
    #[prost(string, tag = "1")]
    pub key: String,
    /// How much, which, where.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A moment as `google.protobuf.Timestamp` encodes it.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct WireTime {
    /// Seconds since the epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds after that second.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl From<Timestamp> for WireTime {
    fn from(moment: Timestamp) -> Self {
        let (seconds, micros) = (
            moment.as_micros().div_euclid(1_000_000),
            moment.as_micros().rem_euclid(1_000_000),
        );
        // A remainder of a million, times a thousand, is below 2^31.
        Self {
            seconds,
            nanos: i32::try_from(micros * 1_000).unwrap_or(0),
        }
    }
}

impl From<WireTime> for Timestamp {
    fn from(time: WireTime) -> Self {
        let micros = time.seconds.saturating_mul(1_000_000);
        Self::from_micros(micros.saturating_add(i64::from(time.nanos) / 1_000))
    }
}

/// The hash that stands for an opening in its leaf.
#[must_use]
pub fn commitment(opening: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"relatch audit opening v1\0")
        .chain_update(opening)
        .finalize()
        .into()
}
