//! `relatch dev`: everything on this machine, with demo accounts and an inbox.

mod banner;
mod callers;
mod demo;
mod file;
mod sockets;

use super::{DevArgs, Failure, Output};
use crate::app::{App, Listeners, Surroundings};
use crate::clock::SystemClock;
use crate::config::{Config, KeyringFile, KeyringWatch, PrivateFile, PrivateFileError, System};
use crate::console::coming::{self, Meanwhile};
use crate::delivery::inbox::{self, Inbox};
use crate::domain::caller::CallerToken;
use crate::domain::keyring::{KeyId, Keyring};
use crate::domain::page::Pages;
use crate::random::{self, SystemRandom};
use crate::shutdown;
use crate::telemetry;
use arc_swap::ArcSwap;
use file::DevFile;
use sockets::Sockets;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Runs until it is told to end.
pub(super) fn run(args: &DevArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let config = args.configuration(&System)?;
    telemetry::init(&config.log).map_err(Failure::told)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::told(format_args!("the system refused an event loop: {why}")))?
        .block_on(serve(args, config, output))
}

async fn serve(args: &DevArgs, config: Config, output: &mut Output<'_>) -> Result<(), Failure> {
    let shutdown = shutdown::on_signals()
        .map_err(|why| Failure::told(format_args!("signals cannot be listened to: {why}")))?;
    let sockets = Sockets::bind(args, &config).await?;
    let keyring = keyring(&config, &args.data_dir)?;
    let (inbox, callers) = (Inbox::default(), Arc::new(ArcSwap::default()));
    let app = App::open(
        &config,
        Surroundings {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            keyring: keyring.handle(),
            callers: Arc::clone(&callers),
            channel: Arc::new(inbox.clone()),
            pages: match &config.links.pages {
                Some(pages) => pages.clone(),
                None => Pages::of_console(sockets.console.address),
            },
        },
    )
    .map_err(Failure::told)?;

    let file = PrivateFile::new(args.data_dir.join("dev.json"), false);
    let before = file.read().ok().and_then(|text| DevFile::parse(&text));
    let token = match before
        .as_ref()
        .map(|before| CallerToken::parse(&before.token))
    {
        Some(Ok(token)) => token,
        _ => CallerToken::from_bytes(&random::array(&SystemRandom)?),
    };
    callers.store(Arc::new(callers::in_force(config.callers, &token)));
    let told = DevFile {
        grpc: sockets.grpc.address.to_string(),
        console: sockets.console.url(),
        inbox: sockets.inbox.url(),
        ops: sockets.ops.url(),
        token: token.expose().to_owned(),
        accounts: demo::accounts(&app.service, before.as_ref())
            .await
            .map_err(Failure::told)?,
    };
    write(&file, told.to_text().map_err(Failure::told)?)?;
    tokio::spawn(callers::follow(
        args.clone(),
        token,
        callers,
        shutdown.clone(),
    ));
    tokio::spawn(keyring.run(shutdown.clone().requested()));

    output.line(banner::banner(&told, file.path()))?;
    let meanwhile = Meanwhile {
        grpc: told.grpc,
        plaintext: true,
        inbox: Some(told.inbox),
    };
    let listeners = Listeners {
        pages: vec![
            (sockets.console.listener, coming::router(meanwhile)),
            (
                sockets.inbox.listener,
                inbox::router(inbox, Arc::clone(&app.service.store)),
            ),
        ],
        grpc: sockets.grpc.listener,
        ops: Some(sockets.ops.listener),
    };
    app.run(listeners, shutdown).await.map_err(Failure::told)
}

/// The keyring of the data directory; a demonstration makes its own.
fn keyring(config: &Config, data: &Path) -> Result<KeyringWatch, Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(|why| {
            Failure::told(format_args!(
                "cannot make the data directory {}: {why}",
                data.display()
            ))
        })?;
    let file = KeyringFile::new(&config.keys.file, config.keys.allow_group_read);
    if !file.path().exists() {
        let id = KeyId::from_bytes(random::array(&SystemRandom)?);
        file.create(&Keyring::of(id, random::array(&SystemRandom)?))?;
    }
    Ok(KeyringWatch::open(file)?)
}

fn write(file: &PrivateFile, text: String) -> Result<(), PrivateFileError> {
    match file.create(&text) {
        Err(PrivateFileError::Exists(_)) => file.change(|_| Ok(Zeroizing::new(text))),
        written => written,
    }
}
