//! Whatever the factor, wherever the link came from and whatever is typed: who gets in, and who does not.

use super::Person;
use crate::support::fixture;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, another_code, reason};
use crate::support::server::TestServer;
use data_encoding::BASE64URL_NOPAD;
use pb::SecondFactor::{Email, Sms, Totp};
use prost::Message as _;
use relatch::clock::Clock as _;
use relatch::domain::account::SecondFactor;
use relatch::domain::id::AccountId;
use relatch::domain::message::MessageKind;
use relatch::domain::proof;
use relatch::pb;
use tonic::{Code, Status};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Wrong,
    Right,
    Recovery,
}

const SHOWN: [Shown; 4] = [Shown::Nothing, Shown::Wrong, Shown::Right, Shown::Recovery];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    SignIn,
    Profile,
}

/// What a link is asked for beside it.
const fn asked(factor: pb::SecondFactor, from: From) -> pb::SecondFactor {
    match (factor, from) {
        (Sms, From::SignIn) | (Totp, _) => factor,
        _ => pb::SecondFactor::Unspecified,
    }
}

fn told(outcome: Result<(), Status>) -> (Code, String) {
    match outcome {
        Ok(()) => (Code::Ok, String::new()),
        Err(status) => (status.code(), reason(&status)),
    }
}

impl TestServer {
    /// What the person types where a link asks for a code.
    async fn typed_at_reset(&self, person: &Person, token: &str, shown: Shown) -> String {
        let right = match person.factor() {
            Totp => self.app_code(person),
            // A link that asks for nothing has no code to send.
            _ => match self.send_reset_code(token).await.unwrap().channel() {
                pb::Channel::Sms => self.sent_code(person, MessageKind::ResetCode).await,
                _ => "123456".to_owned(),
            },
        };
        typed(person, shown, right)
    }
}

fn typed(person: &Person, shown: Shown, right: String) -> String {
    match shown {
        Shown::Nothing => String::new(),
        Shown::Wrong => another_code(&right),
        Shown::Right => right,
        Shown::Recovery => person.recovery_code().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_never_bypasses_a_second_factor() {
    let server = TestServer::unlimited().await;
    for factor in [Email, Sms, Totp] {
        for from in [From::SignIn, From::Profile] {
            for shown in SHOWN {
                let person = server.person_with(factor).await;
                let (channel, token) = match from {
                    From::SignIn => {
                        let token = server.request_link(person.email()).await;
                        (pb::Channel::Email, token)
                    }
                    From::Profile => server.profile_link(&person).await,
                };
                let cell = format!("{factor:?}, from {from:?}, {shown:?}");
                let by_sms = factor == Sms && from == From::Profile;
                assert_eq!(channel == pb::Channel::Sms, by_sms, "{cell}");
                let asked = asked(factor, from);
                let inspected = server.inspect(&token).await.unwrap();
                assert_eq!(inspected.required_factor(), asked, "{cell}");

                let code = server.typed_at_reset(&person, &token, shown).await;
                let confirmed = server.confirm_with(&token, OTHER_PASSWORD, &code).await;
                let expected = match shown {
                    _ if asked == pb::SecondFactor::Unspecified => (Code::Ok, ""),
                    Shown::Nothing => (Code::FailedPrecondition, "SECOND_FACTOR_REQUIRED"),
                    Shown::Wrong => (Code::PermissionDenied, "SECOND_FACTOR_WRONG"),
                    Shown::Right | Shown::Recovery => (Code::Ok, ""),
                };
                if shown == Shown::Nothing
                    && let Err(status) = &confirmed
                {
                    let info = tonic_types::StatusExt::get_details_error_info(status).unwrap();
                    assert_eq!(
                        info.metadata["factor"],
                        asked.as_str_name().replace("SECOND_FACTOR_", "")
                    );
                }
                let (code, why) = told(confirmed.map(drop));
                assert_eq!((code, why.as_str()), expected, "{cell}");
                // A refused link is as good as before, a used one is used, and the password says the same.
                let refused = code != Code::Ok;
                assert_eq!(server.inspect(&token).await.is_ok(), refused, "{cell}");
                let password = if refused { PASSWORD } else { OTHER_PASSWORD };
                server.pending(person.email(), password).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_or_learns_an_account_before_the_factor_is_passed() {
    let server = TestServer::unlimited().await;
    for factor in [Email, Sms, Totp] {
        for shown in SHOWN {
            let cell = format!("{factor:?}, {shown:?}");
            let person = server.person_with(factor).await;
            let pending = server.pending(person.email(), PASSWORD).await;
            assert_eq!(pending.second_factor(), factor, "{cell}");
            names_nobody(&pending.encode_to_vec(), &person);
            let right = match factor {
                Totp => server.app_code(&person),
                _ => server.sent_code(&person, MessageKind::SignInCode).await,
            };
            let code = typed(&person, shown, right);
            let passed = server.pass(&pending.challenge, &code).await;
            let expected = match (shown, factor) {
                (Shown::Nothing, _) => (Code::InvalidArgument, "INVALID_FIELD"),
                (Shown::Wrong, _) | (Shown::Recovery, Email) => {
                    (Code::PermissionDenied, "SECOND_FACTOR_WRONG")
                }
                (Shown::Right | Shown::Recovery, _) => (Code::Ok, ""),
            };
            if let Ok(signed_in) = &passed {
                assert_eq!(signed_in.account_id, person.account.account_id);
                let keyring = fixture::keyring();
                let proof = proof::verify(&keyring, &signed_in.proof, server.clock.now()).unwrap();
                let proven = proof.factor.map(SecondFactor::code).map(i32::from);
                assert_eq!(proven, Some(factor as i32), "{cell}");
            }
            if let Err(status) = &passed {
                names_nobody(status.details(), &person);
            }
            let (code, why) = told(passed.map(drop));
            assert_eq!((code, why.as_str()), expected, "{cell}");
        }
    }
}

/// Neither in text nor in bytes, nor in what a challenge says in Base64.
fn names_nobody(answer: &[u8], person: &Person) {
    let text = &person.account.account_id;
    let id: AccountId = text.parse().unwrap();
    let challenge = String::from_utf8_lossy(answer).into_owned();
    let challenge = challenge
        .split_once("rlq1_")
        .map_or(Vec::new(), |(_, rest)| {
            let encoded: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
                .take(80)
                .collect();
            BASE64URL_NOPAD.decode(encoded.as_bytes()).unwrap()
        });
    for bytes in [answer, &challenge] {
        for name in [text.as_bytes(), id.as_bytes()] {
            assert!(!bytes.windows(name.len()).any(|window| window == name));
        }
    }
}
