//! Connections that never become calls.

use super::{Premises, TOKEN, request_reset};
use data_encoding::BASE64;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::time::Duration;

/// A `ClientHello` of TLS 1.1 (RFC 4346 §7.4.1.2): version, 32 bytes of random, no session, one suite, no
/// compression; nothing that speaks of later versions.
fn hello_of_tls_1_1() -> Vec<u8> {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 2, 0xc0, 0x13]);
    body.extend([1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[tokio::test]
async fn tls_1_1_is_refused_with_an_alert() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let mut socket = TcpStream::connect(served.grpc).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    socket.write_all(&hello_of_tls_1_1()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    // A fatal alert: protocol_version, or handshake_failure for the suite.
    assert_eq!((answer[0], answer[5]), (21, 2), "{answer:?}");
    assert!([40, 70].contains(&answer[6]), "{answer:?}");
}

#[tokio::test]
async fn who_does_not_finish_a_handshake_keeps_nobody_waiting() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let mut idle: Vec<_> = (0..200)
        .map(|_| TcpStream::connect(served.grpc).unwrap())
        .collect();
    for socket in idle.iter_mut().skip(100) {
        socket.write_all(&[22, 3, 1]).unwrap();
    }
    let trusting = Premises::trusting(&premises.authority);
    let channel = served.connect(trusting).await.unwrap();
    request_reset(&channel, Some(TOKEN)).await.unwrap();
}

#[tokio::test]
async fn what_is_no_tls_is_no_call() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let plain = tonic::transport::Channel::from_shared(format!("http://{}", served.grpc)).unwrap();
    if let Ok(channel) = plain.connect().await {
        request_reset(&channel, Some(TOKEN)).await.unwrap_err();
    }
}

/// What curl says to a request of this listener by this scheme.
fn curl(premises: &Premises, port: u16, scheme: &str, request: &[&str]) -> Output {
    let (path, options) = request.split_first().unwrap();
    Command::new("curl")
        .args(["--silent", "--show-error", "--cacert"])
        .arg(premises.path("callers.pem"))
        .arg("--resolve")
        .arg(format!("localhost:{port}:127.0.0.1"))
        .args(options)
        .arg(format!("{scheme}://localhost:{port}{path}"))
        .output()
        .unwrap()
}

#[tokio::test]
async fn health_over_http_is_told_within_tls() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let asked = curl(&premises, served.ops.port(), "https", &["/livez", "--fail"]);
    assert!(asked.status.success(), "{asked:?}");
    assert_eq!(asked.stdout, b"ok");
}

#[tokio::test]
async fn bounces_are_told_within_tls_and_what_is_not_signed_fills_no_log() {
    let premises = Premises::new();
    premises.write("secret", &format!("whsec_{}\n", BASE64.encode(&[7; 32])));
    premises.configure(&format!(
        "bounces.listen = \"127.0.0.1:0\"\nbounces.secret_file = \"{}\"",
        premises.path("secret").display()
    ));
    let mut served = premises.serve().await;
    let told = served.told("serving").unwrap();
    let bounces: SocketAddr = told["bounces"].as_str().unwrap().parse().unwrap();
    let forged = ["/bounces", "--data", "{}", "--write-out", "\n%{http_code}"];
    let answered = curl(&premises, bounces.port(), "https", &forged);
    let answered = String::from_utf8(answered.stdout).unwrap();
    assert!(answered.ends_with("\n401"), "{answered}");
    assert!(
        !curl(&premises, bounces.port(), "http", &forged)
            .status
            .success()
    );
    assert!(served.end().await.success());
    assert!(!served.text().contains("not believed"), "{}", served.text());
}
