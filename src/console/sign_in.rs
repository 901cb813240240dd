//! Signing in: the address first, then the password, then a code if a second factor asks for one.

use super::Console;
use super::cookies::Cookie;
use super::forms::{Address, Filled};
use super::problem::Problem;
use super::refused::Refused;
use super::reset::wrong_code;
use super::session::signed_out;
use super::shell::{Shell, see, show, with_cookie};
use super::visit::Visit;
use crate::pb::verify_password_response::Outcome;
use crate::pb::{
    Channel, SecondFactor, SendSignInCodeRequest, VerifyPasswordRequest, VerifySecondFactorRequest,
};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/sign-in", get(begin).post(named))
        .route("/sign-in/password", post(password))
        .route("/sign-in/code", post(code))
        .route("/sign-in/send-code", post(send_code))
        .route("/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct EmailPage<'a> {
    shell: Shell<'a>,
}

#[derive(Template)]
#[template(path = "console/password.html")]
struct PasswordPage<'a> {
    shell: Shell<'a>,
    email: &'a str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "console/code.html")]
struct CodePage<'a> {
    shell: Shell<'a>,
    pending: &'a Pending,
    by_app: bool,
    /// Seconds until a code can be sent again.
    wait: i64,
    error: Option<String>,
}

/// A sign-in that waits for its code, as its page says it to itself.
#[derive(Deserialize)]
struct Pending {
    challenge: Zeroizing<String>,
    /// The number of its second factor in the API.
    factor: i32,
    /// Where the code went, masked; empty if none was sent.
    destination: String,
}

impl CodePage<'_> {
    const fn label(&self) -> &'static str {
        if self.by_app {
            self.shell.say(
                "Code of your authenticator app",
                "Code Ihrer Authenticator-App",
            )
        } else {
            "Code"
        }
    }
}

impl Pending {
    /// Whether its code is a number and nothing else: no recovery code stands in for one by email.
    const fn is_number(&self) -> bool {
        self.factor == SecondFactor::Email as i32
    }
}

async fn begin(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    let shell = Shell::new(&console, &visit);
    show(StatusCode::OK, &EmailPage { shell })
}

/// Nothing is asked of Relatch yet: nobody learns from this step who has an account.
async fn named(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(Address { email }): Filled<Address>,
) -> Response {
    let page = PasswordPage {
        shell: Shell::new(&console, &visit),
        email: email.trim(),
        error: None,
    };
    show(StatusCode::OK, &page)
}

#[derive(Deserialize)]
struct Credentials {
    email: Zeroizing<String>,
    password: Zeroizing<String>,
}

async fn password(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    Filled(Credentials { email, password }): Filled<Credentials>,
) -> Response {
    let t = visit.language;
    let asked = VerifyPasswordRequest {
        email: email.trim().to_owned(),
        password: password.to_string(),
        client: visit.client(),
    };
    let answer = console.relatch.passwords().verify_password(asked).await;
    let refused = match answer.map(|answer| answer.into_inner().outcome) {
        Ok(Some(Outcome::SignedIn(passed))) => {
            let (account, version) = (passed.account_id, passed.credential_version);
            return enter(&console, &visit, &headers, account, version, passed.proof).await;
        }
        Ok(Some(Outcome::Pending(asked))) => {
            let pending = Pending {
                factor: asked.second_factor,
                destination: asked.destination,
                challenge: Zeroizing::new(asked.challenge),
            };
            let wait = asked.resend_after.unwrap_or_default().seconds;
            return ask_for_code(&console, &visit, StatusCode::OK, &pending, wait, None);
        }
        Ok(None) => Refused::Fault,
        Err(status) => Refused::from(status),
    };
    let problem = Problem::from(&refused);
    let (status, error) = match refused {
        // An address that cannot be read has no account either.
        Refused::CredentialsWrong | Refused::Unreadable => (
            StatusCode::UNPROCESSABLE_ENTITY,
            t.say(
                "Email or password is wrong. After several wrong ones there are pauses, in which the right one does not work either.",
                "E-Mail oder Passwort ist falsch. Nach mehreren falschen gibt es Pausen, in denen auch das richtige nicht geht.",
            )
            .to_owned(),
        ),
        Refused::TooOften(_) => (problem.status(), problem.text(t)),
        _ => return problem.page(&console, &visit),
    };
    let page = PasswordPage {
        shell: Shell::new(&console, &visit),
        email: email.trim(),
        error: Some(error),
    };
    problem.timed(show(status, &page))
}

fn ask_for_code(
    console: &Console,
    visit: &Visit,
    status: StatusCode,
    pending: &Pending,
    wait: i64,
    error: Option<String>,
) -> Response {
    let page = CodePage {
        shell: Shell::new(console, visit),
        pending,
        by_app: pending.factor == i32::from(SecondFactor::Totp),
        wait,
        error,
    };
    show(status, &page)
}

#[derive(Deserialize)]
struct Entered {
    code: Zeroizing<String>,
    challenge: Zeroizing<String>,
    factor: i32,
    destination: String,
}

async fn code(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    Filled(form): Filled<Entered>,
) -> Response {
    let asked = VerifySecondFactorRequest {
        challenge: form.challenge.to_string(),
        code: form.code.trim().to_owned(),
        client: visit.client(),
    };
    let pending = Pending {
        challenge: form.challenge,
        factor: form.factor,
        destination: form.destination,
    };
    match console
        .relatch
        .passwords()
        .verify_second_factor(asked)
        .await
    {
        Ok(passed) => {
            let passed = passed.into_inner();
            let (account, version) = (passed.account_id, passed.credential_version);
            enter(&console, &visit, &headers, account, version, passed.proof).await
        }
        Err(status) => {
            let refused = Refused::from(status);
            let problem = Problem::from(&refused);
            let (status, error) = match refused {
                // What cannot be a code is a wrong one.
                Refused::FactorWrong | Refused::Unreadable => (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    wrong_code(visit.language).to_owned(),
                ),
                Refused::TooOften(_) => (problem.status(), problem.text(visit.language)),
                _ => return problem.page(&console, &visit),
            };
            problem.timed(ask_for_code(
                &console,
                &visit,
                status,
                &pending,
                0,
                Some(error),
            ))
        }
    }
}

async fn send_code(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(pending): Filled<Pending>,
) -> Response {
    let asked = SendSignInCodeRequest {
        challenge: pending.challenge.to_string(),
        client: visit.client(),
    };
    match console.relatch.passwords().send_sign_in_code(asked).await {
        Ok(sent) => {
            let sent = sent.into_inner();
            let wait = sent.resend_after.unwrap_or_default().seconds;
            let pending = match sent.channel() {
                Channel::Unspecified => pending,
                Channel::Email | Channel::Sms => Pending {
                    destination: sent.destination,
                    ..pending
                },
            };
            ask_for_code(&console, &visit, StatusCode::OK, &pending, wait, None)
        }
        Err(status) => match Problem::from(&Refused::from(status)) {
            problem @ Problem::TooOften(_) => {
                let error = Some(problem.text(visit.language));
                let page = ask_for_code(&console, &visit, problem.status(), &pending, 0, error);
                problem.timed(page)
            }
            problem => problem.page(&console, &visit),
        },
    }
}

/// Begins a session under a new id, whatever the browser had before.
async fn enter(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    account_id: String,
    credential_version: i64,
    proof: String,
) -> Response {
    let begun = async {
        console.end_session_of(headers).await?;
        console
            .begin_session(account_id, credential_version, Some(proof))
            .await
    };
    match begun.await {
        Ok(Some(id)) => with_cookie(see("/security"), Cookie::Session, Some(&id), console.secure),
        // Something changed the credentials in this very moment.
        Ok(None) => Problem::SignInOver.page(console, visit),
        Err(problem) => problem.page(console, visit),
    }
}

async fn sign_out(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    Filled(_): Filled<super::forms::Pressed>,
) -> Response {
    match console.end_session_of(&headers).await {
        Ok(()) => signed_out(&console, "/sign-in"),
        Err(problem) => problem.page(&console, &visit),
    }
}
