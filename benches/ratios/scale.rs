//! What a million accounts change.

use crate::Trouble;
use crate::client::drive;
use crate::people;
use crate::process::Premises;
use crate::rates::TRAFFIC;
use crate::server::Server;
use crate::table::{Row, median, milliseconds};
use std::path::Path;
use std::sync::Arc;

const ROUNDS: usize = 5;
const STARTS: usize = 5;

const FEW: u32 = 10_000;
const MANY: u32 = 1_000_000;

pub(crate) fn measure(place: &Path) -> Result<Vec<Row>, Trouble> {
    let (few, many) = (place.join("few"), place.join("many"));
    let rates = rates(&few, &many)?;
    let premises = Premises::new(place, &Server::data(&many))?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(milliseconds(premises.serve()?.served_after));
    }
    Ok(vec![
        rates,
        Row::value(
            "start of `relatch serve` to SERVING, 1,000,000 accounts",
            format!("{:.0} ms", median(&starts)),
        )
        .goal("<= 100 ms"),
    ])
}

/// The rate of RequestReset with many accounts, against that with few: half of the requests are for one of them.
fn rates(few: &Path, many: &Path) -> Result<Row, Trouble> {
    let (few, many) = (Server::start(few)?, Server::start(many)?);
    people::many(&few, FEW)?;
    people::many(&many, MANY)?;
    let call = |server: &Server, accounts| server.calls.request_reset_among(accounts);
    let (of_few, of_many) = (Arc::new(call(&few, FEW)?), Arc::new(call(&many, MANY)?));
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (server, call, rates) in [(&few, &of_few, &mut fast), (&many, &of_many, &mut slow)] {
            let rate = drive(server.calls.address, call, TRAFFIC)?.rate;
            server.settle()?;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    Ok(Row::ratio(
        "RequestReset with 1,000,000 accounts / with 10,000",
        &slow,
        &fast,
    )
    .goal(">= 0.8"))
}
