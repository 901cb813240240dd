use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn account() -> Account {
    Account {
        account_id: AccountId::from_bytes([1; 16]),
        profile: Profile {
            email: Email::parse("ada@example.com").unwrap(),
            email_verified: true,
            phone: Some(Phone::parse("+14155550100").unwrap()),
            phone_verified: true,
            second_factor: SecondFactor::Email,
            locale: Locale::default(),
            display_name: DisplayName::default(),
        },
        disabled: false,
        has_password: true,
        compromised: false,
        password_changed_at: None,
        credential_version: CredentialVersion::FIRST,
        sessions_valid_after: None,
        created_at: NOW,
        revision: Revision::FIRST,
    }
}

#[test]
fn a_new_address_is_unverified_unless_the_same_change_asserts_it() {
    let email = Some(Email::parse("ada@new.example").unwrap());
    let change = AccountChange {
        email: email.clone(),
        ..AccountChange::default()
    };
    assert!(!change.apply(&account(), NOW).profile.email_verified);
    let change = AccountChange {
        email,
        email_verified: Some(true),
        ..AccountChange::default()
    };
    assert!(change.apply(&account(), NOW).profile.email_verified);
    let change = AccountChange {
        phone: Some(None),
        phone_verified: Some(true),
        ..AccountChange::default()
    };
    assert!(!change.apply(&account(), NOW).profile.phone_verified);
}

#[test]
fn what_a_person_signs_in_with_moves_the_credential_version_and_the_rest_does_not() {
    let moving = [
        AccountChange {
            email: Some(Email::parse("b@example.com").unwrap()),
            ..AccountChange::default()
        },
        AccountChange {
            phone: Some(None),
            ..AccountChange::default()
        },
        AccountChange {
            disabled: Some(true),
            ..AccountChange::default()
        },
        AccountChange {
            compromised: true,
            ..AccountChange::default()
        },
        AccountChange {
            email_verified: Some(false),
            ..AccountChange::default()
        },
    ];
    for change in moving {
        let after = change.apply(&account(), NOW);
        assert_eq!(
            after.credential_version,
            CredentialVersion::new(2),
            "{change:?}"
        );
        assert_eq!(after.sessions_valid_after, Some(NOW));
        assert_eq!(after.revision, Revision::new(2));
    }
    let staying = AccountChange {
        locale: Some(Locale::parse("de").unwrap()),
        display_name: Some(DisplayName::parse("Ada").unwrap()),
        ..AccountChange::default()
    };
    let after = staying.apply(&account(), NOW);
    assert_eq!(after.credential_version, CredentialVersion::FIRST);
    assert_eq!(after.revision, Revision::new(2));
}

#[test]
fn a_change_to_what_is_already_so_changes_nothing() {
    let change = AccountChange {
        email: Some(account().profile.email),
        disabled: Some(false),
        ..AccountChange::default()
    };
    assert_eq!(change.apply(&account(), NOW), account());
}

#[test]
fn only_a_password_that_there_is_can_be_compromised_and_no_change_takes_it_back() {
    let compromised = AccountChange {
        compromised: true,
        ..AccountChange::default()
    };
    let after = compromised.apply(&account(), NOW);
    assert!(after.compromised);
    assert_eq!(compromised.apply(&after, NOW), after, "said once");
    assert_eq!(AccountChange::default().apply(&after, NOW), after);
    let without = Account {
        has_password: false,
        ..account()
    };
    assert_eq!(compromised.apply(&without, NOW), without);
}

#[test]
fn names_and_languages_are_one_clean_line() {
    assert_eq!(DisplayName::parse(" Ada ").unwrap().as_str(), "Ada");
    for wrong in ["A\r\nBcc: x@y", "a\u{2028}b", &"x".repeat(101)] {
        assert!(DisplayName::parse(wrong).is_err(), "{wrong:?}");
    }
    for right in ["", "en", "de-AT", "zh-Hant-TW"] {
        assert_eq!(Locale::parse(right).unwrap().as_str(), right);
    }
    for wrong in ["-", "de_AT", "de-", "../../etc", &"abcdefgh-".repeat(5)] {
        assert!(Locale::parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_etag_has_one_spelling() {
    let revision = Revision::new(255);
    assert_eq!(revision.to_string().parse(), Ok(revision));
    for wrong in ["", "FF", "0ff", "+ff", "xyz"] {
        assert_eq!(wrong.parse::<Revision>(), Err(EtagUnreadable), "{wrong}");
    }
}
