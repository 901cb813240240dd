//! The very server that the binary runs, on loopback, with a clock to move and an inbox to read.

use super::clock::ManualClock;
use super::requests::{client, client_at, code_in, confirm, reset_token, update_request};
use super::{database, fixture};
use arc_swap::ArcSwap;
use axum::Router;
use relatch::app::{App, Channels, Listeners, Surroundings};
use relatch::config::{Config, Flag, Profile, Source};
use relatch::delivery::inbox::Inbox;
use relatch::delivery::{self, OutgoingMessage};
use relatch::domain::call::CallerName;
use relatch::domain::caller::{CallerCredential, CallerStanza, CallerToken};
use relatch::domain::keyring::Keyring;
use relatch::domain::message::MessageKind;
use relatch::domain::page::Pages;
use relatch::domain::sms_budget::SmsBudgets;
use relatch::grpc::callers::Callers;
use relatch::metrics::{Listener, Metrics};
use relatch::pb;
use relatch::pb::account_service_client::AccountServiceClient;
use relatch::pb::audit_service_client::AuditServiceClient;
use relatch::pb::delivery_service_client::DeliveryServiceClient;
use relatch::pb::factor_service_client::FactorServiceClient;
use relatch::pb::password_service_client::PasswordServiceClient;
use relatch::pb::verify_password_response::Outcome;
use relatch::random::SystemRandom;
use relatch::service::Service;
use relatch::shutdown::{self, Trigger};
use relatch::tls::Socket;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A running server. Dropping it ends it.
pub(crate) struct TestServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its health and metrics are.
    pub ops: SocketAddr,
    /// Moves its time.
    pub clock: Arc<ManualClock>,
    /// What it sent.
    pub inbox: Inbox,
    /// Its keyring.
    pub keyring: Arc<ArcSwap<Keyring>>,
    /// Its inside, for what no call can see.
    pub service: Arc<Service>,
    channel: Channel,
    trigger: Trigger,
    running: JoinHandle<()>,
    directory: TempDir,
}

/// A client with the token of a caller.
pub(crate) type Client = InterceptedService<Channel, Bearer>;

/// Sends a bearer token with every call.
#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// The scopes of each caller; its token is derived from its name.
const CALLERS: [(&str, &[&str]); 6] = [
    (
        "all",
        &[
            "reset",
            "profile",
            "signin",
            "factors",
            "accounts",
            "import",
            "export_hashes",
            "delivery",
            "audit",
        ],
    ),
    ("reset", &["reset"]),
    ("profile", &["profile"]),
    ("accounts", &["accounts"]),
    ("console", &relatch::console::SCOPES),
    ("support", &["remove_factor"]),
];

impl TestServer {
    /// Starts a server with the limits of the real one.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server on which nobody meets a limit.
    pub(crate) async fn unlimited() -> Self {
        let limits = [
            "request_source",
            "confirm_source",
            "check_source",
            "sign_in_source",
            "identifier",
            "codes",
        ];
        let settings: Vec<_> = limits
            .iter()
            .map(|limit| (format!("limits.{limit}"), "1000000/1s"))
            .collect();
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| (key.as_str(), *value))
            .collect();
        Self::start_with(&settings).await
    }

    /// Starts a server with these settings.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_by(settings, None).await
    }

    /// Starts a server with these settings whose mails leave by this channel, if not into an inbox.
    pub(crate) async fn start_by(
        settings: &[(&str, &str)],
        channel: Option<Arc<dyn delivery::Channel>>,
    ) -> Self {
        Self::begin(settings, |inbox| by_mail(channel, inbox), Vec::new()).await
    }

    /// Starts a server whose mails go into an inbox, and whose text messages leave by this channel, as many as these
    /// budgets allow.
    pub(crate) async fn start_texting(
        sms: Option<Arc<dyn delivery::Channel>>,
        sms_budgets: Option<SmsBudgets>,
    ) -> Self {
        let channels = |inbox: &Inbox| Channels {
            mail: Arc::new(inbox.clone()),
            sms,
            sms_budgets,
        };
        Self::begin(&[], channels, Vec::new()).await
    }

    /// Starts a server with these settings that shows this too, and tells where.
    pub(crate) async fn start_showing(
        settings: &[(&str, &str)],
        router: Router,
    ) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pages = vec![(Listener::Console, listener.into(), router)];
        let channels = |inbox: &Inbox| by_mail(None, inbox);
        (Self::begin(settings, channels, pages).await, address)
    }

    async fn begin(
        settings: &[(&str, &str)],
        channels: impl FnOnce(&Inbox) -> Channels,
        pages: Vec<(Listener, Socket, Router)>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = config(&directory.path().join("data"), settings);
        let keyring = Arc::new(ArcSwap::from_pointee(fixture::keyring()));
        let clock = Arc::new(ManualClock::default());
        let inbox = Inbox::default();
        let stanzas = CALLERS.map(|(name, scopes)| CallerStanza {
            name: CallerName::parse(name).unwrap(),
            credential: CallerCredential::TokenSha256(token(name).sha256()),
            scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        });
        let around = Surroundings {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            keyring: keyring.clone(),
            callers: Arc::new(ArcSwap::from_pointee(Callers::new(stanzas))),
            channels: channels(&inbox),
            pages: Pages::of_console("127.0.0.1:1".parse().unwrap()),
            metrics: Metrics::default(),
        };
        let app = App::open(&config, around).await.unwrap();
        let service = app.service.clone();
        let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = grpc.local_addr().unwrap();
        let ops = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ops_address = ops.local_addr().unwrap();
        let (trigger, shutdown) = shutdown::channel();
        let listeners = Listeners {
            grpc: grpc.into(),
            ops: Some(ops.into()),
            pages,
        };
        let running = app.run(listeners, shutdown, || {});
        let running = tokio::spawn(async move { Box::pin(running).await.unwrap() });
        let channel = Channel::from_shared(format!("http://{address}"))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            address,
            ops: ops_address,
            clock,
            inbox,
            keyring,
            service,
            channel,
            trigger,
            running,
            directory,
        }
    }

    /// The server's data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The transport, for what generated clients cannot send.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    fn bearer(caller: &str) -> Bearer {
        Bearer(Some(bearer(caller).parse().unwrap()))
    }

    /// `PasswordService` as the caller who may do everything.
    pub(crate) fn passwords(&self) -> PasswordServiceClient<Client> {
        self.passwords_as("all")
    }

    /// `PasswordService` as this caller.
    pub(crate) fn passwords_as(&self, caller: &str) -> PasswordServiceClient<Client> {
        PasswordServiceClient::with_interceptor(self.channel(), Self::bearer(caller))
    }

    /// `AccountService` as the caller who may do everything.
    pub(crate) fn accounts(&self) -> AccountServiceClient<Client> {
        self.accounts_as("all")
    }

    /// `AccountService` as this caller.
    pub(crate) fn accounts_as(&self, caller: &str) -> AccountServiceClient<Client> {
        AccountServiceClient::with_interceptor(self.channel(), Self::bearer(caller))
    }

    /// `FactorService` as the caller who may do everything.
    pub(crate) fn factors(&self) -> FactorServiceClient<Client> {
        self.factors_as("all")
    }

    /// `FactorService` as this caller.
    pub(crate) fn factors_as(&self, caller: &str) -> FactorServiceClient<Client> {
        FactorServiceClient::with_interceptor(self.channel(), Self::bearer(caller))
    }

    /// `AuditService` as the caller who may do everything.
    pub(crate) fn audit(&self) -> AuditServiceClient<Client> {
        AuditServiceClient::with_interceptor(self.channel(), Self::bearer("all"))
    }

    /// Creates an account with a verified address and no password.
    pub(crate) async fn account(&self, email: &str) -> pb::Account {
        let request = pb::CreateAccountRequest {
            email: email.to_owned(),
            email_verified: true,
            ..pb::CreateAccountRequest::default()
        };
        self.accounts()
            .create_account(request)
            .await
            .unwrap()
            .into_inner()
            .account
            .unwrap()
    }

    /// Creates an account whose second factor is SMS.
    pub(crate) async fn sms_account(&self, email: &str) -> pb::Account {
        let request = pb::CreateAccountRequest {
            email: email.to_owned(),
            email_verified: true,
            phone: "+14155550101".to_owned(),
            phone_verified: true,
            second_factor: pb::SecondFactor::Sms.into(),
            ..pb::CreateAccountRequest::default()
        };
        let created = self.accounts().create_account(request).await.unwrap();
        created.into_inner().account.unwrap()
    }

    /// Gives the fields of an account that the mask names what they have here.
    pub(crate) async fn update(&self, account: pb::Account, mask: &[&str]) -> pb::Account {
        let request = update_request(account, mask, "");
        let updated = self.accounts().update_account(request).await.unwrap();
        updated.into_inner().account.unwrap()
    }

    /// Disables an account.
    pub(crate) async fn disable(&self, account: pb::Account) -> pb::Account {
        let disabled = pb::Account {
            disabled: true,
            ..account
        };
        self.update(disabled, &["disabled"]).await
    }

    /// Creates an account and sets its password, the way a person would.
    pub(crate) async fn person(&self, email: &str, password: &str) -> pb::Account {
        let account = self.account(email).await;
        let token = self.request_link(email).await;
        self.confirm(&token, password).await.unwrap();
        self.mail_to(email, MessageKind::PasswordChanged).await;
        self.inbox.clear();
        account
    }

    /// Requests a link, as a person at sign-in, and takes its token from the mail.
    pub(crate) async fn request_link(&self, email: &str) -> String {
        self.inbox.clear();
        let request = pb::RequestResetRequest {
            email: email.to_owned(),
            client: client(),
            request_id: String::new(),
        };
        self.passwords().request_reset(request).await.unwrap();
        reset_token(&*self.mail_to(email, MessageKind::ResetLink).await)
    }

    /// Uses a link.
    pub(crate) async fn confirm(
        &self,
        token: &str,
        password: &str,
    ) -> Result<pb::ConfirmResetResponse, Status> {
        let answer = self
            .passwords()
            .confirm_reset(confirm(token, password))
            .await;
        answer.map(tonic::Response::into_inner)
    }

    /// Changes a password, as the person who is signed in.
    pub(crate) async fn change(
        &self,
        request: pb::ChangePasswordRequest,
    ) -> Result<pb::ChangePasswordResponse, Status> {
        let answer = self.passwords().change_password(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Signs in, with the code from the mail where one is asked for.
    pub(crate) async fn verify(&self, email: &str, password: &str) -> Result<pb::SignedIn, Status> {
        self.verify_at("192.0.2.1", email, password).await
    }

    /// The same from this address.
    pub(crate) async fn verify_at(
        &self,
        ip: &str,
        email: &str,
        password: &str,
    ) -> Result<pb::SignedIn, Status> {
        let request = pb::VerifyPasswordRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            client: client_at(ip),
        };
        let earlier = self.inbox.messages();
        let answer = self.passwords().verify_password(request).await?;
        match answer.into_inner().outcome.unwrap() {
            Outcome::SignedIn(signed_in) => Ok(signed_in),
            Outcome::Pending(pending) => {
                let mail = self
                    .message(|mail| {
                        let earlier = earlier.iter().any(|it| it.message_id == mail.message_id);
                        mail.to == email && mail.kind == MessageKind::SignInCode && !earlier
                    })
                    .await;
                self.pass(&pending.challenge, &code_in(&mail)).await
            }
        }
    }

    /// Shows a password, and gets no further than that.
    pub(crate) async fn pending(&self, email: &str, password: &str) -> pb::SecondFactorPending {
        let request = pb::VerifyPasswordRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            client: client(),
        };
        let answer = self.passwords().verify_password(request).await.unwrap();
        match answer.into_inner().outcome.unwrap() {
            Outcome::Pending(pending) => pending,
            Outcome::SignedIn(_) => panic!("no second factor is asked for"),
        }
    }

    /// Shows the code that a sign-in waits for.
    pub(crate) async fn pass(&self, challenge: &str, code: &str) -> Result<pb::SignedIn, Status> {
        let request = pb::VerifySecondFactorRequest {
            challenge: challenge.to_owned(),
            code: code.to_owned(),
            client: client(),
        };
        let passed = self.passwords().verify_second_factor(request).await?;
        let passed = passed.into_inner();
        Ok(pb::SignedIn {
            account_id: passed.account_id,
            credential_version: passed.credential_version,
            proof: passed.proof,
        })
    }

    /// Waits for a mail of this kind to this address.
    pub(crate) async fn mail_to(&self, email: &str, kind: MessageKind) -> Arc<OutgoingMessage> {
        self.message(|mail| mail.to == email && mail.kind == kind)
            .await
    }

    /// Waits for a message that is like this: the courier works on its own time.
    pub(crate) async fn message(
        &self,
        like: impl Fn(&OutgoingMessage) -> bool,
    ) -> Arc<OutgoingMessage> {
        let arrived = async {
            loop {
                let messages = self.inbox.messages();
                if let Some(mail) = messages.iter().find(|mail| like(mail)) {
                    return mail.clone();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), arrived)
            .await
            .expect("the mail arrives")
    }

    /// Waits until the intake is resolved and the outbox has nothing more to do.
    pub(crate) async fn settled(&self) {
        relatch::service::resolve::resolve_all(&self.service)
            .await
            .unwrap();
        let database = database::open(&self.data());
        let queued = || -> i64 {
            database
                .query_one(
                    "SELECT count(*) FROM messages WHERE due_at IS NOT NULL",
                    [],
                    |row| row.get(0),
                )
                .unwrap()
        };
        super::eventually(async || queued() == 0).await;
    }

    /// Sends a link to an account, as the person who is signed in.
    pub(crate) async fn send_profile_link(
        &self,
        account: &pb::Account,
    ) -> Result<pb::SendProfileResetLinkResponse, Status> {
        let request = pb::SendProfileResetLinkRequest {
            account_id: account.account_id.clone(),
            client: client(),
            request_id: String::new(),
        };
        let sent = self.passwords().send_profile_reset_link(request).await;
        sent.map(tonic::Response::into_inner)
    }

    /// The newest messages of an account.
    pub(crate) async fn messages(&self, account_id: &str) -> Vec<pb::DeliveryMessage> {
        let key = pb::list_messages_request::Key::AccountId(account_id.to_owned());
        let request = pb::ListMessagesRequest {
            key: Some(key),
            ..pb::ListMessagesRequest::default()
        };
        let listed = self.delivery().list_messages(request).await.unwrap();
        listed.into_inner().messages
    }

    /// `DeliveryService` as the caller who may do everything.
    pub(crate) fn delivery(&self) -> DeliveryServiceClient<Client> {
        DeliveryServiceClient::with_interceptor(self.channel(), Self::bearer("all"))
    }

    /// Every event from the first to the present head.
    pub(crate) async fn events(&self) -> Vec<pb::Event> {
        let mut stream = self
            .audit()
            .watch_events(pb::WatchEventsRequest::default())
            .await
            .unwrap()
            .into_inner();
        let mut events = Vec::new();
        while let Some(item) = stream.message().await.unwrap() {
            events.extend(item.event);
        }
        events
    }

    /// Ends the server in good order.
    pub(crate) async fn stop(self) -> TempDir {
        self.trigger.pull();
        self.running.await.unwrap();
        self.directory
    }
}

/// Mails by this channel, if not into the inbox where the text messages go.
fn by_mail(channel: Option<Arc<dyn delivery::Channel>>, inbox: &Inbox) -> Channels {
    Channels {
        mail: channel.unwrap_or_else(|| Arc::new(inbox.clone())),
        sms: Some(Arc::new(inbox.clone())),
        sms_budgets: None,
    }
}

/// What the caller of this name puts into `authorization`.
pub(crate) fn bearer(caller: &str) -> String {
    format!("Bearer {}", token(caller).expose())
}

/// The token of the caller of this name.
pub(crate) fn token(caller: &str) -> CallerToken {
    let mut bytes = [7; 32];
    bytes[..caller.len()].copy_from_slice(caller.as_bytes());
    CallerToken::from_bytes(&bytes)
}

fn config(data: &Path, settings: &[(&str, &str)]) -> Config {
    let variables = settings
        .iter()
        .map(|(key, value)| {
            (
                format!("RELATCH_{}", key.replace('.', "__").to_uppercase()),
                (*value).to_owned(),
            )
        })
        .collect();
    Config::read(
        Profile::Dev { data_dir: data },
        None,
        Vec::<Flag>::new(),
        &Variables(limits_of_the_real_one(variables)),
    )
    .unwrap()
}

/// A demonstration is generous; tests want to meet the limits that people meet.
fn limits_of_the_real_one(mut variables: HashMap<String, String>) -> HashMap<String, String> {
    let limits = [
        ("REQUEST_SOURCE", "20/1h"),
        ("CONFIRM_SOURCE", "30/1h"),
        ("CHECK_SOURCE", "60/1m"),
        ("SIGN_IN_SOURCE", "30/1m"),
        ("IDENTIFIER", "3, then 1/1h"),
        ("PROFILE_LINK", "3, then 1/1h"),
        ("CODES", "10/24h"),
    ];
    for (limit, rate) in limits {
        variables
            .entry(format!("RELATCH_LIMITS__{limit}"))
            .or_insert_with(|| rate.to_owned());
    }
    variables
}

struct Variables(HashMap<String, String>);

impl Source for Variables {
    fn file(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.0.clone().into_iter().collect()
    }
}
