//! Calls without generated code: what goes over the wire and back, to the byte.

use super::server::{TestServer, bearer};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use prost::Message;
use std::collections::BTreeMap;
use tonic::body::Body;
use tower::{Service as _, ServiceExt as _};

/// Everything that came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub trailers: BTreeMap<String, String>,
}

/// Calls a method and collects everything that comes back. All calls have the same request id in
/// their header, and the date is left out: it is the time of day, not of the call.
pub(crate) async fn call(server: &TestServer, method: &str, message: &impl Message) -> Reply {
    let mut channel = server.channel();
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.encoded_len()).unwrap().to_be_bytes());
    message.encode(&mut framed).unwrap();
    let request = Request::post(format!("http://{}/relatch.v1.{method}", server.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", bearer("all"))
        .header("x-request-id", "the-same-for-all")
        .body(Body::new(http_body_util::Full::new(
            prost::bytes::Bytes::from(framed),
        )))
        .unwrap();
    let response = channel.ready().await.unwrap().call(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    Reply {
        status: head.status,
        headers: readable(&head.headers),
        body: body.to_bytes().to_vec(),
        trailers: readable(&trailers),
    }
}

fn readable(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter(|(name, _)| name.as_str() != "date")
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}
