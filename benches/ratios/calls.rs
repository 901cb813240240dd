//! The calls that are measured.

use crate::Trouble;
use crate::people::{Person, numbered};
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

/// One that nobody has.
pub(crate) const WRONG_PASSWORD: &str = "seven purple otters sing";

/// Where guessers are.
pub(crate) const GUESSER: u32 = 0x0a03_0000;

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
    /// A call that is always the same.
    pub(crate) fn same(
        &self,
        method: &str,
        code: Code,
        message: &impl Message,
    ) -> Result<Call, Trouble> {
        self.call(method, code, Messages::Same(framed(message)?))
    }

    /// A call whose message is made of its number, counted from 0; of `None` there are no more.
    pub(crate) fn numbered<M: Message>(
        &self,
        method: &str,
        message: impl Fn(u32) -> Option<M> + Send + Sync + 'static,
    ) -> Result<Call, Trouble> {
        self.numbered_as(method, Code::Ok, message)
    }

    /// A call that is numbered so and answered with this code.
    fn numbered_as<M: Message>(
        &self,
        method: &str,
        code: Code,
        message: impl Fn(u32) -> Option<M> + Send + Sync + 'static,
    ) -> Result<Call, Trouble> {
        let count = AtomicU32::new(0);
        let next = move || framed(&message(count.fetch_add(1, Ordering::Relaxed))?).ok();
        self.call(method, code, Messages::Next(Box::new(next)))
    }

    /// A call for each of these, one after the other.
    pub(crate) fn of_each<T: Send + 'static, M: Message>(
        &self,
        method: &str,
        each: Vec<T>,
        message: impl Fn(T) -> M + Send + Sync + 'static,
    ) -> Result<Call, Trouble> {
        let left = Mutex::new(each);
        self.numbered(method, move |_| {
            let next = left.lock().ok()?.pop()?;
            Some(message(next))
        })
    }

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
        let message = HealthCheckRequest::default();
        self.same("grpc.health.v1.Health/Check", Code::Ok, &message)
    }

    /// A request for a link: each from another address, most from another source. Nobody has an account.
    pub(crate) fn request_reset(&self) -> Result<Call, Trouble> {
        self.numbered(&password("RequestReset"), |number| {
            Some(request_reset(
                format!("somebody-{number}@example.com"),
                number,
            ))
        })
    }

    /// Requests for a link, in turns from somebody with one of so many accounts and from somebody without.
    pub(crate) fn request_reset_among(&self, accounts: u32) -> Result<Call, Trouble> {
        self.numbered(&password("RequestReset"), move |number| {
            let email = match number % 2 {
                // A prime step goes round all of them in no order.
                0 => numbered("person", number.wrapping_mul(7_919) % accounts),
                _ => numbered("nobody", number),
            };
            Some(request_reset(email, number))
        })
    }

    /// The same request for a link again and again.
    pub(crate) fn request_reset_again(&self) -> Result<Call, Trouble> {
        let message = request_reset("somebody@example.com".to_owned(), 1);
        self.same(&password("RequestReset"), Code::Ok, &message)
    }

    /// A link that somebody made up: the shape and the key are right, the tag is not.
    pub(crate) fn forged(&self, token: &str) -> Result<Call, Trouble> {
        let message = confirm(token.to_owned());
        self.same(
            &password("ConfirmReset"),
            Code::FailedPrecondition,
            &message,
        )
    }

    /// The use of these links, one after the other.
    pub(crate) fn confirm(&self, tokens: Vec<String>) -> Result<Call, Trouble> {
        self.of_each(&password("ConfirmReset"), tokens, confirm)
    }

    /// A sign-in with a wrong password, with the address of its number.
    pub(crate) fn guess(
        &self,
        email: impl Fn(usize) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Call, Trouble> {
        let (method, code) = (password("VerifyPassword"), Code::PermissionDenied);
        self.numbered_as(&method, code, move |number| {
            Some(pb::VerifyPasswordRequest {
                email: email(usize::try_from(number).ok()?)?,
                password: WRONG_PASSWORD.to_owned(),
                client: Some(client(GUESSER)),
            })
        })
    }

    /// A sign-in with the right password, of one of these people after the other.
    pub(crate) fn verify(&self, people: Vec<Person>) -> Result<Call, Trouble> {
        self.numbered(&password("VerifyPassword"), move |number| {
            let number = usize::try_from(number).ok()?;
            Some(pb::VerifyPasswordRequest {
                email: people.get(number % people.len())?.email.clone(),
                password: PASSWORD.to_owned(),
                client: Some(client(0x0a01_0000)),
            })
        })
    }
}

/// The path of a method of `PasswordService`.
pub(crate) fn password(method: &str) -> String {
    format!("relatch.v1.PasswordService/{method}")
}

/// A request for a link to this address, from one of 65,536 sources.
pub(crate) fn request_reset(email: String, source: u32) -> pb::RequestResetRequest {
    pb::RequestResetRequest {
        email,
        client: Some(client(0x0a00_0000 | (source & 0xffff))),
        request_id: String::new(),
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

/// A person at this address.
pub(crate) fn client(ip: u32) -> pb::ClientContext {
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
