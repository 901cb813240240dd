//! `relatch serve`: the binary, a configuration file, certificates, signals.

mod apart;
mod backup;
mod canaries;
mod console;
mod crashes;
mod damage;
mod demonstrations;
mod ending;
mod example;
mod full_disk;
mod handshakes;
mod hostile;
mod identity;
mod journeys;
mod pasted;
mod pepper;
mod pressure;
mod refusals;
mod restores;
mod systemd;
mod traces;

use crate::support::certificates::{Authority, Pair};
use crate::support::{eventually, fixture};
use relatch::pb;
use relatch::pb::password_service_client::PasswordServiceClient;
use serde_json::Value;
use std::fs::{self, File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use tempfile::TempDir;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

/// The token of the caller `web`, whose scope is `reset`.
const TOKEN: &str = "rlk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

/// A directory with everything that a service needs, certificates included.
pub(crate) struct Premises {
    directory: TempDir,
    authority: Authority,
}

impl Premises {
    pub(crate) fn new() -> Self {
        let premises = Self {
            directory: tempfile::tempdir().unwrap(),
            authority: Authority::new(),
        };
        premises.keyring();
        premises.install(&premises.authority.issue(&["localhost"]));
        premises.write("callers.pem", premises.authority.pem());
        premises.configure("");
        premises
    }

    fn keyring(&self) {
        relatch::config::KeyringFile::new(self.path("keyring.toml"), false)
            .create(&fixture::keyring())
            .unwrap();
    }

    /// Puts a certificate and its key where the service looks for them.
    fn install(&self, pair: &Pair) {
        self.write("tls.key", &pair.key);
        self.write("tls.pem", &pair.cert);
    }

    /// Writes the configuration, with this behind it, and a mail server that nobody is.
    pub(crate) fn configure(&self, more: &str) {
        let nobody = "smtp.host = \"127.0.0.1\"\nsmtp.port = 1\nsmtp.security = \"plain\"\nsmtp.from = \"no-reply@example.com\"\n";
        self.configure_with(nobody, more);
    }

    /// Gives the caller `web` these scopes instead.
    fn grant(&self, scopes: &str) {
        let configuration = fs::read_to_string(self.path("relatch.toml")).unwrap();
        let granted =
            configuration.replacen("scopes = [\"reset\"]", &format!("scopes = [{scopes}]"), 1);
        self.write("relatch.toml", &granted);
    }

    /// Writes the configuration with these settings for mail, and more behind it.
    fn configure_with(&self, mail: &str, more: &str) {
        let place = self.directory.path().display();
        let token = relatch::domain::caller::CallerToken::parse(TOKEN).unwrap();
        let digest = data_encoding::HEXLOWER.encode(&token.sha256());
        self.write(
            "relatch.toml",
            &format!(
                r#"
store.directory = "{place}/data"
keys.file = "{place}/keyring.toml"
tls.cert_file = "{place}/tls.pem"
tls.key_file = "{place}/tls.key"
tls.client_ca_file = "{place}/callers.pem"
grpc.listen = "127.0.0.1:0"
ops.listen = "127.0.0.1:0"
links.reset_url = "https://login.example.com/reset"
links.cancel_url = "https://login.example.com/cancel"
links.forgot_password_url = "https://login.example.com/forgot"
mail.product_name = "Example"
{mail}{more}
[[callers]]
name = "web"
token_sha256 = "{digest}"
scopes = ["reset"]
[[callers]]
name = "shop"
cert_san = "shop.internal"
scopes = ["signin"]
[[callers]]
name = "mesh"
cert_san = "spiffe://example.com/mesh"
scopes = ["reset"]
"#
            ),
        );
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file that its owner alone may read, and puts it in place as a whole.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let draft = self.path(&format!("{name}.draft"));
        fs::write(&draft, text).unwrap();
        fs::set_permissions(&draft, Permissions::from_mode(0o600)).unwrap();
        fs::rename(draft, self.path(name)).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relatch"));
        command
            .env_clear()
            .env("RELATCH_LOG", "info,relatch::tls=debug")
            .args(["serve", "--config"])
            .arg(self.path("relatch.toml"))
            .stdin(Stdio::null());
        command
    }

    /// What a start says that must fail.
    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        let Output { status, stderr, .. } = self.command().output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }

    pub(crate) async fn serve(&self) -> Served {
        self.serve_by(self.command()).await
    }

    async fn serve_by(&self, command: Command) -> Served {
        let mut served = self.start(command);
        eventually(async || {
            assert_eq!(
                served.process.try_wait().unwrap(),
                None,
                "{}",
                served.text()
            );
            served.told("serving").is_some()
        })
        .await;
        let told = served.told("serving").unwrap();
        served.grpc = told["grpc"].as_str().unwrap().parse().unwrap();
        served.ops = told["ops"].as_str().unwrap().parse().unwrap();
        served
    }

    /// A service that has been started and may not listen yet.
    fn start(&self, command: Command) -> Served {
        self.start_with_log(command, "log")
    }

    /// A process that has been started, with its log in a file of this name.
    fn start_with_log(&self, mut command: Command, log: &str) -> Served {
        let log = self.path(log);
        let process = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        Served {
            process,
            log,
            grpc: SocketAddr::from(([0; 4], 0)),
            ops: SocketAddr::from(([0; 4], 0)),
        }
    }

    /// TLS as a client of this authority speaks it.
    fn trusting(authority: &Authority) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(authority.pem()))
            .domain_name("localhost")
    }

    /// The same, with a certificate for this name.
    fn known_as(&self, name: &str) -> ClientTlsConfig {
        let pair = self.authority.issue(&[name]);
        Self::trusting(&self.authority).identity(Identity::from_pem(pair.cert, pair.key))
    }
}

/// A service that runs. Dropping it ends it.
pub(crate) struct Served {
    process: Child,
    log: PathBuf,
    grpc: SocketAddr,
    ops: SocketAddr,
}

impl Served {
    fn text(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The first line of the log with this message.
    pub(crate) fn told(&self, message: &str) -> Option<Value> {
        self.text()
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["message"] == message)
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end, and waits.
    async fn end(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// Waits for its end.
    async fn ended(&mut self) -> ExitStatus {
        let mut ended = None;
        eventually(async || {
            ended = self.process.try_wait().unwrap();
            ended.is_some()
        })
        .await;
        ended.unwrap()
    }

    /// What the system says of the process, in KiB: `VmRSS`, `VmHWM`.
    fn memory_kib(&self, what: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let mut words = status.split_whitespace();
        words.find(|word| word.strip_suffix(':') == Some(what));
        words.next().unwrap().parse().unwrap()
    }

    /// How many files and connections it has open.
    fn descriptors(&self) -> usize {
        let open = fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        open.unwrap().count()
    }

    /// A connection without TLS, where `grpc.plaintext` allows one.
    async fn connect_plainly(&self) -> Channel {
        let endpoint = Channel::from_shared(format!("http://{}", self.grpc)).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// Ends it as a crash would: it gets to know nothing of it.
    fn crash(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    async fn connect(&self, tls: ClientTlsConfig) -> Result<Channel, tonic::transport::Error> {
        Channel::from_shared(format!("https://{}", self.grpc))
            .unwrap()
            .tls_config(tls)?
            .connect()
            .await
    }
}

impl Drop for Served {
    #[expect(clippy::print_stderr, reason = "the log explains what failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.text());
        }
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks for a link, by token or as the connection's certificate says.
async fn request_reset(
    channel: &Channel,
    token: Option<&str>,
) -> Result<pb::RequestResetResponse, tonic::Status> {
    let mut request = Request::new(pb::RequestResetRequest {
        email: "ada@example.com".to_owned(),
        client: Some(pb::ClientContext {
            ip: "192.0.2.1".to_owned(),
            ..pb::ClientContext::default()
        }),
        request_id: String::new(),
    });
    if let Some(token) = token {
        let bearer: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    PasswordServiceClient::new(channel.clone())
        .request_reset(request)
        .await
        .map(tonic::Response::into_inner)
}

/// Whether a file exists beside the database.
fn exists(data: &Path, name: &str) -> bool {
    data.join(name).exists()
}
