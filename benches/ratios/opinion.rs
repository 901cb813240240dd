//! A second opinion by h2load, where it is installed: another client, in a process of its own.

use crate::Trouble;
use crate::calls::Call;
use crate::rates::forgery;
use crate::server::Server;
use crate::table::Row;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

const ROUNDS: usize = 3;

pub(crate) fn measure(place: &Path) -> Result<Vec<Row>, Trouble> {
    if !installed()? {
        let absent = "not installed (Debian: nghttp2-client)".to_owned();
        return Ok(vec![Row::value("h2load, for a second opinion", absent)]);
    }
    let server = Server::start(place)?;
    let health = server.calls.health()?;
    let request = server.calls.request_reset_again()?;
    let forged = server.calls.forged(&forgery(&server)?)?;
    let (mut healthy, mut taken_in, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        healthy.push(rate(place, &health)?);
        taken_in.push(rate(place, &request)?);
        server.settle()?;
        refused.push(rate(place, &forged)?);
    }
    Ok(vec![
        Row::ratio(
            "RequestReset / Health/Check, by h2load",
            &taken_in,
            &healthy,
        ),
        Row::ratio(
            "forged token refused / Health/Check, by h2load",
            &refused,
            &healthy,
        ),
    ])
}

fn installed() -> Result<bool, Trouble> {
    let asked = Command::new("h2load")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    match asked {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Calls a second. It sees no further than the HTTP status: that the answers are the right ones is checked elsewhere.
fn rate(place: &Path, call: &Call) -> Result<f64, Trouble> {
    let message = place.join("message");
    fs::write(&message, call.message()?)?;
    let authorization = format!("authorization: {}", call.credential.to_str()?);
    let ran = Command::new("h2load")
        .args(["-t1", "-c4", "-m64", "-n40000"])
        .args(["-H", "content-type: application/grpc", "-H", "te: trailers"])
        .args(["-H", &authorization])
        .args([OsStr::new("-d"), message.as_os_str()])
        .arg(call.uri.to_string())
        .output()?;
    let told = String::from_utf8(ran.stdout)?;
    if !told.contains("40000 succeeded, 0 failed, 0 errored, 0 timeout") {
        return Err(format!("h2load says: {told}").into());
    }
    let rate = told
        .lines()
        .find_map(|line| line.strip_prefix("finished in ")?.split(' ').nth(1));
    Ok(rate.ok_or("h2load tells no rate")?.parse()?)
}
