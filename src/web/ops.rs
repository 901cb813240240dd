//! What an orchestrator asks: is the process alive, may it be given work, and how does it fare?

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

/// `/livez` answers 200 as long as the runtime answers at all: restart the process when it does not.
/// `/readyz` answers 200 while `ready` says so and 503 otherwise: send it no work then. `/metrics` answers
/// with the media type and the text that `metrics` gives, or 500 for none.
pub fn router<M, F>(ready: watch::Receiver<bool>, metrics: M) -> Router
where
    M: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Option<(&'static str, String)>> + Send,
{
    Router::new()
        .route("/livez", get(async || answer(StatusCode::OK, "ok")))
        .route(
            "/metrics",
            get(async move || match metrics().await {
                Some((media_type, text)) => {
                    let text = ([(CONTENT_TYPE, media_type)], text);
                    answer(StatusCode::OK, text)
                }
                None => answer(StatusCode::INTERNAL_SERVER_ERROR, "no metrics"),
            }),
        )
        .route(
            "/readyz",
            get(async move || {
                if *ready.borrow() {
                    answer(StatusCode::OK, "ready")
                } else {
                    answer(StatusCode::SERVICE_UNAVAILABLE, "not ready")
                }
            }),
        )
}

fn answer(status: StatusCode, content: impl IntoResponse) -> Response {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn asked(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn metrics_are_told_as_what_they_are() {
        let metrics = async || Some(("text/strange", "one 1".to_owned()));
        let router = router(watch::Sender::new(true).subscribe(), metrics);
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/strange");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        assert_eq!(&body[..], b"one 1");
    }

    #[tokio::test]
    async fn readiness_is_followed_and_liveness_stays() {
        let ready = watch::Sender::new(false);
        let router = router(ready.subscribe(), async || None);
        let alive = (StatusCode::OK, "ok".to_owned());
        assert_eq!(asked(&router, "/livez").await, alive);
        assert_eq!(
            asked(&router, "/readyz").await,
            (StatusCode::SERVICE_UNAVAILABLE, "not ready".to_owned())
        );
        ready.send_replace(true);
        assert_eq!(
            asked(&router, "/readyz").await,
            (StatusCode::OK, "ready".to_owned())
        );
        ready.send_replace(false);
        assert_eq!(asked(&router, "/readyz").await.0, 503);
        assert_eq!(asked(&router, "/livez").await, alive);
    }
}
