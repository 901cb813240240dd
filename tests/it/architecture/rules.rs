//! What the test holds of every file of `src`. Each rule says nothing of a file that keeps it.

use super::source::{Name, Source, lead_through};
use super::{ARROWS, LONGEST_FILE};

/// What breaks the rules in `files`, pairs of path and content, as `path:line: what`.
pub(super) fn violations(files: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut sources = Vec::new();
    for (path, text) in files {
        match Source::read(path, text) {
            Ok(source) => sources.push(source),
            Err(error) => found.push(error),
        }
    }
    let tests: Vec<_> = sources
        .iter()
        .flat_map(|source| source.test_modules.clone())
        .collect();
    sources.retain(|source| !tests.iter().any(|test| source.module.starts_with(test)));
    for source in &sources {
        let Some(layer) = layer_of_file(source) else {
            found.push(format!(
                "{}: the table of arrows has no such module",
                source.path
            ));
            continue;
        };
        if source.production_lines > LONGEST_FILE {
            found.push(format!(
                "{}: {} lines, at most {LONGEST_FILE}",
                source.path, source.production_lines
            ));
        }
        let broken = |name: &Name| RULES.iter().find_map(|rule| rule(source.path, layer, name));
        found.extend(source.names.iter().filter_map(|name| {
            let what = broken(name)?;
            Some(format!(
                "{}:{}: {what} ({})",
                source.path,
                name.line,
                name.text()
            ))
        }));
    }
    found
}

/// Given a file's path, its layer and a name in it, says what is wrong with that.
type Rule = fn(&str, &str, &Name) -> Option<String>;

const RULES: &[Rule] = &[
    follows_the_arrows,
    reaches_the_store_by_its_trait,
    leaves_time_and_entropy_to_their_modules,
    keeps_the_domain_pure,
    makes_statuses_in_one_place,
    includes_generated_code_in_one_place,
    calls_and_does_not_serve,
];

/// The row of the table that the most of `module` leads to.
fn layer_of(module: &[String]) -> Option<&'static str> {
    let rows = ARROWS.iter().map(|(layer, _)| *layer);
    rows.filter(|layer| lead_through(module, layer))
        .max_by_key(|layer| layer.len())
}

fn layer_of_file(source: &Source<'_>) -> Option<&'static str> {
    match source.path {
        "src/main.rs" => Some("main"),
        "src/lib.rs" => Some("lib"),
        _ => layer_of(&source.module),
    }
}

fn follows_the_arrows(_: &str, layer: &str, name: &Name) -> Option<String> {
    let Some(target) = layer_of(name.in_crate()?) else {
        return Some(format!(
            "{layer} -> a module that the table of arrows does not have"
        ));
    };
    let allowed = ARROWS
        .iter()
        .any(|(from, to)| *from == layer && to.contains(&target));
    (target != layer && !allowed).then(|| format!("{layer} -> {target}"))
}

/// Also where the name is not told from `crate`, as after `use crate::store`.
fn reaches_the_store_by_its_trait(_: &str, layer: &str, name: &Name) -> Option<String> {
    let what = match name.root()? {
        "rusqlite" | "libsqlite3_sys"
            if !matches!(layer, "store::sqlite" | "console::sessions") =>
        {
            "SQLite outside store::sqlite"
        }
        "tokio_postgres" | "deadpool_postgres" if layer != "store::postgres" => {
            "PostgreSQL outside store::postgres"
        }
        _ if matches!(layer, "app" | "cli") => return None,
        _ if name.has("sqlite") && layer != "store::sqlite" => "store::sqlite outside app and cli",
        _ if name.has("postgres") && layer != "store::postgres" => {
            "store::postgres outside app and cli"
        }
        _ => return None,
    };
    Some(what.to_owned())
}

fn leaves_time_and_entropy_to_their_modules(_: &str, layer: &str, name: &Name) -> Option<String> {
    let is_entropy = matches!(name.root()?, "getrandom" | "rand" | "rand_core");
    let is_clock = ["SystemTime", "Timestamp", "ZonedDateTime"]
        .iter()
        .any(|clock| name.ends_with(&[clock, "now"]));
    if is_entropy && layer != "random" {
        Some("entropy outside random.rs".to_owned())
    } else if (is_clock || lead_through(&name.segments, "std::time::Instant")) && layer != "clock" {
        Some("a clock outside clock.rs".to_owned())
    } else {
        None
    }
}

fn keeps_the_domain_pure(_: &str, layer: &str, name: &Name) -> Option<String> {
    const IMPURE: &[&str] = &[
        "axum",
        "hyper",
        "lettre",
        "std::env",
        "std::fs",
        "std::io",
        "std::net::TcpListener",
        "std::net::TcpStream",
        "std::net::ToSocketAddrs",
        "std::net::UdpSocket",
        "std::process",
        "std::thread",
        "std::time::Instant",
        "std::time::SystemTime",
        "tokio",
        "tonic",
        "tower",
        "tracing",
    ];
    let is_async = matches!(name.text().as_str(), "async" | "await");
    let is_impure =
        name.root().is_some() && IMPURE.iter().any(|path| lead_through(&name.segments, path));
    (layer == "domain" && (is_async || is_impure)).then(|| "the domain is pure".to_owned())
}

/// A `Status` is read anywhere, but a caller is answered only with one made where every reason and its public text
/// stand. Commands answer nobody.
fn makes_statuses_in_one_place(path: &str, layer: &str, name: &Name) -> Option<String> {
    // `from` goes through the conversions that stand in status.rs.
    const READERS: &[&str] = &[
        "code",
        "details",
        "from",
        "from_header_map",
        "message",
        "metadata",
    ];
    match name.segments.as_slice() {
        [.., status, function]
            if status == "Status"
                && function.starts_with(|first: char| first.is_ascii_lowercase())
                && !READERS.contains(&function.as_str())
                && !layer.starts_with("cli")
                && path != "src/grpc/status.rs" =>
        {
            Some("a Status made outside src/grpc/status.rs".to_owned())
        }
        _ => None,
    }
}

fn includes_generated_code_in_one_place(_: &str, layer: &str, name: &Name) -> Option<String> {
    let includes = matches!(
        name.segments.last().map(String::as_str),
        Some("include" | "include_proto" | "include_file_descriptor_set")
    );
    (name.arguments.is_some() && includes && layer != "pb")
        .then(|| "generated code included outside src/pb.rs".to_owned())
}

/// The console and the commands are clients like any other.
fn calls_and_does_not_serve(_: &str, layer: &str, name: &Name) -> Option<String> {
    let is_client = layer.starts_with("console") || layer.starts_with("cli");
    let serves = name
        .in_crate()
        .is_some_and(|path| path[0] == "pb" && path.iter().any(|name| name.ends_with("_server")));
    (is_client && serves).then(|| format!("{layer} serves what it should call"))
}
