use super::*;
use proptest::prelude::*;

const KEYCLOAK: &str = r#"{"type":"password","secretData":"{\"value\":\"bHFUW5CpN2mXqbtWJcbhjhMo5FB0FPKXPtNiLTFHrmY=\",\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\",\"additionalParameters\":{}}","credentialData":"{\"hashIterations\":27500,\"algorithm\":\"pbkdf2-sha256\",\"additionalParameters\":{}}"}"#;
const FIREBASE: &str = r#"{"passwordHash":"AAECAwQFBgcICQoLDA0ODw==","salt":"42xEC+ixf3L2lw==","base64_signer_key":"AAECAwQFBgcICQoLDA0ODw==","base64_salt_separator":"Bw==","rounds":8,"mem_cost":14}"#;

/// A hash of every format, as its system writes it, and as it is stored.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "argon2i",
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        "$argon2i$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
    ),
    (
        "bcrypt",
        "$2y$12$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3v",
        "$2y$12$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u",
    ),
    (
        "scrypt",
        "$scrypt$ln=16,r=8,p=1$V+qdE6J0bk0ppTRGyNm7Nw$r1V0JTFk1qtbhfhEhvkDFdCMQ/QFZxAGa7vkxK8x+8Q",
        "$scrypt$ln=16,r=8,p=1$V+qdE6J0bk0ppTRGyNm7Nw$r1V0JTFk1qtbhfhEhvkDFdCMQ/QFZxAGa7vkxK8x+8Q",
    ),
    (
        "firebase-scrypt",
        FIREBASE,
        "$firebase-scrypt$ln=14,r=8,p=1$42xEC+ixf3L2lwc$AAAAAAAAAAAAAAAAAAAAAA",
    ),
    (
        "pbkdf2",
        "$pbkdf2$131000$l3KOEcLY.x8DYIxR6l0LQQ$NwtiFf0tQt/4N/9MlrW/.mt45mk",
        "$pbkdf2-sha1$i=131000$l3KOEcLY+x8DYIxR6l0LQQ$NwtiFf0tQt/4N/9MlrW/+mt45mk",
    ),
    (
        "aspnet-identity-v3",
        "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg8AAQIDBAUGBwgJCgsMDQ4PAAECAwQFBgcICQoLDA0ODw==",
        "$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8",
    ),
    (
        "keycloak",
        KEYCLOAK,
        "$pbkdf2-sha256$i=27500$AAECAwQFBgcICQoLDA0ODw$bHFUW5CpN2mXqbtWJcbhjhMo5FB0FPKXPtNiLTFHrmY",
    ),
    (
        "sha-crypt",
        "$5$rounds=535000$kt6.y6jfJ6SZjjV1$e3q6v2fpPAAlAUfHQpwrbno9W.yMI34YnvWTg3aXUVC",
        "$5$rounds=535000$kt6.y6jfJ6SZjjV1$e3q6v2fpPAAlAUfHQpwrbno9W.yMI34YnvWTg3aXUVC",
    ),
    (
        "django",
        "pbkdf2_sha1$1000000$oBYeBxsOviyu3jTnEUu2sn$KAlQelBHTwn8fmmmlzbIYGiZMUE=",
        "$pbkdf2-sha1$i=1000000$b0JZZUJ4c092aXl1M2pUbkVVdTJzbg$KAlQelBHTwn8fmmmlzbIYGiZMUE",
    ),
    (
        "django",
        "bcrypt_sha256$$2b$12$khTT7R5rIAe/knEhdpOM.u3lhsSujIOq03d8FH/AYpKPCHDulkxTq",
        "bcrypt_sha256$$2b$12$khTT7R5rIAe/knEhdpOM.u3lhsSujIOq03d8FH/AYpKPCHDulkxTq",
    ),
    (
        "django",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$ZHdOQTE0WEdIakZKR1psZk8zQXBOSQ$P+64tS7a83KTz52ozplkHyTK0PEmPpHB2Cfbh2QUoQ4",
        "$argon2id$v=19$m=102400,t=2,p=8$ZHdOQTE0WEdIakZKR1psZk8zQXBOSQ$P+64tS7a83KTz52ozplkHyTK0PEmPpHB2Cfbh2QUoQ4",
    ),
    (
        "django",
        "scrypt$16384$rMs9n515qvRqdfti4SFtws$8$5$QyLI6CXTb3AM23XgS7wPuOu6SWNgv9ya/JfkhDRJZrw=",
        "$scrypt$ln=14,r=8,p=5$ck1zOW41MTVxdlJxZGZ0aTRTRnR3cw$QyLI6CXTb3AM23XgS7wPuOu6SWNgv9ya/JfkhDRJZrw",
    ),
    (
        "werkzeug",
        "scrypt:32768:8:1$9UVUb8yOF4kfhFPw$cdc2cb9cbfc572c6c580bcc6242020b9",
        "$scrypt$ln=15,r=8,p=1$OVVWVWI4eU9GNGtmaEZQdw$zcLLnL/FcsbFgLzGJCAguQ",
    ),
    (
        "werkzeug",
        "pbkdf2:sha256:1000000$4TUoKpEWMeIwzScl$0c5a0a364aa342cb4d487d248d1dec06",
        "$pbkdf2-sha256$i=1000000$NFRVb0twRVdNZUl3elNjbA$DFoKNkqjQstNSH0kjR3sBg",
    ),
];

fn refusal(format: &str, encoded: &str) -> String {
    ForeignHash::import(format, encoded)
        .unwrap_err()
        .to_string()
}

#[test]
fn every_format_has_one_spelling_here_which_is_read_again() {
    for (format, encoded, kept) in KNOWN {
        let hash = ForeignHash::import(format, encoded).unwrap();
        assert_eq!(hash.encoded(), *kept, "{format}");
        let stored = ForeignHash::read_stored(hash.stored()).unwrap();
        assert_eq!(stored.stored(), hash.stored());
        let again = ForeignHash::import(hash.format(), hash.encoded()).unwrap();
        assert_eq!(again.stored(), hash.stored(), "{format}");
    }
}

#[test]
fn what_describes_itself_needs_no_format() {
    for (format, encoded, kept) in KNOWN {
        match (*format, ForeignHash::import("", encoded)) {
            ("firebase-scrypt" | "keycloak" | "aspnet-identity-v3", read) => {
                assert_eq!(read.unwrap_err(), ForeignRefused::Malformed);
            }
            (_, read) => assert_eq!(read.unwrap().encoded(), *kept),
        }
    }
}

#[test]
fn a_hash_is_refused_in_any_format_but_its_own() {
    for (format, encoded, _) in KNOWN {
        for (other, ..) in KNOWN.iter().filter(|(other, ..)| other != format) {
            assert!(
                ForeignHash::import(other, encoded).is_err(),
                "{encoded} as {other}"
            );
        }
        assert_eq!(
            ForeignHash::import("md5", encoded).unwrap_err(),
            ForeignRefused::UnknownFormat
        );
    }
}

#[test]
fn what_is_too_cheap_or_too_dear_is_refused_with_the_number() {
    let bcrypt = |cost| format!("$2b${cost}$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u");
    let argon2 = |costs| format!("$argon2id$v=19${costs}$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA");
    let scrypt = |costs| format!("$scrypt${costs}$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA");
    let pbkdf2 = |count| format!("$pbkdf2-sha256$i={count}$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA");
    let pbkdf2_sha512 = |count| pbkdf2(count).replace("sha256", "sha512");
    let sha_crypt = |rounds| {
        let tag = "e3q6v2fpPAAlAUfHQpwrbno9W.yMI34YnvWTg3aXUVC";
        format!("$5$rounds={rounds}$kt6.y6jfJ6SZjjV1${tag}")
    };
    for (encoded, found, bound) in [
        (bcrypt("09"), "9 ", "least 10"),
        (bcrypt("15"), "15 ", "most 14"),
        (argon2("m=4096,t=2,p=1"), "8192 ", "least 12288"),
        (argon2("m=131073,t=1,p=1"), "131073 ", "most 131072"),
        (argon2("m=131072,t=9,p=1"), "1179648 ", "most 1048576"),
        (argon2("m=65536,t=3,p=17"), "17 ", "most 16"),
        (argon2("m=65536,t=3,p=0"), "0 ", "least 1"),
        (argon2("m=100,t=1000,p=16"), "100 ", "least 128"),
        (scrypt("ln=13,r=8,p=1"), "65536 ", "least 131072"),
        (scrypt("ln=18,r=8,p=1"), "262146 ", "most 132096"),
        (scrypt("ln=0,r=1048576,p=2"), "0 ", "least 1"),
        (scrypt("ln=1,r=1048576,p=1"), "524288 ", "most 132096"),
        (scrypt("ln=4,r=65536,p=2"), "155648 ", "most 132096"),
        (
            scrypt("ln=31,r=4294967295,p=16"),
            "1152921513465217022 ",
            "most 132096",
        ),
        (scrypt("ln=255,r=8,p=1"), "255 ", "most 31"),
        (scrypt("ln=17,r=8,p=3"), "3145728 ", "most 2097152"),
        (scrypt("ln=14,r=8,p=4294967295"), "4294967295 ", "most 16"),
        (pbkdf2("9999"), "9999 ", "least 10000"),
        (pbkdf2("2000001"), "2000001 ", "most 2000000"),
        (pbkdf2_sha512("1000001"), "1000001 ", "most 1000000"),
        (sha_crypt("4999"), "4999 ", "least 5000"),
        (sha_crypt("1000001"), "1000001 ", "most 1000000"),
    ] {
        let told = refusal("", &encoded);
        assert!(
            told.contains(found) && told.contains(bound),
            "{encoded}: {told}"
        );
    }
    for encoded in [
        bcrypt("10"),
        bcrypt("14"),
        argon2("m=4096,t=3,p=1"),
        argon2("m=131072,t=8,p=16"),
        scrypt("ln=14,r=8,p=1"),
        scrypt("ln=17,r=8,p=2"),
        scrypt("ln=17,r=8,p=1"),
        pbkdf2("10000"),
        pbkdf2("2000000"),
        pbkdf2_sha512("1000000"),
        sha_crypt("5000"),
        sha_crypt("1000000"),
    ] {
        assert!(ForeignHash::import("", &encoded).is_ok(), "{encoded}");
    }
}

#[test]
fn salts_and_hashes_of_unsafe_lengths_are_refused() {
    let of = |salt, tag| format!("$pbkdf2-sha512$i=10000${salt}${tag}");
    assert!(refusal("", &of("c29tZXNhbA", "c29tZXNhbHRzb21lc2FsdA")).contains("bytes of salt"));
    assert!(refusal("", &of("c29tZXNhbHQ", "c29tZXNhbHRzb21lc2Fs")).contains("bytes of hash"));
    let crypt = "$5$rounds=535000$short$e3q6v2fpPAAlAUfHQpwrbno9W.yMI34YnvWTg3aXUVC";
    assert!(refusal("", crypt).contains("characters of salt"));
}

#[test]
fn a_hash_that_is_longer_than_its_digest_keeps_the_first_block() {
    let salt_and_tag = [[7_u8; 16].as_slice(), &[9; 64]].concat();
    let blob = [
        &[1, 0, 0, 0, 0, 0, 0, 0x27, 0x10, 0, 0, 0, 16],
        &*salt_and_tag,
    ]
    .concat();
    let encoded = data_encoding::BASE64.encode(&blob);
    let hash = ForeignHash::import("aspnet-identity-v3", &encoded).unwrap();
    let Made::Pbkdf2(hash) = hash.made() else {
        panic!("another family")
    };
    assert_eq!((hash.digest, &hash.tag[..]), (Digest::Sha1, &[9; 20][..]));
}

#[test]
fn what_does_not_come_with_all_that_made_it_is_refused() {
    for (format, encoded) in [
        // Argon2 with a secret.
        (
            "",
            "$argon2id$v=19$m=19456,t=2,p=1,keyid=AQIDBA$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
        ),
        // A signer key of another length than the hash.
        (
            "firebase-scrypt",
            &FIREBASE.replace(r#"signer_key":"AAEC"#, r#"signer_key":""#),
        ),
        // Accounts of Django that have no password.
        ("django", "!w5Kcd3v5mRSFnbHTyQAaYqPHnAhPzTyJxpAsLFbK"),
        // The hashes of a faulty program.
        (
            "",
            "$2x$12$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u",
        ),
        // The last digit has bits that no hash has.
        (
            "",
            &format!("$6$rounds=1000000$saltsaltsaltsalt${}", "a".repeat(86)),
        ),
        (
            "",
            "$5$rounds=535000$kt6.y6jfJ6SZjjV1$e3q6v2fpPAAlAUfHQpwrbno9W.yMI34YnvWTg3aXUVE",
        ),
        ("keycloak", &KEYCLOAK.replace("password", "otp")),
        ("aspnet-identity-v3", "AAAAAA=="),
        ("", ""),
        ("", "hunter2"),
    ] {
        let refused = ForeignHash::import(format, encoded).unwrap_err();
        assert_eq!(refused, ForeignRefused::Malformed, "{encoded}");
    }
}

#[test]
fn a_refusal_and_debug_output_do_not_hold_the_hash() {
    let (format, encoded, _) = KNOWN[0];
    let hash = ForeignHash::import(format, encoded).unwrap();
    assert_eq!(format!("{hash:?}"), "[redacted]");
    assert!(!refusal("scrypt", encoded).contains("c29t"));
}

proptest! {
    #[test]
    fn any_text_in_any_format_is_read_or_refused(text in "\\PC{0,80}", index in 0..KNOWN.len()) {
        let _ = ForeignHash::import("", &text);
        let _ = ForeignHash::import(KNOWN[index].0, &text);
    }

    #[test]
    fn a_known_hash_with_one_letter_changed_is_read_as_it_is_stored_or_refused(
        index in 0..KNOWN.len(), at in 0_usize..200, letter in "[ -~]",
    ) {
        let (format, encoded, _) = KNOWN[index];
        let mut changed = encoded.to_owned();
        let at = at % changed.len();
        changed.replace_range(at..=at, &letter);
        if let Ok(hash) = ForeignHash::import(format, &changed) {
            let stored = ForeignHash::read_stored(hash.stored()).unwrap();
            prop_assert_eq!(stored.stored(), hash.stored());
        }
    }
}
