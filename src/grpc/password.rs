//! `PasswordService`: the reset of a forgotten password, and all that goes with it.

use super::context::CallContext;
use super::read::{self, FieldViolations, Together as _};
use super::refusal::Refusal;
use super::wire;
use crate::domain::account::SecondFactor;
use crate::domain::caller::Scope;
use crate::domain::password::{
    Judgement, MAX_BYTES, Password, PasswordUnreadable, Policy, Violation,
};
use crate::pb;
use crate::pb::password_service_server::PasswordService;
use crate::service::Service;
use crate::service::change::Change;
use crate::service::confirm::Confirm;
use crate::service::error::ServiceError;
use crate::service::inspect::Subject;
use crate::service::request::LinkRequest;
use crate::service::sign_in::SignIn;
use crate::store::PendingLink;
use std::sync::Arc;
use tonic::{Request, Response, Status};

const NOT_YET_CODES: &str = "codes by email and SMS are not available in this version";

/// `PasswordService`, in front of the use cases.
pub struct PasswordApi {
    service: Arc<Service>,
}

impl PasswordApi {
    /// The API of this service.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl PasswordService for PasswordApi {
    async fn request_reset(
        &self,
        request: Request<pb::RequestResetRequest>,
    ) -> Answer<pb::RequestResetResponse> {
        let context = CallContext::of(&request)?;
        let pb::RequestResetRequest {
            email,
            client,
            request_id,
        } = request.into_inner();
        let (email, client) = (read::email("email", &email), read::client(client)).together()?;
        let call = context.call(Some(&client));
        let request = LinkRequest {
            email,
            client,
            request_id: &request_id,
        };
        let lifetime = self
            .service
            .request_link(call, request)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::RequestResetResponse {
            link_lifetime: Some(wire::duration(lifetime)),
        }))
    }

    async fn inspect_reset(
        &self,
        request: Request<pb::InspectResetRequest>,
    ) -> Answer<pb::InspectResetResponse> {
        let pb::InspectResetRequest { token, client } = request.into_inner();
        let client = read::client(client)?;
        let live = self
            .service
            .inspect(&token, &client)
            .await
            .map_err(Refusal::from)?;
        let required_factor = live
            .required_factor()
            .map_or(pb::SecondFactor::Unspecified, wire::second_factor);
        Ok(Response::new(pb::InspectResetResponse {
            expires_at: Some(wire::timestamp(live.expires_at)),
            account_hint: live.email.masked(),
            required_factor: required_factor.into(),
            policy: Some(password_policy(&self.service.rules.policy)),
        }))
    }

    async fn send_reset_code(
        &self,
        _: Request<pb::SendResetCodeRequest>,
    ) -> Answer<pb::SendResetCodeResponse> {
        Err(Refusal::Unimplemented(NOT_YET_CODES).into())
    }

    async fn confirm_reset(
        &self,
        request: Request<pb::ConfirmResetRequest>,
    ) -> Answer<pb::ConfirmResetResponse> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let client = read::client(request.client)?;
        let new_password =
            Password::parse(request.new_password).map_err(|why| self.unreadable(why))?;
        let call = context.call(Some(&client));
        let confirm = Confirm {
            token: &request.token,
            new_password,
            client,
            request_id: &request.request_id,
            deadline: context.deadline,
        };
        let confirmation = self
            .service
            .confirm(call, confirm)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::ConfirmResetResponse {
            account_id: confirmation.account_id.to_string(),
            credential_version: confirmation.credential_version.get(),
            password_changed_at: Some(wire::timestamp(confirmation.password_changed_at)),
        }))
    }

    async fn cancel_reset(
        &self,
        request: Request<pb::CancelResetRequest>,
    ) -> Answer<pb::CancelResetResponse> {
        let context = CallContext::of(&request)?;
        let pb::CancelResetRequest {
            cancel_token,
            client,
        } = request.into_inner();
        let client = read::client(client)?;
        let call = context.call(Some(&client));
        self.service
            .cancel(call, &cancel_token, &client)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::CancelResetResponse {}))
    }

    async fn send_profile_reset_link(
        &self,
        request: Request<pb::SendProfileResetLinkRequest>,
    ) -> Answer<pb::SendProfileResetLinkResponse> {
        let context = CallContext::of(&request)?;
        let pb::SendProfileResetLinkRequest {
            account_id,
            client,
            request_id,
        } = request.into_inner();
        let (account_id, client) = (
            read::account_id("account_id", &account_id),
            read::client(client),
        )
            .together()?;
        let call = context.call(Some(&client));
        let queued = self
            .service
            .send_profile_link(call, account_id, &request_id)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::SendProfileResetLinkResponse {
            message_id: queued.message_id.to_string(),
            channel: wire::channel(queued.channel).into(),
            destination: queued.destination,
            expires_at: Some(wire::timestamp(queued.expires_at)),
        }))
    }

    async fn get_security_info(
        &self,
        request: Request<pb::GetSecurityInfoRequest>,
    ) -> Answer<pb::GetSecurityInfoResponse> {
        let account_id = read::account_id("account_id", &request.get_ref().account_id)?;
        let info = self
            .service
            .security_info(account_id)
            .await
            .map_err(Refusal::from)?;
        let (account, profile) = (&info.account, &info.account.profile);
        let destination = match (profile.second_factor, &profile.phone) {
            (SecondFactor::Sms, Some(phone)) => phone.masked(),
            _ => profile.email.masked(),
        };
        Ok(Response::new(pb::GetSecurityInfoResponse {
            second_factor: wire::second_factor(profile.second_factor).into(),
            destination,
            password_changed_at: account.password_changed_at.map(wire::timestamp),
            credential_version: account.credential_version.get(),
            sessions_valid_after: account.sessions_valid_after.map(wire::timestamp),
            recovery_codes_left: 0,
            pending: info.pending.into_iter().map(pending).collect(),
        }))
    }

    async fn check_password(
        &self,
        request: Request<pb::CheckPasswordRequest>,
    ) -> Answer<pb::CheckPasswordResponse> {
        use pb::check_password_request::Subject as Wanted;
        let context = CallContext::of(&request)?;
        let pb::CheckPasswordRequest {
            password: typed,
            subject,
            client,
        } = request.into_inner();
        let wanted = subject
            .ok_or_else(|| FieldViolations::of("subject", "must be a token or an account_id"));
        let (wanted, client) = (wanted, read::client(client)).together()?;
        let subject = match &wanted {
            Wanted::Token(token) => {
                context.caller.require(&Scope::Reset)?;
                Subject::Token(token)
            }
            Wanted::AccountId(account_id) => {
                context.caller.require(&Scope::Profile)?;
                Subject::Account(read::account_id("account_id", account_id)?)
            }
        };
        let judgement = self
            .service
            .check_password(subject, Password::parse(typed), &client, context.deadline)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(checked(judgement)))
    }

    async fn verify_password(
        &self,
        request: Request<pb::VerifyPasswordRequest>,
    ) -> Answer<pb::VerifyPasswordResponse> {
        let context = CallContext::of(&request)?;
        let pb::VerifyPasswordRequest {
            email,
            password,
            client,
        } = request.into_inner();
        let (email, client) = (read::email("email", &email), read::client(client)).together()?;
        let call = context.call(Some(&client));
        let sign_in = SignIn {
            email,
            password: typed(password),
            client,
            deadline: context.deadline,
        };
        let signed_in = self
            .service
            .sign_in(call, sign_in)
            .await
            .map_err(Refusal::from)?;
        let signed_in = pb::SignedIn {
            account_id: signed_in.account_id.to_string(),
            credential_version: signed_in.credential_version.get(),
            proof: signed_in.proof.expose().to_owned(),
        };
        let outcome = pb::verify_password_response::Outcome::SignedIn(signed_in);
        Ok(Response::new(pb::VerifyPasswordResponse {
            outcome: Some(outcome),
        }))
    }

    async fn send_sign_in_code(
        &self,
        _: Request<pb::SendSignInCodeRequest>,
    ) -> Answer<pb::SendSignInCodeResponse> {
        Err(Refusal::Unimplemented(NOT_YET_CODES).into())
    }

    async fn verify_second_factor(
        &self,
        _: Request<pb::VerifySecondFactorRequest>,
    ) -> Answer<pb::VerifySecondFactorResponse> {
        Err(Refusal::Unimplemented(NOT_YET_CODES).into())
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Answer<pb::ChangePasswordResponse> {
        let context = CallContext::of(&request)?;
        let pb::ChangePasswordRequest {
            account_id,
            current_password,
            new_password,
            client,
            request_id,
        } = request.into_inner();
        let (account_id, client) = (
            read::account_id("account_id", &account_id),
            read::client(client),
        )
            .together()?;
        let new_password = Password::parse(new_password).map_err(|why| self.unreadable(why))?;
        let call = context.call(Some(&client));
        let change = Change {
            account_id,
            current_password: typed(current_password),
            new_password,
            client,
            request_id: &request_id,
            deadline: context.deadline,
        };
        let confirmation = self
            .service
            .change_password(call, change)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::ChangePasswordResponse {
            credential_version: confirmation.credential_version.get(),
            password_changed_at: Some(wire::timestamp(confirmation.password_changed_at)),
        }))
    }

    async fn end_sessions(
        &self,
        request: Request<pb::EndSessionsRequest>,
    ) -> Answer<pb::EndSessionsResponse> {
        let context = CallContext::of(&request)?;
        let account_id = read::account_id("account_id", &request.get_ref().account_id)?;
        let valid_after = self
            .service
            .end_sessions(context.call(None), account_id)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::EndSessionsResponse {
            sessions_valid_after: Some(wire::timestamp(valid_after)),
        }))
    }
}

impl PasswordApi {
    /// A new password that cannot even be read is refused by the policy before anything else is looked at.
    fn unreadable(&self, why: PasswordUnreadable) -> Refusal {
        ServiceError::PasswordRejected(self.service.rules.policy.judge_unreadable(why)).into()
    }
}

/// A present password. One that cannot be read is as wrong as any other, and costs the same.
fn typed(password: String) -> Password {
    Password::parse(password).unwrap_or_else(|_| Password::nobodys())
}

fn password_policy(policy: &Policy) -> pb::PasswordPolicy {
    pb::PasswordPolicy {
        min_length: small(policy.min_length()),
        max_length: small(Policy::MAX_LENGTH),
        max_bytes: small(MAX_BYTES),
        min_strength: policy.min_score().into(),
    }
}

fn checked(judgement: Judgement) -> pb::CheckPasswordResponse {
    let violation = |violation: Violation| pb::PasswordViolation {
        rule: violation.rule.name().to_owned(),
        description: violation.description.into_owned(),
    };
    pb::CheckPasswordResponse {
        violations: judgement.violations.into_iter().map(violation).collect(),
        score: judgement.score.into(),
        suggestions: judgement
            .suggestions
            .iter()
            .map(|each| each.as_str().to_owned())
            .collect(),
    }
}

fn pending(link: PendingLink) -> pb::PendingMessage {
    pb::PendingMessage {
        message_id: link.message_id.to_string(),
        channel: wire::channel(link.channel).into(),
        destination: link.destination,
        requested_at: Some(wire::timestamp(link.requested_at)),
        expires_at: Some(wire::timestamp(link.expires_at)),
        delivery_state: wire::delivery_state(link.state).into(),
    }
}

/// A length that is far below 2^31.
fn small(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
