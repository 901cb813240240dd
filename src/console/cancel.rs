//! "This was not me": whoever got a link without having asked for it ends it.

use super::Console;
use super::forms::{Filled, Token};
use super::problem::Problem;
use super::refused::Refused;
use super::shell::{Shell, see, show};
use super::visit::Visit;
use crate::pb::CancelResetRequest;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/cancel", get(link).post(open))
        .route("/cancel/stop", post(stop))
        .route("/cancel/done", get(done))
}

/// Where a link leads: its token stands in the fragment, which no server sees.
#[derive(Template)]
#[template(path = "console/cancel_link.html")]
struct LinkPage<'a> {
    shell: Shell<'a>,
}

#[derive(Template)]
#[template(path = "console/cancel.html")]
struct CancelPage<'a> {
    shell: Shell<'a>,
}

#[derive(Template)]
#[template(path = "console/cancelled.html")]
struct CancelledPage<'a> {
    shell: Shell<'a>,
}

async fn link(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    let shell = Shell::new(&console, &visit);
    show(StatusCode::OK, &LinkPage { shell })
}

/// Asks whether to stop it; looking does nothing.
async fn open(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(token): Filled<Token>,
) -> Response {
    let token = token.of_link();
    let shell = Shell::about(&console, &visit, &token);
    show(StatusCode::OK, &CancelPage { shell })
}

async fn stop(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(token): Filled<Token>,
) -> Response {
    let asked = CancelResetRequest {
        cancel_token: token.of_link(),
        client: visit.client(),
    };
    match console.relatch.passwords().cancel_reset(asked).await {
        Ok(_) => see("/cancel/done"),
        Err(status) => {
            let refused = match Refused::from(status) {
                Refused::LinkInvalid | Refused::Unreadable => Problem::CancelInvalid,
                refused => Problem::from(&refused),
            };
            refused.page(&console, &visit)
        }
    }
}

async fn done(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    let shell = Shell::new(&console, &visit);
    show(StatusCode::OK, &CancelledPage { shell })
}
