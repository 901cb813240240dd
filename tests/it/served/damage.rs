//! A database whose file is damaged: at the start, and where it shows only at work.

use super::Premises;
use super::full_disk::health;
use super::journeys::clients;
use crate::support::{database, eventually, ops};
use http::StatusCode;
use relatch::pb;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt as _;

const PAGE: u64 = 4_096;

/// Fills bytes of the database with what they never were.
fn spoil(database: &Path, from: u64, length: usize) {
    let file = File::options().write(true).open(database).unwrap();
    file.write_all_at(&vec![0xff; length], from).unwrap();
}

/// Cuts the database off.
fn truncate(database: &Path, length: u64) {
    let file = File::options().write(true).open(database).unwrap();
    file.set_len(length).unwrap();
}

/// The first page of a table.
fn page_of(data: &Path, table: &str) -> u64 {
    let query = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u32 = database::open(data)
        .query_row(query, [table], |row| row.get(0))
        .unwrap();
    u64::from(page)
}

/// Premises whose service has run and ended.
async fn used() -> Premises {
    let premises = Premises::new();
    premises.configure("ops.plaintext = true");
    assert!(premises.serve().await.end().await.success());
    premises
}

#[tokio::test]
async fn a_damaged_database_is_not_served_and_the_way_out_is_told() {
    let premises = used().await;
    let (data, file) = (premises.path("data"), premises.path("data/relatch.db"));
    let sound = fs::read(&file).unwrap();
    let length = u64::try_from(sound.len()).unwrap();
    let log = page_of(&data, "audit_leaves");
    let spoils: [&dyn Fn(); 4] = [
        &|| fs::write(&file, [b'?'; 10_000]).unwrap(),
        &|| truncate(&file, length / 2),
        &|| spoil(&file, 100, 3_000),
        &|| spoil(&file, (log - 1) * PAGE, 4_096),
    ];
    for (number, spoil) in spoils.into_iter().enumerate() {
        spoil();
        let said = premises.refused();
        let told = format!("{} is damaged or is not a database (", file.display());
        assert!(said.contains(&told), "{number}: {said}");
        let way_out = "restore it from a backup with `relatch store restore`";
        assert!(said.contains(way_out), "{number}: {said}");
        fs::write(&file, &sound).unwrap();
    }
    assert!(premises.serve().await.end().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_that_shows_at_work_ends_readiness_and_the_log_says_what_to_do() {
    let premises = used().await;
    let data = premises.path("data");
    let file = data.join("relatch.db");
    spoil(&file, (page_of(&data, "accounts") - 1) * PAGE, 4_096);
    premises.grant(r#""accounts""#);
    let served = premises.serve().await;
    let trusting = Premises::trusting(&premises.authority);
    let channel = served.connect(trusting).await.unwrap();
    let readyz = async || ops::get(served.ops, "/readyz").await.status;
    eventually(async || readyz().await == StatusCode::OK).await;

    let (_, mut accounts) = clients(&premises, &served).await;
    let everybody = pb::ListAccountsRequest::default();
    let refused = accounts.list_accounts(everybody).await.unwrap_err();
    assert_eq!(refused.code(), Code::Internal, "{refused:?}");
    assert_eq!(
        refused.get_error_details().error_info().unwrap().reason,
        "INTERNAL"
    );
    eventually(async || readyz().await == StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(health(&channel, "").await, ServingStatus::NotServing);
    assert_eq!(health(&channel, "liveness").await, ServingStatus::Serving);
    assert_eq!(ops::get(served.ops, "/livez").await.status, StatusCode::OK);
    let advice =
        "the database is damaged: stop the service and restore a backup (relatch store restore)";
    let told = served.told(advice).unwrap();
    assert_eq!(
        (&told["level"], told["database"].as_str()),
        (&"ERROR".into(), file.to_str())
    );
    let not_ready = served.told("not ready: the store cannot write").unwrap();
    assert!(
        not_ready["error"]
            .as_str()
            .unwrap()
            .starts_with("the database is damaged")
    );
}
