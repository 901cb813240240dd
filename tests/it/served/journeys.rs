//! Both journeys, by the binary: gRPC over TLS on one side, a real mail server over TLS on the other.

use super::{Premises, Served, TOKEN};
use crate::mail::server::MailServer;
use crate::sms::gateway::{Answer, Gateway};
use crate::support::requests::{client, confirm};
use relatch::config::{Smtp, SmtpSecurity};
use relatch::pb::account_service_client::AccountServiceClient;
use relatch::pb::password_service_client::PasswordServiceClient;
use relatch::pb::{self, verify_password_response::Outcome};
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

pub(super) const EMAIL: &str = "ada@example.com";
pub(super) const PASSWORD: &str = "seven purple otters dance";

#[derive(Clone)]
pub(super) struct Bearer;

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let bearer: MetadataValue<_> = format!("Bearer {TOKEN}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        Ok(request)
    }
}

pub(super) type Client = InterceptedService<Channel, Bearer>;

pub(super) async fn clients(
    premises: &Premises,
    served: &Served,
) -> (PasswordServiceClient<Client>, AccountServiceClient<Client>) {
    let trusting = Premises::trusting(&premises.authority);
    let channel = served.connect(trusting).await.unwrap();
    (
        PasswordServiceClient::with_interceptor(channel.clone(), Bearer),
        AccountServiceClient::with_interceptor(channel, Bearer),
    )
}

/// Makes the account of [`EMAIL`], which has no password yet; its id.
pub(super) async fn account(premises: &Premises, served: &Served) -> String {
    let creation = pb::CreateAccountRequest {
        email: EMAIL.to_owned(),
        email_verified: true,
        ..pb::CreateAccountRequest::default()
    };
    let (_, mut accounts) = clients(premises, served).await;
    let created = accounts.create_account(creation).await.unwrap();
    created.into_inner().account.unwrap().account_id
}

/// The settings that lead to this mail post.
pub(super) fn lead_to(smtp: &Smtp) -> String {
    let login = smtp.login.as_ref().unwrap();
    format!(
        "smtp.host = \"{}\"\nsmtp.port = {}\nsmtp.security = \"tls\"\nsmtp.username = \"{}\"\n\
         smtp.password_file = \"{}\"\nsmtp.ca_file = \"{}\"\nsmtp.from = \"no-reply@example.com\"\n",
        smtp.host,
        smtp.port,
        login.username,
        login.password_file.display(),
        smtp.ca_file.as_ref().unwrap().display(),
    )
}

/// Whether [`EMAIL`] is signed in by this password.
pub(super) async fn signs_in(premises: &Premises, served: &Served, password: &str) -> bool {
    let (mut passwords, _) = clients(premises, served).await;
    let sign_in = pb::VerifyPasswordRequest {
        email: EMAIL.to_owned(),
        password: password.to_owned(),
        client: client(),
    };
    match passwords.verify_password(sign_in).await {
        Ok(answer) => matches!(answer.into_inner().outcome, Some(Outcome::SignedIn(_))),
        Err(status) => {
            assert_eq!(status.code(), Code::PermissionDenied);
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_goes_by_sms_over_tls_and_keeps_for_a_restart() {
    let gateway = Gateway::start_with_tls("localhost").await;
    let settings = gateway.settings();
    let premises = Premises::new();
    premises.configure(&format!(
        "sms.url = \"{}\"\nsms.secret_file = \"{}\"\nsms.ca_file = \"{}\"\n\
         sms.allowed_networks = [\"127.0.0.0/8\", \"::1/128\"]\nsms.countries = [\"+1 2\"]\n",
        settings.url,
        settings.secret_file.display(),
        settings.ca_file.unwrap().display(),
    ));
    premises.grant("\"reset\", \"profile\", \"accounts\"");
    gateway.answers([Answer::Say(503, "closed".to_owned())]);
    let mut served = premises.serve().await;
    let (mut passwords, mut accounts) = clients(&premises, &served).await;
    let creation = pb::CreateAccountRequest {
        email: EMAIL.to_owned(),
        phone: "+14155550101".to_owned(),
        phone_verified: true,
        second_factor: pb::SecondFactor::Sms.into(),
        ..pb::CreateAccountRequest::default()
    };
    let created = accounts.create_account(creation).await.unwrap();
    let from_profile = pb::SendProfileResetLinkRequest {
        account_id: created.into_inner().account.unwrap().account_id,
        client: client(),
        request_id: String::new(),
    };
    let sent = passwords.send_profile_reset_link(from_profile).await;
    assert_eq!(sent.unwrap().into_inner().channel(), pb::Channel::Sms);
    gateway.request(1).await;
    assert!(served.end().await.success());

    let served = premises.serve().await;
    let (mut passwords, _) = clients(&premises, &served).await;
    let text = gateway.request(2).await.json()["text"].clone();
    let (_, token) = text.as_str().unwrap().split_once('#').unwrap();
    let confirmed = passwords.confirm_reset(confirm(token, PASSWORD)).await;
    confirmed.unwrap();
    assert_eq!(gateway.request(3).await.json()["kind"], "PASSWORD_CHANGED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_mailed_used_and_announced_over_tls_all_the_way() {
    let mut post = MailServer::start(SmtpSecurity::Tls).await;
    let premises = Premises::new();
    premises.configure_with(&lead_to(&post.settings()), "");
    premises.grant("\"reset\", \"profile\", \"signin\", \"accounts\"");
    let mut served = premises.serve().await;
    let account_id = account(&premises, &served).await;
    let (mut passwords, _) = clients(&premises, &served).await;

    let forgot = pb::RequestResetRequest {
        email: EMAIL.to_owned(),
        client: client(),
        request_id: String::new(),
    };
    passwords.request_reset(forgot).await.unwrap();
    let token = post.mail(1).await.token("rlt1_");
    passwords
        .confirm_reset(confirm(&token, PASSWORD))
        .await
        .unwrap();
    assert!(post.mail(2).await.text().contains("changed"));
    let sign_in = pb::VerifyPasswordRequest {
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned(),
        client: client(),
    };
    let verified = passwords.verify_password(sign_in).await.unwrap();
    let Some(Outcome::Pending(pending)) = verified.into_inner().outcome else {
        panic!("a code is asked for")
    };
    let second_step = pb::VerifySecondFactorRequest {
        challenge: pending.challenge,
        code: post.mail(3).await.code(),
        client: client(),
    };
    let signed_in = passwords.verify_second_factor(second_step).await.unwrap();
    assert!(signed_in.into_inner().proof.starts_with("rlp1_"));

    // The server is away when the profile's link is asked for, and the service is started anew meanwhile.
    post.down().await;
    let from_profile = pb::SendProfileResetLinkRequest {
        account_id,
        client: client(),
        request_id: String::new(),
    };
    passwords
        .send_profile_reset_link(from_profile)
        .await
        .unwrap();
    assert!(served.end().await.success());
    let served = premises.serve().await;
    post.up().await;
    let (mut passwords, _) = clients(&premises, &served).await;
    let token = post.mail(4).await.token("rlt1_");
    let another = "nine quiet lanterns hum";
    passwords
        .confirm_reset(confirm(&token, another))
        .await
        .unwrap();
}
