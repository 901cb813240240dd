//! Whom to tell of a weakness (RFC 9116).

use super::Console;
use super::language::Language;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "/.well-known/security.txt";

/// How long the answer may be believed: less than a year (RFC 9116 §2.5.5).
const BELIEVED: Duration = Duration::from_hours(180 * 24);

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route(PATH, get(told))
}

async fn told(State(console): State<Arc<Console>>) -> Response {
    let Some(contact) = &console.security_contact else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let expires = console.clock.now().plus(BELIEVED).minute();
    let languages = Language::ALL.map(Language::tag).join(", ");
    let text = format!(
        "Contact: {contact}\n\
         Expires: {expires}\n\
         Preferred-Languages: {languages}\n\
         Canonical: {}{PATH}\n",
        console.origin
    );
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
