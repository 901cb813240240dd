//! Whether the time of an answer tells who has an account.

use crate::Trouble;
use crate::calls::{Call, GUESSER, password, request_reset};
use crate::client::alternate;
use crate::people::{self, Person, numbered};
use crate::server::Server;
use crate::table::{Row, median};
use std::sync::Arc;

/// Calls about each side, no address twice.
const CALLS: u32 = 10_000;

/// Sign-ins of each side, which take longer; each person is met four times, which is too seldom for a pause.
const SIGN_INS: usize = 500;

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
    rows.extend(sign_ins(server)?);
    Ok(rows)
}

/// Sign-ins that are refused, each beside those with a wrong password.
fn sign_ins(server: &Server) -> Result<Vec<Row>, Trouble> {
    let people = people::with_password(server, SIGN_INS)?;
    let disabled = people::with_password(server, 1)?.swap_remove(0);
    people::disable(server, &disabled)?;
    let throttled = people::with_password(server, 1)?.swap_remove(0);
    people::guess(server, &throttled, 10, |_| GUESSER)?;
    let stopped = people::with_password(server, 1)?.swap_remove(0);
    people::guess(server, &stopped, 100, |number| GUESSER + number)?;

    let always = |person: Person| server.calls.guess(move |_| Some(person.email.clone()));
    let unknown = server.calls.guess(|number| {
        let number = u32::try_from(number).ok()?;
        Some(numbered("nobody", number))
    })?;
    let mut rows = Vec::new();
    for (what, refused) in [
        ("unknown", unknown),
        ("disabled", always(disabled)?),
        // A try now and then falls between two pauses, which soon are longer than this takes.
        ("throttled", always(throttled)?),
        ("stopped", always(stopped)?),
    ] {
        let emails: Vec<_> = people.iter().map(|person| person.email.clone()).collect();
        let wrong = server
            .calls
            .guess(move |number| emails.get(number).cloned())?;
        let sides = [Arc::new(refused), Arc::new(wrong)];
        let [refused, wrong] = alternate(server.calls.address, &sides, 1, SIGN_INS)?;
        server.settle()?;
        let (refused, wrong) = (median(&refused), median(&wrong));
        let what = format!("VerifyPassword, {what} / wrong password");
        let row = Row::value(what, format!("{:.3}", refused / wrong)).goal("0.99 … 1.01");
        rows.push(row.and(&format!("{refused:.3} ms, {wrong:.3} ms")));
    }
    Ok(rows)
}
