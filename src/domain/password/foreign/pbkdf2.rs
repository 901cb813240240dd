//! PBKDF2 with HMAC: by passlib, Django, Werkzeug, and ASP.NET Identity.

use super::encoding::{encode, hex, named, number, padded, passlib, unpadded};
use super::{Bounds, ForeignRefused, SALT, TAG};

/// That of SP 800-63B (2017) §5.1.1.2 and what ASP.NET Identity did until 2022; OWASP Password Storage
/// asks 210,000 to 1,300,000 of new hashes.
const LEAST_ITERATIONS: u64 = 10_000;

/// A hash by PBKDF2.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignPbkdf2 {
    /// The digest under the HMAC.
    pub digest: Digest,
    /// How often it ran.
    pub iterations: u32,
    /// The salt.
    pub salt: Vec<u8>,
    /// The hash, or the first block of one that is longer than the digest: whoever guesses computes
    /// no more than that either.
    pub tag: Vec<u8>,
}

/// The digests that PBKDF2 is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Digest {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// How often it may run. The ceilings are above all that is in use and below half a second of a core, where the
    /// processor knows SHA-1 and SHA-256 by itself.
    const fn iterations(self) -> Bounds {
        let most = match self {
            Self::Sha1 | Self::Sha256 => 2_000_000,
            Self::Sha512 => 1_000_000,
        };
        Bounds::new("iterations", LEAST_ITERATIONS, most)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The digest of `pbkdf2-sha256` and the like; plain `pbkdf2` is SHA-1.
    pub(super) fn of_pbkdf2(name: &str) -> Option<Self> {
        match name.strip_prefix("pbkdf2")? {
            "" => Some(Self::Sha1),
            suffix => Self::named(suffix.strip_prefix('-')?),
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.name() == name)
    }
}

impl ForeignPbkdf2 {
    pub(super) fn new(digest: Digest, iterations: u32, salt: Vec<u8>, mut tag: Vec<u8>) -> Self {
        tag.truncate(digest.bytes());
        Self {
            digest,
            iterations,
            salt,
            tag,
        }
    }

    pub(super) fn check(&self) -> Result<(), ForeignRefused> {
        self.digest.iterations().check(self.iterations)?;
        SALT.check(self.salt.len())?;
        TAG.check(self.tag.len())
    }

    pub(super) fn encode(&self) -> String {
        let (digest, i) = (self.digest.name(), self.iterations);
        let (salt, tag) = (encode(&self.salt), encode(&self.tag));
        format!("$pbkdf2-{digest}$i={i}${salt}${tag}")
    }
}

/// Reads passlib's `$pbkdf2-sha256$29000$salt$tag`, or the PHC string with `i=29000` and usual base64.
pub(super) fn modular(encoded: &str) -> Option<ForeignPbkdf2> {
    let fields: Vec<&str> = encoded.split('$').collect();
    let ["", name, iterations, salt, tag] = fields[..] else {
        return None;
    };
    let digest = Digest::of_pbkdf2(name)?;
    let (iterations, salt, tag) = match named("i", iterations) {
        Some(iterations) => (iterations, unpadded(salt)?, unpadded(tag)?),
        None => (number(iterations)?, passlib(salt)?, passlib(tag)?),
    };
    Some(ForeignPbkdf2::new(digest, iterations, salt, tag))
}

/// Reads `iterations$salt$base64`, after Django's `pbkdf2_sha256$`.
pub(super) fn django(digest: Digest, written: &str) -> Option<ForeignPbkdf2> {
    let fields: Vec<&str> = written.split('$').collect();
    let [iterations, salt, tag] = fields[..] else {
        return None;
    };
    let salt = salt.as_bytes().to_vec();
    Some(ForeignPbkdf2::new(
        digest,
        number(iterations)?,
        salt,
        padded(tag)?,
    ))
}

/// Reads `digest:iterations$salt$hex`, after Werkzeug's `pbkdf2:`.
pub(super) fn werkzeug(written: &str) -> Option<ForeignPbkdf2> {
    let (costs, salt_and_tag) = written.split_once('$')?;
    let (salt, tag) = salt_and_tag.split_once('$')?;
    let (digest, iterations) = costs.split_once(':')?;
    Some(ForeignPbkdf2::new(
        Digest::named(digest)?,
        number(iterations)?,
        salt.as_bytes().to_vec(),
        hex(tag)?,
    ))
}

/// Reads ASP.NET Identity's third version: base64 of a 1, then the digest's number, the iterations and
/// the salt's length as four bytes each, salt and hash.
pub(super) fn aspnet(encoded: &str) -> Option<ForeignPbkdf2> {
    let bytes = padded(encoded)?;
    let (version, rest) = bytes.split_first()?;
    let (digest, rest) = big_endian(rest)?;
    let (iterations, rest) = big_endian(rest)?;
    let (salt_bytes, rest) = big_endian(rest)?;
    let (salt, tag) = rest.split_at_checked(salt_bytes.try_into().ok()?)?;
    let digest = *Digest::ALL.get(usize::try_from(digest).ok()?)?;
    (*version == 1).then(|| ForeignPbkdf2::new(digest, iterations, salt.to_vec(), tag.to_vec()))
}

fn big_endian(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}
