//! Calls by `grpcurl`, which learns the API from the running service.

use super::dev::Dev;
use super::{fetched, tool, until};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::Command;

/// A call that was refused, as `grpcurl -format-error` tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    details: Vec<Value>,
}

impl Refused {
    /// The reason of its `ErrorInfo`.
    pub(super) fn reason(&self) -> String {
        let is_info =
            |detail: &&Value| detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo";
        let info = self.details.iter().find(is_info).unwrap();
        info["reason"].as_str().unwrap().to_owned()
    }
}

/// The header that shows a token.
pub(super) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// `grpcurl`, for a service without TLS.
pub(super) fn grpcurl() -> Command {
    let mut command = Command::new(tool("bin/grpcurl"));
    command.arg("-plaintext");
    command
}

impl Dev {
    /// Calls a method of `relatch.v1` with this token. What the method is, is asked with the token of `dev.json`.
    pub(super) fn call_as(
        &self,
        token: &str,
        method: &str,
        request: &Value,
    ) -> Result<Value, Refused> {
        let output = grpcurl()
            .arg("-format-error")
            .args(["-reflect-header", &bearer(&self.field("token"))])
            .args(["-rpc-header", &bearer(token)])
            .args(["-d", &request.to_string()])
            .args([&self.field("grpc"), &format!("relatch.v1.{method}")])
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap());
        }
        let refused = serde_json::from_slice(&output.stderr);
        Err(refused.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))))
    }

    /// Calls a method of `relatch.v1` with the token of `dev.json`.
    pub(super) fn call(&self, method: &str, request: &Value) -> Result<Value, Refused> {
        self.call_as(&self.field("token"), method, request)
    }

    /// The messages in the inbox, newest first.
    pub(super) fn messages(&self) -> Vec<Value> {
        let messages = fetched(&format!("{}/api/messages", self.field("inbox")));
        serde_json::from_str(&messages).unwrap()
    }

    /// Asks for a link as a person at sign-in.
    pub(super) fn request_reset(&self, email: &str) {
        let request = json!({"email": email, "client": {"ip": "192.0.2.1"}});
        self.call("PasswordService/RequestReset", &request).unwrap();
    }

    /// Asks for a link, and takes its token from the mail that follows.
    pub(super) async fn link_for(&self, email: &str) -> String {
        let before = self.messages();
        self.request_reset(email);
        let mail = self.mail(email, "RESET_LINK", &before).await;
        let (_, link) = mail["text"].as_str().unwrap().split_once("#rlt1_").unwrap();
        format!("rlt1_{}", link.split_whitespace().next().unwrap())
    }

    /// Looks at a link without using it.
    pub(super) fn inspect(&self, token: &str) -> Result<Value, Refused> {
        let request = json!({"token": token, "client": {"ip": "192.0.2.1"}});
        self.call("PasswordService/InspectReset", &request)
    }

    /// Uses a link.
    pub(super) fn confirm(&self, token: &str, new_password: &str) -> Result<Value, Refused> {
        let request =
            json!({"token": token, "new_password": new_password, "client": {"ip": "192.0.2.1"}});
        self.call("PasswordService/ConfirmReset", &request)
    }

    /// Signs in, with the code from the mail that follows.
    pub(super) async fn sign_in(&self, email: &str, password: &str) -> Result<Value, Refused> {
        let before = self.messages();
        let request = json!({"email": email, "password": password, "client": {"ip": "192.0.2.1"}});
        let verified = self.call("PasswordService/VerifyPassword", &request)?;
        let second_step = json!({
            "challenge": verified["pending"]["challenge"],
            "code": self.code_after(email, &before).await,
            "client": {"ip": "192.0.2.1"},
        });
        self.call("PasswordService/VerifySecondFactor", &second_step)
    }

    /// The code in the mail that has just been sent.
    pub(super) async fn code_for(&self, email: &str) -> String {
        self.code_after(email, &[]).await
    }

    async fn code_after(&self, email: &str, before: &[Value]) -> String {
        let mail = self.mail(email, "SIGN_IN_CODE", before).await;
        let text = mail["text"].as_str().unwrap();
        let is_code = |line: &&str| line.len() == 6 && line.parse::<u32>().is_ok();
        text.lines().find(is_code).unwrap().to_owned()
    }

    /// The first mail of this kind to this address that is none of those before.
    pub(super) async fn mail(&self, email: &str, kind: &str, before: &[Value]) -> Value {
        until("the mail", || {
            self.messages().into_iter().find(|message| {
                message["to"] == email
                    && message["kind"] == kind
                    && before.iter().all(|earlier| earlier["id"] != message["id"])
            })
        })
        .await
    }
}
