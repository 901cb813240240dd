//! `FactorService`: second factors and the addresses that serve them.

use super::refusal::Refusal;
use crate::pb::factor_service_server::FactorService;
use crate::pb::{
    BeginAddressVerificationRequest, BeginAddressVerificationResponse, BeginTotpEnrolmentRequest,
    BeginTotpEnrolmentResponse, FinishAddressVerificationRequest,
    FinishAddressVerificationResponse, FinishTotpEnrolmentRequest, FinishTotpEnrolmentResponse,
    RenewRecoveryCodesRequest, RenewRecoveryCodesResponse, SetSecondFactorRequest,
    SetSecondFactorResponse,
};
use tonic::{Request, Response, Status};

/// Answers every call UNIMPLEMENTED: this version knows email codes only, and nothing to enrol.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FactorApi;

fn not_available<T>() -> Result<Response<T>, Status> {
    Err(Refusal::Unimplemented("second factors cannot be changed in this version").into())
}

#[tonic::async_trait]
impl FactorService for FactorApi {
    async fn begin_totp_enrolment(
        &self,
        _: Request<BeginTotpEnrolmentRequest>,
    ) -> Result<Response<BeginTotpEnrolmentResponse>, Status> {
        not_available()
    }

    async fn finish_totp_enrolment(
        &self,
        _: Request<FinishTotpEnrolmentRequest>,
    ) -> Result<Response<FinishTotpEnrolmentResponse>, Status> {
        not_available()
    }

    async fn set_second_factor(
        &self,
        _: Request<SetSecondFactorRequest>,
    ) -> Result<Response<SetSecondFactorResponse>, Status> {
        not_available()
    }

    async fn renew_recovery_codes(
        &self,
        _: Request<RenewRecoveryCodesRequest>,
    ) -> Result<Response<RenewRecoveryCodesResponse>, Status> {
        not_available()
    }

    async fn begin_address_verification(
        &self,
        _: Request<BeginAddressVerificationRequest>,
    ) -> Result<Response<BeginAddressVerificationResponse>, Status> {
        not_available()
    }

    async fn finish_address_verification(
        &self,
        _: Request<FinishAddressVerificationRequest>,
    ) -> Result<Response<FinishAddressVerificationResponse>, Status> {
        not_available()
    }
}
