//! What is no Relatch, or one that answers as no test could make it: for what a console does then.

use super::Scene;
use super::browser::{Browser, Way};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper_util::rt::TokioIo;
use prost::Message;
use std::convert::Infallible;
use tempfile::TempDir;
use tokio::io::duplex;
use tokio_stream::StreamExt as _;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};
use tower::service_fn;

/// A console before something that is no Relatch, in which somebody is signed in.
pub(super) async fn before(answers: Router) -> (Router, Browser, TempDir) {
    let scene = Scene::start().await;
    let cookies = scene.person("ada@example.com").await.cookies;
    let Scene {
        server,
        router,
        directory,
    } = scene;
    drop(router);
    let router = super::router(server.clock.clone(), channel_to(answers), &directory);
    server.stop().await;
    let mut browser = Browser::new(Way::Inside(router.clone()));
    browser.cookies = cookies;
    (router, browser, directory)
}

/// A channel to whatever answers so.
fn channel_to(answers: Router) -> Channel {
    let connect = service_fn(move |_| {
        let (near, far) = duplex(64 * 1024);
        let incoming = tokio_stream::once(Ok::<_, Infallible>(far)).chain(tokio_stream::pending());
        let served = Server::builder().add_routes(Routes::from(answers.clone()));
        tokio::spawn(served.serve_with_incoming(incoming));
        async { Ok::<_, Infallible>(TokioIo::new(near)) }
    });
    Endpoint::from_static("http://relatch").connect_with_connector_lazy(connect)
}

/// What a call is answered with (gRPC over HTTP/2, "Responses").
pub(super) fn answer(message: &impl Message) -> Response {
    let content = message.encode_to_vec();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let content = [&[0], &length[..], &content].concat();
    let mut ok = HeaderMap::new();
    ok.insert("grpc-status", "0".parse().unwrap());
    let frames = [Frame::data(Bytes::from(content)), Frame::trailers(ok)];
    let frames = frames.map(Ok::<_, Infallible>);
    let body = Body::new(StreamBody::new(tokio_stream::iter(frames)));
    ([("content-type", "application/grpc")], body).into_response()
}
