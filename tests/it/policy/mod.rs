//! One policy, whichever call asks for its verdict.

mod cases;

use crate::breach;
use crate::support::requests::{PASSWORD, client, reason};
use crate::support::server::TestServer;
use cases::{Case, EMAIL, NAME, PHONE};
use relatch::pb;
use relatch::pb::check_password_request::Subject;
use std::collections::BTreeSet;
use tonic::Status;
use tonic_types::StatusExt as _;

/// The rules that a password breaks, with what is said about each.
type Verdict = BTreeSet<(String, String)>;

/// A person who has a password and a link that is not used yet.
struct Person<'a> {
    server: &'a TestServer,
    account_id: String,
    password: String,
    token: String,
}

impl<'a> Person<'a> {
    async fn new(server: &'a TestServer) -> Self {
        let creation = pb::CreateAccountRequest {
            email: EMAIL.to_owned(),
            email_verified: true,
            phone: PHONE.to_owned(),
            display_name: NAME.to_owned(),
            ..pb::CreateAccountRequest::default()
        };
        let created = server.accounts().create_account(creation).await.unwrap();
        let token = server.request_link(EMAIL).await;
        server.confirm(&token, PASSWORD).await.unwrap();
        Self {
            server,
            account_id: created.into_inner().account.unwrap().account_id,
            password: PASSWORD.to_owned(),
            token: server.request_link(EMAIL).await,
        }
    }

    async fn checked(&self, subject: Subject, password: &str) -> Verdict {
        let request = pb::CheckPasswordRequest {
            password: password.to_owned(),
            subject: Some(subject),
            client: client(),
        };
        let answer = self.server.passwords().check_password(request).await;
        let violations = answer.unwrap().into_inner().violations;
        let told = violations.into_iter();
        told.map(|told| (told.rule, told.description)).collect()
    }

    /// Changes the password to this one; to be changed again, if it is taken.
    async fn change(&mut self, password: &str) -> Verdict {
        let request = pb::ChangePasswordRequest {
            account_id: self.account_id.clone(),
            current_password: self.password.clone(),
            new_password: password.to_owned(),
            client: client(),
            request_id: String::new(),
        };
        let changed = self.server.change(request).await;
        if changed.is_ok() {
            password.clone_into(&mut self.password);
        }
        verdict(changed.map(drop))
    }

    /// Uses the link for this password; there is another one, if it is taken.
    async fn confirm(&mut self, password: &str) -> Verdict {
        let confirmed = self.server.confirm(&self.token, password).await;
        if confirmed.is_ok() {
            password.clone_into(&mut self.password);
        }
        verdict(confirmed.map(drop))
    }

    /// Judges a password by every call that does.
    async fn judge(&mut self, case: &Case) -> Verdict {
        let password = &case.password;
        let by_link = self.checked(Subject::Token(self.token.clone()), password);
        let by_link = by_link.await;
        let subject = Subject::AccountId(self.account_id.clone());
        let others = [
            self.checked(subject, password).await,
            self.confirm(password).await,
            self.change(password).await,
        ];
        for other in others {
            assert_eq!(other, by_link, "{:?}", case.password);
        }
        if by_link.is_empty() {
            self.token = self.server.request_link(EMAIL).await;
        }
        by_link
    }
}

/// What a call that sets a password says of it.
fn verdict(answer: Result<(), Status>) -> Verdict {
    let Err(refused) = answer else {
        return Verdict::new();
    };
    assert_eq!(reason(&refused), "PASSWORD_REJECTED", "{refused:?}");
    let fields = refused.get_details_bad_request().unwrap().field_violations;
    assert!(fields.iter().all(|field| field.field == "new_password"));
    let told = fields.into_iter();
    told.map(|told| (told.reason, told.description)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_passwords_get_one_verdict_from_every_call() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pwned.breach");
    let listed = cases::breached();
    let listed: Vec<_> = listed.iter().map(String::as_str).collect();
    breach::build(&path, &listed);
    let many = "1000000/1s";
    let server = TestServer::start_with(&[
        ("password.breach_file", path.to_str().unwrap()),
        ("limits.request_source", many),
        ("limits.check_source", many),
        ("limits.confirm_source", many),
        ("limits.identifier", many),
    ])
    .await;
    let mut person = Person::new(&server).await;
    let cases = cases::all();
    assert!(cases.len() >= 200, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let verdict = person.judge(&case).await;
        let rules: Vec<_> = verdict.into_iter().map(|(rule, _)| rule).collect();
        let right = match case.breaks {
            None => rules.is_empty(),
            Some(expected) => rules.iter().any(|rule| rule == expected),
        };
        if !right {
            wrong.push((case.password, case.breaks, rules));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
