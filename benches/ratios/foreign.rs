//! What the dearest hashes cost that other systems made and that can be imported.

use crate::Trouble;
use crate::table::{Row, milliseconds};
use relatch::domain::password::{ForeignHash, Password, PasswordHash, SALT_BYTES};
use relatch::service::hasher::{Class, Hasher, HasherSettings};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

const ROUNDS: usize = 5;

/// How long a hash may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Each at its ceiling.
const DEAREST: [(&str, &str); 8] = [
    (
        "bcrypt",
        "$2b$14$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u",
    ),
    (
        "Argon2id",
        "$argon2id$v=19$m=131072,t=8,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
    ),
    (
        "scrypt",
        "$scrypt$ln=17,r=8,p=2$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
    ),
    (
        "PBKDF2-SHA1",
        "$pbkdf2-sha1$i=2000000$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
    ),
    (
        "PBKDF2-SHA256",
        "$pbkdf2-sha256$i=2000000$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
    ),
    (
        "PBKDF2-SHA512",
        "$pbkdf2-sha512$i=1000000$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
    ),
    (
        "SHA-256-crypt",
        "$5$rounds=1000000$saltsaltsaltsalt$pEQ7Hyc7jspMyVVLOf86wE2P4umQ77IEBrgn.jU4hv/",
    ),
    (
        "SHA-512-crypt",
        "$6$rounds=1000000$saltsaltsaltsalt$xRvQmK7LqifNqvHUBiUbWdktTwQWiAqRwPjNKqYVzdnmvumywILpBUgDMwHobZFypcuGYl.LkDvz4lf5WyZqo1",
    ),
];

pub(crate) fn measure(_: &Path) -> Result<Vec<Row>, Trouble> {
    let bench = Bench {
        runtime: Builder::new_current_thread().enable_time().build()?,
        hasher: Hasher::start(HasherSettings {
            threads: NonZeroUsize::MIN,
            ..HasherSettings::default()
        })?,
        // As long as SHA-crypt reads, and no longer than any of them needs to be dearest.
        password: Password::parse("x".repeat(128))?,
    };
    let own = bench.own()?;
    let row = |(name, encoded)| {
        let foreign = PasswordHash::Foreign(ForeignHash::import("", encoded)?);
        let (mut dearest, mut owns) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            owns.push(bench.verified_in(&own)?);
            dearest.push(bench.verified_in(&foreign)?);
        }
        let what = format!("dearest {name} to be imported / own Argon2id");
        Ok(Row::times(what, &dearest, &owns))
    };
    DEAREST.into_iter().map(row).collect()
}

struct Bench {
    runtime: Runtime,
    hasher: Hasher,
    password: Password,
}

impl Bench {
    fn own(&self) -> Result<PasswordHash, Trouble> {
        let hashed = self.hasher.hash(
            Class::SignIn,
            Instant::now() + PATIENCE,
            self.password.clone(),
            [7; SALT_BYTES],
        );
        Ok(self.runtime.block_on(hashed)?)
    }

    /// How many milliseconds it takes to see whether the password is the one that was hashed.
    fn verified_in(&self, hash: &PasswordHash) -> Result<f64, Trouble> {
        let begun = Instant::now();
        let verified = self.hasher.verify(
            Class::SignIn,
            begun + PATIENCE,
            self.password.clone(),
            Some(hash.clone()),
        );
        self.runtime.block_on(verified)?;
        Ok(milliseconds(begun.elapsed()))
    }
}
