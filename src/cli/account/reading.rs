//! The thread that reads a file of accounts, as far ahead as there is room for.

use super::broken::{Broken, BrokenLines};
use super::lines::Lines;
use super::rows::{Format, Read, Reader};
use crate::pb::ImportAccountsRequest;
use crate::pb::import_accounts_request::Item;
use prost::Message as _;
use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use tokio::sync::{mpsc, oneshot};

/// Rows that may wait to be sent, and complaints that may wait to be told.
const AHEAD: usize = 512;

/// The longest message that the service takes, in bytes: a longer one would end the import of all others.
const LONGEST: usize = 16 * 1_024;

/// What comes of reading a file.
pub(super) struct Reading {
    /// The rows, to be sent.
    pub(super) rows: mpsc::Receiver<ImportAccountsRequest>,
    /// The lines that hold no row, each with what is wrong.
    pub(super) broken: BrokenLines,
    /// How many bytes have been read.
    pub(super) bytes: Arc<AtomicU64>,
    /// How it ended.
    pub(super) ended: oneshot::Receiver<Result<Sent, String>>,
}

/// What was handed on.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// How many rows.
    pub(super) rows: u64,
    /// The line of the last one.
    pub(super) last_line: i64,
    /// How many of them have EMAIL in the place of another second factor.
    pub(super) fell_back: u64,
}

struct Hands {
    rows: mpsc::Sender<ImportAccountsRequest>,
    broken: mpsc::Sender<Broken>,
    bytes: Arc<AtomicU64>,
    fall_back_to_email: bool,
}

/// Nobody waits for what is read any more.
struct Nobody;

impl Reading {
    /// Reads the lines from this one on, and puts EMAIL in the place of second factors that cannot come along if asked to.
    pub(super) fn begin(
        file: Box<dyn BufRead + Send>,
        format: Format,
        from_line: i64,
        fall_back_to_email: bool,
    ) -> io::Result<Self> {
        let (rows, to_send) = mpsc::channel(AHEAD);
        let (broken, to_tell) = mpsc::channel(AHEAD);
        let (end, ended) = oneshot::channel();
        let bytes = Arc::new(AtomicU64::new(0));
        let hands = Hands {
            rows,
            broken,
            bytes: Arc::clone(&bytes),
            fall_back_to_email,
        };
        // Not a task of the runtime: that would wait for a terminal on which nobody types.
        thread::Builder::new().spawn(move || {
            let sent = hands.read(file, format, from_line);
            // Whoever asked may have gone.
            let _ = end.send(sent);
        })?;
        Ok(Self {
            rows: to_send,
            broken: BrokenLines::new(to_tell),
            bytes,
            ended,
        })
    }
}

impl Hands {
    fn read(
        &self,
        file: Box<dyn BufRead + Send>,
        format: Format,
        from_line: i64,
    ) -> Result<Sent, String> {
        let (mut lines, mut reader) = (Lines::new(file), Reader::new(format));
        let mut sent = Sent::default();
        while let Some(line) = lines.next().map_err(|why| why.to_string())? {
            self.bytes.store(line.bytes, Ordering::Relaxed);
            if line.number < from_line && reader.has_begun() {
                continue;
            }
            let read = line
                .text
                .map_err(ToOwned::to_owned)
                .and_then(|text| reader.read(&text))
                .and_then(|row| row.map(|row| self.message(row, line.number)).transpose());
            let handed = match read {
                Ok(Some((row, fell_back))) => {
                    sent.rows += 1;
                    sent.fell_back += u64::from(fell_back);
                    sent.last_line = line.number;
                    self.hand_on(row)
                }
                Ok(None) => Ok(()),
                // Then no other line can be read either.
                Err(why) if !reader.has_begun() => return Err(why),
                Err(why) => self.complain(Broken {
                    line: line.number,
                    why,
                    after: sent.last_line,
                }),
            };
            if handed.is_err() {
                break;
            }
        }
        Ok(sent)
    }

    /// The row of this line as the service takes it, and whether it has EMAIL in the place of another second factor.
    fn message(&self, mut row: Read, line: i64) -> Result<(ImportAccountsRequest, bool), String> {
        let fell_back = self.fall_back_to_email && row.fall_back_to_email();
        let message = ImportAccountsRequest {
            item: Some(Item::Row(row.on(line))),
        };
        if message.encoded_len() > LONGEST {
            return Err("says more than 16 KiB".to_owned());
        }
        Ok((message, fell_back))
    }

    fn hand_on(&self, row: ImportAccountsRequest) -> Result<(), Nobody> {
        self.rows.blocking_send(row).map_err(|_| Nobody)
    }

    fn complain(&self, broken: Broken) -> Result<(), Nobody> {
        self.broken.blocking_send(broken).map_err(|_| Nobody)
    }
}
