//! `relatch account import`: accounts from a file into a running service.

use super::broken::{Broken, BrokenLines};
use super::reading::{Reading, Sent};
use super::resume::Mark;
use super::rows::Format;
use crate::cli::server::{Server, ServerArgs};
use crate::cli::{Failure, Output};
use crate::pb::account_service_client::AccountServiceClient;
use crate::pb::import_accounts_request::Item;
use crate::pb::{ImportAccountsRequest, ImportAccountsResponse, ImportOptions};
use clap::Args;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// Import accounts, with their password hashes if they have any
///
/// From JSON Lines (an object a line, with the fields `account_id`, `email`, `email_verified`, `phone`,
/// `phone_verified`, `second_factor`, `locale`, `display_name`, `disabled` and `password_hash`) or from CSV (a first line
/// that names columns of the same names, and `password_format`; no line breaks within fields). docs/import.md has
/// examples and the formats of hashes.
///
/// An account that exists is never changed. A line that is not taken in is reported by its number and keeps no other
/// out; the exit code is 1 then. Importing a file again is harmless, so whatever stops an import, start it again; with
/// --resume it goes on where it stopped. Needs the scope `import`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch account import users.jsonl --dry-run
  relatch account import users.csv --report refused.tsv --resume users.resume
  relatch account import accounts.jsonl --fall-back-to-email
  zcat users.jsonl.gz | relatch account import - --format jsonl")]
pub(crate) struct ImportArgs {
    /// The file; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How it is written [default: by the file's ending]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Take EMAIL for a second factor that cannot come along: an authenticator app, or SMS to a phone that is not verified
    #[arg(long)]
    fall_back_to_email: bool,
    /// Report what is wrong with the file, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the lines that are not taken in to a file (or, going on, behind those in it), each with a tab and the reason [default: to standard error]
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
    /// Keep in a file how far the import has come, and go on from there if the file is there already
    #[arg(long, value_name = "PATH", conflicts_with = "dry_run")]
    resume: Option<PathBuf>,
    /// Skip the lines before this one
    #[arg(long, value_name = "LINE", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
    from_line: i64,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// An import as it goes on.
struct Progress {
    /// How long the file is, where that is known.
    size: Option<u64>,
    /// The last line that is done.
    through: i64,
    mark: Option<Mark>,
    /// Where lines are reported that are not taken in, unless to standard error.
    report: Option<File>,
    /// Lines that hold no row.
    broken: u64,
    /// Rows that the service did not take in.
    refused: u64,
}

impl ImportArgs {
    pub(super) async fn run(
        &self,
        server: &Server,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let by_ending = || Format::of(&self.file);
        let format = self.format.or_else(by_ending).ok_or_else(|| {
            Failure::told("say how the file is written: --format jsonl, or --format csv")
        })?;
        let (file, size) = self.open()?;
        let mut progress = Progress::begin(self, size)?;
        let from_line = self.from_line.max(progress.through + 1);
        let reading = Reading::begin(file, format, from_line, self.fall_back_to_email)
            .map_err(Failure::told)?;
        let Reading {
            rows,
            mut broken,
            bytes,
            ended,
        } = reading;
        let explain = |status: Status| match server.explain(&status) {
            Failure::Told(why) => Failure::told(format_args!(
                "{why}\n  What is imported stays so: start the import again to go on"
            )),
            nobody @ Failure::NobodyReads => nobody,
        };
        let mut answers = self.send(server, rows).await.map_err(explain)?;
        loop {
            tokio::select! {
                Some(line) = broken.due(progress.through) => progress.passed_over(&line, output)?,
                answer = answers.message() => match answer.map_err(explain)? {
                    Some(answer) => {
                        progress.answered(answer, &mut broken, output)?;
                        output.progress(progress.bar(bytes.load(Ordering::Relaxed)));
                    }
                    None => break,
                },
            }
        }
        while let Some(line) = broken.due(progress.through).await {
            progress.passed_over(&line, output)?;
        }
        // Should anybody still read, there is nobody to tell.
        drop(broken);
        let sent = ended
            .await
            .unwrap_or_else(|_| Err("the reader ended early".to_owned()))
            .map_err(|why| Failure::told(format_args!("{}: {why}", self.file.display())))?;
        self.conclude(&sent, &progress, output)
    }

    /// The file, and how long it is where that is known.
    fn open(&self) -> Result<(Box<dyn BufRead + Send>, Option<u64>), Failure> {
        if self.file == Path::new("-") {
            return Ok((Box::new(BufReader::new(io::stdin())), None));
        }
        let told = |why| Failure::told(format_args!("{}: {why}", self.file.display()));
        let file = File::open(&self.file).map_err(told)?;
        let size = file.metadata().map_err(told)?.len();
        Ok((Box::new(BufReader::new(file)), Some(size)))
    }

    async fn send(
        &self,
        server: &Server,
        rows: mpsc::Receiver<ImportAccountsRequest>,
    ) -> Result<Streaming<ImportAccountsResponse>, Status> {
        let options = Item::Options(ImportOptions {
            dry_run: self.dry_run,
        });
        let options = ImportAccountsRequest {
            item: Some(options),
        };
        let requests = tokio_stream::once(options).chain(ReceiverStream::new(rows));
        AccountServiceClient::new(server.channel.clone())
            .import_accounts(requests)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Says how it ended.
    fn conclude(
        &self,
        sent: &Sent,
        progress: &Progress,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        if sent.rows > 0 && progress.through < sent.last_line {
            return Err(Failure::told(format_args!(
                "the service ended the import before line {}: start it again to go on",
                sent.last_line
            )));
        }
        let taken = sent.rows.saturating_sub(progress.refused);
        let (are, were) = if self.dry_run {
            ("can be", "cannot be")
        } else {
            ("are", "are not")
        };
        output.line(format_args!("{taken} accounts {are} imported"))?;
        if sent.fell_back > 0 {
            output.line(format_args!(
                "{} rows have EMAIL for a second factor that cannot come along",
                sent.fell_back
            ))?;
        }
        match (progress.broken + progress.refused, &self.report) {
            (0, _) => Ok(()),
            (lines, None) => Err(Failure::told(format_args!("{lines} lines {were} imported"))),
            (lines, Some(report)) => Err(Failure::told(format_args!(
                "{lines} lines {were} imported: see {}",
                report.display()
            ))),
        }
    }
}

impl Progress {
    fn begin(args: &ImportArgs, size: Option<u64>) -> Result<Self, Failure> {
        let mark = match &args.resume {
            Some(path) => Some(Mark::open(path, &args.file)?),
            None => None,
        };
        // What an import reported before it was stopped stays reported.
        let goes_on = mark.as_ref().is_some_and(|mark| mark.line() > 0);
        let open = |path: &PathBuf| {
            File::options()
                .create(true)
                .write(true)
                .append(goes_on)
                .truncate(!goes_on)
                .open(path)
                .map_err(|why| Failure::told(format_args!("{}: {why}", path.display())))
        };
        Ok(Self {
            size,
            through: mark.as_ref().map_or(0, Mark::line),
            mark,
            report: args.report.as_ref().map(open).transpose()?,
            broken: 0,
            refused: 0,
        })
    }

    /// Reports everything up to the line that the service has come to, in the order of the file, and only then moves the
    /// mark on, so that no line is passed over in silence.
    fn answered(
        &mut self,
        answer: ImportAccountsResponse,
        broken: &mut BrokenLines,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        for error in answer.errors {
            while let Some(line) = broken.before(error.line) {
                self.passed_over(&line, output)?;
            }
            self.refused += 1;
            self.report(error.line, &error.reason, output)?;
        }
        while let Some(line) = broken.before(answer.acknowledged_through_line) {
            self.passed_over(&line, output)?;
        }
        self.move_to(answer.acknowledged_through_line)
    }

    /// Reports a line that holds no row, and moves the mark on to it.
    fn passed_over(&mut self, broken: &Broken, output: &mut Output<'_>) -> Result<(), Failure> {
        self.broken += 1;
        self.report(broken.line, &broken.why, output)?;
        self.move_to(broken.line)
    }

    fn move_to(&mut self, line: i64) -> Result<(), Failure> {
        self.through = line;
        match &mut self.mark {
            Some(mark) => mark.move_to(line),
            None => Ok(()),
        }
    }

    fn report(&mut self, line: i64, why: &str, output: &mut Output<'_>) -> Result<(), Failure> {
        let Some(report) = &mut self.report else {
            output.note(format_args!("line {line}: {why}"));
            return Ok(());
        };
        writeln!(report, "{line}\t{why}")
            .map_err(|why| Failure::told(format_args!("the report cannot be written: {why}")))
    }

    /// How far it has come, for people who watch.
    fn bar(&self, bytes: u64) -> String {
        const WIDTH: u64 = 24;
        let left_out = self.broken + self.refused;
        let told = format!("line {}, {left_out} not taken in", self.through);
        let Some(size) = self.size.filter(|size| *size > 0) else {
            return told;
        };
        let part = |of: u64| usize::try_from(bytes.min(size) * of / size).unwrap_or_default();
        let full = "#".repeat(part(WIDTH));
        format!("[{full:-<24}] {:3} %  {told}", part(100))
    }
}
