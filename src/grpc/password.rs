//! `PasswordService`: the reset of a forgotten password, and all that goes with it.

use super::answer::{checked, first_step, password_policy, pending, told_of_code};
use super::context::CallContext;
use super::read::{self, FieldViolations, Together as _};
use super::refusal::Refusal;
use super::wire;
use crate::domain::caller::Scope;
use crate::domain::destination::Destination;
use crate::domain::password::{Password, PasswordUnreadable};
use crate::pb;
use crate::pb::password_service_server::PasswordService;
use crate::service::Service;
use crate::service::change::Change;
use crate::service::confirm::Confirm;
use crate::service::error::ServiceError;
use crate::service::inspect::Subject;
use crate::service::request::LinkRequest;
use crate::service::sign_in::{SecondStep, SignIn};
use std::sync::Arc;
use tonic::{Request, Response, Status};

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
            .asked
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
        request: Request<pb::SendResetCodeRequest>,
    ) -> Answer<pb::SendResetCodeResponse> {
        let context = CallContext::of(&request)?;
        let pb::SendResetCodeRequest { token, client } = request.into_inner();
        let client = read::client(client)?;
        let call = context.call(Some(&client));
        let sent = self
            .service
            .send_reset_code(call, &token, &client)
            .await
            .map_err(Refusal::from)?;
        let (channel, destination, resend_after) = told_of_code(sent);
        Ok(Response::new(pb::SendResetCodeResponse {
            channel: channel.into(),
            destination,
            resend_after,
        }))
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
            second_factor_code: &request.second_factor_code,
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
        let destination = Destination::verified(profile, profile.second_factor.channel());
        Ok(Response::new(pb::GetSecurityInfoResponse {
            second_factor: wire::second_factor(profile.second_factor).into(),
            destination: destination.map(|to| to.masked).unwrap_or_default(),
            password_changed_at: account.password_changed_at.map(wire::timestamp),
            credential_version: account.credential_version.get(),
            sessions_valid_after: account.sessions_valid_after.map(wire::timestamp),
            recovery_codes_left: info.recovery_codes_left.into(),
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
        let step = self
            .service
            .sign_in(call, sign_in)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::VerifyPasswordResponse {
            outcome: Some(first_step(step)),
        }))
    }

    async fn send_sign_in_code(
        &self,
        request: Request<pb::SendSignInCodeRequest>,
    ) -> Answer<pb::SendSignInCodeResponse> {
        let context = CallContext::of(&request)?;
        let pb::SendSignInCodeRequest { challenge, client } = request.into_inner();
        let client = read::client(client)?;
        let call = context.call(Some(&client));
        let sent = self
            .service
            .send_sign_in_code(call, &challenge, &client)
            .await
            .map_err(Refusal::from)?;
        let (channel, destination, resend_after) = told_of_code(sent);
        Ok(Response::new(pb::SendSignInCodeResponse {
            channel: channel.into(),
            destination,
            resend_after,
        }))
    }

    async fn verify_second_factor(
        &self,
        request: Request<pb::VerifySecondFactorRequest>,
    ) -> Answer<pb::VerifySecondFactorResponse> {
        let context = CallContext::of(&request)?;
        let pb::VerifySecondFactorRequest {
            challenge,
            code,
            client,
        } = request.into_inner();
        // Nobody has tried anything with it.
        let code = if code.is_empty() {
            Err(FieldViolations::of("code", "must not be empty"))
        } else {
            Ok(code)
        };
        let (code, client) = (code, read::client(client)).together()?;
        let call = context.call(Some(&client));
        let step = SecondStep {
            challenge: &challenge,
            code: &code,
            client,
        };
        let signed_in = self
            .service
            .pass_second_step(call, step)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::VerifySecondFactorResponse {
            account_id: signed_in.account_id.to_string(),
            credential_version: signed_in.credential_version.get(),
            proof: signed_in.proof.expose().to_owned(),
        }))
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
