//! How much of the machine's hashing rate the service makes available.

use crate::Trouble;
use crate::bare;
use crate::calls::PASSWORD;
use crate::client::{Traffic, drive};
use crate::people;
use crate::server::Server;
use crate::table::Row;
use relatch::domain::password::{Password, PersonalWords};
use relatch::domain::token::LinkKind;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

const ROUNDS: usize = 5;
const WINDOW: Duration = Duration::from_secs(2);
const PEOPLE: usize = 64;

pub(crate) fn measure(server: &Server) -> Result<Vec<Row>, Trouble> {
    let calls = &server.calls;
    let threads = available_parallelism()?;
    let traffic = traffic(threads);
    let verify = Arc::new(calls.verify(people::with_password(server, PEOPLE)?)?);
    let policy = Arc::clone(&server.service.rules.policy);
    let (password, nobody) = (Password::parse(PASSWORD)?, PersonalWords::default());
    let judge = || drop(policy.judge(&password, &nobody, false));

    let (mut bare, mut judged) = (Vec::new(), Vec::new());
    let (mut confirmed, mut verified) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let can_do = bare::hashes_a_second(threads, WINDOW, || {})?;
        let links = people::links(server, LinkKind::Reset, enough(can_do, traffic))?;
        let confirm = Arc::new(calls.confirm(links)?);
        judged.push(bare::hashes_a_second(threads, WINDOW, judge)?);
        confirmed.push(drive(calls.address, &confirm, traffic)?.rate);
        verified.push(drive(calls.address, &verify, traffic)?.rate);
        server.settle()?;
        // What the machine can do changes from second to second; what it could before and after is nearest to
        // what it could meanwhile.
        let could_do = bare::hashes_a_second(threads, WINDOW, || {})?;
        bare.push(can_do.midpoint(could_do));
    }
    Ok(vec![
        Row::ratio("VerifyPassword / bare Argon2id", &verified, &bare).goal(">= 0.95"),
        Row::ratio("ConfirmReset / bare Argon2id", &confirmed, &bare).goal(">= 0.95"),
        Row::ratio(
            "ConfirmReset / bare policy and Argon2id",
            &confirmed,
            &judged,
        ),
    ])
}

/// Enough calls at a time that no thread ever waits for one.
fn traffic(threads: NonZeroUsize) -> Traffic {
    Traffic {
        connections: 1,
        streams: (8 * threads.get()).min(96),
        every: None,
        warm_up: Duration::from_millis(500),
        window: WINDOW,
    }
}

/// More links than a round can use up, however much the machine was held up when it was asked what it can do.
fn enough(can_do: f64, traffic: Traffic) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    let used = (can_do * (traffic.warm_up + traffic.window).as_secs_f64() * 3.0) as usize;
    used + traffic.streams
}
