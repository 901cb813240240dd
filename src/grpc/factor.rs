//! `FactorService`: second factors and the addresses that serve them.

use super::context::CallContext;
use super::read::{self, FieldViolations, Read, Together as _};
use super::refusal::Refusal;
use crate::domain::new_address::NewAddress;
use crate::domain::recovery_code::RecoveryCode;
use crate::pb;
use crate::pb::factor_service_server::FactorService;
use crate::service::Service;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

/// `FactorService`, in front of the use cases.
pub struct FactorApi {
    service: Arc<Service>,
}

impl FactorApi {
    /// The API of this service.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl FactorService for FactorApi {
    async fn begin_totp_enrolment(
        &self,
        request: Request<pb::BeginTotpEnrolmentRequest>,
    ) -> Answer<pb::BeginTotpEnrolmentResponse> {
        let call = CallContext::of(&request)?.call(None);
        let pb::BeginTotpEnrolmentRequest { account_id, proof } = request.into_inner();
        let proof = Zeroizing::new(proof);
        let account_id = read::account_id("account_id", &account_id)?;
        let app = self
            .service
            .begin_totp_enrolment(call, account_id, &proof)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::BeginTotpEnrolmentResponse {
            otpauth_uri: app.uri.to_string(),
            secret: app.secret.base32().to_string(),
        }))
    }

    async fn finish_totp_enrolment(
        &self,
        request: Request<pb::FinishTotpEnrolmentRequest>,
    ) -> Answer<pb::FinishTotpEnrolmentResponse> {
        let call = CallContext::of(&request)?.call(None);
        let pb::FinishTotpEnrolmentRequest { account_id, code } = request.into_inner();
        let code = Zeroizing::new(code);
        let account_id = read::account_id("account_id", &account_id)?;
        let codes = self
            .service
            .finish_totp_enrolment(call, account_id, &code)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::FinishTotpEnrolmentResponse {
            recovery_codes: texts(&codes),
        }))
    }

    async fn set_second_factor(
        &self,
        request: Request<pb::SetSecondFactorRequest>,
    ) -> Answer<pb::SetSecondFactorResponse> {
        const FIELD: &str = "second_factor";
        let call = CallContext::of(&request)?.call(None);
        let pb::SetSecondFactorRequest {
            account_id,
            proof,
            second_factor,
        } = request.into_inner();
        let proof = Zeroizing::new(proof);
        let required = |factor: Option<_>| {
            factor.ok_or_else(|| FieldViolations::of(FIELD, "must be EMAIL, SMS or TOTP"))
        };
        let (account_id, second_factor) = (
            read::account_id("account_id", &account_id),
            read::second_factor(FIELD, second_factor).and_then(required),
        )
            .together()?;
        self.service
            .set_second_factor(call, account_id, &proof, second_factor)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::SetSecondFactorResponse {}))
    }

    async fn renew_recovery_codes(
        &self,
        request: Request<pb::RenewRecoveryCodesRequest>,
    ) -> Answer<pb::RenewRecoveryCodesResponse> {
        let call = CallContext::of(&request)?.call(None);
        let pb::RenewRecoveryCodesRequest { account_id, proof } = request.into_inner();
        let proof = Zeroizing::new(proof);
        let account_id = read::account_id("account_id", &account_id)?;
        let codes = self
            .service
            .renew_recovery_codes(call, account_id, &proof)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::RenewRecoveryCodesResponse {
            recovery_codes: texts(&codes),
        }))
    }

    async fn begin_address_verification(
        &self,
        request: Request<pb::BeginAddressVerificationRequest>,
    ) -> Answer<pb::BeginAddressVerificationResponse> {
        let call = CallContext::of(&request)?.call(None);
        let pb::BeginAddressVerificationRequest {
            account_id,
            proof,
            address,
        } = request.into_inner();
        let proof = Zeroizing::new(proof);
        let (account_id, address) = (
            read::account_id("account_id", &account_id),
            new_address(address),
        )
            .together()?;
        self.service
            .begin_address_verification(call, account_id, &proof, &address)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::BeginAddressVerificationResponse {}))
    }

    async fn finish_address_verification(
        &self,
        request: Request<pb::FinishAddressVerificationRequest>,
    ) -> Answer<pb::FinishAddressVerificationResponse> {
        let call = CallContext::of(&request)?.call(None);
        let pb::FinishAddressVerificationRequest { account_id, code } = request.into_inner();
        let code = Zeroizing::new(code);
        let account_id = read::account_id("account_id", &account_id)?;
        let version = self
            .service
            .finish_address_verification(call, account_id, &code)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::FinishAddressVerificationResponse {
            credential_version: version.get(),
        }))
    }
}

/// The one address that is to be verified.
fn new_address(
    address: Option<pb::begin_address_verification_request::Address>,
) -> Read<NewAddress> {
    use pb::begin_address_verification_request::Address;
    match address {
        Some(Address::Email(email)) => read::email("email", &email).map(NewAddress::Email),
        Some(Address::Phone(phone)) => read::phone("phone", &phone)?
            .map(NewAddress::Phone)
            .ok_or_else(|| FieldViolations::of("phone", "is required")),
        None => Err(FieldViolations::of(
            "address",
            "must be an email or a phone",
        )),
    }
}

/// The codes as their owner is shown them.
fn texts(codes: &[RecoveryCode]) -> Vec<String> {
    codes.iter().map(|code| code.text().to_string()).collect()
}
