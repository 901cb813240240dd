//! What the transport bears, in one place (DESIGN's table of numbers; ASVS 15.2.2).

use std::time::Duration;

/// Longest request message, in bytes.
pub const LONGEST_MESSAGE: usize = 16 * 1024;

/// Longest header list of a request, in bytes.
pub const LONGEST_HEADERS: usize = 16 * 1024;

/// Longest header list that is taken in at all: whoever is over [`LONGEST_HEADERS`] is told so in the API's words, and
/// over this by HTTP's status 431. It bounds HPACK's expansion and the CONTINUATION frames of a request, too
/// (CVE-2024-27316).
pub const MOST_HEADERS: u32 = 32 * 1024;

/// Longest frame that is taken in. HTTP/2 allows no less, and no message needs more.
pub const LONGEST_FRAME: u32 = 16 * 1024;

/// Longest response message, in bytes.
pub const LONGEST_RESPONSE: usize = 1024 * 1024;

/// How long a unary call may take.
pub const UNARY_TIME: Duration = Duration::from_secs(5);

/// How long a stream may run.
pub const STREAM_TIME: Duration = Duration::from_hours(1);

/// Streams of one connection at a time. Without a limit one connection could hold any number.
pub const STREAMS: u32 = 100;

/// Bytes of one request that are taken in ahead of being read: no message is longer by much.
pub const STREAM_WINDOW: u32 = 64 * 1024;

/// Bytes of one connection that are taken in ahead of being read.
pub const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Streams that a peer may open and reset before they were looked at (CVE-2023-44487); h2's own
/// default, written down so that it cannot change unnoticed.
pub const PENDING_RESETS: usize = 20;

/// Streams that may end in a fault of the peer's before its connection is closed.
pub const LOCAL_RESETS: usize = 100;

/// How often a silent connection is asked whether it is still there.
pub const PING_EVERY: Duration = Duration::from_secs(30);

/// How long the answer may take.
pub const PING_TIME: Duration = Duration::from_secs(10);

/// How long a new connection may take to greet.
pub const GREETING_TIME: Duration = Duration::from_secs(10);

/// How long a connection may be silent; one that is alive answers a ping in less.
pub const LONGEST_SILENCE: Duration = Duration::from_mins(1);
