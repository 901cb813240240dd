//! Verifies hashes as the systems that made them do.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::HEXLOWER;
use pbkdf2::pbkdf2_hmac;
use sha_crypt::{PasswordVerifier as _, ShaCrypt};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::arena::Arena;
use crate::domain::password::Password;
use crate::domain::password::foreign::{
    self, Digest, Ending, ForeignArgon2, ForeignBcrypt, ForeignPbkdf2, ForeignScrypt,
    ForeignShaCrypt, Made, Variant,
};

/// A hash that no password can be tried against: damaged, as what is imported is checked. The log has the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incomputable;

/// Whether the password is the one that was hashed, as it was typed or in our form of it. Where the two
/// are one text, as they nearly always are, the hash is computed once.
///
/// A password with a zero byte costs as much and is never right: bcrypt would take `a\0a` for `a`, and
/// PBKDF2 and scrypt would take `a\0` for it, as HMAC pads its key with zeros.
pub(super) fn verify(
    arena: &mut Arena,
    password: &Password,
    made: &Made,
) -> Result<bool, Incomputable> {
    for spelling in password.spellings() {
        if is_of(arena, spelling, made)? && !spelling.contains(&0) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_of(arena: &mut Arena, password: &[u8], made: &Made) -> Result<bool, Incomputable> {
    match made {
        Made::Argon2(hash) => argon2(arena, password, hash),
        Made::Bcrypt(hash) => bcrypt(password, hash),
        Made::Scrypt(hash) => scrypt(password, hash),
        Made::Pbkdf2(hash) => Ok(pbkdf2(password, hash)),
        Made::ShaCrypt(hash) => sha_crypt(password, hash),
    }
}

fn argon2(arena: &mut Arena, password: &[u8], hash: &ForeignArgon2) -> Result<bool, Incomputable> {
    let algorithm = match hash.variant {
        Variant::D => Algorithm::Argon2d,
        Variant::I => Algorithm::Argon2i,
        Variant::Id => Algorithm::Argon2id,
    };
    let version = match hash.version {
        foreign::Version::V16 => Version::V0x10,
        foreign::Version::V19 => Version::V0x13,
    };
    let mut tag = Zeroizing::new(vec![0; hash.tag.len()]);
    Params::new(hash.memory_kib, hash.passes, hash.lanes, Some(tag.len()))
        .map(|params| Argon2::new(algorithm, version, params))
        .and_then(|argon2| arena.fill(&argon2, password, &hash.salt, &mut tag))
        .map_err(failed)?;
    Ok(tag.ct_eq(&hash.tag).into())
}

/// A password that is too long costs as much as the longest that is not, and is never right.
fn bcrypt(password: &[u8], hash: &ForeignBcrypt) -> Result<bool, Incomputable> {
    let digits;
    let hashed = if hash.of_sha256 {
        digits = Zeroizing::new(HEXLOWER.encode(&Sha256::digest(password)));
        digits.as_bytes()
    } else {
        password
    };
    let read = &hashed[..hashed.len().min(ForeignBcrypt::MOST_BYTES)];
    let matches = bcrypt::verify(read, &hash.modular).map_err(failed)?;
    Ok(matches && read.len() == hashed.len())
}

fn scrypt(password: &[u8], hash: &ForeignScrypt) -> Result<bool, Incomputable> {
    let params = scrypt::Params::new(hash.log_n, hash.r, hash.p).map_err(failed)?;
    let derive =
        |key: &mut [u8]| scrypt::scrypt(password, &hash.salt, &params, key).map_err(failed);
    let mut tag = Zeroizing::new(vec![0; hash.tag.len()]);
    match hash.ending {
        Ending::Plain => derive(&mut tag)?,
        Ending::Firebase => {
            let mut key = Zeroizing::new([0; 32]);
            derive(&mut *key)?;
            key_stream(&key, &mut tag);
        }
    }
    Ok(tag.ct_eq(&hash.tag).into())
}

/// AES-256 of the numbers from 0, which is what counter mode adds to a text.
fn key_stream(key: &[u8; 32], stream: &mut [u8]) {
    let aes = Aes256::new(key.into());
    for (number, chunk) in (0_u128..).zip(stream.chunks_mut(16)) {
        let mut block = number.to_be_bytes().into();
        aes.encrypt_block(&mut block);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}

fn pbkdf2(password: &[u8], hash: &ForeignPbkdf2) -> bool {
    let derive = match hash.digest {
        Digest::Sha1 => pbkdf2_hmac::<sha1::Sha1>,
        Digest::Sha256 => pbkdf2_hmac::<Sha256>,
        Digest::Sha512 => pbkdf2_hmac::<Sha512>,
    };
    let mut tag = Zeroizing::new(vec![0; hash.tag.len()]);
    derive(password, &hash.salt, hash.iterations, &mut tag);
    tag.ct_eq(&hash.tag).into()
}

/// As with bcrypt, a password that is too long is never right.
fn sha_crypt(password: &[u8], hash: &ForeignShaCrypt) -> Result<bool, Incomputable> {
    let read = &password[..password.len().min(ForeignShaCrypt::MOST_BYTES)];
    match ShaCrypt::default().verify_password(read, hash.modular.as_str()) {
        Ok(()) => Ok(read.len() == password.len()),
        Err(sha_crypt::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(cause) => Err(failed(cause)),
    }
}

fn failed(cause: impl std::fmt::Display) -> Incomputable {
    tracing::error!(%cause, "an imported hash cannot be computed");
    Incomputable
}

#[cfg(test)]
mod tests;
