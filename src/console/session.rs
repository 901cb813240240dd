//! Who is signed in, asked anew at every request: a reset elsewhere ends a session at its next one, and where Relatch does
//! not answer nobody is let in.

use super::Console;
use super::cookies::Cookie;
use super::problem::Problem;
use super::refused::Refused;
use super::sessions::{IdHash, Session};
use super::shell::{see, with_cookie};
use super::visit::Visit;
use crate::pb::{GetSecurityInfoRequest, GetSecurityInfoResponse};
use crate::random;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use prost_types::Timestamp;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Somebody who is signed in, and what Relatch says of their account at this moment.
pub(super) struct SignedIn {
    pub(super) id: IdHash,
    pub(super) account_id: String,
    pub(super) info: GetSecurityInfoResponse,
}

impl FromRequestParts<Arc<Console>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Response> {
        let Some(visit) = parts.extensions.get::<Visit>() else {
            return Err(Problem::Fault.bare());
        };
        match console.signed_in(&parts.headers).await {
            Ok(Some(signed_in)) => Ok(signed_in),
            Ok(None) => Err(signed_out(console, "/sign-in")),
            Err(problem) => Err(problem.page(console, visit)),
        }
    }
}

/// Leads somebody who is not signed in, or not any more, to this page.
pub(super) fn signed_out(console: &Console, path: &'static str) -> Response {
    with_cookie(see(path), Cookie::Session, None, console.secure)
}

/// A moment in nanoseconds, so that it can be compared; 0 is none.
fn nanoseconds(moment: Option<&Timestamp>) -> i64 {
    moment.map_or(0, |moment| {
        moment
            .seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(moment.nanos.into())
    })
}

/// Whether nothing has ended the sessions of the account since this one began.
fn is_as_it_was(session: &Session, info: &GetSecurityInfoResponse) -> bool {
    info.credential_version == session.credential_version
        && nanoseconds(info.sessions_valid_after.as_ref()) == session.valid_after
}

fn hashed(id: &str) -> IdHash {
    Sha256::digest(id).into()
}

impl Console {
    fn now(&self) -> i64 {
        self.clock.now().as_micros() / 1_000_000
    }

    /// The session of a request, if it is not over.
    async fn signed_in(&self, headers: &HeaderMap) -> Result<Option<SignedIn>, Problem> {
        let Some(id) = Cookie::Session.of(headers, self.secure) else {
            return Ok(None);
        };
        let id = hashed(id);
        let found = self.sessions.find(id, self.now()).await;
        let Some(session) = found.map_err(failed)? else {
            return Ok(None);
        };
        let info = match self.security_info(&session.account_id).await {
            Ok(info) => info,
            Err(Refused::NoAccount) => return self.over(id).await,
            Err(refused) => return Err(Problem::from(&refused)),
        };
        if !is_as_it_was(&session, &info) {
            return self.over(id).await;
        }
        Ok(Some(SignedIn {
            id,
            account_id: session.account_id,
            info,
        }))
    }

    async fn over(&self, id: IdHash) -> Result<Option<SignedIn>, Problem> {
        self.end_session(&id).await?;
        Ok(None)
    }

    async fn security_info(&self, account_id: &str) -> Result<GetSecurityInfoResponse, Refused> {
        let asked = GetSecurityInfoRequest {
            account_id: account_id.to_owned(),
        };
        let info = self.relatch.passwords().get_security_info(asked).await?;
        Ok(info.into_inner())
    }

    /// Begins a session of the account whose credentials have this version; `None` if they have moved on meanwhile.
    /// `proof` is what was proved by it. The answer is the id that the browser keeps.
    pub(super) async fn begin_session(
        &self,
        account_id: String,
        credential_version: i64,
        proof: Option<String>,
    ) -> Result<Option<String>, Problem> {
        let info = self.security_info(&account_id).await;
        let info = info.map_err(|refused| Problem::from(&refused))?;
        if info.credential_version != credential_version {
            return Ok(None);
        }
        let drawn = random::array::<32>(&*self.random).map_err(failed)?;
        let id = BASE64URL_NOPAD.encode(&drawn);
        let session = Session {
            account_id,
            credential_version,
            valid_after: nanoseconds(info.sessions_valid_after.as_ref()),
        };
        let begun = self.sessions.begin(hashed(&id), session, self.now()).await;
        begun.map_err(failed)?;
        if let Some(proof) = proof {
            self.proofs.keep(hashed(&id), proof);
        }
        Ok(Some(id))
    }

    /// `page`, for somebody who has changed their credentials by themselves, which have this version now: their session
    /// goes on under another id, and whoever else is signed in is not any more. `None` if it cannot go on.
    pub(super) async fn go_on(
        &self,
        signed_in: SignedIn,
        credential_version: i64,
        page: Response,
    ) -> Option<Response> {
        // The change is made whatever becomes of the session: who cannot go on signs in anew.
        self.end_session(&signed_in.id).await.ok()?;
        let begun = self.begin_session(signed_in.account_id, credential_version, None);
        let id = begun.await.ok()??;
        Some(with_cookie(page, Cookie::Session, Some(&id), self.secure))
    }

    /// Ends a session.
    pub(super) async fn end_session(&self, id: &IdHash) -> Result<(), Problem> {
        self.proofs.forget(id);
        self.sessions.end(*id).await.map_err(failed)
    }

    /// What somebody proved when they signed in, if that is good still.
    pub(super) fn proof(&self, signed_in: &SignedIn) -> Result<String, Refused> {
        let proof = self.proofs.of(&signed_in.id);
        proof
            .map(|proof| proof.to_string())
            .ok_or(Refused::ProofInvalid)
    }

    /// Ends the session that a request came with, whoever it belongs to.
    pub(super) async fn end_session_of(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match Cookie::Session.of(headers, self.secure) {
            Some(id) => self.end_session(&hashed(id)).await,
            None => Ok(()),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the console cannot keep its sessions");
    Problem::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_with_its_version_and_with_the_moment_that_sessions_are_good_from() {
        let session = Session {
            account_id: String::new(),
            credential_version: 3,
            valid_after: 5_000_000_001,
        };
        let moment = |seconds, nanos| Some(Timestamp { seconds, nanos });
        for (credential_version, sessions_valid_after, holds) in [
            (3, moment(5, 1), true),
            (4, moment(5, 1), false),
            (2, moment(5, 1), false),
            (3, moment(5, 2), false),
            (3, moment(6, 1), false),
            (3, None, false),
        ] {
            let info = GetSecurityInfoResponse {
                credential_version,
                sessions_valid_after,
                ..GetSecurityInfoResponse::default()
            };
            assert_eq!(is_as_it_was(&session, &info), holds, "{info:?}");
        }
    }
}
