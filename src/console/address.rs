//! Another email or phone, proved by a code that is sent there. Until the code is entered the account stays as it is; then the
//! session goes on under another id, and every other one ends.

use super::Console;
use super::forms::Filled;
use super::language::Language;
use super::problem::Problem;
use super::refused::Refused;
use super::reset::wrong_code;
use super::session::{SignedIn, signed_out};
use super::shell::{Shell, show};
use super::visit::Visit;
use crate::pb::begin_address_verification_request::Address;
use crate::pb::{BeginAddressVerificationRequest, FinishAddressVerificationRequest};
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
        .route("/security/address", get(page))
        .route(
            "/security/email",
            post(|console, visit, whose, typed| begin(Way::Email, console, visit, whose, typed)),
        )
        .route(
            "/security/phone",
            post(|console, visit, whose, typed| begin(Way::Phone, console, visit, whose, typed)),
        )
        .route("/security/address/code", get(code_page).post(finish))
}

/// What is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Email,
    Phone,
}

impl Way {
    const fn action(self) -> &'static str {
        match self {
            Self::Email => "/security/email",
            Self::Phone => "/security/phone",
        }
    }

    fn address(self, typed: &str) -> Address {
        match self {
            Self::Email => Address::Email(typed.to_owned()),
            Self::Phone => Address::Phone(typed.to_owned()),
        }
    }

    const fn unreadable(self, t: Language) -> &'static str {
        match self {
            Self::Email => t.say(
                "This is not an email address. Write it as in ada@example.com.",
                "Das ist keine E-Mail-Adresse. Schreiben Sie sie wie ada@example.com.",
            ),
            Self::Phone => t.say(
                "This is not a phone number. Begin with + and the country, as in +44 20 7946 0000.",
                "Das ist keine Telefonnummer. Beginnen Sie mit + und dem Land, wie +49 30 123456.",
            ),
        }
    }
}

/// What was wrong with what somebody typed.
struct Wrong<'a> {
    way: Way,
    typed: &'a str,
    text: String,
}

#[derive(Template)]
#[template(path = "console/address.html")]
struct AddressPage<'a> {
    shell: Shell<'a>,
    /// Whether the sign-in is fresh enough to change anything.
    proved: bool,
    wrong: Option<Wrong<'a>>,
    error: Option<&'static str>,
}

impl AddressPage<'_> {
    fn wrong(&self, way: Way) -> Option<&Wrong<'_>> {
        self.wrong.as_ref().filter(|wrong| wrong.way == way)
    }

    fn typed(&self, way: Way) -> &str {
        self.wrong(way).map_or("", |wrong| wrong.typed)
    }
}

#[derive(Template)]
#[template(path = "console/address_code.html")]
struct CodePage<'a> {
    shell: Shell<'a>,
    /// Where the code went, as it was typed; absent once the page was left.
    sent: Option<(Way, &'a str)>,
    error: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "console/address_done.html")]
struct DonePage<'a> {
    shell: Shell<'a>,
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
    wrong: Option<Wrong<'_>>,
    error: Option<&'static str>,
) -> Response {
    let page = AddressPage {
        shell: Shell::signed_in(console, visit),
        proved: console.proof(signed_in).is_ok(),
        wrong,
        error,
    };
    show(status, &page)
}

#[derive(Deserialize)]
struct Typed {
    address: Zeroizing<String>,
}

async fn begin(
    way: Way,
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(typed): Filled<Typed>,
) -> Response {
    let (console, visit, signed_in) = (&*console, &visit, &signed_in);
    let typed = typed.address.trim();
    let begun = async {
        let asked = BeginAddressVerificationRequest {
            account_id: signed_in.account_id.clone(),
            proof: console.proof(signed_in)?,
            address: Some(way.address(typed)),
        };
        let mut factors = console.relatch.factors();
        factors.begin_address_verification(asked).await?;
        Ok::<_, Refused>(())
    };
    let Err(refused) = begun.await else {
        return code_form(console, visit, StatusCode::OK, Some((way, typed)), None);
    };
    let t = visit.language;
    let problem = Problem::from(&refused);
    let (status, text) = match refused {
        Refused::ProofInvalid => {
            console.proofs.forget(&signed_in.id);
            return form(console, visit, signed_in, StatusCode::FORBIDDEN, None, None);
        }
        Refused::Unreadable => (
            StatusCode::UNPROCESSABLE_ENTITY,
            way.unreadable(t).to_owned(),
        ),
        Refused::NoWay => (
            StatusCode::CONFLICT,
            t.say(
                "No text messages are sent here, so a phone is of no use.",
                "Von hier werden keine SMS gesendet, ein Telefon nützt also nichts.",
            )
            .to_owned(),
        ),
        Refused::TooOften(_) => (problem.status(), problem.text(t)),
        _ => return problem.page(console, visit),
    };
    let wrong = Wrong { way, typed, text };
    problem.timed(form(console, visit, signed_in, status, Some(wrong), None))
}

async fn code_page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    _: SignedIn,
) -> Response {
    code_form(&console, &visit, StatusCode::OK, None, None)
}

fn code_form(
    console: &Console,
    visit: &Visit,
    status: StatusCode,
    sent: Option<(Way, &str)>,
    error: Option<&'static str>,
) -> Response {
    let page = CodePage {
        shell: Shell::signed_in(console, visit),
        sent,
        error,
    };
    show(status, &page)
}

#[derive(Deserialize)]
struct Entered {
    code: Zeroizing<String>,
}

async fn finish(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    signed_in: SignedIn,
    Filled(Entered { code }): Filled<Entered>,
) -> Response {
    let t = visit.language;
    let asked = FinishAddressVerificationRequest {
        account_id: signed_in.account_id.clone(),
        code: code.to_string(),
    };
    let mut factors = console.relatch.factors();
    let finished = factors.finish_address_verification(asked).await;
    let refused = match finished.map_err(Refused::from) {
        Ok(finished) => {
            let page = DonePage {
                shell: Shell::signed_in(&console, &visit),
            };
            let page = show(StatusCode::OK, &page);
            let version = finished.into_inner().credential_version;
            let gone_on = console.go_on(signed_in, version, page).await;
            return gone_on.unwrap_or_else(|| signed_out(&console, "/sign-in"));
        }
        Err(refused) => refused,
    };
    let (status, error) = match refused {
        Refused::FactorWrong | Refused::Unreadable => {
            let wrong = Some(wrong_code(t));
            return code_form(
                &console,
                &visit,
                StatusCode::UNPROCESSABLE_ENTITY,
                None,
                wrong,
            );
        }
        Refused::ChallengeInvalid => (
            StatusCode::GONE,
            t.say(
                "That took too long or too many tries, and nothing was changed. Send a new code.",
                "Das hat zu lange gedauert oder zu viele Versuche gebraucht, und es wurde nichts geändert. Senden Sie einen neuen Code.",
            ),
        ),
        // Told only to who can read mail there.
        Refused::EmailTaken => (
            StatusCode::CONFLICT,
            t.say(
                "You have another account with this email, and nothing was changed. Choose another email, or sign in to that account.",
                "Sie haben ein anderes Konto mit dieser E-Mail-Adresse, und es wurde nichts geändert. Wählen Sie eine andere oder melden Sie sich bei jenem Konto an.",
            ),
        ),
        refused => return Problem::from(&refused).page(&console, &visit),
    };
    form(&console, &visit, &signed_in, status, None, Some(error))
}
