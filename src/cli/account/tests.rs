use super::*;
use crate::cli::fake::{printed, serve};
use crate::domain::caller::CallerToken;
use crate::pb::account_service_server::{AccountService, AccountServiceServer};
use crate::pb::{
    CreateAccountResponse, DeleteAccountRequest, DeleteAccountResponse, ExportAccountsRequest,
    ExportAccountsResponse, GetAccountRequest, GetAccountResponse, ImportAccountsRequest,
    ImportAccountsResponse, ListAccountsResponse, RemoveSecondFactorRequest,
    RemoveSecondFactorResponse, SendInviteRequest, SendInviteResponse, UpdateAccountRequest,
    UpdateAccountResponse,
};
use clap::Parser as _;
use std::collections::HashMap;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Knows three accounts, a page each, and creates whom it is asked to but Eve.
struct Three;

fn account(id: &str) -> Account {
    Account {
        account_id: id.repeat(32),
        email: format!("{id}@example.com"),
        email_verified: id == "a",
        second_factor: SecondFactor::Totp.into(),
        ..Account::default()
    }
}

#[tonic::async_trait]
impl AccountService for Three {
    type ImportAccountsStream = tokio_stream::Empty<Result<ImportAccountsResponse, Status>>;
    type ExportAccountsStream = tokio_stream::Empty<Result<ExportAccountsResponse, Status>>;

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        let (id, next) = match request.into_inner().page_token.as_str() {
            "" => ("a", "b"),
            "b" => ("b", "c"),
            _ => ("c", ""),
        };
        Ok(Response::new(ListAccountsResponse {
            accounts: vec![account(id)],
            next_page_token: next.to_owned(),
        }))
    }

    async fn create_account(
        &self,
        request: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountResponse>, Status> {
        let bearer = format!("Bearer {}", CallerToken::from_bytes(&[7; 32]).expose());
        let shown = request.metadata().get("authorization");
        assert_eq!(shown.unwrap(), bearer.as_str());
        let request = request.into_inner();
        if request.email == "eve" {
            let mut details = ErrorDetails::new();
            details
                .set_error_info("INVALID_FIELD", "relatch", HashMap::new())
                .add_bad_request_violation("email", "must have the form name@domain");
            let code = Code::InvalidArgument;
            return Err(Status::with_error_details(code, "unreadable", details));
        }
        Ok(Response::new(CreateAccountResponse {
            account: Some(Account {
                email: request.email,
                email_verified: request.email_verified,
                second_factor: request.second_factor,
                ..account("d")
            }),
        }))
    }

    async fn get_account(
        &self,
        _: Request<GetAccountRequest>,
    ) -> Result<Response<GetAccountResponse>, Status> {
        Err(not_asked_for())
    }

    async fn update_account(
        &self,
        _: Request<UpdateAccountRequest>,
    ) -> Result<Response<UpdateAccountResponse>, Status> {
        Err(not_asked_for())
    }

    async fn delete_account(
        &self,
        _: Request<DeleteAccountRequest>,
    ) -> Result<Response<DeleteAccountResponse>, Status> {
        Err(not_asked_for())
    }

    async fn import_accounts(
        &self,
        _: Request<Streaming<ImportAccountsRequest>>,
    ) -> Result<Response<Self::ImportAccountsStream>, Status> {
        Err(not_asked_for())
    }

    async fn export_accounts(
        &self,
        _: Request<ExportAccountsRequest>,
    ) -> Result<Response<Self::ExportAccountsStream>, Status> {
        Err(not_asked_for())
    }

    async fn send_invite(
        &self,
        _: Request<SendInviteRequest>,
    ) -> Result<Response<SendInviteResponse>, Status> {
        Err(not_asked_for())
    }

    async fn remove_second_factor(
        &self,
        _: Request<RemoveSecondFactorRequest>,
    ) -> Result<Response<RemoveSecondFactorResponse>, Status> {
        Err(not_asked_for())
    }
}

fn not_asked_for() -> Status {
    Status::unimplemented("no command asks for this")
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    create: CreateArgs,
}

async fn created(arguments: &str) -> (Result<(), Failure>, String) {
    let server = serve(Routes::new(AccountServiceServer::new(Three)));
    let args = Line::try_parse_from(arguments.split(' ')).unwrap().create;
    let (ended, out, _) = printed(async |output| create(&server, args, output).await).await;
    (ended, out)
}

#[tokio::test]
async fn every_page_of_accounts_is_listed_a_line_each() {
    let server = serve(Routes::new(AccountServiceServer::new(Three)));
    let (ended, out, _) = printed(async |output| list(&server, output).await).await;
    assert_eq!(ended, Ok(()));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 3);
    let first = format!(
        "{}\ta@example.com\tverified\tTOTP\tno-password\tenabled",
        "a".repeat(32)
    );
    assert_eq!(lines[0], first);
    assert!(lines[2].contains("c@example.com\tunverified"));
}

#[tokio::test]
async fn an_account_is_created_as_the_flags_say() {
    let (ended, out) =
        created("create --email ada@example.com --verified --second-factor sms").await;
    assert_eq!(ended, Ok(()));
    let line = format!(
        "{}\tada@example.com\tverified\tSMS\tno-password\tenabled\n",
        "d".repeat(32)
    );
    assert_eq!(out, line);
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_named() {
    let (ended, _) = created("create --email eve").await;
    assert_eq!(
        ended,
        Err(Failure::Told(
            "fake:1 refused: unreadable (INVALID_FIELD)\n  email: must have the form name@domain"
                .to_owned()
        ))
    );
}
