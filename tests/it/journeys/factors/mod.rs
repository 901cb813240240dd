//! A signed-in person changes the second step of signing in, and nobody else does.

mod address;
mod choice;
mod enrolment;
mod proofs;
mod removal;

use crate::support::fixture;
use crate::support::server::TestServer;
use relatch::clock::Clock as _;
use relatch::domain::account::{CredentialVersion, SecondFactor};
use relatch::domain::proof::{self, PROOF_LIFETIME, Proof};
use relatch::domain::totp::{Secret, Step};
use relatch::pb;
use tonic::Status;

const EMAIL: &str = "ada@example.com";

/// What a proof of the factor says that the account has here.
fn account_proof(server: &TestServer, account: &pb::Account) -> Proof {
    Proof {
        account_id: account.account_id.parse().unwrap(),
        credential_version: CredentialVersion::new(account.credential_version),
        factor: SecondFactor::from_code(u8::try_from(account.second_factor).unwrap()),
        expires_at: server.clock.now().plus(PROOF_LIFETIME),
    }
}

fn signed(proof: &Proof) -> String {
    proof::sign(&fixture::keyring(), proof).expose().to_owned()
}

impl TestServer {
    /// A proof of the factor that the account has now.
    pub(crate) async fn proof(&self, account: &pb::Account) -> String {
        signed(&account_proof(self, &self.reread(account).await))
    }

    pub(crate) async fn reread(&self, account: &pb::Account) -> pb::Account {
        let key = pb::get_account_request::Key::AccountId(account.account_id.clone());
        let request = pb::GetAccountRequest { key: Some(key) };
        let read = self.accounts().get_account(request).await.unwrap();
        read.into_inner().account.unwrap()
    }

    pub(crate) async fn begin_app(
        &self,
        account_id: &str,
        proof: &str,
    ) -> Result<pb::BeginTotpEnrolmentResponse, Status> {
        let request = pb::BeginTotpEnrolmentRequest {
            account_id: account_id.to_owned(),
            proof: proof.to_owned(),
        };
        let begun = self.factors().begin_totp_enrolment(request).await;
        begun.map(tonic::Response::into_inner)
    }

    pub(crate) async fn finish_app(
        &self,
        account_id: &str,
        code: &str,
    ) -> Result<Vec<String>, Status> {
        let request = pb::FinishTotpEnrolmentRequest {
            account_id: account_id.to_owned(),
            code: code.to_owned(),
        };
        let finished = self.factors().finish_totp_enrolment(request).await;
        finished.map(|finished| finished.into_inner().recovery_codes)
    }

    pub(crate) async fn choose(
        &self,
        account_id: &str,
        proof: &str,
        factor: pb::SecondFactor,
    ) -> Result<(), Status> {
        let request = pb::SetSecondFactorRequest {
            account_id: account_id.to_owned(),
            proof: proof.to_owned(),
            second_factor: factor.into(),
        };
        self.factors().set_second_factor(request).await.map(|_| ())
    }

    pub(crate) async fn renew(&self, account_id: &str, proof: &str) -> Result<Vec<String>, Status> {
        let request = pb::RenewRecoveryCodesRequest {
            account_id: account_id.to_owned(),
            proof: proof.to_owned(),
        };
        let renewed = self.factors().renew_recovery_codes(request).await;
        renewed.map(|renewed| renewed.into_inner().recovery_codes)
    }

    /// The code that an app with this secret shows now.
    pub(crate) fn code(&self, secret: &str) -> String {
        let secret = Secret::from_base32(secret).unwrap();
        secret.code(Step::of(self.clock.now())).to_string()
    }

    /// Enrols an app as its owner would; gives its secret.
    pub(crate) async fn enrol(&self, account: &pb::Account) -> String {
        let proof = self.proof(account).await;
        let begun = self.begin_app(&account.account_id, &proof).await.unwrap();
        let code = self.code(&begun.secret);
        self.finish_app(&account.account_id, &code).await.unwrap();
        begun.secret
    }

    pub(crate) async fn codes_left(&self, account: &pb::Account) -> i64 {
        self.info(&account.account_id).await.recovery_codes_left
    }

    pub(crate) async fn info(&self, account_id: &str) -> pb::GetSecurityInfoResponse {
        let request = pb::GetSecurityInfoRequest {
            account_id: account_id.to_owned(),
        };
        let info = self.passwords().get_security_info(request).await.unwrap();
        info.into_inner()
    }
}
