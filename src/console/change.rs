//! Changing the password by the present one. The session goes on under another id; every other one ends.

use super::Console;
use super::forgot::request_id;
use super::forms::Filled;
use super::new_password::{Fields, Try, Wrong, checked};
use super::problem::Problem;
use super::refused::Refused;
use super::session::{SignedIn, signed_out};
use super::shell::{Shell, see, show};
use super::visit::Visit;
use crate::pb::check_password_request::Subject;
use crate::pb::{ChangePasswordRequest, CheckPasswordRequest};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/security/password", get(page).post(change))
        .route("/security/password/check", post(check))
}

#[derive(Template)]
#[template(path = "console/change.html")]
struct ChangePage<'a> {
    shell: Shell<'a>,
    fields: Fields,
    /// What was wrong with the present password.
    present_error: Option<String>,
    request_id: String,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
) -> Response {
    form(&console, &visit, &signed_in, StatusCode::OK, None, None)
}

fn form(
    console: &Console,
    visit: &Visit,
    signed_in: &SignedIn,
    status: StatusCode,
    wrong: Option<&Wrong>,
    present_error: Option<String>,
) -> Response {
    let page = ChangePage {
        shell: Shell::signed_in(console, visit),
        fields: Fields::new(
            signed_in.info.policy.as_ref(),
            "/security/password/check",
            wrong,
            visit.language,
        ),
        present_error,
        request_id: request_id(console),
    };
    show(status, &page)
}

async fn check(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(Try { password, .. }): Filled<Try>,
) -> Response {
    let asked = CheckPasswordRequest {
        password: password.to_string(),
        subject: Some(Subject::AccountId(signed_in.account_id)),
        client: visit.client(),
    };
    let answer = console.relatch.passwords().check_password(asked).await;
    let answer = answer.map(tonic::Response::into_inner);
    match checked(answer.map_err(Refused::from), visit.language) {
        Ok(told) => told,
        Err(refused) => Problem::from(&refused).page(&console, &visit),
    }
}

#[derive(Deserialize)]
struct Changed {
    present: Zeroizing<String>,
    password: Zeroizing<String>,
    repeated: Zeroizing<String>,
    request_id: String,
}

async fn change(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(changed): Filled<Changed>,
) -> Response {
    const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let t = visit.language;
    if changed.password != changed.repeated {
        return form(
            &console,
            &visit,
            &signed_in,
            WRONG,
            Some(&Wrong::Differs),
            None,
        );
    }
    let asked = ChangePasswordRequest {
        account_id: signed_in.account_id.clone(),
        current_password: changed.present.to_string(),
        new_password: changed.password.to_string(),
        client: visit.client(),
        request_id: changed.request_id,
    };
    let version = match console.relatch.passwords().change_password(asked).await {
        Ok(changed) => changed.into_inner().credential_version,
        Err(status) => {
            let refused = Refused::from(status);
            let problem = Problem::from(&refused);
            return match refused {
                Refused::PasswordRejected(rules) => form(
                    &console,
                    &visit,
                    &signed_in,
                    WRONG,
                    Some(&Wrong::Rejected(rules)),
                    None,
                ),
                Refused::CredentialsWrong => {
                    let error = t.say(
                        "Your present password is not this one.",
                        "Ihr jetziges Passwort lautet anders.",
                    );
                    form(
                        &console,
                        &visit,
                        &signed_in,
                        WRONG,
                        None,
                        Some(error.to_owned()),
                    )
                }
                Refused::TooOften(_) => {
                    let error = Some(problem.text(t));
                    problem.timed(form(
                        &console,
                        &visit,
                        &signed_in,
                        problem.status(),
                        None,
                        error,
                    ))
                }
                _ => problem.page(&console, &visit),
            };
        }
    };
    let gone_on = console.go_on(signed_in, version, see("/security")).await;
    gone_on.unwrap_or_else(|| signed_out(&console, "/sign-in"))
}
