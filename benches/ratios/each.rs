//! Every unary call at the same load, against the fastest answer that the server has.

use crate::Trouble;
use crate::calls::{Call, Calls, PASSWORD, client, password};
use crate::client::{Measured, Traffic, drive};
use crate::people::{self, Person};
use crate::server::Server;
use crate::table::{Row, median, milliseconds};
use relatch::domain::token::LinkKind;
use relatch::pb;
use relatch::pb::check_password_request::Subject;
use relatch::pb::get_account_request::Key;
use relatch::pb::list_messages_request;
use std::sync::Arc;
use std::time::Duration;
use tonic::Code;

const ROUNDS: usize = 3;

const TRAFFIC: Traffic = Traffic {
    connections: 2,
    streams: 32,
    every: None,
    warm_up: Duration::from_millis(100),
    window: Duration::from_millis(500),
};

/// How many people the calls are about, one after the other.
const PEOPLE: usize = 256;

/// More than are used up in all rounds.
const CANCELS: usize = 40_000;
const DELETIONS: usize = 60_000;

pub(crate) fn measure(server: &Server) -> Result<Vec<Row>, Trouble> {
    let health = Arc::new(server.calls.health()?);
    let each = each(server)?;
    let address = server.calls.address;
    let mut rows = Vec::new();
    for (name, call) in each {
        let (mut healthy, mut measured) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            healthy.push(drive(address, &health, TRAFFIC)?.rate);
            measured.push(drive(address, &call, TRAFFIC)?);
            server.settle()?;
        }
        let rates: Vec<f64> = measured.iter().map(|round| round.rate).collect();
        let row = Row::ratio(format!("{name} / Health/Check"), &rates, &healthy);
        let (half, most) = (percentile(&measured, 0.5), percentile(&measured, 0.99));
        rows.push(row.and(&format!("p50 {half:.2} ms, p99 {most:.2} ms")));
    }
    Ok(rows)
}

fn percentile(rounds: &[Measured], part: f64) -> f64 {
    let each = rounds.iter().map(|round| round.percentile(part));
    median(&each.map(milliseconds).collect::<Vec<_>>())
}

/// The calls, in the order of the API.
fn each(server: &Server) -> Result<Vec<(&'static str, Arc<Call>)>, Trouble> {
    let calls = &server.calls;
    let people = Arc::new(people::with_password(server, PEOPLE)?);
    let inspected = people::links(server, LinkKind::Reset, 1)?.remove(0);
    let mut each = vec![
        (
            "InspectReset",
            calls.same(
                &password("InspectReset"),
                Code::Ok,
                &pb::InspectResetRequest {
                    token: inspected,
                    client: Some(client(1)),
                },
            )?,
        ),
        (
            "CancelReset",
            calls.of_each(
                &password("CancelReset"),
                some(server, CANCELS)?,
                |cancel_token| pb::CancelResetRequest {
                    cancel_token,
                    client: Some(client(1)),
                },
            )?,
        ),
    ];
    each.extend(of_people(calls, &people)?);
    each.extend(of_accounts(server, &people)?);
    Ok(each
        .into_iter()
        .map(|(name, call)| (name, Arc::new(call)))
        .collect())
}

/// Tokens to cancel so many links with, made a few thousand at a time.
fn some(server: &Server, count: usize) -> Result<Vec<String>, Trouble> {
    const AT_A_TIME: usize = 2_000;
    let mut tokens = Vec::with_capacity(count);
    while tokens.len() < count {
        tokens.extend(people::links(server, LinkKind::Cancel, AT_A_TIME)?);
    }
    Ok(tokens)
}

/// The calls about somebody's password.
fn of_people(
    calls: &Calls,
    people: &Arc<Vec<Person>>,
) -> Result<Vec<(&'static str, Call)>, Trouble> {
    let ids = || {
        let people = Arc::clone(people);
        move |number: u32| nth(&people, number).map(|person| person.account_id.to_string())
    };
    let (linked, told, ended, checked) = (ids(), ids(), ids(), ids());
    Ok(vec![
        (
            "SendProfileResetLink",
            calls.numbered(&password("SendProfileResetLink"), move |number| {
                Some(pb::SendProfileResetLinkRequest {
                    account_id: linked(number)?,
                    client: Some(client(number)),
                    request_id: String::new(),
                })
            })?,
        ),
        (
            "GetSecurityInfo",
            calls.numbered(&password("GetSecurityInfo"), move |number| {
                let account_id = told(number)?;
                Some(pb::GetSecurityInfoRequest { account_id })
            })?,
        ),
        (
            "CheckPassword",
            calls.numbered(&password("CheckPassword"), move |number| {
                Some(pb::CheckPasswordRequest {
                    password: PASSWORD.to_owned(),
                    client: Some(client(number)),
                    subject: Some(Subject::AccountId(checked(number)?)),
                })
            })?,
        ),
        (
            "EndSessions",
            calls.numbered(&password("EndSessions"), move |number| {
                let account_id = ended(number)?;
                Some(pb::EndSessionsRequest { account_id })
            })?,
        ),
    ])
}

/// The calls of the back office and the support desk.
fn of_accounts(
    server: &Server,
    people: &Arc<Vec<Person>>,
) -> Result<Vec<(&'static str, Call)>, Trouble> {
    let calls = &server.calls;
    let doomed = people::nameless(server, DELETIONS)?;
    let (read, changed, listed) = (Arc::clone(people), Arc::clone(people), Arc::clone(people));
    Ok(vec![
        (
            "CreateAccount",
            calls.numbered("relatch.v1.AccountService/CreateAccount", |number| {
                Some(pb::CreateAccountRequest {
                    email: people::numbered("new", number),
                    email_verified: true,
                    ..pb::CreateAccountRequest::default()
                })
            })?,
        ),
        (
            "GetAccount",
            calls.numbered("relatch.v1.AccountService/GetAccount", move |number| {
                let email = nth(&read, number)?.email.clone();
                Some(pb::GetAccountRequest {
                    key: Some(Key::Email(email)),
                })
            })?,
        ),
        (
            "UpdateAccount",
            calls.numbered("relatch.v1.AccountService/UpdateAccount", move |number| {
                let account_id = nth(&changed, number)?.account_id.to_string();
                Some(pb::UpdateAccountRequest {
                    account: Some(pb::Account {
                        account_id,
                        display_name: format!("Ada {number}"),
                        ..pb::Account::default()
                    }),
                    update_mask: Some(prost_types::FieldMask {
                        paths: vec!["display_name".to_owned()],
                    }),
                    etag: String::new(),
                })
            })?,
        ),
        (
            "DeleteAccount",
            calls.of_each(
                "relatch.v1.AccountService/DeleteAccount",
                doomed,
                |person| pb::DeleteAccountRequest {
                    account_id: person.account_id.to_string(),
                },
            )?,
        ),
        (
            "ListAccounts, 100 a page",
            calls.same(
                "relatch.v1.AccountService/ListAccounts",
                Code::Ok,
                &pb::ListAccountsRequest::default(),
            )?,
        ),
        (
            "ListMessages",
            calls.numbered("relatch.v1.DeliveryService/ListMessages", move |number| {
                let email = nth(&listed, number)?.email.clone();
                Some(pb::ListMessagesRequest {
                    key: Some(list_messages_request::Key::Email(email)),
                    ..pb::ListMessagesRequest::default()
                })
            })?,
        ),
    ])
}

fn nth(people: &[Person], number: u32) -> Option<&Person> {
    people.get(usize::try_from(number).ok()? % people.len())
}
