//! Argon2id over passwords: new hashes, and old ones verified as they were made.

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use tracing::error;

use super::HashError;
use super::arena::Arena;
use super::foreign::{self, Incomputable};
use crate::domain::password::{
    Argon2Params, Argon2idHash, Password, PasswordHash, PepperId, Peppers, SALT_BYTES, TAG_BYTES,
};

/// What a password turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// It is the account's password.
    pub matches: bool,
    /// It is, and its hash was made in another way than new ones are: hash it anew.
    pub outdated: bool,
}

/// How hashes are made now, and how many have been.
#[derive(Debug)]
pub(super) struct Kdf {
    params: Argon2Params,
    peppers: Peppers,
    pub(super) runs: AtomicU64,
}

impl Kdf {
    pub(super) const fn new(params: Argon2Params, peppers: Peppers) -> Self {
        Self {
            params,
            peppers,
            runs: AtomicU64::new(0),
        }
    }

    pub(super) fn hash(
        &self,
        arena: &mut Arena,
        password: &Password,
        salt: &[u8; SALT_BYTES],
    ) -> Result<PasswordHash, HashError> {
        let pepper = self.peppers.current();
        let mut tag = [0; TAG_BYTES];
        self.fill(arena, self.params, pepper, password, salt, &mut tag)?;
        Ok(Argon2idHash::new(self.params, pepper, salt, &tag).into())
    }

    /// Runs Argon2 exactly once, whether or not there is a hash to verify against; unless another
    /// system made it, which is verified in that system's way and outdated by itself. One that is
    /// damaged is like none.
    pub(super) fn verify(
        &self,
        arena: &mut Arena,
        password: &Password,
        against: Option<&PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let hash = match against {
            Some(PasswordHash::Own(hash)) => hash,
            Some(PasswordHash::Foreign(hash)) => {
                return match foreign::verify(arena, password, hash.made()) {
                    Ok(matches) => Ok(Verdict {
                        matches,
                        outdated: matches,
                    }),
                    Err(Incomputable) => self.match_nothing(arena, password),
                };
            }
            None => return self.match_nothing(arena, password),
        };
        let mut tag = vec![0; hash.tag_bytes()];
        self.fill(
            arena,
            hash.params(),
            hash.pepper(),
            password,
            hash.salt(),
            &mut tag,
        )?;
        let matches = hash.has_tag(&tag);
        let outdated = matches && hash.differs_from(self.params, self.peppers.current());
        Ok(Verdict { matches, outdated })
    }

    /// Costs a hash with the current parameters, so that nobody can tell that there is none to verify against.
    fn match_nothing(&self, arena: &mut Arena, password: &Password) -> Result<Verdict, HashError> {
        self.hash(arena, password, &[0; SALT_BYTES])?;
        Ok(Verdict {
            matches: false,
            outdated: false,
        })
    }

    fn fill(
        &self,
        arena: &mut Arena,
        params: Argon2Params,
        pepper: Option<PepperId>,
        password: &Password,
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), HashError> {
        let secret: &[u8] = match pepper {
            Some(id) => self
                .peppers
                .secret(id)
                .ok_or(HashError::PepperMissing(id))?,
            None => &[],
        };
        self.runs.fetch_add(1, Ordering::Relaxed);
        Params::new(
            params.memory_kib(),
            params.passes(),
            params.lanes(),
            Some(tag.len()),
        )
        .and_then(|params| {
            Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params)
        })
        .and_then(|argon2| arena.fill(&argon2, password.as_bytes(), salt, tag))
        .map_err(|cause| {
            error!(%cause, "Argon2 refused its parameters");
            HashError::Internal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A [`Kdf`] with memory to work in.
    struct Bench {
        kdf: Kdf,
        arena: Arena,
    }

    impl Bench {
        fn new(params: Argon2Params, peppers: Peppers) -> Self {
            let arena = Arena::new(params.memory_kib() as usize);
            Self {
                kdf: Kdf::new(params, peppers),
                arena,
            }
        }

        fn plain() -> Self {
            Self::new(Argon2Params::default(), Peppers::default())
        }

        fn peppered(peppers: Peppers) -> Self {
            Self::new(Argon2Params::default(), peppers)
        }

        fn hash(&mut self, text: &str) -> PasswordHash {
            let password = Password::parse(text).unwrap();
            self.kdf
                .hash(&mut self.arena, &password, &[7; SALT_BYTES])
                .unwrap()
        }

        fn try_verify(&mut self, text: &str, against: &PasswordHash) -> Result<Verdict, HashError> {
            let password = Password::parse(text).unwrap();
            self.kdf.verify(&mut self.arena, &password, Some(against))
        }

        fn verify(&mut self, text: &str, against: &PasswordHash) -> Verdict {
            self.try_verify(text, against).unwrap()
        }
    }

    const CURRENT: Verdict = Verdict {
        matches: true,
        outdated: false,
    };
    const OUTDATED: Verdict = Verdict {
        matches: true,
        outdated: true,
    };
    const WRONG: Verdict = Verdict {
        matches: false,
        outdated: false,
    };

    const ONE: PepperId = PepperId([1; 4]);
    const TWO: PepperId = PepperId([2; 4]);

    #[test]
    fn only_the_whole_password_verifies() {
        let mut bench = Bench::plain();
        let kept = bench.hash("Marmalade gondola");
        assert_eq!(bench.verify("Marmalade gondola", &kept), CURRENT);
        for other in [
            "marmalade gondola",
            " Marmalade gondola",
            "Marmalade gondola ",
            "Marmalade gondola1",
            "Marmalade",
        ] {
            assert_eq!(bench.verify(other, &kept), WRONG, "{other}");
        }
    }

    #[test]
    fn either_normal_form_verifies_the_other() {
        let mut bench = Bench::plain();
        let kept = bench.hash("cafe\u{301}\u{a0}\u{1100}\u{1161}");
        assert_eq!(bench.verify("caf\u{e9} \u{ac00}", &kept), CURRENT);
    }

    #[test]
    fn passwords_of_256_characters_that_differ_in_the_last_do_not_cross_verify() {
        let mut bench = Bench::plain();
        let long = "x".repeat(255);
        let kept = bench.hash(&format!("{long}a"));
        assert_eq!(bench.verify(&format!("{long}a"), &kept), CURRENT);
        assert_eq!(bench.verify(&format!("{long}b"), &kept), WRONG);
    }

    #[test]
    fn what_follows_a_zero_byte_matters() {
        let mut bench = Bench::plain();
        let kept = bench.hash("a\0b");
        assert_eq!(bench.verify("a\0c", &kept), WRONG);
        assert_eq!(bench.verify("a", &kept), WRONG);
    }

    #[test]
    fn one_password_with_two_salts_has_two_tags() {
        let mut bench = Bench::plain();
        let password = Password::parse("same").unwrap();
        let mut tag = |salt| {
            let hash = bench
                .kdf
                .hash(&mut bench.arena, &password, &[salt; SALT_BYTES])
                .unwrap();
            hash.as_str().rsplit('$').next().unwrap().to_owned()
        };
        assert_ne!(tag(1), tag(2));
    }

    #[test]
    fn every_verification_costs_one_hash_and_an_unknown_account_matches_nothing() {
        let mut bench = Bench::plain();
        let runs = |bench: &Bench| bench.kdf.runs.load(Ordering::Relaxed);
        let kept = bench.hash("known");
        assert_eq!(runs(&bench), 1);
        assert_eq!(bench.verify("known", &kept), CURRENT);
        assert_eq!(runs(&bench), 2);
        assert_eq!(bench.verify("other", &kept), WRONG);
        assert_eq!(runs(&bench), 3);
        let unknown = bench
            .kdf
            .verify(&mut bench.arena, &Password::parse("known").unwrap(), None);
        assert_eq!(unknown, Ok(WRONG));
        assert_eq!(runs(&bench), 4);
    }

    #[test]
    fn an_imported_hash_that_is_damaged_matches_nothing_at_the_cost_of_one_hash() {
        let mut bench = Bench::plain();
        let damaged = "foreign:$scrypt$ln=64,r=8,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA";
        let damaged = PasswordHash::parse(damaged).unwrap();
        assert_eq!(bench.verify("any", &damaged), WRONG);
        assert_eq!(bench.kdf.runs.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_hash_made_with_other_parameters_verifies_and_is_outdated() {
        let mut old = Bench::new(Argon2Params::new(12_288, 3, 1).unwrap(), Peppers::default());
        let mut new = Bench::plain();
        let kept = old.hash("right");
        assert_eq!(new.verify("right", &kept), OUTDATED);
        assert_eq!(new.verify("wrong", &kept), WRONG);
        let renewed = new.hash("right");
        assert_eq!(new.verify("right", &renewed), CURRENT);
    }

    #[test]
    fn a_hash_weaker_than_new_ones_may_be_verifies_and_is_outdated() {
        let weak = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";
        let mut tag = [0; 16];
        let params = Params::new(64, 1, 1, Some(tag.len())).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2
            .hash_password_into(b"right", b"somesalt", &mut tag)
            .unwrap();
        let encoded = format!("{weak}{}", data_encoding::BASE64_NOPAD.encode(&tag));
        let kept = PasswordHash::parse(&encoded).unwrap();
        assert_eq!(Bench::plain().verify("right", &kept), OUTDATED);
        assert_eq!(Bench::plain().verify("wrong", &kept), WRONG);
    }

    #[test]
    fn without_its_pepper_a_hash_verifies_nothing() {
        let kept = Bench::peppered(Peppers::of(ONE, [1; 32])).hash("right");
        let missing = Bench::plain().try_verify("right", &kept);
        assert_eq!(missing, Err(HashError::PepperMissing(ONE)));
        let mut other = Bench::peppered(Peppers::of(ONE, [9; 32]));
        assert_eq!(other.verify("right", &kept), WRONG);
    }

    #[test]
    fn a_former_pepper_still_verifies_and_makes_a_hash_outdated() {
        let mut peppers = Peppers::of(ONE, [1; 32]);
        let old = Bench::peppered(peppers.clone()).hash("right");
        let none = Bench::plain().hash("right");
        peppers.add(TWO, [2; 32]).unwrap();
        peppers.promote(TWO).unwrap();
        let mut bench = Bench::peppered(peppers);
        let new = bench.hash("right");
        assert_eq!(bench.verify("right", &old), OUTDATED);
        assert_eq!(bench.verify("right", &none), OUTDATED);
        assert_eq!(bench.verify("right", &new), CURRENT);
    }
}
