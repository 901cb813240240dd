//! What people do, well and not so well.

use super::values::Values;
use crate::mail::server::MailServer;
use crate::served::journeys::Client;
use crate::served::{Premises, Served};
use crate::support::eventually;
use relatch::pb::account_service_client::AccountServiceClient;
use relatch::pb::password_service_client::PasswordServiceClient;
use relatch::pb::verify_password_response::Outcome;
use relatch::pb::{self, check_password_request::Subject};
use serde_json::json;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};

/// What a person and their browser are known by, here and nowhere else.
pub(super) const IP: &str = "203.0.113.77";
pub(super) const USER_AGENT: &str = "CanaryBrowser/7.3 (X11; Linux x86_64)";

type Clients = (PasswordServiceClient<Client>, AccountServiceClient<Client>);

fn person() -> pb::ClientContext {
    pb::ClientContext {
        ip: IP.to_owned(),
        user_agent: USER_AGENT.to_owned(),
        locale: "en".to_owned(),
    }
}

/// Both journeys, with mistakes; keeps the tokens that they lead to.
pub(super) async fn both_journeys(
    values: &mut Values,
    post: &mut MailServer,
    clients: &mut Clients,
) {
    let account_id = create(clients, &values.email, &values.display_name).await;
    values.account_id.clone_from(&account_id);
    create(clients, &values.unreachable, &values.display_name).await;

    // The mail server's words quote the addresses: one is refused for good, one for a while.
    let (email, unreachable) = (&values.email, &values.unreachable);
    post.tell(json!({"answers": {"RCPT": [
        format!("550-5.1.1 <{unreachable}>:\r\n550 5.1.1 {unreachable} is unknown here"),
        format!("451 4.7.1 <{email}>: greylisted"),
    ]}}))
    .await;
    ask_for_link(clients, unreachable).await;
    eventually(async || post.heard().contains(&"RCPT".to_owned())).await;
    ask_for_link(clients, email).await;
    ask_for_link(clients, &values.absent).await;

    let mail = post.mail(1).await;
    let link = mail.token("rlt1_");
    values.keep("the first cancel link", mail.token("rlc1_"));
    values.keep("the first link", link.clone());
    let passwords = &mut clients.0;
    let inspect = pb::InspectResetRequest {
        token: link.clone(),
        client: Some(person()),
    };
    passwords.inspect_reset(inspect).await.unwrap();
    let check = pb::CheckPasswordRequest {
        password: values.rejected_password.clone(),
        subject: Some(Subject::Token(link.clone())),
        client: Some(person()),
    };
    passwords.check_password(check).await.unwrap();
    let rejected = confirm(clients, &link, &values.rejected_password).await;
    assert_eq!(rejected, Code::InvalidArgument);
    let mut forged = link.clone();
    forged.replace_range(40..44, "AAAA");
    assert_eq!(
        confirm(clients, &forged, &values.old_password).await,
        Code::FailedPrecondition
    );
    assert_eq!(
        confirm(clients, &link, &values.old_password).await,
        Code::Ok
    );
    assert_eq!(
        confirm(clients, &link, &values.old_password).await,
        Code::FailedPrecondition
    );
    post.mail(2).await;
    let challenge = sign_in(clients, &values.email, &values.old_password)
        .await
        .unwrap();
    let proof = pass(clients, &challenge, &post.mail(3).await.code()).await;
    values.keep("the first challenge", challenge);
    values.keep("the first proof", proof);
    for (email, password) in [
        (&values.email, &values.wrong_password),
        (&values.stranger, &values.wrong_password),
    ] {
        let refused = sign_in(clients, email, password).await.unwrap_err();
        assert_eq!(refused, Code::PermissionDenied);
    }

    let wanted = pb::SendProfileResetLinkRequest {
        account_id,
        client: Some(person()),
        request_id: "canary".to_owned(),
    };
    clients.0.send_profile_reset_link(wanted).await.unwrap();
    let link = post.mail(4).await.token("rlt1_");
    assert_eq!(
        confirm(clients, &link, &values.new_password).await,
        Code::Ok
    );
    values.keep("the profile's link", link);
    post.mail(5).await;
    let challenge = sign_in(clients, &values.email, &values.new_password)
        .await
        .unwrap();
    let proof = pass(clients, &challenge, &post.mail(6).await.code()).await;
    values.keep("the second challenge", challenge);
    values.keep("the second proof", proof);

    ask_for_link(clients, &values.email).await;
    let mail = post.mail(7).await;
    let cancel = mail.token("rlc1_");
    values.keep("a link that is cancelled", mail.token("rlt1_"));
    values.keep("a cancel link that is used", cancel.clone());
    let not_me = pb::CancelResetRequest {
        cancel_token: cancel,
        client: Some(person()),
    };
    clients.0.cancel_reset(not_me).await.unwrap();
}

async fn create((_, accounts): &mut Clients, email: &str, display_name: &str) -> String {
    let create = pb::CreateAccountRequest {
        email: email.to_owned(),
        email_verified: true,
        display_name: display_name.to_owned(),
        ..pb::CreateAccountRequest::default()
    };
    let created = accounts.create_account(create).await.unwrap().into_inner();
    created.account.unwrap().account_id
}

async fn ask_for_link((passwords, _): &mut Clients, email: &str) {
    let forgot = pb::RequestResetRequest {
        email: email.to_owned(),
        client: Some(person()),
        request_id: String::new(),
    };
    passwords.request_reset(forgot).await.unwrap();
}

async fn confirm((passwords, _): &mut Clients, token: &str, password: &str) -> Code {
    let confirm = pb::ConfirmResetRequest {
        token: token.to_owned(),
        new_password: password.to_owned(),
        client: Some(person()),
        ..pb::ConfirmResetRequest::default()
    };
    let confirmed = passwords.confirm_reset(confirm).await;
    confirmed.map_or_else(|status| status.code(), |_| Code::Ok)
}

/// The challenge of who shows a password.
async fn sign_in(
    (passwords, _): &mut Clients,
    email: &str,
    password: &str,
) -> Result<String, Code> {
    let verify = pb::VerifyPasswordRequest {
        email: email.to_owned(),
        password: password.to_owned(),
        client: Some(person()),
    };
    let verified = passwords.verify_password(verify).await;
    match verified
        .map_err(|status| status.code())?
        .into_inner()
        .outcome
    {
        Some(Outcome::Pending(pending)) => Ok(pending.challenge),
        other => panic!("{other:?}"),
    }
}

/// The proof of who shows the code as well.
async fn pass((passwords, _): &mut Clients, challenge: &str, code: &str) -> String {
    let second_step = pb::VerifySecondFactorRequest {
        challenge: challenge.to_owned(),
        code: code.to_owned(),
        client: Some(person()),
    };
    let passed = passwords.verify_second_factor(second_step).await;
    passed.unwrap().into_inner().proof
}

/// Calls with a token of somebody whom nobody knows, and with a trace that is none.
pub(super) async fn knock(premises: &Premises, served: &Served, values: &Values) {
    let trusting = Premises::trusting(&premises.authority);
    let channel = served.connect(trusting).await.unwrap();
    let mut request = Request::new(pb::RequestResetRequest::default());
    let bearer = format!("Bearer {}", values.unknown_caller.expose())
        .parse()
        .unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let parent: MetadataValue<_> = values.email.parse().unwrap();
    request.metadata_mut().insert("traceparent", parent);
    let refused = PasswordServiceClient::new(channel)
        .request_reset(request)
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
}
