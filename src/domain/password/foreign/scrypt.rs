//! scrypt: as a PHC string, by Django, by Werkzeug, and by Firebase.

use serde::Deserialize;
use zeroize::Zeroize;

use super::encoding::{encode, hex, named, number, padded, unpadded};
use super::{Bounds, ForeignRefused, SALT, TAG};

/// N times r times p. The floor is what Firebase spends (N = 2^14, r = 8) and scrypt's author asked of
/// sign-ins in 2009; OWASP Password Storage asks five to eight times that of new hashes. The ceiling is
/// half a second.
const WORK: Bounds = Bounds::new("as N times r times p", 131_072, 2_097_152);
/// All that scrypt allocates: 128 bytes times r for each of N rounds, each lane, and the block that is mixed. The
/// ceiling leaves 1 MiB beside the 128 of N = 2^17 and r = 8, what OWASP Password Storage recommends.
const MEMORY: Bounds = Bounds::new("KiB of memory", 0, 132_096);
/// RFC 7914 §2: N is above 1.
const LOG_N: Bounds = Bounds::new("as the logarithm of N", 1, 31);
const LANES: Bounds = Bounds::new("as p", 1, 16);

/// A hash by scrypt.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignScrypt {
    /// The binary logarithm of N.
    pub log_n: u8,
    /// The block size.
    pub r: u32,
    /// The parallelism.
    pub p: u32,
    /// The salt.
    pub salt: Vec<u8>,
    /// What the key that scrypt derives is made into.
    pub ending: Ending,
    /// That, to compare with.
    pub tag: Vec<u8>,
}

/// What is compared in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The derived key.
    Plain,
    /// The key stream of AES-256 in counter mode under the derived key. Firebase encrypts its project's
    /// signer key so. Taking the signer key out again when the hash is imported leaves the key stream,
    /// which verifies as well, and another system's key need not be kept here.
    Firebase,
}

impl Ending {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "scrypt",
            Self::Firebase => "firebase-scrypt",
        }
    }
}

impl ForeignScrypt {
    pub(super) fn check(&self) -> Result<(), ForeignRefused> {
        LOG_N.check(self.log_n)?;
        LANES.check(self.p)?;
        let (n, r, p) = (1_u64 << self.log_n, u64::from(self.r), u64::from(self.p));
        MEMORY.check(((n + p + 1) * r).div_ceil(8))?;
        WORK.check(n * r * p)?;
        SALT.check(self.salt.len())?;
        TAG.check(self.tag.len())
    }

    pub(super) fn encode(&self) -> String {
        let Self { log_n, r, p, .. } = self;
        let (name, salt, tag) = (self.ending.name(), encode(&self.salt), encode(&self.tag));
        format!("${name}$ln={log_n},r={r},p={p}${salt}${tag}")
    }

    fn plain(n: &str, r: &str, p: &str, salt: &str, tag: Vec<u8>) -> Option<Self> {
        let n = number(n)?;
        Some(Self {
            log_n: n.is_power_of_two().then(|| n.ilog2())?.try_into().ok()?,
            r: number(r)?,
            p: number(p)?,
            salt: salt.as_bytes().to_vec(),
            ending: Ending::Plain,
            tag,
        })
    }
}

/// Reads `$scrypt$ln=…,r=…,p=…$salt$tag`.
pub(super) fn phc(encoded: &str) -> Option<ForeignScrypt> {
    read(encoded, Ending::Plain)
}

/// Reads what a hash by Firebase is stored as.
pub(super) fn firebase_as_stored(encoded: &str) -> Option<ForeignScrypt> {
    read(encoded, Ending::Firebase)
}

fn read(encoded: &str, ending: Ending) -> Option<ForeignScrypt> {
    let fields: Vec<&str> = encoded.split('$').collect();
    let ["", name, costs, salt, tag] = fields[..] else {
        return None;
    };
    let costs: Vec<&str> = costs.split(',').collect();
    let [log_n, r, p] = costs[..] else {
        return None;
    };
    if name != ending.name() {
        return None;
    }
    Some(ForeignScrypt {
        log_n: named("ln", log_n)?.try_into().ok()?,
        r: named("r", r)?,
        p: named("p", p)?,
        salt: unpadded(salt)?,
        ending,
        tag: unpadded(tag)?,
    })
}

/// Reads `N$salt$r$p$base64`, after Django's `scrypt$`.
pub(super) fn django(written: &str) -> Option<ForeignScrypt> {
    let fields: Vec<&str> = written.split('$').collect();
    let [n, salt, r, p, tag] = fields[..] else {
        return None;
    };
    ForeignScrypt::plain(n, r, p, salt, padded(tag)?)
}

/// Reads `N:r:p$salt$hex`, after Werkzeug's `scrypt:`.
pub(super) fn werkzeug(written: &str) -> Option<ForeignScrypt> {
    let (costs, salt_and_tag) = written.split_once('$')?;
    let (salt, tag) = salt_and_tag.split_once('$')?;
    let costs: Vec<&str> = costs.split(':').collect();
    let [n, r, p] = costs[..] else { return None };
    ForeignScrypt::plain(n, r, p, salt, hex(tag)?)
}

/// A user as `firebase auth:export` writes one, with the parameters of the project's hashes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Firebase {
    #[serde(rename = "passwordHash")]
    hash: String,
    salt: String,
    base64_signer_key: String,
    base64_salt_separator: String,
    rounds: u32,
    mem_cost: u8,
}

impl Drop for Firebase {
    fn drop(&mut self) {
        self.base64_signer_key.zeroize();
    }
}

/// Reads Firebase's hash with the parameters of its project, as JSON.
pub(super) fn firebase(encoded: &str) -> Option<ForeignScrypt> {
    if let Some(hash) = firebase_as_stored(encoded) {
        return Some(hash);
    }
    let user: Firebase = serde_json::from_str(encoded).ok()?;
    let mut signer_key = either(&user.base64_signer_key)?;
    let encrypted = either(&user.hash)?;
    let mut salt = either(&user.salt)?;
    salt.extend(either(&user.base64_salt_separator)?);
    let tag = encrypted
        .iter()
        .zip(&signer_key)
        .map(|(encrypted, key)| encrypted ^ key)
        .collect();
    let fits = encrypted.len() == signer_key.len();
    signer_key.zeroize();
    fits.then_some(ForeignScrypt {
        log_n: user.mem_cost,
        r: user.rounds,
        p: 1,
        salt,
        ending: Ending::Firebase,
        tag,
    })
}

/// Firebase writes either alphabet of base64, depending on the tool.
fn either(text: &str) -> Option<Vec<u8>> {
    padded(&text.replace('-', "+").replace('_', "/"))
}
