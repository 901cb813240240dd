use super::*;
use crate::domain::password::ForeignHash;
use data_encoding::BASE64_NOPAD;
use proptest::prelude::*;

/// What the other systems were given.
const PASSWORD: &str = "correct horse battery";

/// Hashes of [`PASSWORD`], each made by the system that is named, as cheap as may be.
const MADE_ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "Django 5.2",
        "django",
        "pbkdf2_sha256$10000$saltysalty12$Oz0B56+LMVloqAk1JOpBmKfdTh/BlNzhEcPbjccN7+4=",
    ),
    (
        "Django 5.2",
        "django",
        "pbkdf2_sha1$10000$saltysalty12$cpfIz5zTGNNWGQoT3sSygarT1Bc=",
    ),
    (
        "Django 5.2",
        "django",
        "bcrypt_sha256$$2b$10$wdckg72BlNnAji2qgJ1SBO1.ivd6Q9tRZKt/iUCc2MEADXEH7zAZe",
    ),
    (
        "Django 5.2",
        "django",
        "scrypt$16384$saltysalty12$8$1$G/Q4jFRnJjFzkeqrnN5e1K5Bm79F/pCKci1w4ZXIRMyxJ6jhCFKwJO5/U2wq0WbEjtMrb3HfYrdMfRIRGu2VTw==",
    ),
    (
        "Werkzeug 3.1",
        "werkzeug",
        "scrypt:16384:8:1$s7XpXR3XHXkYKOki$997faa0c52afad19c94a0bdb5353d3b268f7d8b444f0ad22d9cb2ed4cf7e9a61e7443a76660c127bd1776829b2dea272fd89b4ddf2041f40e97ea877d8141b9f",
    ),
    (
        "Werkzeug 3.1",
        "werkzeug",
        "pbkdf2:sha256:10000$NjqdsPPA4HPBY6TC$f2036b00399aa8cb5008e8ea849dc944cd485137ca215ceca9078bacb677f43c",
    ),
    (
        "Werkzeug 3.1",
        "werkzeug",
        "pbkdf2:sha512:10000$M3jly9kIqCWS6xE3$4fac4f1475a888b583f47e5a3280323e7e1d3f6f82da86cd2f00884061ec03f1c8ac0c783b97561ff471b06f5f6aade280a7e6c7787c2f6092f3e3d1ae0a3a27",
    ),
    (
        "passlib 1.7",
        "pbkdf2",
        "$pbkdf2-sha256$10000$5DznnJOytrYW4jxnrBVirA$wH7iBRi7F3mDvxfhB9qQRBvvFLf6mudCdFHo7qGQOvA",
    ),
    (
        "passlib 1.7",
        "pbkdf2",
        "$pbkdf2-sha512$10000$KOV8T0kpJeScM4bQmhOC0A$zozc.9lyKH.37MZz7O0kMbwFkYiR9FlUpgBX3PmB.kxz5oH79jh8rz/298TWRfOSW/iqao80XpVNRAwUDB8KCQ",
    ),
    (
        "passlib 1.7",
        "pbkdf2",
        "$pbkdf2$10000$i7FWKkUoRWhNCeE8R.idkw$2AJE9BX7i529/3TulA4GOBgpKVI",
    ),
    (
        "passlib 1.7",
        "scrypt",
        "$scrypt$ln=14,r=8,p=1$v3dOifEeoxSidO69V4oRgg$cnelQyx913xDbWPy1972hzxhT3XtqNNXebAs39FKLXg",
    ),
    (
        "passlib 1.7",
        "sha-crypt",
        "$5$rounds=6000$VB3JFeE.CTrfpMcr$qpdTO0rwti5K2YbCKM.081KJP9LvjHHC2kamJeopuq5",
    ),
    (
        "passlib 1.7",
        "sha-crypt",
        "$5$m3bm6r71JMbF5Fwc$kn4sz4xqswiuaiDYX0kCGwdrnHJMd0C3jULLEpBvgy1",
    ),
    (
        "passlib 1.7",
        "sha-crypt",
        "$6$rounds=6000$jRrbGCw.tIx7MRw1$.mXhoXl7eGf30odwv9KdDPi5yD6QucmA8nK09F6Ek/yQgQUjiaipCbUylzpx0YidYOIW6fxqOlFB3GeL53rCP.",
    ),
    (
        "passlib 1.7",
        "sha-crypt",
        "$6$.xr2PKl0mudlEzkC$xRvQmK7LqifNqvHUBiUbWdktTwQWiAqRwPjNKqYVzdnmvumywILpBUgDMwHobZFypcuGYl.LkDvz4lf5WyZqo1",
    ),
    (
        "bcrypt for Python 5.0",
        "bcrypt",
        "$2a$10$XoNIs.uRtmoNAQOGQqvIWuldXee2AWMu5sm7.D/idqhrPAwxuYxd.",
    ),
    (
        "bcrypt for Python 5.0",
        "bcrypt",
        "$2b$10$Ykksb3B8SLpk0NDnveOxmeRAi5iRi5X0C04nayYx9NKZH9uzdBbxa",
    ),
    (
        "the reference Argon2",
        "argon2i",
        "$argon2i$v=16$m=4096,t=3,p=2$c2FsdHlzYWx0eTEy$u04KYs5wPupUuijybxFOeIVXxsI",
    ),
    (
        "the reference Argon2",
        "argon2i",
        "$argon2i$v=19$m=4096,t=3,p=2$c2FsdHlzYWx0eTEy$ETisJGxGxXbNjF3FXFM2ieHQq/w",
    ),
    (
        "the reference Argon2",
        "argon2d",
        "$argon2d$m=4096,t=3,p=2$c2FsdHlzYWx0eTEy$vT00euL8uf46pQZ+J1e1hR80iTU",
    ),
    (
        "the reference Argon2",
        "argon2d",
        "$argon2d$v=19$m=4096,t=3,p=2$c2FsdHlzYWx0eTEy$/BEzmJOUTspfj8OU1h/Qp44eWP0",
    ),
    (
        "the reference Argon2",
        "argon2id",
        "$argon2id$v=16$m=4096,t=3,p=2$c2FsdHlzYWx0eTEy$0rlF2r4KUAvqtd+g4KsmfBgrHYs",
    ),
    (
        "the reference Argon2",
        "argon2id",
        "$argon2id$v=19$m=4096,t=3,p=2$c2FsdHlzYWx0eTEy$IRUSaR0OMmKYEtkV0pA9ODL33yU",
    ),
    (
        "Python's hashlib, as ASP.NET Identity writes it",
        "aspnet-identity-v3",
        "AQAAAAAAACcQAAAAEAABAgMEBQYHCAkKCwwNDg/QzBnOTDo/9gjMOJRu25IYIIdiSQPvpGBVdlDheGRV2g==",
    ),
    (
        "Python's hashlib, as ASP.NET Identity writes it",
        "aspnet-identity-v3",
        "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg9f4Mgt5W5f2Y0cIC8QN4OVqq4JhRMPut2SRld2wLKX9A==",
    ),
    (
        "Python's hashlib, as ASP.NET Identity writes it",
        "aspnet-identity-v3",
        "AQAAAAIAACcQAAAAEAABAgMEBQYHCAkKCwwNDg8U8drjdPqxc6DvEJUjB5QdCuZY9lUseegCn45BARsIcA==",
    ),
    (
        "Python's hashlib, as Keycloak writes it",
        "keycloak",
        r#"{"type":"password","secretData":"{\"value\":\"X+DILeVuX9mNHCAvEDeDlaquCYUTD7rdkkZXdsCyl/RS9mjInQMXKtR49Xn4juErhQnAERoWurl/KkzyIdDHVQ==\",\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\"}","credentialData":"{\"hashIterations\":10000,\"algorithm\":\"pbkdf2-sha256\"}"}"#,
    ),
    (
        "the reference Argon2, as Keycloak writes it",
        "keycloak",
        r#"{"type":"password","secretData":"{\"value\":\"tFWBGYVQWYldJs55Ny3C/FemDveHTqsi/Dpxz7sjU0Y=\",\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\",\"additionalParameters\":{}}","credentialData":"{\"hashIterations\":5,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"32\"],\"memory\":[\"7168\"],\"type\":[\"id\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}"}"#,
    ),
];

fn imported(format: &str, encoded: &str) -> ForeignHash {
    ForeignHash::import(format, encoded).unwrap()
}

fn is_right(password: &str, hash: &ForeignHash) -> bool {
    let password = Password::parse(password).unwrap();
    verify(&mut Arena::new(64), &password, hash.made()).unwrap()
}

#[test]
fn what_other_systems_hashed_verifies_and_nothing_else_does() {
    for (system, format, encoded) in MADE_ELSEWHERE {
        let hash = imported(format, encoded);
        assert!(is_right(PASSWORD, &hash), "{system}: {encoded}");
        assert!(
            !is_right("correct horse batterx", &hash),
            "{system}: {encoded}"
        );
        assert!(
            !is_right("correct horse battery\0", &hash),
            "{system}: {encoded}"
        );
    }
}

/// The example of Firebase's own tool, <https://github.com/firebase/scrypt>.
#[test]
fn firebases_own_example_verifies_and_its_signer_key_is_not_kept() {
    let signer_key =
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    let hash = imported(
        "firebase-scrypt",
        &format!(
            r#"{{"passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
                "salt": "42xEC+ixf3L2lw==", "base64_signer_key": "{signer_key}", "base64_salt_separator": "Bw==",
                "rounds": 8, "mem_cost": 14}}"#
        ),
    );
    assert!(is_right("user1password", &hash));
    assert!(!is_right("user2password", &hash));
    assert!(!hash.stored().contains(&signer_key[..20]));
}

#[test]
fn bcrypt_verifies_72_bytes_and_no_more() {
    let hash = imported(
        "bcrypt",
        "$2b$10$.cMO8pLgdXYOU3THs6oMDujfQqin79a3MulSzvanRYBl0KcvZsMkG",
    );
    assert!(is_right(&"x".repeat(72), &hash));
    assert!(!is_right(&"x".repeat(71), &hash));
    assert!(!is_right(&"x".repeat(73), &hash));
}

#[test]
fn bcrypt_does_not_take_a_repetition_behind_a_zero_for_the_password() {
    let encoded = bcrypt::hash_with_salt("abc", 10, [7; 16])
        .unwrap()
        .to_string();
    let hash = imported("bcrypt", &encoded);
    assert!(is_right("abc", &hash));
    assert!(!is_right("abc\0abc", &hash));
}

#[test]
fn sha_crypt_does_not_read_passwords_without_end() {
    let long = "x".repeat(ForeignShaCrypt::MOST_BYTES);
    let hash = imported(
        "sha-crypt",
        "$5$saltsaltsaltsalt$pEQ7Hyc7jspMyVVLOf86wE2P4umQ77IEBrgn.jU4hv/",
    );
    assert!(is_right(&long, &hash));
    assert!(!is_right(&format!("{long}x"), &hash));
}

#[test]
fn a_password_verifies_in_the_spelling_that_the_other_system_hashed() {
    let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
    let of = |text: &str| {
        let encoded = bcrypt::hash_with_salt(text, 10, [7; 16]).unwrap();
        imported("bcrypt", &encoded.to_string())
    };
    assert!(is_right(decomposed, &of(decomposed)));
    assert!(is_right(composed, &of(composed)));
    assert!(is_right(decomposed, &of(composed)));
}

/// Whether anything can be tried against it; `None` of what is not imported.
fn can_be_computed(format: &str, encoded: &str) -> Option<bool> {
    let hash = ForeignHash::import(format, encoded).ok()?;
    let password = Password::parse(PASSWORD).unwrap();
    Some(verify(&mut Arena::new(64), &password, hash.made()).is_ok())
}

#[test]
fn sha_crypt_computes_whatever_last_digit_is_accepted() {
    for (usual, last_digits) in [
        (
            "$5$saltsaltsaltsalt$pEQ7Hyc7jspMyVVLOf86wE2P4umQ77IEBrgn.jU4hv",
            16,
        ),
        (
            "$6$.xr2PKl0mudlEzkC$xRvQmK7LqifNqvHUBiUbWdktTwQWiAqRwPjNKqYVzdnmvumywILpBUgDMwHobZFypcuGYl.LkDvz4lf5WyZqo",
            4,
        ),
    ] {
        let digits = ('.'..='9').chain('A'..='Z').chain('a'..='z');
        let computed: Vec<_> = digits
            .map(|digit| can_be_computed("sha-crypt", &format!("{usual}{digit}")))
            .collect();
        let (accepted, refused) = computed.split_at(last_digits);
        assert!(accepted.iter().all(|computed| *computed == Some(true)));
        assert!(refused.iter().all(Option::is_none));
    }
}

/// A hash with this salt and tag in a format that has them in base64, as cheap as may be.
fn spelled(format: usize, salt: &[u8], tag: &[u8]) -> String {
    let beginnings = [
        "$argon2id$v=19$m=4096,t=3,p=2$",
        "$argon2d$m=128,t=96,p=16$",
        "$scrypt$ln=14,r=8,p=1$",
        "$scrypt$ln=1,r=16384,p=4$",
        "$firebase-scrypt$ln=14,r=8,p=1$",
        "$pbkdf2$i=10000$",
        "$pbkdf2-sha512$i=10000$",
    ];
    let beginning = beginnings[format % beginnings.len()];
    let (salt, tag) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(tag));
    format!("{beginning}{salt}${tag}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_accepted_with_a_letter_changed_can_be_computed(
        index in 0..MADE_ELSEWHERE.len(), from_its_end in prop_oneof![Just(0_usize), 0..48_usize], letter in "[./0-9A-Za-z]",
    ) {
        let (_, format, encoded) = MADE_ELSEWHERE[index];
        let at = encoded.len() - 1 - from_its_end;
        let mut changed = encoded.to_owned();
        changed.replace_range(at..=at, &letter);
        prop_assert_ne!(can_be_computed(format, &changed), Some(false), "{}", changed);
    }

    #[test]
    fn what_is_accepted_of_any_length_can_be_computed(
        format in any::<usize>(),
        salt in proptest::collection::vec(any::<u8>(), 7..66),
        tag in proptest::collection::vec(any::<u8>(), 15..66),
    ) {
        let encoded = spelled(format, &salt, &tag);
        let fits = (8..=64).contains(&salt.len()) && (16..=64).contains(&tag.len());
        prop_assert_ne!(can_be_computed("", &encoded), Some(false), "{}", encoded);
        prop_assert!(!fits || can_be_computed("", &encoded).is_some(), "{}", encoded);
    }
}
