//! Peppers of the service proper: they come, change and must not go.

use super::journeys::{EMAIL, PASSWORD, clients, signs_in};
use super::{Premises, Served};
use argon2::{Argon2, Params};
use data_encoding::BASE64_NOPAD;
use relatch::config::PepperFile;
use relatch::domain::password::{PepperId, Peppers};
use relatch::pb;
use relatch::pb::import_accounts_request::Item;
use tonic::Request;

const ONE: PepperId = PepperId([1; 4]);
const TWO: PepperId = PepperId([2; 4]);

fn secret(first: u8) -> [u8; 32] {
    std::array::from_fn(|at| first.wrapping_add(u8::try_from(at).unwrap()))
}

/// The hash of [`PASSWORD`] as another system has it.
fn hash_without_pepper() -> String {
    let (salt, mut tag) = ([5; 16], [0; 32]);
    Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        Params::new(19_456, 2, 1, Some(32)).unwrap(),
    )
    .hash_password_into(PASSWORD.as_bytes(), &salt, &mut tag)
    .unwrap();
    let (salt, tag) = (BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&tag));
    format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${tag}")
}

/// A service whose peppers, if any, are in the file of this name.
async fn serve(premises: &Premises, peppers: Option<&str>) -> Served {
    configure(premises, peppers);
    premises.serve().await
}

fn configure(premises: &Premises, peppers: Option<&str>) {
    let setting = peppers.map(|name| {
        let path = premises.path(name);
        format!("password.pepper_file = \"{}\"\n", path.display())
    });
    let setting = setting.unwrap_or_default();
    premises.configure(&format!("{setting}signin.email_code = false\n"));
    premises.grant(r#""signin", "accounts", "import", "export_hashes""#);
}

/// Brings a person over who has [`PASSWORD`].
async fn import(premises: &Premises, served: &Served) {
    let row = pb::ImportRow {
        line: 1,
        account: Some(pb::Account {
            email: EMAIL.to_owned(),
            ..pb::Account::default()
        }),
        password_hash: Some(pb::PasswordHash {
            format: "argon2id".to_owned(),
            encoded: hash_without_pepper(),
        }),
    };
    let rows = [pb::ImportAccountsRequest {
        item: Some(Item::Row(row)),
    }];
    let (_, mut accounts) = clients(premises, served).await;
    let answers = accounts.import_accounts(tokio_stream::iter(rows)).await;
    let acknowledged = answers.unwrap().into_inner().message().await.unwrap();
    assert_eq!(acknowledged.unwrap().errors, []);
}

/// The pepper of the one account's hash, as an export tells it.
async fn pepper(premises: &Premises, served: &Served) -> Option<PepperId> {
    let (_, mut accounts) = clients(premises, served).await;
    let request = Request::new(pb::ExportAccountsRequest { with_hashes: true });
    let mut exported = accounts
        .export_accounts(request)
        .await
        .unwrap()
        .into_inner();
    let account = exported.message().await.unwrap().unwrap();
    let encoded = account.password_hash.unwrap().encoded;
    let (_, keyid) = encoded.split_once(",keyid=")?;
    PepperId::of_keyid(keyid.split('$').next().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pepper_goes_into_each_hash_at_its_owners_next_sign_in_and_must_stay_while_one_needs_it()
{
    let premises = Premises::new();
    let file = PepperFile::new(premises.path("pepper.toml"), false);
    file.create(&Peppers::of(ONE, secret(200))).unwrap();
    let other = PepperFile::new(premises.path("other.toml"), false);
    other.create(&Peppers::of(TWO, secret(100))).unwrap();

    let mut served = serve(&premises, None).await;
    import(&premises, &served).await;
    assert!(signs_in(&premises, &served, PASSWORD).await);
    assert_eq!(pepper(&premises, &served).await, None);
    assert!(served.end().await.success());

    let mut served = serve(&premises, Some("pepper.toml")).await;
    assert!(!signs_in(&premises, &served, "seven purple otters dream").await);
    assert_eq!(pepper(&premises, &served).await, None);
    assert!(signs_in(&premises, &served, PASSWORD).await);
    assert_eq!(pepper(&premises, &served).await, Some(ONE));
    assert!(served.end().await.success());

    // Half a rotation: the new one is there and not in use.
    file.change(|peppers| peppers.add(TWO, secret(100)))
        .unwrap();
    let mut served = serve(&premises, Some("pepper.toml")).await;
    assert!(signs_in(&premises, &served, PASSWORD).await);
    assert_eq!(pepper(&premises, &served).await, Some(ONE));
    assert!(served.end().await.success());

    configure(&premises, Some("other.toml"));
    let said = premises.refused();
    let lacks = format!(
        "error: [password] pepper_file {} lacks the pepper 01010101",
        other.path().display()
    );
    assert!(said.contains(&lacks), "{said}");
    configure(&premises, None);
    let said = premises.refused();
    let unset = "error: [password] pepper_file must be set: accounts have passwords that were hashed with the pepper 01010101";
    assert!(said.contains(unset), "{said}");

    file.change(|peppers| peppers.promote(TWO)).unwrap();
    let mut served = serve(&premises, Some("pepper.toml")).await;
    assert!(!signs_in(&premises, &served, "seven purple otters dream").await);
    assert!(signs_in(&premises, &served, PASSWORD).await);
    assert_eq!(pepper(&premises, &served).await, Some(TWO));
    assert!(served.end().await.success());

    // Nothing needs the old one any more.
    let served = serve(&premises, Some("other.toml")).await;
    assert!(signs_in(&premises, &served, PASSWORD).await);
}

#[test]
fn peppers_that_cannot_be_used_are_told_before_anything_is_begun() {
    let premises = Premises::new();
    configure(&premises, Some("pepper.toml"));
    let said = premises.refused();
    assert!(said.contains("error: [password] pepper_file "), "{said}");
    assert!(said.contains("pepper.toml cannot be read: "), "{said}");
    premises.write("pepper.toml", "x");
    let said = premises.refused();
    assert!(
        said.contains("pepper.toml is not a file of peppers"),
        "{said}"
    );
    assert!(!premises.path("data").exists());
}
