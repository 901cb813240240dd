//! `relatch audit`: the audit log of a running service.

mod line;
mod tail;

use super::server::ServerArgs;
use super::{Failure, Output};
use crate::config::Source;
use crate::domain::audit::EventName;
use crate::domain::id::AccountId;
use clap::{Args, Subcommand};

/// Read the audit log of a running service
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    Tail(TailArgs),
}

/// Print events in their order, and go on as they happen if asked to
///
/// A line for each event: time, sequence, name, outcome, reason, account and source; `-` stands for what an event does
/// not have. A dropped connection is taken up again after the last event seen, so that none is missed or printed twice.
/// Needs the scope `audit`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  Everything so far, then what happens:
    relatch audit tail --follow
  What happened to passwords, for a program:
    relatch audit tail --name authn_password_change --name authn_password_change_fail --json
  What came after the event 1000 for one account:
    relatch audit tail --after 1000 --account 0123456789abcdef0123456789abcdef")]
pub(super) struct TailArgs {
    /// Begin after the event of this sequence; 0 begins with the oldest
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// Go on as events happen
    #[arg(long, short)]
    follow: bool,
    /// Only events of this name; may be given several times
    #[arg(long, value_name = "EVENT_NAME", value_parser = event_name, value_delimiter = ',')]
    name: Vec<EventName>,
    /// Only events of this account
    #[arg(long, value_name = "ACCOUNT_ID")]
    account: Option<AccountId>,
    /// Print each event as a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl AuditCommand {
    pub(super) async fn run(
        self,
        source: &dyn Source,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let Self::Tail(args) = self;
        let server = args.server.connect(source).await?;
        let format = if args.json { line::json } else { line::text };
        tail::Tail::new(&args, format).run(&server, output).await
    }
}

fn event_name(text: &str) -> Result<EventName, String> {
    EventName::parse(text).ok_or_else(|| {
        let known: Vec<_> = EventName::ALL.iter().map(|name| name.as_str()).collect();
        format!("there is no such event; there are {}", known.join(", "))
    })
}
