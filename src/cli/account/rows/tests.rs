use super::*;

/// The rows of a file, each with its line, and what is wrong with the others.
fn read(format: Format, file: &str) -> (Vec<ImportRow>, Vec<(i64, String)>) {
    let mut reader = Reader::new(format);
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(file.lines()) {
        match reader.read(line) {
            Ok(Some(read)) => rows.push(read.on(number)),
            Ok(None) => {}
            Err(why) => wrong.push((number, why)),
        }
    }
    (rows, wrong)
}

fn account() -> Account {
    Account {
        account_id: "ab".repeat(16),
        email: "ada@example.com".to_owned(),
        email_verified: true,
        phone: "+14155550101".to_owned(),
        phone_verified: true,
        second_factor: SecondFactor::Sms.into(),
        locale: "de".to_owned(),
        display_name: "Lovelace, \"Ada\"".to_owned(),
        disabled: true,
        ..Account::default()
    }
}

fn hash(format: &str, encoded: &str) -> PasswordHash {
    PasswordHash {
        format: format.to_owned(),
        encoded: encoded.to_owned(),
    }
}

#[test]
fn what_was_exported_is_read_as_it_was_in_either_format() {
    let exported = ExportAccountsResponse {
        account: Some(Account {
            has_password: true,
            credential_version: 7,
            created_at: Some(prost_types::Timestamp::default()),
            ..account()
        }),
        password_hash: Some(hash("django", "pbkdf2_sha256$1,0$\"$=")),
    };
    for format in [Format::Jsonl, Format::Csv] {
        let lines = head(format).into_iter().chain([line(format, &exported)]);
        let file: Vec<_> = lines.collect();
        let (rows, wrong) = read(format, &file.join("\n"));
        assert_eq!(wrong, []);
        let [row] = rows.as_slice() else {
            panic!("{rows:?}")
        };
        assert_eq!(row.line, i64::try_from(file.len()).unwrap());
        assert_eq!(row.account, Some(account()));
        assert_eq!(row.password_hash, exported.password_hash);
    }
}

#[test]
fn what_a_line_leaves_out_or_calls_null_is_empty() {
    let (rows, wrong) = read(
        Format::Jsonl,
        "{\"email\": \"a@example.com\"}\n{\"email\": \"b@example.com\", \"phone\": null, \"password_hash\": null}",
    );
    assert_eq!((rows.len(), wrong), (2, vec![]));
    for (row, email) in rows.iter().zip(["a@example.com", "b@example.com"]) {
        let expected = Account {
            email: email.to_owned(),
            ..Account::default()
        };
        assert_eq!(row.account, Some(expected));
        assert_eq!(row.password_hash, None);
    }
    let (rows, wrong) = read(Format::Csv, "password_hash,email\n,a@example.com");
    assert_eq!((rows[0].password_hash.clone(), wrong), (None, vec![]));
}

#[test]
fn a_hash_may_be_a_text_or_json_with_or_without_the_name_of_its_format() {
    let lines = [
        r#"{"password_hash": "$2b$12$x"}"#,
        r#"{"password_hash": {"format": "bcrypt", "encoded": "$2b$12$x"}}"#,
        r#"{"password_hash": {"format": "keycloak", "encoded": {"type": "password"}}}"#,
    ];
    let (rows, wrong) = read(Format::Jsonl, &lines.join("\n"));
    assert_eq!(wrong, []);
    let hashes: Vec<_> = rows
        .into_iter()
        .map(|row| row.password_hash.unwrap())
        .collect();
    assert_eq!(
        hashes,
        [
            hash("", "$2b$12$x"),
            hash("bcrypt", "$2b$12$x"),
            hash("keycloak", r#"{"type":"password"}"#)
        ]
    );
}

#[test]
fn a_broken_line_spoils_no_other_and_is_not_repeated() {
    let file = "email,password_hash\n\
                a@example.com,canary\n\
                \"b@example.com,canary\n\
                c@example.com\n\
                d@example.com,canary";
    let (rows, wrong) = read(Format::Csv, file);
    let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 5]);
    let numbers: Vec<_> = wrong.iter().map(|(line, _)| *line).collect();
    assert_eq!(numbers, [3, 4]);

    let file = "{\"email\": 7, \"password_hash\": \"canary\"}\n\
                {\"email\": \"canary\"\n\
                {\"emial\": \"canary\"}\n\
                {\"second_factor\": \"canary\"}\n\
                {\"password_hash\": [\"canary\"]}\n\
                {\"email_verified\": \"canary\"}\n\
                [\"canary\"]";
    let (rows, told) = read(Format::Jsonl, file);
    assert_eq!((rows.len(), told.len()), (0, 7), "{told:?}");
    assert!(told[2].1.starts_with("unknown field `emial`"), "{told:?}");
    assert!(!format!("{wrong:?}{told:?}").contains("canary"));
}

#[test]
fn columns_that_are_unknown_named_twice_or_missing_are_told() {
    for (head, told) in [
        ("email,passwort", "unknown column `passwort`"),
        ("email,email", "named twice"),
        ("phone", "no column `email`"),
    ] {
        let mut reader = Reader::new(Format::Csv);
        let why = reader.read(head).err().unwrap();
        assert!(why.contains(told), "{why}");
        assert!(!reader.has_begun());
    }
}
