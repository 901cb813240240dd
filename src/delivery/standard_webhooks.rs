//! Webhooks signed by the scheme of Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>), symmetric.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::time::Timestamp;

/// How far the sender's clock may be from ours, either way.
const TOLERANCE: Duration = Duration::from_mins(5);

/// The most signatures that are looked at: one for each secret while one replaces another.
const SIGNATURES: usize = 8;

/// What webhooks are signed with.
pub struct Secrets(Vec<Zeroizing<Vec<u8>>>);

/// A text that holds no such secrets. It is not quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretsUnreadable {
    /// Nothing is there.
    #[error("holds no secret: one a line, such as whsec_ and 32 or more characters of base64")]
    None,
    /// A line is not one.
    #[error("line {0} is not a secret: whsec_ (or nothing), then 24 to 64 bytes in base64")]
    Line(usize),
}

/// A webhook that cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forged {
    /// One of the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` is missing, or
    /// cannot be read.
    #[error("its headers cannot be read")]
    Headers,
    /// It was signed more than five minutes ago, or ahead.
    #[error("its time is more than five minutes off")]
    Time,
    /// No signature is right.
    #[error("it is signed by nobody known")]
    Signature,
}

/// What the headers of a webhook say.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// `webhook-id`: names the webhook, however often it is sent.
    pub id: &'a str,
    /// `webhook-timestamp`: when it was sent, in seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: `v1,` and base64, one or more with spaces between.
    pub signatures: &'a str,
}

impl Secrets {
    /// Reads secrets, one a line: `whsec_` and base64, as senders show them.
    pub fn parse(text: &str) -> Result<Self, SecretsUnreadable> {
        let mut secrets = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let encoded = line.strip_prefix("whsec_").unwrap_or(line);
            let secret = BASE64.decode(encoded.as_bytes()).map(Zeroizing::new);
            match secret {
                Ok(secret) if (24..=64).contains(&secret.len()) => secrets.push(secret),
                _ => return Err(SecretsUnreadable::Line(number)),
            }
        }
        if secrets.is_empty() {
            return Err(SecretsUnreadable::None);
        }
        Ok(Self(secrets))
    }

    /// Signs `body`: `v1,` and base64 by each secret, with spaces between, so that a receiver may know the old one
    /// or the new while one replaces another.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let macs = self.0.iter().filter_map(|secret| {
            let mac = mac(secret, id, timestamp, body)?.finalize();
            Some(format!("v1,{}", BASE64.encode(&mac.into_bytes())))
        });
        macs.collect::<Vec<_>>().join(" ")
    }

    /// Believes `body` if one of its signatures is by one of the secrets, and of these minutes.
    pub fn verify(&self, signed: &Signed<'_>, body: &[u8], now: Timestamp) -> Result<(), Forged> {
        let Signed {
            id,
            timestamp,
            signatures,
        } = signed;
        // A dot would let an id and a time be split otherwise than they were signed.
        let is_id = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
        if !(1..=255).contains(&id.len()) || !id.bytes().all(is_id) {
            return Err(Forged::Headers);
        }
        let at = moment(timestamp).ok_or(Forged::Headers)?;
        if now.since(at) > TOLERANCE || at.since(now) > TOLERANCE {
            return Err(Forged::Time);
        }
        let given = signatures.split(' ').take(SIGNATURES);
        let given = given.filter_map(|signature| signature.strip_prefix("v1,"));
        for signature in given.filter_map(|text| BASE64.decode(text.as_bytes()).ok()) {
            let right = self.0.iter().any(|secret| {
                mac(secret, id, timestamp, body)
                    .is_some_and(|mac| mac.verify_slice(&signature).is_ok())
            });
            if right {
                return Ok(());
            }
        }
        Err(Forged::Signature)
    }
}

/// What a secret makes of a webhook. Any secret is a key to HMAC.
fn mac(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    let mac = mac.chain_update(format!("{id}.{timestamp}."));
    Some(mac.chain_update(body))
}

/// A moment, from seconds since 1970 in digits alone.
fn moment(seconds: &str) -> Option<Timestamp> {
    if !(1..=12).contains(&seconds.len()) || !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    Some(Timestamp::from_micros(0).plus(Duration::from_secs(seconds)))
}

/// How many there are, and nothing of them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of the specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const SIGNED: Signed<'static> = Signed {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp: "1614265330",
        signatures: SIGNATURE,
    };
    const AT: Timestamp = Timestamp::from_micros(1_614_265_330_000_000);

    fn secrets() -> Secrets {
        Secrets::parse(SECRET).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_is_believed_for_five_minutes() {
        let verified = |now| secrets().verify(&SIGNED, BODY, now);
        for now in [AT, AT.plus(TOLERANCE), AT.minus(TOLERANCE)] {
            assert_eq!(verified(now), Ok(()));
        }
        let moment = Duration::from_micros(1);
        for now in [
            AT.plus(TOLERANCE + moment),
            AT.minus(TOLERANCE + moment),
            Timestamp::from_micros(0),
        ] {
            assert_eq!(verified(now), Err(Forged::Time));
        }
    }

    #[test]
    fn one_secret_can_replace_another() {
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let both = Secrets::parse(&format!("{other}\n\n{SECRET}\n")).unwrap();
        assert_eq!(both.verify(&SIGNED, BODY, AT), Ok(()));
        let signatures = format!("v1a,AAAA v1,AAAA v1,!! {SIGNATURE}");
        let signed = Signed {
            signatures: &signatures,
            ..SIGNED
        };
        assert_eq!(secrets().verify(&signed, BODY, AT), Ok(()));
        let alone = Secrets::parse(other).unwrap();
        assert_eq!(alone.verify(&SIGNED, BODY, AT), Err(Forged::Signature));
    }

    #[test]
    fn whatever_differs_is_not_believed() {
        let verified = |signed: &Signed<'_>, body| secrets().verify(signed, body, AT);
        assert_eq!(verified(&SIGNED, b"{}"), Err(Forged::Signature));
        for id in [
            "msg_other",
            "",
            "msg.1614265330",
            "msg\u{e9}",
            &"m".repeat(256),
        ] {
            assert!(verified(&Signed { id, ..SIGNED }, BODY).is_err(), "{id}");
        }
        for timestamp in [
            "1614265331",
            "",
            "+1614265330",
            "1614265330.0",
            "99999999999999999999",
        ] {
            let signed = Signed {
                timestamp,
                ..SIGNED
            };
            assert!(verified(&signed, BODY).is_err(), "{timestamp}");
        }
        let many = format!("{}{SIGNATURE}", "v1,AAAA ".repeat(SIGNATURES));
        for signatures in [
            "",
            "v1",
            "v1,",
            "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            &many,
        ] {
            let signed = Signed {
                signatures,
                ..SIGNED
            };
            assert_eq!(
                verified(&signed, BODY),
                Err(Forged::Signature),
                "{signatures}"
            );
        }
    }

    #[test]
    fn a_file_without_a_secret_is_refused_and_not_quoted() {
        assert_eq!(
            Secrets::parse("\n \n").unwrap_err(),
            SecretsUnreadable::None
        );
        for text in ["password", "whsec_", "whsec_AAAA", &format!("{SECRET}=")] {
            let refused = Secrets::parse(&format!("\n{text}\n")).unwrap_err();
            assert_eq!(refused, SecretsUnreadable::Line(2));
            assert!(!refused.to_string().contains("AAAA"));
        }
        assert_eq!(format!("{:?}", secrets()), "Secrets(1)");
    }

    proptest! {
        #[test]
        fn nothing_made_up_is_believed(
            id in ".{0,20}", timestamp in "[0-9]{9,11}|.{0,14}", signatures in "(v1,[A-Za-z0-9+/]{43}=|.| ){0,6}", body: Vec<u8>,
        ) {
            let signed = Signed { id: &id, timestamp: &timestamp, signatures: &signatures };
            prop_assert!(secrets().verify(&signed, &body, AT).is_err());
        }
    }
}
