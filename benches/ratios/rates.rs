//! How fast the server takes requests in and refuses forgeries, against the fastest answer that it has.

use crate::Trouble;
use crate::client::{Measured, Traffic, drive};
use crate::server::Server;
use crate::table::{Row, median};
use data_encoding::BASE64URL_NOPAD;
use relatch::domain::id::ResetId;
use relatch::domain::time::Timestamp;
use relatch::domain::token::{self, Link, LinkKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ROUNDS: usize = 7;

pub(crate) const TRAFFIC: Traffic = Traffic {
    connections: 4,
    streams: 64,
    every: None,
    warm_up: Duration::from_millis(300),
    window: Duration::from_secs(1),
};

pub(crate) fn measure(server: &Server) -> Result<Vec<Row>, Trouble> {
    let calls = &server.calls;
    let health = Arc::new(calls.health()?);
    let request = Arc::new(calls.request_reset()?);
    let forged = Arc::new(calls.forged(&forgery(server)?)?);
    let drive = |call| drive(calls.address, call, TRAFFIC);
    let (mut healthy, mut taken_in) = (Vec::new(), Vec::new());
    let (mut resolved, mut refused) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let one_healthy = drive(&health)?;
        let begun = Instant::now();
        let one_taken_in = drive(&request)?;
        let one_resolved = drained(server, &one_taken_in, begun)?;
        let one_refused = drive(&forged)?;
        // The first round warms caches, branches and the database.
        if round > 0 {
            healthy.push(one_healthy.rate);
            taken_in.push(one_taken_in.rate);
            resolved.push(one_resolved);
            refused.push(one_refused.rate);
        }
    }
    Ok(vec![
        Row::ratio("RequestReset, durable / Health/Check", &taken_in, &healthy).goal(">= 0.4"),
        Row::ratio("forged token refused / Health/Check", &refused, &healthy).goal(">= 0.8"),
        Row::value(
            "RequestReset until everything is resolved",
            format!("{:.0}/s", median(&resolved)),
        ),
    ])
}

/// Requests a second, counted until the last of them is resolved.
fn drained(server: &Server, taken_in: &Measured, begun: Instant) -> Result<f64, Trouble> {
    server.settle()?;
    let calls = u32::try_from(taken_in.calls)?;
    Ok(f64::from(calls) / begun.elapsed().as_secs_f64())
}

/// A token of the right shape and key, in time, whose tag does not hold.
pub(crate) fn forgery(server: &Server) -> Result<String, Trouble> {
    let link = Link {
        reset_id: ResetId::from_bytes([7; 16]),
        expires_at: Timestamp::from_micros(i64::MAX),
    };
    let token = token::mint(&server.service.keyring.load(), LinkKind::Reset, link);
    let (prefix, encoded) = token.expose().split_at("rlt1_".len());
    let mut bytes = BASE64URL_NOPAD.decode(encoded.as_bytes())?;
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Ok(format!("{prefix}{}", BASE64URL_NOPAD.encode(&bytes)))
}
