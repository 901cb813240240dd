//! The calls that are measured.

use crate::Trouble;
use http::{HeaderValue, Uri};
use prost::Message;
use prost::bytes::Bytes;
use relatch::pb;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

/// The password that people choose and sign in with.
pub(crate) const PASSWORD: &str = "seven purple otters dance";

/// A call that can be made again and again.
pub(crate) struct Call {
    pub(crate) uri: Uri,
    pub(crate) credential: HeaderValue,
    /// The `grpc-status` that is expected.
    pub(crate) code: HeaderValue,
    messages: Messages,
}

/// The messages of a call, framed.
enum Messages {
    /// One for all.
    Same(Bytes),
    /// Another each time; `None` when there are no more.
    Next(Box<dyn Fn() -> Option<Bytes> + Send + Sync>),
}

impl Call {
    /// The next message.
    pub(crate) fn message(&self) -> Result<Bytes, Trouble> {
        match &self.messages {
            Messages::Same(message) => Ok(message.clone()),
            Messages::Next(next) => Ok(next().ok_or("there are no more messages to send")?),
        }
    }
}

/// What calls to a server have in common.
pub(crate) struct Calls {
    pub(crate) address: SocketAddr,
    pub(crate) credential: HeaderValue,
}

impl Calls {
    fn call(&self, method: &str, code: Code, messages: Messages) -> Result<Call, Trouble> {
        Ok(Call {
            uri: format!("http://{}/{method}", self.address).parse()?,
            credential: self.credential.clone(),
            code: HeaderValue::from(code as i32),
            messages,
        })
    }

    /// The least that the server can be asked, through the same layers as everything else.
    pub(crate) fn health(&self) -> Result<Call, Trouble> {
        let message = framed(&HealthCheckRequest::default())?;
        self.call(
            "grpc.health.v1.Health/Check",
            Code::Ok,
            Messages::Same(message),
        )
    }

    /// A request for a link: each from another address, most from another source. Nobody has an account.
    pub(crate) fn request_reset(&self) -> Result<Call, Trouble> {
        let count = AtomicU32::new(0);
        let next = move || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            let request = pb::RequestResetRequest {
                email: format!("somebody-{number}@example.com"),
                client: Some(client(0x0a00_0000 | (number & 0xffff))),
                request_id: String::new(),
            };
            framed(&request).ok()
        };
        self.password("RequestReset", Code::Ok, Messages::Next(Box::new(next)))
    }

    /// A link that somebody made up: the shape and the key are right, the tag is not.
    pub(crate) fn forged(&self, token: &str) -> Result<Call, Trouble> {
        let message = framed(&confirm(token.to_owned()))?;
        self.password(
            "ConfirmReset",
            Code::FailedPrecondition,
            Messages::Same(message),
        )
    }

    /// The use of these links, one after the other.
    pub(crate) fn confirm(&self, tokens: Vec<String>) -> Result<Call, Trouble> {
        let tokens = Mutex::new(tokens);
        let next = move || {
            let token = tokens.lock().ok()?.pop()?;
            framed(&confirm(token)).ok()
        };
        self.password("ConfirmReset", Code::Ok, Messages::Next(Box::new(next)))
    }

    /// A sign-in with the right password, of one of these people after the other.
    pub(crate) fn verify(&self, emails: Vec<String>) -> Result<Call, Trouble> {
        let count = AtomicU32::new(0);
        let next = move || {
            let number = usize::try_from(count.fetch_add(1, Ordering::Relaxed)).ok()?;
            let request = pb::VerifyPasswordRequest {
                email: emails.get(number % emails.len())?.clone(),
                password: PASSWORD.to_owned(),
                client: Some(client(0x0a01_0000)),
            };
            framed(&request).ok()
        };
        self.password("VerifyPassword", Code::Ok, Messages::Next(Box::new(next)))
    }

    fn password(&self, method: &str, code: Code, messages: Messages) -> Result<Call, Trouble> {
        self.call(
            &format!("relatch.v1.PasswordService/{method}"),
            code,
            messages,
        )
    }
}

fn confirm(token: String) -> pb::ConfirmResetRequest {
    pb::ConfirmResetRequest {
        token,
        new_password: PASSWORD.to_owned(),
        client: Some(client(0x0a02_0000)),
        ..pb::ConfirmResetRequest::default()
    }
}

fn client(ip: u32) -> pb::ClientContext {
    pb::ClientContext {
        ip: Ipv4Addr::from_bits(ip).to_string(),
        ..pb::ClientContext::default()
    }
}

/// A message as gRPC frames it: not compressed, its length, itself.
fn framed(message: &impl Message) -> Result<Bytes, Trouble> {
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.encoded_len())?.to_be_bytes());
    message.encode(&mut framed)?;
    Ok(framed.into())
}
