//! Sending codes. Which codes a link or a challenge has, and until when, its messages say: the code itself is
//! derived, and stands nowhere.

use super::asking::{Asking, asking};
use super::limits;
use super::messages::{self, Carried, NewMessage};
use super::row::{Columns, all, one};
use super::work::Work;
use crate::domain::account::Account;
use crate::domain::audit::{Draft, EventName};
use crate::domain::call::Call;
use crate::domain::code::{CODE_LIFETIME, CodeFor};
use crate::domain::destination::Destination;
use crate::domain::limit::{Bucket, Limit, LimitKey};
use crate::domain::message::{DeliveryState, MessageKind};
use crate::domain::time::Timestamp;
use crate::domain::tries::{NotSent, Sending, channel_of, next_sending, resend_after};
use crate::store::{CodeOrder, CodeSent, Limited, SendCode, SentCode, StoreError};

/// Sends a code to whom a live link or challenge asks for one.
pub(super) fn send_code(work: &mut Work<'_>, intent: &SendCode) -> Result<CodeSent, StoreError> {
    if let Err(limited) = limits::take(work, &intent.limits)? {
        return Ok(CodeSent::SourceLimited(limited));
    }
    let what_for = intent.what_for;
    match asking(work, what_for)?.and_then(Asking::with_tries_left) {
        Ok(asking) if asking.factor.is_some() => {
            let Asking {
                account,
                expires_at,
                ..
            } = asking;
            send(
                work,
                &intent.call,
                &account,
                what_for,
                expires_at,
                &intent.order,
            )
        }
        Ok(_) => Ok(CodeSent::Nothing),
        Err(why) => Ok(CodeSent::Dead(why)),
    }
}

/// Sends the next code of the account's factor for what ends then, if its limits let it.
pub(super) fn send(
    work: &mut Work<'_>,
    call: &Call,
    account: &Account,
    what_for: CodeFor,
    ends: Timestamp,
    order: &CodeOrder,
) -> Result<CodeSent, StoreError> {
    let channel = channel_of(account.profile.second_factor);
    let to = channel.and_then(|channel| Destination::of_codes(&account.profile, channel));
    let Some(to) = to.filter(|to| work.carries(to.channel)) else {
        return Ok(CodeSent::Nothing);
    };
    let sending = match next_sending(last_sending(work, what_for)?, work.now()) {
        Ok(sending) => sending,
        Err(NotSent::TooSoon(retry_after)) => {
            return Ok(CodeSent::Limited(Limited { retry_after }));
        }
        Err(NotSent::NoMore) => {
            let retry_after = ends.since(work.now());
            return Ok(CodeSent::Limited(Limited { retry_after }));
        }
    };
    let limit = Limit {
        key: LimitKey::of_account(Bucket::Codes, account.account_id),
        rate: order.rate,
    };
    if let Err(limited) = limits::take(work, &[limit])? {
        return Ok(CodeSent::Limited(limited));
    }
    let own_locale = &account.profile.locale;
    messages::insert(
        work,
        &NewMessage {
            message_id: order.message_id,
            account_id: Some(account.account_id),
            identifier: None,
            carries: Some(Carried::Code(what_for, sending.number)),
            kind: match what_for {
                CodeFor::Reset(_) => MessageKind::ResetCode,
                CodeFor::SignIn(_) => MessageKind::SignInCode,
            },
            channel: to.channel,
            address: Some(&to.address),
            destination: &to.masked,
            locale: if own_locale.as_str().is_empty() {
                &order.fallback_locale
            } else {
                own_locale
            },
            state: DeliveryState::Queued,
            reason: "",
            requested_at: work.now(),
            expires_at: work.now().plus(CODE_LIFETIME).min(ends),
            happened: None,
        },
    )?;
    work.record(
        Draft::success(work.now(), EventName::CodeCreated, call)
            .of(account.account_id)
            .fact("message_id", &order.message_id)
            .fact("channel", to.channel.name())
            .fact("sending", &sending.number)
            .personal("destination", &to.masked),
    )?;
    Ok(CodeSent::Sent(SentCode {
        channel: to.channel,
        destination: to.masked,
        resend_after: resend_after(sending, ends),
    }))
}

/// The messages that carry codes for this, as a condition on `messages`, and its parameter.
fn carrying(what_for: &CodeFor) -> (&'static str, &[u8; 16]) {
    match what_for {
        CodeFor::Reset(id) => ("reset_id = ?1 AND sending IS NOT NULL", id.as_bytes()),
        CodeFor::SignIn(id) => ("challenge_id = ?1", id.as_bytes()),
    }
}

fn last_sending(work: &Work<'_>, what_for: CodeFor) -> Result<Option<Sending>, StoreError> {
    let (carrying, id) = carrying(&what_for);
    one(
        work.sql(),
        &format!(
            "SELECT sending, requested_at FROM messages WHERE {carrying} ORDER BY sending DESC LIMIT 1"
        ),
        [id],
        |row| {
            Ok(Sending {
                number: row.get("sending")?,
                at: row.moment("requested_at")?,
            })
        },
    )
}

/// The sendings whose codes are good now.
pub(super) fn good_sendings(work: &Work<'_>, what_for: CodeFor) -> Result<Vec<u32>, StoreError> {
    let (carrying, id) = carrying(&what_for);
    all(
        work.sql(),
        &format!(
            "SELECT DISTINCT sending FROM messages WHERE {carrying} AND expires_at > ?2 ORDER BY sending"
        ),
        (id, work.now().as_micros()),
        |row| Ok(row.get("sending")?),
    )
}
