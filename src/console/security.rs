//! Profile → Security: the method, the way a link goes and what became of it, and the way out.

use super::Console;
use super::forgot::request_id;
use super::forms::{Filled, Pressed};
use super::language::Language;
use super::problem::Problem;
use super::refused::Refused;
use super::session::{SignedIn, signed_out};
use super::shell::{Shell, see, show};
use super::visit::Visit;
use super::words;
use crate::pb::{
    EndSessionsRequest, GetSecurityInfoResponse, PendingMessage, SecondFactor,
    SendProfileResetLinkRequest,
};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/security", get(page))
        .route("/security/link", post(send_link))
        .route("/sign-out-everywhere", post(sign_out_everywhere))
}

#[derive(Template)]
#[template(path = "console/security.html")]
struct SecurityPage<'a> {
    shell: Shell<'a>,
    info: &'a GetSecurityInfoResponse,
    error: Option<String>,
    request_id: String,
}

impl SecurityPage<'_> {
    const fn t(&self) -> Language {
        self.shell.visit.language
    }

    fn factor(&self) -> &'static str {
        words::factor(self.info.second_factor(), self.t())
    }

    /// Whether lost codes have to be stood in for.
    fn has_recovery_codes(&self) -> bool {
        matches!(
            self.info.second_factor(),
            SecondFactor::Sms | SecondFactor::Totp
        )
    }

    fn changed(&self) -> Option<String> {
        let changed = self.info.password_changed_at.as_ref()?;
        Some(words::day_and_time(changed.seconds, self.t()))
    }

    fn requested(message: &PendingMessage) -> String {
        words::clock_time(words::seconds(message.requested_at.as_ref()))
    }

    fn expires(message: &PendingMessage) -> String {
        words::clock_time(words::seconds(message.expires_at.as_ref()))
    }

    fn way(&self, message: &PendingMessage) -> &'static str {
        words::by(message.channel(), self.t())
    }

    fn state(&self, message: &PendingMessage) -> &'static str {
        words::state(message.delivery_state(), self.t())
    }
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
) -> Response {
    shown(&console, &visit, &signed_in, StatusCode::OK, None)
}

fn shown(
    console: &Console,
    visit: &Visit,
    signed_in: &SignedIn,
    status: StatusCode,
    error: Option<String>,
) -> Response {
    let page = SecurityPage {
        shell: Shell::signed_in(console, visit),
        info: &signed_in.info,
        error,
        request_id: request_id(console),
    };
    show(status, &page)
}

#[derive(Deserialize)]
struct Ordered {
    request_id: String,
}

async fn send_link(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(Ordered { request_id }): Filled<Ordered>,
) -> Response {
    let t = visit.language;
    let asked = SendProfileResetLinkRequest {
        account_id: signed_in.account_id.clone(),
        client: visit.client(),
        request_id,
    };
    let mut passwords = console.relatch.passwords();
    let Err(status) = passwords.send_profile_reset_link(asked).await else {
        return see("/security");
    };
    let refused = Refused::from(status);
    let problem = Problem::from(&refused);
    let (status, error) = match refused {
        Refused::NoWay => (
            StatusCode::CONFLICT,
            t.say(
                "There is no verified address that a link could go to. Ask for help.",
                "Es gibt keine bestätigte Adresse, an die ein Link gehen könnte. Fragen Sie um Hilfe.",
            )
            .to_owned(),
        ),
        Refused::TooOften(_) => (problem.status(), problem.text(t)),
        _ => return problem.page(&console, &visit),
    };
    problem.timed(shown(&console, &visit, &signed_in, status, Some(error)))
}

async fn sign_out_everywhere(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(_): Filled<Pressed>,
) -> Response {
    let asked = EndSessionsRequest {
        account_id: signed_in.account_id,
    };
    if let Err(status) = console.relatch.passwords().end_sessions(asked).await {
        return Problem::from(&Refused::from(status)).page(&console, &visit);
    }
    match console.end_session(&signed_in.id).await {
        Ok(()) => signed_out(&console, "/sign-in"),
        Err(problem) => problem.page(&console, &visit),
    }
}
