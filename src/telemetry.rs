//! The log of the process, on standard error. What happened to accounts is the audit log's business.

use crate::config::{Log, LogFormat};
use std::io::{IsTerminal as _, stderr};
use std::panic::{self, PanicHookInfo};
use std::thread;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// The process has a log already.
#[derive(Debug, Error)]
#[error("the log was set up twice")]
pub struct AlreadySet(#[from] TryInitError);

/// Sets up the log of the process, and has panics told in it; once.
pub fn init(log: &Log) -> Result<(), AlreadySet> {
    subscriber(log, stderr().is_terminal(), stderr).try_init()?;
    panic::set_hook(Box::new(tell));
    Ok(())
}

/// Tells where a panic was raised. Its words are told where they stand in the source; others are made
/// of data, and a string cut in the wrong place quotes all of itself, a password included.
fn tell(panic: &PanicHookInfo<'_>) {
    let words: Option<&&'static str> = panic.payload().downcast_ref();
    tracing::error!(
        location = panic.location().map(tracing::field::display),
        thread = thread::current().name(),
        words,
        "a panic"
    );
}

fn subscriber<W>(log: &Log, terminal: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let pretty = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let output = layer().with_writer(writer);
    let output = if pretty {
        output.with_ansi(terminal).boxed()
    } else {
        output.json().flatten_event(true).boxed()
    };
    registry().with(output.with_filter(log.filter.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tempfile::NamedTempFile;

    /// What is logged of one line each at info and at debug.
    fn logged(format: LogFormat, terminal: bool) -> String {
        let written = NamedTempFile::new().unwrap();
        let log = Log {
            filter: "info".parse().unwrap(),
            format,
        };
        let subscriber = subscriber(&log, terminal, Arc::new(written.reopen().unwrap()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(port = 50_051, "listening");
            tracing::debug!("not told");
        });
        std::fs::read_to_string(written.path()).unwrap()
    }

    #[test]
    fn machines_read_an_object_a_line() {
        for format in [LogFormat::Auto, LogFormat::Json] {
            let line = logged(format, false);
            let object: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(object["message"], "listening");
            assert_eq!(object["port"], 50_051);
            assert_eq!(object["level"], "INFO");
        }
    }

    #[test]
    fn people_read_text_in_colour_only_on_a_terminal() {
        assert!(logged(LogFormat::Auto, true).contains("\u{1b}["));
        let plain = logged(LogFormat::Pretty, false);
        assert!(plain.ends_with("listening port=50051\n"), "{plain}");
        assert!(!plain.contains('\u{1b}'));
    }
}
