//! Forgot password: the same words, bytes and one call, whoever has an account.

use super::Console;
use super::forms::{Address, Filled};
use super::problem::Problem;
use super::refused::Refused;
use super::shell::{Shell, show};
use super::visit::Visit;
use crate::pb::RequestResetRequest;
use crate::random;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use data_encoding::HEXLOWER;
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/forgot-password", get(empty).post(filled_in))
        .route("/forgot-password/send", post(send))
}

#[derive(Template)]
#[template(path = "console/forgot.html")]
struct ForgotPage<'a> {
    shell: Shell<'a>,
    email: &'a str,
    error: Option<String>,
    request_id: String,
}

#[derive(Template)]
#[template(path = "console/forgot_sent.html")]
struct SentPage<'a> {
    shell: Shell<'a>,
    email: &'a str,
    minutes: i64,
    request_id: String,
}

/// A name for a call that a person may send twice by pressing twice.
pub(super) fn request_id(console: &Console) -> String {
    // Without entropy a repetition is not recognised, which is all.
    let drawn = random::array::<16>(&*console.random);
    drawn.map_or_else(|_| String::new(), |drawn| HEXLOWER.encode(&drawn))
}

async fn empty(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    form(&console, &visit, StatusCode::OK, "", None)
}

/// From the sign-in page, which knows the address.
async fn filled_in(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(Address { email }): Filled<Address>,
) -> Response {
    form(&console, &visit, StatusCode::OK, &email, None)
}

fn form(
    console: &Console,
    visit: &Visit,
    status: StatusCode,
    email: &str,
    error: Option<String>,
) -> Response {
    let page = ForgotPage {
        shell: Shell::new(console, visit),
        email,
        error,
        request_id: request_id(console),
    };
    show(status, &page)
}

#[derive(Deserialize)]
struct Asked {
    email: Zeroizing<String>,
    request_id: String,
}

async fn send(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(Asked { email, request_id }): Filled<Asked>,
) -> Response {
    let t = visit.language;
    let asked = RequestResetRequest {
        email: email.trim().to_owned(),
        client: visit.client(),
        request_id,
    };
    let answer = console.relatch.passwords().request_reset(asked).await;
    let lifetime = match answer {
        Ok(answer) => answer.into_inner().link_lifetime.unwrap_or_default(),
        Err(status) => {
            let refused = Refused::from(status);
            let problem = Problem::from(&refused);
            let error = match refused {
                Refused::Unreadable => t
                    .say(
                        "This is not an email address. It looks like name@example.com.",
                        "Das ist keine E-Mail-Adresse. Sie sieht aus wie name@example.com.",
                    )
                    .to_owned(),
                Refused::TooOften(_) => problem.text(t),
                _ => return problem.page(&console, &visit),
            };
            let page = form(&console, &visit, problem.status(), &email, Some(error));
            return problem.timed(page);
        }
    };
    let page = SentPage {
        shell: Shell::new(&console, &visit),
        email: email.trim(),
        minutes: lifetime.seconds / 60,
        request_id: self::request_id(&console),
    };
    show(StatusCode::OK, &page)
}
