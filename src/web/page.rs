//! Pages, and the headers that keep what they show to themselves.

use askama::Template;
use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// What every answer carries beside its policy (ASVS 3.4.4 to 3.4.8, 14.3.2; OWASP HTTP Headers).
const HEADERS: [(HeaderName, &str); 8] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// `template` as a page; a template that does not render is a fault of the service.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A content security policy (ASVS 3.4.3) that allows these two inline texts, by their SHA-256, and
/// what `more` adds to it, and nothing else.
#[must_use]
pub fn inline_policy(style: &str, script: &str, more: &str) -> HeaderValue {
    let hash = |text: &str| BASE64.encode(&Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; object-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'{more}",
        hash(style),
        hash(script),
    );
    // What cannot be spelled allows nothing.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// `router` with the headers of pages that show secrets on each of its answers, errors included. An
/// answer that has one of them already keeps its own.
pub fn protected(router: Router, policy: HeaderValue) -> Router {
    router.layer(map_response(move |mut response: Response| {
        let policy = policy.clone();
        async move {
            let headers = response.headers_mut();
            headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
            for (name, value) in HEADERS {
                headers
                    .entry(name)
                    .or_insert(HeaderValue::from_static(value));
            }
            response
        }
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[derive(Template)]
    #[template(source = "<p>{{ name }}</p>", ext = "html")]
    struct Greeting {
        name: &'static str,
    }

    async fn answer(method: &str, path: &str) -> Response {
        let router = Router::new()
            .route("/", get(async || page(&Greeting { name: "<Ada>" })))
            .route(
                "/framed",
                get(async || ([(X_FRAME_OPTIONS, "SAMEORIGIN")], "framed")),
            )
            .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR));
        let request = Request::builder().method(method).uri(path);
        protected(router, inline_policy("a{}", "f()", "; img-src data:"))
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn every_answer_is_protected_whatever_its_status() {
        for (method, path, status) in [
            ("GET", "/", 200),
            ("HEAD", "/", 200),
            ("GET", "/nowhere", 404),
            ("POST", "/", 405),
            ("TRACE", "/", 405),
            ("GET", "/broken", 500),
        ] {
            let response = answer(method, path).await;
            assert_eq!(response.status(), status, "{method} {path}");
            for (name, value) in HEADERS {
                assert_eq!(response.headers()[&name], value, "{method} {path}");
            }
            assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
            assert!(!response.headers().contains_key("server"));
        }
    }

    #[tokio::test]
    async fn an_answer_keeps_a_header_of_its_own() {
        let response = answer("GET", "/framed").await;
        assert_eq!(response.headers()[X_FRAME_OPTIONS], "SAMEORIGIN");
        assert_eq!(
            response.headers().get_all(X_FRAME_OPTIONS).iter().count(),
            1
        );
    }

    #[tokio::test]
    async fn a_page_is_html_and_escapes_what_it_shows() {
        let response = answer("GET", "/").await;
        assert_eq!(
            response.headers()["content-type"],
            "text/html; charset=utf-8"
        );
        let body = axum::body::to_bytes(response.into_body(), 1_000).await;
        assert_eq!(body.unwrap(), "<p>&#60;Ada&#62;</p>");
    }

    #[test]
    fn a_policy_names_its_inline_texts_by_hash() {
        // printf 'a{}' | openssl dgst -sha256 -binary | base64
        assert_eq!(
            inline_policy("a{}", "", "; img-src data:")
                .to_str()
                .unwrap(),
            "default-src 'none'; style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; \
             object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src data:"
        );
    }

    #[test]
    fn what_cannot_be_spelled_allows_nothing() {
        assert_eq!(inline_policy("", "", "\n"), "default-src 'none'");
    }
}
