//! That the rules refuse what they should: each is shown sources made up to break it, and sources that must pass.

use super::LONGEST_FILE;
use super::rules::violations;

#[track_caller]
fn assert_refused(path: &str, text: &str, expected: &str) {
    let found = violations(&[(path, text)]);
    assert_eq!(found, [expected], "in {text}");
}

#[track_caller]
fn assert_accepted(path: &str, text: &str) {
    let found = violations(&[(path, text)]);
    assert!(found.is_empty(), "{found:?} in {text}");
}

#[test]
fn a_forbidden_edge_is_caught_however_it_is_written() {
    for (text, expected) in [
        (
            "use crate::store::Store;",
            "src/domain/token.rs:1: domain -> store (crate::store::Store)",
        ),
        (
            "fn f(\n_: &crate::clock::Clock) {}",
            "src/domain/token.rs:2: domain -> clock (crate::clock::Clock)",
        ),
        (
            "use crate::{\n    domain::email,\n    service::{self},\n};",
            "src/domain/token.rs:3: domain -> service (crate::service)",
        ),
        (
            "use super::super::config::Config;",
            "src/domain/token.rs:1: domain -> config (crate::config::Config)",
        ),
        (
            "use crate::pb::*;",
            "src/domain/token.rs:1: domain -> pb (crate::pb::*)",
        ),
        (
            "mod inner { use super::super::super::audit; }",
            "src/domain/token.rs:1: domain -> audit (crate::audit)",
        ),
        (
            "macro_rules! m { () => { $crate::app::run() } }",
            "src/domain/token.rs:1: domain -> app (crate::app::run)",
        ),
        (
            "use crate::*;",
            "src/domain/token.rs:1: domain -> a module that the table of arrows does not have (crate::*)",
        ),
    ] {
        assert_refused("src/domain/token.rs", text, expected);
    }
}

#[test]
fn every_layer_is_held_to_its_arrows() {
    for (path, name, edge) in [
        ("src/main.rs", "relatch::app::run", "main -> app"),
        ("src/lib.rs", "crate::app::run", "lib -> app"),
        ("src/cli/serve.rs", "crate::grpc::router", "cli -> grpc"),
        (
            "src/cli/account.rs",
            "crate::store::Store",
            "cli::account -> store",
        ),
        (
            "src/cli/audit/tail.rs",
            "crate::store::Store",
            "cli::audit::tail -> store",
        ),
        ("src/app.rs", "crate::cli::Args", "app -> cli"),
        (
            "src/console/mod.rs",
            "crate::service::confirm",
            "console -> service",
        ),
        (
            "src/console/mod.rs",
            "crate::store::Store",
            "console -> store",
        ),
        (
            "src/grpc/password.rs",
            "crate::delivery::Courier",
            "grpc -> delivery",
        ),
        (
            "src/service/confirm.rs",
            "crate::pb::ConfirmResetRequest",
            "service -> pb",
        ),
        (
            "src/delivery/courier.rs",
            "crate::service::confirm",
            "delivery -> service",
        ),
        ("src/audit/watch.rs", "crate::grpc::status", "audit -> grpc"),
        (
            "src/store/sqlite/mod.rs",
            "crate::service::confirm",
            "store::sqlite -> service",
        ),
        (
            "src/store/postgres/mod.rs",
            "crate::service::confirm",
            "store::postgres -> service",
        ),
        ("src/store/mod.rs", "crate::clock::Clock", "store -> clock"),
        (
            "src/config/mod.rs",
            "crate::store::Store",
            "config -> store",
        ),
        (
            "src/telemetry.rs",
            "crate::store::Store",
            "telemetry -> store",
        ),
        (
            "src/shutdown.rs",
            "crate::clock::Clock",
            "shutdown -> clock",
        ),
        ("src/clock.rs", "crate::random::Random", "clock -> random"),
        ("src/random.rs", "crate::clock::Clock", "random -> clock"),
        ("src/pb.rs", "crate::domain::email", "pb -> domain"),
    ] {
        let absolute = name.replace("relatch::", "crate::");
        assert_refused(
            path,
            &format!("use {name};"),
            &format!("{path}:1: {edge} ({absolute})"),
        );
    }
}

#[test]
fn the_console_names_the_generated_stubs_and_what_knows_nothing_of_accounts() {
    for module in [
        "app",
        "audit",
        "breach",
        "cli",
        "config",
        "delivery",
        "domain",
        "grpc",
        "metrics",
        "peers",
        "service",
        "store",
        "telemetry",
        "tls",
        "traces",
    ] {
        let name = format!("crate::{module}::Thing");
        let refused = format!("src/console/reset.rs:1: console -> {module} ({name})");
        assert_refused("src/console/reset.rs", &format!("use {name};"), &refused);
        let refused = format!("src/console/sessions.rs:1: console::sessions -> {module} ({name})");
        assert_refused("src/console/sessions.rs", &format!("use {name};"), &refused);
    }
    for module in ["bearer", "clock", "pb", "random", "web"] {
        assert_accepted(
            "src/console/reset.rs",
            &format!("use crate::{module}::Thing;"),
        );
    }
    assert_refused(
        "src/console/sessions.rs",
        "use crate::pb::Account;",
        "src/console/sessions.rs:1: console::sessions -> pb (crate::pb::Account)",
    );
}

#[test]
fn an_allowed_edge_is_accepted() {
    assert_accepted("src/main.rs", "use relatch::cli;");
    assert_accepted(
        "src/cli/store/backup.rs",
        "use crate::{config::Config, store::sqlite::SqliteStore};",
    );
    assert_accepted(
        "src/grpc/password.rs",
        "use crate::{pb, service::confirm, store::Confirmed};",
    );
    assert_accepted(
        "src/store/sqlite/writer.rs",
        "use super::super::{Store, Outcome}; use rusqlite::Transaction;",
    );
    assert_accepted(
        "src/domain/token.rs",
        "use super::keyring::Keyring; use crate::domain::email;",
    );
}

#[test]
fn a_module_without_a_row_is_refused() {
    assert_refused(
        "src/utils.rs",
        "",
        "src/utils.rs: the table of arrows has no such module",
    );
}

#[test]
fn comments_strings_and_tests_name_what_they_like() {
    for text in [
        "//! Like crate::store::Store.\n/* crate::store */ const TEXT: &str = \"crate::store::Store\";",
        "#[cfg(test)]\nmod tests { use crate::store::Store; use tokio::test; }",
        "#[cfg(test)]\nuse crate::{clock::Clock, store::Store};",
        "#[cfg(test)]\n#[must_use]\npub(crate) fn sample() -> crate::store::Store { todo() }",
    ] {
        assert_accepted("src/domain/token.rs", text);
    }
    let declares = ("src/domain/mod.rs", "#[cfg(test)] mod samples;");
    let is_declared = ("src/domain/samples.rs", "use crate::store::Store;");
    assert!(violations(&[declares, is_declared]).is_empty());
}

#[test]
fn what_follows_a_test_is_still_read() {
    for test in [
        "mod tests { fn a() {} }",
        "use a::{b, c};",
        "const fn a() {}",
        "static A: B = B { c: 1 };",
        "struct A { b: u8 }",
    ] {
        assert_refused(
            "src/domain/token.rs",
            &format!("#[cfg(test)] {test}\nuse crate::store::Store;"),
            "src/domain/token.rs:2: domain -> store (crate::store::Store)",
        );
    }
}

#[test]
fn a_store_adapter_is_named_only_where_the_service_is_composed() {
    assert_refused(
        "src/service/confirm.rs",
        "fn f(_: store::sqlite::SqliteStore) {}",
        "src/service/confirm.rs:1: store::sqlite outside app and cli (store::sqlite::SqliteStore)",
    );
    assert_refused(
        "src/store/mod.rs",
        "pub mod postgres; pub use postgres::PostgresStore;",
        "src/store/mod.rs:1: store::postgres outside app and cli (postgres::PostgresStore)",
    );
    assert_refused(
        "src/store/postgres/mod.rs",
        "use super::sqlite::schema;",
        "src/store/postgres/mod.rs:1: store::postgres -> store::sqlite (crate::store::sqlite::schema)",
    );
    assert_accepted(
        "src/app.rs",
        "use crate::store::{postgres::PostgresStore, sqlite::SqliteStore};",
    );
    assert_accepted(
        "src/config/store.rs",
        "fn f(config: &Store) -> bool { config.sqlite.is_some() }",
    );
}

#[test]
fn a_database_driver_is_named_only_by_its_adapter() {
    assert_refused(
        "src/cli/store/backup.rs",
        "use rusqlite::backup::Backup;",
        "src/cli/store/backup.rs:1: SQLite outside store::sqlite (rusqlite::backup::Backup)",
    );
    assert_refused(
        "src/store/sqlite/mod.rs",
        "use tokio_postgres::Row;",
        "src/store/sqlite/mod.rs:1: PostgreSQL outside store::postgres (tokio_postgres::Row)",
    );
    assert_accepted("src/store/postgres/mod.rs", "use tokio_postgres::Row;");
}

#[test]
fn time_and_entropy_come_from_one_module_each() {
    for (text, name) in [
        ("let now = jiff::Timestamp::now();", "jiff::Timestamp::now"),
        (
            "let now = std::time::SystemTime::now();",
            "std::time::SystemTime::now",
        ),
        ("use std::time::{Duration, Instant};", "std::time::Instant"),
    ] {
        assert_refused(
            "src/service/confirm.rs",
            text,
            &format!("src/service/confirm.rs:1: a clock outside clock.rs ({name})"),
        );
        assert_accepted("src/clock.rs", text);
    }
    let text = "let _ = getrandom::fill(&mut bytes);";
    let refused = "src/service/confirm.rs:1: entropy outside random.rs (getrandom::fill)";
    assert_refused("src/service/confirm.rs", text, refused);
    assert_accepted("src/random.rs", text);
}

#[test]
fn the_domain_is_pure() {
    for (text, name) in [
        ("async fn f() {}", "async"),
        ("use tokio::sync::Mutex;", "tokio::sync::Mutex"),
        ("use std::{collections::BTreeMap, fs};", "std::fs"),
        ("use std::net::{IpAddr, TcpStream};", "std::net::TcpStream"),
    ] {
        assert_refused(
            "src/domain/email.rs",
            text,
            &format!("src/domain/email.rs:1: the domain is pure ({name})"),
        );
        assert_accepted("src/service/confirm.rs", text);
    }
}

#[test]
fn a_status_is_made_in_one_place() {
    let text = "let status = tonic::Status::invalid_argument(\"email\");";
    assert_refused(
        "src/grpc/password.rs",
        text,
        "src/grpc/password.rs:1: a Status made outside src/grpc/status.rs (tonic::Status::invalid_argument)",
    );
    assert_accepted("src/grpc/status.rs", text);
    assert_accepted(
        "src/console/reset.rs",
        "let code = result.map_err(Status::code); let state = Status::Queued;",
    );
}

#[test]
fn generated_code_is_included_in_one_place() {
    for (text, name) in [
        (
            "tonic::include_proto!(\"relatch.v1\");",
            "tonic::include_proto",
        ),
        (
            "include!(concat!(env!(\"OUT_DIR\"), \"/relatch.v1.rs\"));",
            "include",
        ),
    ] {
        let refused =
            format!("src/grpc/mod.rs:1: generated code included outside src/pb.rs ({name})");
        assert_refused("src/grpc/mod.rs", text, &refused);
        assert_accepted("src/pb.rs", text);
    }
    assert_accepted(
        "src/domain/blocklist.rs",
        "const WORDS: &str = include_str!(\"words.txt\");",
    );
}

#[test]
fn the_console_and_the_commands_call_and_do_not_serve() {
    for (path, layer) in [
        ("src/console/mod.rs", "console"),
        ("src/cli/account.rs", "cli::account"),
    ] {
        let name = "crate::pb::password_service_server::PasswordService";
        assert_refused(
            path,
            &format!("use {name};"),
            &format!("{path}:1: {layer} serves what it should call ({name})"),
        );
        assert_accepted(
            path,
            "use crate::pb::password_service_client::PasswordServiceClient;",
        );
    }
}

#[test]
fn a_file_is_at_most_four_hundred_lines_without_its_tests() {
    let longest = "\n".repeat(LONGEST_FILE);
    assert_accepted(
        "src/domain/email.rs",
        &format!("{longest}#[cfg(test)]\nmod tests {{\n}}\n"),
    );
    assert_refused(
        "src/domain/email.rs",
        &format!("#[cfg(test)]\nuse a;\n{longest}\n"),
        "src/domain/email.rs: 401 lines, at most 400",
    );
}

#[test]
fn what_is_not_rust_is_refused() {
    for (text, expected) in [
        ("fn f() {\n(", "src/app.rs: line 2: '(' is not closed"),
        ("\n}", "src/app.rs: line 2: '}' closes nothing"),
        ("/* /* */", "src/app.rs: line 1: '/' is not closed"),
        (
            "const A: &str = \"a;",
            "src/app.rs: line 1: '\"' is not closed",
        ),
    ] {
        assert_refused("src/app.rs", text, expected);
    }
}

#[test]
fn literals_end_where_rust_ends_them() {
    for literal in [
        r#""\"crate::clock::Clock\"""#,
        r###"r##"crate::clock::Clock"# "##"###,
        r#"br"\""#,
        r#"b"\\""#,
        r"'\''",
        r"'\\'",
        r"b'\''",
        "'\"'",
        "'字'",
        "0x1f_u8..=1.5e-3",
        "&'static [&'_ str]",
        "r#type",
    ] {
        assert_refused(
            "src/domain/email.rs",
            &format!("f({literal});\nuse crate::store::Store;"),
            "src/domain/email.rs:2: domain -> store (crate::store::Store)",
        );
    }
}
