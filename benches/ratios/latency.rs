//! What hashing does to everybody else.

use crate::Trouble;
use crate::client::{Traffic, drive};
use crate::people;
use crate::server::Server;
use crate::table::{Row, milliseconds};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 5;

/// Some 400 requests a second: a busy service, far from what it can do.
const REQUESTS: Traffic = Traffic {
    connections: 1,
    streams: 16,
    every: Some(Duration::from_millis(40)),
    warm_up: Duration::from_millis(500),
    window: Duration::from_secs(3),
};

/// Sign-ins that keep every hashing thread busy and others waiting, before the requests and beyond them.
const SIGN_INS: Traffic = Traffic {
    connections: 1,
    streams: 64,
    every: None,
    warm_up: Duration::ZERO,
    window: Duration::from_secs(4),
};

pub(crate) fn measure(server: &Server) -> Result<Vec<Row>, Trouble> {
    let calls = &server.calls;
    let request = Arc::new(calls.request_reset()?);
    let verify = Arc::new(calls.verify(people::with_password(server, 64)?)?);
    let p99 = || -> Result<f64, Trouble> {
        let measured = drive(calls.address, &request, REQUESTS)?;
        Ok(milliseconds(measured.percentile(0.99)))
    };
    let (mut idle, mut saturated) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        idle.push(p99()?);
        let beside = thread::scope(|threads| {
            let sign_ins = threads.spawn(|| drive(calls.address, &verify, SIGN_INS));
            let beside = p99();
            sign_ins.join().map_err(|_| "a client panicked")??;
            beside
        })?;
        saturated.push(beside);
        server.settle()?;
    }
    Ok(vec![
        Row::times(
            "RequestReset p99, hashing saturated / idle",
            &saturated,
            &idle,
        )
        .goal("<= 2"),
    ])
}
