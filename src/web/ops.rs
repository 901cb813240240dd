//! What an orchestrator asks: is the process alive, and may it be given work?

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::watch;

/// `/livez` answers 200 as long as the runtime answers at all: restart the process when it does not.
/// `/readyz` answers 200 while `ready` says so and 503 otherwise: send it no work then.
pub fn router(ready: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/livez", get(async || answer(StatusCode::OK, "ok")))
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

fn answer(status: StatusCode, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, text)
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
    async fn readiness_is_followed_and_liveness_stays() {
        let ready = watch::Sender::new(false);
        let router = router(ready.subscribe());
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
