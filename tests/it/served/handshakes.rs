//! Connections that never become calls.

use super::{Premises, TOKEN, request_reset};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
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

#[tokio::test]
async fn health_over_http_is_told_within_tls() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let asked = std::process::Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--cacert"])
        .arg(premises.path("callers.pem"))
        .arg("--resolve")
        .arg(format!("localhost:{}:127.0.0.1", served.ops.port()))
        .arg(format!("https://localhost:{}/livez", served.ops.port()))
        .output()
        .unwrap();
    assert!(asked.status.success(), "{asked:?}");
    assert_eq!(asked.stdout, b"ok");
}
