//! What people and callers say, and what is to be read from the answers.

use relatch::delivery::OutgoingMessage;
use relatch::pb;
use tonic::Status;

/// A password that the policy accepts.
pub(crate) const PASSWORD: &str = "seven purple otters dance";

/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "granite umbrella Tuesday choir";

/// A change of the fields that the mask names, to what they are here.
pub(crate) fn update_request(
    account: pb::Account,
    mask: &[&str],
    etag: &str,
) -> pb::UpdateAccountRequest {
    let paths = mask.iter().map(|&path| path.to_owned()).collect();
    pb::UpdateAccountRequest {
        account: Some(account),
        update_mask: Some(prost_types::FieldMask { paths }),
        etag: etag.to_owned(),
    }
}

/// A person at 192.0.2.1.
pub(crate) fn client() -> Option<pb::ClientContext> {
    client_at("192.0.2.1")
}

/// A person at this address, as a request takes them.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a message field is optional to prost"
)]
pub(crate) fn client_at(ip: &str) -> Option<pb::ClientContext> {
    Some(pb::ClientContext {
        ip: ip.to_owned(),
        ..pb::ClientContext::default()
    })
}

/// A confirm by a person at 192.0.2.1.
pub(crate) fn confirm(token: &str, password: &str) -> pb::ConfirmResetRequest {
    pb::ConfirmResetRequest {
        token: token.to_owned(),
        new_password: password.to_owned(),
        client: client(),
        ..pb::ConfirmResetRequest::default()
    }
}

/// The token of the reset link in a mail.
pub(crate) fn reset_token(mail: &OutgoingMessage) -> String {
    token_in(&mail.text, "rlt1_")
}

/// The token of the cancel link in a mail.
pub(crate) fn cancel_token(mail: &OutgoingMessage) -> String {
    token_in(&mail.text, "rlc1_")
}

/// The six digits in a message.
pub(crate) fn code_in(message: &OutgoingMessage) -> String {
    let word = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = message.text.split(|c: char| !c.is_alphanumeric());
    words.find(word).expect("the message has a code").to_owned()
}

/// Six other digits.
pub(crate) fn another_code(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 500_000) % 1_000_000)
}

fn token_in(text: &str, prefix: &str) -> String {
    let start = text.find(prefix).expect("the mail has the link");
    text[start..]
        .chars()
        .take_while(|c| !c.is_whitespace())
        .collect()
}

/// The reason of an error, as its `ErrorInfo` gives it.
pub(crate) fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}
