//! Whether the time of an answer tells who has an account.

use crate::Trouble;
use crate::calls::{Call, password, request_reset};
use crate::client::alternate;
use crate::people::{self, numbered};
use crate::server::Server;
use crate::table::{Row, median};
use std::sync::Arc;

/// Calls about each side, no address twice.
const CALLS: u32 = 10_000;

/// One after the other, and so many at a time.
const BURST: usize = 64;

pub(crate) fn measure(server: &Server) -> Result<Vec<Row>, Trouble> {
    people::many(server, 2 * CALLS)?;
    let mut rows = Vec::new();
    for (what, streams, first) in [
        ("RequestReset, existing / absent addresses", 1, 0),
        ("the same, 64 at a time", BURST, CALLS),
    ] {
        let asked = |name: &'static str| -> Result<Arc<Call>, Trouble> {
            let call = server
                .calls
                .numbered(&password("RequestReset"), move |number| {
                    let email = numbered(name, first + number);
                    (number < CALLS).then(|| request_reset(email, number))
                })?;
            Ok(Arc::new(call))
        };
        let sides = [asked("person")?, asked("nobody")?];
        let [existing, absent] = alternate(server.calls.address, &sides, streams, CALLS as usize)?;
        server.settle()?;
        let (existing, absent) = (median(&existing), median(&absent));
        let row = Row::value(what, format!("{:.3}", existing / absent)).goal("0.99 … 1.01");
        rows.push(row.and(&format!("{existing:.3} ms, {absent:.3} ms")));
    }
    Ok(rows)
}
