//! Choosing a new password by a link. GET uses nothing up: whoever opens or pre-fetches the page has done nothing.

use super::Console;
use super::forgot::request_id;
use super::forms::{Filled, Token};
use super::new_password::{Fields, Try, Wrong, checked};
use super::problem::Problem;
use super::refused::Refused;
use super::shell::{Shell, see, show};
use super::visit::Visit;
use super::words::{clock_time, seconds};
use crate::pb::check_password_request::Subject;
use crate::pb::{
    CheckPasswordRequest, ConfirmResetRequest, InspectResetRequest, InspectResetResponse,
    SecondFactor, SendResetCodeRequest,
};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/reset", get(link).post(open))
        .route("/reset/check", post(check))
        .route("/reset/send-code", post(send_code))
        .route("/reset/password", post(confirm))
        .route("/reset/done", get(done))
}

/// Where a link leads: its token stands in the fragment, which no server sees.
#[derive(Template)]
#[template(path = "console/reset_link.html")]
struct LinkPage<'a> {
    shell: Shell<'a>,
}

#[derive(Template)]
#[template(path = "console/reset.html")]
struct ResetPage<'a> {
    shell: Shell<'a>,
    token: &'a str,
    account: &'a str,
    until: i64,
    fields: Fields,
    /// The second factor that is asked for.
    factor: Option<SecondFactor>,
    code_error: Option<String>,
    /// What became of a code that was asked for.
    code_told: Option<String>,
    request_id: String,
}

impl ResetPage<'_> {
    fn is_sms(&self) -> bool {
        self.factor == Some(SecondFactor::Sms)
    }

    fn end(&self) -> String {
        clock_time(self.until)
    }
}

#[derive(Template)]
#[template(path = "console/reset_done.html")]
struct DonePage<'a> {
    shell: Shell<'a>,
}

/// What there is to say on the form beside what it always says.
#[derive(Default)]
struct Said {
    status: StatusCode,
    wrong: Option<Wrong>,
    code_error: Option<String>,
    code_told: Option<String>,
}

async fn link(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    let shell = Shell::new(&console, &visit);
    show(StatusCode::OK, &LinkPage { shell })
}

async fn open(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(token): Filled<Token>,
) -> Response {
    form(&console, &visit, &token.of_link(), Said::default()).await
}

async fn inspect(
    console: &Console,
    visit: &Visit,
    token: &str,
) -> Result<InspectResetResponse, Refused> {
    let asked = InspectResetRequest {
        token: token.to_owned(),
        client: visit.client(),
    };
    Ok(console
        .relatch
        .passwords()
        .inspect_reset(asked)
        .await
        .map_err(unreadable_is_invalid)?
        .into_inner())
}

/// Text that is no token at all is a link that does not work, too.
fn unreadable_is_invalid(status: tonic::Status) -> Refused {
    match Refused::from(status) {
        Refused::Unreadable => Refused::LinkInvalid,
        refused => refused,
    }
}

async fn form(console: &Console, visit: &Visit, token: &str, said: Said) -> Response {
    let reset = match inspect(console, visit, token).await {
        Ok(reset) => reset,
        Err(refused) => return Problem::from(&refused).page(console, visit),
    };
    let factor = match reset.required_factor() {
        SecondFactor::Unspecified | SecondFactor::Email => None,
        factor => Some(factor),
    };
    let page = ResetPage {
        shell: Shell::about(console, visit, token),
        token,
        account: &reset.account_hint,
        until: seconds(reset.expires_at.as_ref()),
        fields: Fields::new(
            reset.policy.as_ref(),
            "/reset/check",
            said.wrong.as_ref(),
            visit.language,
        ),
        factor,
        code_error: said.code_error,
        code_told: said.code_told,
        request_id: request_id(console),
    };
    show(said.status, &page)
}

async fn check(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(Try { password, token }): Filled<Try>,
) -> Response {
    let asked = CheckPasswordRequest {
        password: password.to_string(),
        subject: Some(Subject::Token(token.to_string())),
        client: visit.client(),
    };
    let answer = console.relatch.passwords().check_password(asked).await;
    let answer = answer.map(tonic::Response::into_inner);
    match checked(answer.map_err(unreadable_is_invalid), visit.language) {
        Ok(told) => told,
        Err(refused) => Problem::from(&refused).page(&console, &visit),
    }
}

async fn send_code(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(Token { token }): Filled<Token>,
) -> Response {
    let t = visit.language;
    let asked = SendResetCodeRequest {
        token: token.to_string(),
        client: visit.client(),
    };
    let (told, wait) = match console.relatch.passwords().send_reset_code(asked).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            let sent = t.say("A code is on its way to", "Ein Code ist unterwegs an");
            let wait = answer.resend_after.unwrap_or_default().seconds;
            (format!("{sent} {}.", answer.destination), wait)
        }
        Err(status) => match Refused::from(status) {
            Refused::TooOften(delay) if !visit.by_script => (Problem::TooOften(delay).text(t), 60),
            refused => return Problem::from(&refused).page(&console, &visit),
        },
    };
    if visit.by_script {
        return Json(json!({ "told": told, "wait": wait })).into_response();
    }
    let said = Said {
        code_told: Some(told),
        ..Said::default()
    };
    form(&console, &visit, &token, said).await
}

#[derive(Deserialize)]
struct Chosen {
    token: Zeroizing<String>,
    password: Zeroizing<String>,
    repeated: Zeroizing<String>,
    #[serde(default)]
    code: Zeroizing<String>,
    request_id: String,
}

async fn confirm(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Filled(chosen): Filled<Chosen>,
) -> Response {
    let t = visit.language;
    let token = chosen.token.as_str();
    let said = if chosen.password == chosen.repeated {
        let asked = ConfirmResetRequest {
            token: token.to_owned(),
            new_password: chosen.password.to_string(),
            second_factor_code: chosen.code.trim().to_owned(),
            client: visit.client(),
            request_id: chosen.request_id,
        };
        let Err(status) = console.relatch.passwords().confirm_reset(asked).await else {
            return see("/reset/done");
        };
        match Refused::from(status) {
            Refused::PasswordRejected(rules) => Said {
                wrong: Some(Wrong::Rejected(rules)),
                ..Said::default()
            },
            Refused::FactorRequired => Said {
                code_error: Some(
                    t.say("Enter a code, too.", "Geben Sie auch einen Code ein.")
                        .to_owned(),
                ),
                ..Said::default()
            },
            Refused::FactorWrong => Said {
                code_error: Some(wrong_code(t).to_owned()),
                ..Said::default()
            },
            refused => return Problem::from(&refused).page(&console, &visit),
        }
    } else {
        Said {
            wrong: Some(Wrong::Differs),
            ..Said::default()
        }
    };
    let said = Said {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        ..said
    };
    form(&console, &visit, token, said).await
}

/// What is said to a wrong code, wherever one is asked for.
pub(super) const fn wrong_code(t: super::language::Language) -> &'static str {
    t.say(
        "This code is wrong, or it was used already. Five wrong ones end this.",
        "Dieser Code ist falsch oder wurde schon verwendet. Nach fünf falschen ist Schluss.",
    )
}

async fn done(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    let shell = Shell::new(&console, &visit);
    show(StatusCode::OK, &DonePage { shell })
}
