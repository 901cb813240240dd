//! Argon2 of every variant and version, as a PHC string.

use super::encoding::{encode, named, unpadded};
use super::{Bounds, ForeignRefused, SALT, TAG};

/// Memory times passes. The floor is what the `argon2` command spends unless told otherwise (4 MiB,
/// three passes); OWASP Password Storage asks 36 MiB of new hashes. The ceiling is less than a second.
const WORK: Bounds = Bounds::new("KiB of memory times passes", 12_288, 1_048_576);
/// The ceiling is what every hashing thread may have to find while it verifies.
const MEMORY: Bounds = Bounds::new("KiB of memory", 8, 131_072);
const LANES: Bounds = Bounds::new("lanes", 1, 16);

/// A hash by Argon2.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignArgon2 {
    /// Which Argon2.
    pub variant: Variant,
    /// Which version of it.
    pub version: Version,
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes in the memory.
    pub lanes: u32,
    /// The salt.
    pub salt: Vec<u8>,
    /// The hash itself.
    pub tag: Vec<u8>,
}

/// The variants of Argon2 (RFC 9106 §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Argon2d.
    D,
    /// Argon2i.
    I,
    /// Argon2id.
    Id,
}

/// The versions of Argon2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 0x10, of before 2016: passes overwrite what the one before left.
    V16,
    /// 0x13, that of RFC 9106.
    V19,
}

impl Variant {
    /// The variant's name in PHC strings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::D => "argon2d",
            Self::I => "argon2i",
            Self::Id => "argon2id",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::D, Self::I, Self::Id]
            .into_iter()
            .find(|variant| variant.name() == name)
    }
}

impl ForeignArgon2 {
    pub(super) fn check(&self) -> Result<(), ForeignRefused> {
        LANES.check(self.lanes)?;
        MEMORY.check(self.memory_kib)?;
        WORK.check(u64::from(self.memory_kib) * u64::from(self.passes))?;
        if self.memory_kib < 8 * self.lanes {
            return Err(ForeignRefused::TooLittle {
                what: "KiB of memory",
                found: self.memory_kib.into(),
                least: u64::from(self.lanes) * 8,
            });
        }
        SALT.check(self.salt.len())?;
        TAG.check(self.tag.len())
    }

    pub(super) fn encode(&self) -> String {
        let version = match self.version {
            Version::V16 => 16,
            Version::V19 => 19,
        };
        let Self {
            memory_kib: m,
            passes: t,
            lanes: p,
            ..
        } = self;
        let (name, salt, tag) = (self.variant.name(), encode(&self.salt), encode(&self.tag));
        format!("${name}$v={version}$m={m},t={t},p={p}${salt}${tag}")
    }
}

/// Reads `$argon2id$v=19$m=…,t=…,p=…$salt$tag`. Hashes of before version 0x13 do not name theirs. One
/// with `keyid` or `data` needs a secret that does not come with it.
pub(super) fn phc(encoded: &str) -> Option<ForeignArgon2> {
    let fields: Vec<&str> = encoded.split('$').collect();
    let (name, version, costs, salt, tag) = match fields[..] {
        ["", name, "v=19", costs, salt, tag] => (name, Version::V19, costs, salt, tag),
        ["", name, "v=16", costs, salt, tag] | ["", name, costs, salt, tag] => {
            (name, Version::V16, costs, salt, tag)
        }
        _ => return None,
    };
    let costs: Vec<&str> = costs.split(',').collect();
    let [memory_kib, passes, lanes] = costs[..] else {
        return None;
    };
    Some(ForeignArgon2 {
        variant: Variant::named(name)?,
        version,
        memory_kib: named("m", memory_kib)?,
        passes: named("t", passes)?,
        lanes: named("p", lanes)?,
        salt: unpadded(salt)?,
        tag: unpadded(tag)?,
    })
}
