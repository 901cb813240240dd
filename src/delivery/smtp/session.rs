//! A connection to the mail server, from the first byte to the last.

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Login;
use super::clear::InClear;
use super::content::Content;
use super::letter::Letter;
use super::verdict::{Cause, Stage, Trouble};

/// How a login is made: both send the password as it is, which only TLS makes acceptable.
const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];

/// How long a server may take to a good-bye or a new beginning; nothing depends on either.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where a mail server is, and how it is spoken to.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protection: Protection,
    pub(super) login: Option<Login>,
    pub(super) helo: ClientId,
}

/// How the connection is protected.
pub(super) enum Protection {
    /// TLS from the first byte.
    Tls(TlsParameters),
    /// TLS by STARTTLS, or nothing.
    StartTls(TlsParameters),
    /// Not at all.
    Nothing,
}

/// A connection on which letters are handed over, one after the other.
///
/// Whoever drops the future of one of its methods must drop it too: an answer that nobody waited for
/// would be taken for that to the next question.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
}

impl Server {
    /// Connects, protects the connection and logs in. Neither a login nor a sender is told to a server
    /// that has not shown who it is, unless it is not to be protected at all.
    pub(super) async fn connect(&self) -> Result<Session, Trouble> {
        let mut connection = match &self.protection {
            Protection::Tls(tls) => {
                let (server, tls) = ((self.host.as_str(), self.port), Some(tls.clone()));
                AsyncSmtpConnection::connect_tokio1(server, None, &self.helo, tls, None)
                    .await
                    .map_err(at(Stage::Connecting))?
            }
            Protection::StartTls(tls) => {
                let mut connection = self.connect_in_clear().await?;
                connection
                    .starttls(tls.clone(), &self.helo)
                    .await
                    .map_err(at(Stage::StartTls))?;
                connection
            }
            Protection::Nothing => self.connect_in_clear().await?,
        };
        if let Some(login) = &self.login {
            let login = login.credentials().await?;
            connection
                .auth(MECHANISMS, &login)
                .await
                .map_err(at(Stage::Login))?;
        }
        Ok(Session { connection })
    }

    async fn connect_in_clear(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let lost = |error: io::Error| Trouble {
            stage: Stage::Connecting,
            cause: Cause::Lost,
            words: error.to_string(),
        };
        let address = (self.host.as_str(), self.port);
        let tcp = TcpStream::connect(address).await.map_err(lost)?;
        tcp.set_nodelay(true).map_err(lost)?;
        AsyncSmtpConnection::connect_with_transport(Box::new(InClear::new(tcp)), &self.helo)
            .await
            .map_err(at(Stage::Connecting))
    }
}

impl Login {
    /// What to log in by now: a password that was replaced needs no restart.
    async fn credentials(&self) -> Result<Credentials, Trouble> {
        let ask = Arc::clone(&self.password);
        let asked = spawn_blocking(move || ask()).await;
        let password = asked.unwrap_or_else(|panicked| Err(panicked.to_string()));
        match password {
            Ok(password) => Ok(Credentials::new(
                self.username.clone(),
                password.to_string(),
            )),
            Err(why) => {
                tracing::error!(why, "there is no password to log in to the mail server by");
                Err(Trouble {
                    stage: Stage::Login,
                    cause: Cause::NoPassword,
                    words: "smtp.password_file cannot be used at present".to_owned(),
                })
            }
        }
    }
}

impl Session {
    /// Hands `letter` over; after this the server has it. After a refusal the session goes on, unless
    /// the connection is lost.
    pub(super) async fn hand_over(&mut self, letter: &Letter) -> Result<(), Trouble> {
        let mut parameters = Vec::new();
        if letter.is_international() {
            let offered = self.connection.server_info();
            if !offered.supports_feature(Extension::SmtpUtfEight) {
                return Err(Trouble {
                    stage: Stage::Recipient,
                    cause: Cause::AddressNotOffered,
                    words: "the mail server takes no addresses with letters beyond ASCII (SMTPUTF8), and this one has some".to_owned(),
                });
            }
            parameters.push(MailParameter::SmtpUtfEight);
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = Mail::new(Some(letter.from.clone()), parameters);
        self.tell(Stage::Sender, from).await?;
        let to = Rcpt::new(letter.to.clone(), Vec::new());
        self.tell(Stage::Recipient, to).await?;
        self.tell(Stage::Content, Data).await?;
        self.tell(Stage::Content, Content(&letter.content)).await
    }

    /// Begins anew after a refusal; whether the session can go on.
    pub(super) async fn begin_anew(&mut self) -> bool {
        matches!(
            timeout(FAREWELL, self.connection.command(Rset)).await,
            Ok(Ok(_))
        )
    }

    /// Takes leave of the server.
    pub(super) async fn end(mut self) {
        // It learns the same from the closed connection.
        let _ = timeout(FAREWELL, self.connection.abort()).await;
    }

    async fn tell(&mut self, stage: Stage, command: impl Display) -> Result<(), Trouble> {
        self.connection.command(command).await.map_err(at(stage))?;
        Ok(())
    }
}

/// Turns an error at this stage into what happened.
fn at(stage: Stage) -> impl FnOnce(SmtpError) -> Trouble {
    move |error| {
        let root = root(&error);
        // Such as a letter beyond ASCII in a character set of the server's own.
        let unreadable = root
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
        let cause = match error.status() {
            Some(code) => Cause::Refused(code.into()),
            None if unreadable => Cause::Unreadable,
            None => Cause::Lost,
        };
        Trouble {
            stage,
            cause,
            words: root.to_string(),
        }
    }
}

/// What lies at the bottom: the server's words, or the system's. What lies above only says that it failed.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use lettre::transport::smtp::client::AsyncTokioStream;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    /// A server whose answers are known beforehand; keeps what is written to it, piece by piece.
    #[derive(Debug)]
    struct Script {
        answers: &'static [u8],
        pieces: Arc<Mutex<Vec<String>>>,
    }

    impl AsyncTokioStream for Script {
        fn peer_addr(&self) -> io::Result<SocketAddr> {
            Ok((Ipv4Addr::LOCALHOST, 25).into())
        }
    }

    impl AsyncRead for Script {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.answers).poll_read(context, buffer)
        }
    }

    impl AsyncWrite for Script {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let piece = String::from_utf8(bytes.to_vec()).unwrap();
            self.pieces.lock().unwrap().push(piece);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_letter_and_its_end_are_one_piece() {
        let script = Script {
            answers: b"220 a\r\n250 b\r\n250 c\r\n250 d\r\n354 e\r\n250 f\r\n",
            pieces: Arc::default(),
        };
        let pieces = Arc::clone(&script.pieces);
        let helo = ClientId::Domain("relatch".to_owned());
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(script), &helo);
        let mut session = Session {
            connection: connecting.await.unwrap(),
        };
        let letter = Letter {
            from: "no-reply@example.com".parse().unwrap(),
            to: "ada@example.com".parse().unwrap(),
            content: "Subject: x\r\n\r\n.\r\n".to_owned(),
        };
        session.hand_over(&letter).await.unwrap();
        assert_eq!(
            *pieces.lock().unwrap(),
            [
                "EHLO relatch\r\n",
                "MAIL FROM:<no-reply@example.com>\r\n",
                "RCPT TO:<ada@example.com>\r\n",
                "DATA\r\n",
                "Subject: x\r\n\r\n..\r\n\r\n.\r\n",
            ]
        );
    }
}
