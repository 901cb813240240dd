//! Second factors: an authenticator app with its QR code, recovery codes, another factor. Each asks for a proof of the present
//! factor, which a sign-in gives for some minutes; and each change ends the sessions, this one too.

use super::Console;
use super::cookies::Cookie;
use super::forms::{Filled, Pressed};
use super::problem::Problem;
use super::refused::Refused;
use super::reset::wrong_code;
use super::session::SignedIn;
use super::shell::{Shell, show, with_cookie};
use super::visit::Visit;
use super::words;
use crate::pb::{
    BeginTotpEnrolmentRequest, FinishTotpEnrolmentRequest, RenewRecoveryCodesRequest, SecondFactor,
    SetSecondFactorRequest,
};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/security/factor", get(page).post(set))
        .route("/security/app", post(begin_app))
        .route("/security/app/code", post(finish_app))
        .route("/security/recovery-codes", post(renew_codes))
}

#[derive(Template)]
#[template(path = "console/factor.html")]
struct FactorPage<'a> {
    shell: Shell<'a>,
    present: SecondFactor,
    /// Whether the sign-in is fresh enough to change anything.
    proved: bool,
    error: Option<String>,
}

impl FactorPage<'_> {
    /// The numbers of factors in the API, for forms.
    const SMS: i32 = SecondFactor::Sms as i32;
    const EMAIL: i32 = SecondFactor::Email as i32;

    const fn present_name(&self) -> &'static str {
        words::factor(self.present, self.shell.language())
    }
}

#[derive(Template)]
#[template(path = "console/app.html")]
struct AppPage<'a> {
    shell: Shell<'a>,
    /// What is to be scanned and typed; absent once a wrong code was entered.
    secret: Option<(String, &'a str)>,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "console/factor_done.html")]
struct DonePage<'a> {
    shell: Shell<'a>,
    /// The new recovery codes, which are shown this once.
    codes: &'a [String],
    /// Whether the sessions have ended.
    ended: bool,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
) -> Response {
    choice(&console, &visit, &signed_in, StatusCode::OK, None)
}

fn choice(
    console: &Console,
    visit: &Visit,
    signed_in: &SignedIn,
    status: StatusCode,
    error: Option<String>,
) -> Response {
    let page = FactorPage {
        shell: Shell::signed_in(console, visit),
        present: signed_in.info.second_factor(),
        proved: console.proofs.of(&signed_in.id).is_some(),
        error,
    };
    show(status, &page)
}

/// What a change that needs a proof was refused with, as a page.
fn refused(console: &Console, visit: &Visit, signed_in: &SignedIn, refused: &Refused) -> Response {
    let t = visit.language;
    let problem = Problem::from(refused);
    let (status, error) = match refused {
        Refused::ProofInvalid => {
            console.proofs.forget(&signed_in.id);
            (StatusCode::FORBIDDEN, None)
        }
        Refused::Unreadable => (
            StatusCode::CONFLICT,
            Some(t.say(
                "This is not possible for your account. SMS needs a verified phone, and an app has to be set up first.",
                "Das geht für Ihr Konto nicht. SMS braucht ein bestätigtes Telefon, und eine App muss erst eingerichtet werden.",
            )),
        ),
        Refused::ChallengeInvalid => (
            StatusCode::GONE,
            Some(t.say(
                "That took too long or too many tries. Begin again.",
                "Das hat zu lange gedauert oder zu viele Versuche gebraucht. Beginnen Sie von vorn.",
            )),
        ),
        _ => return problem.page(console, visit),
    };
    choice(console, visit, signed_in, status, error.map(str::to_owned))
}

/// After a change: the recovery codes if there are new ones, and out.
async fn done(
    console: &Console,
    visit: &Visit,
    signed_in: &SignedIn,
    codes: &[String],
) -> Response {
    if let Err(problem) = console.end_session(&signed_in.id).await {
        // Relatch ended it already: the next request finds that out.
        tracing::debug!(?problem, "a session that is over could not be forgotten");
    }
    let page = DonePage {
        shell: Shell::new(console, visit),
        codes,
        ended: true,
    };
    let page = show(StatusCode::OK, &page);
    with_cookie(page, Cookie::Session, None, console.secure)
}

#[derive(Deserialize)]
struct Choice {
    factor: i32,
}

async fn set(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(Choice { factor }): Filled<Choice>,
) -> Response {
    let changed = async {
        let asked = SetSecondFactorRequest {
            account_id: signed_in.account_id.clone(),
            proof: console.proof(&signed_in)?,
            second_factor: factor,
        };
        console.relatch.factors().set_second_factor(asked).await?;
        Ok::<_, Refused>(())
    };
    match changed.await {
        Ok(()) => done(&console, &visit, &signed_in, &[]).await,
        Err(why) => refused(&console, &visit, &signed_in, &why),
    }
}

async fn begin_app(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(_): Filled<Pressed>,
) -> Response {
    let begun = async {
        let asked = BeginTotpEnrolmentRequest {
            account_id: signed_in.account_id.clone(),
            proof: console.proof(&signed_in)?,
        };
        let begun = console.relatch.factors().begin_totp_enrolment(asked).await;
        Ok::<_, Refused>(begun?.into_inner())
    };
    let begun = match begun.await {
        Ok(begun) => begun,
        Err(why) => return refused(&console, &visit, &signed_in, &why),
    };
    let Some(picture) = picture(&begun.otpauth_uri) else {
        return Problem::Fault.page(&console, &visit);
    };
    let page = AppPage {
        shell: Shell::signed_in(&console, &visit),
        secret: Some((picture, &begun.secret)),
        error: None,
    };
    show(StatusCode::OK, &page)
}

/// A QR code as an SVG that stands in the page itself.
fn picture(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(200, 200)
        .build();
    // Without the prologue, which a page must not have in its middle.
    let begin = picture.find("<svg")?;
    Some(picture[begin..].to_owned())
}

#[derive(Deserialize)]
struct FirstCode {
    code: Zeroizing<String>,
}

async fn finish_app(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(FirstCode { code }): Filled<FirstCode>,
) -> Response {
    let asked = FinishTotpEnrolmentRequest {
        account_id: signed_in.account_id.clone(),
        code: code.to_string(),
    };
    let finished = console.relatch.factors().finish_totp_enrolment(asked).await;
    match finished.map_err(Refused::from) {
        Ok(finished) => {
            let codes = finished.into_inner().recovery_codes;
            done(&console, &visit, &signed_in, &codes).await
        }
        Err(Refused::FactorWrong | Refused::Unreadable) => {
            let page = AppPage {
                shell: Shell::signed_in(&console, &visit),
                secret: None,
                error: Some(wrong_code(visit.language).to_owned()),
            };
            show(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(why) => refused(&console, &visit, &signed_in, &why),
    }
}

async fn renew_codes(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(_): Filled<Pressed>,
) -> Response {
    let renewed = async {
        let asked = RenewRecoveryCodesRequest {
            account_id: signed_in.account_id.clone(),
            proof: console.proof(&signed_in)?,
        };
        let renewed = console.relatch.factors().renew_recovery_codes(asked).await;
        Ok::<_, Refused>(renewed?.into_inner().recovery_codes)
    };
    match renewed.await {
        Ok(codes) => {
            let page = DonePage {
                shell: Shell::signed_in(&console, &visit),
                codes: &codes,
                ended: false,
            };
            show(StatusCode::OK, &page)
        }
        Err(why) => refused(&console, &visit, &signed_in, &why),
    }
}
