//! Challenges: sign-ins between the password and the second factor.

use super::asking::asking;
use super::codes;
use super::row::change;
use super::tries;
use super::work::Work;
use crate::domain::account::{Account, SecondFactor};
use crate::domain::audit::{Draft, EventName};
use crate::domain::call::Call;
use crate::domain::challenge::CHALLENGE_LIFETIME;
use crate::domain::code::CodeFor;
use crate::store::{
    AskFactor, ChallengeFinished, CodeSent, DeadLink, FinishChallenge, PendingSignIn, StoreError,
};

/// The condition under which a challenge `c` of account `a` asks for a code at `?1`.
pub(super) const LIVE: &str = "c.finished_at IS NULL AND c.expires_at > ?1 AND c.code_tries < 5
     AND c.credential_version = a.credential_version AND a.disabled = 0";

/// Makes a challenge, and sends its first code where one is sent. Without one that the day's limit kept back
/// the sign-in waits all the same, for a recovery code or a later sending.
pub(super) fn begin(
    work: &mut Work<'_>,
    call: &Call,
    account: &Account,
    second_factor: SecondFactor,
    ask: &AskFactor,
) -> Result<PendingSignIn, StoreError> {
    let expires_at = work.now().plus(CHALLENGE_LIFETIME);
    change(
        work.sql(),
        "INSERT INTO challenges (challenge_id, account_id, credential_version, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            ask.challenge_id.as_bytes(),
            account.account_id.as_bytes(),
            account.credential_version.get(),
            work.now().as_micros(),
            expires_at.as_micros(),
        ),
    )?;
    let what_for = CodeFor::SignIn(ask.challenge_id);
    let sent = codes::send(work, call, account, what_for, expires_at, &ask.code)?;
    Ok(PendingSignIn {
        second_factor,
        code: match sent {
            CodeSent::Sent(code) => Some(code),
            CodeSent::Nothing
            | CodeSent::Dead(_)
            | CodeSent::SourceLimited(_)
            | CodeSent::Limited(_) => None,
        },
        expires_at,
    })
}

/// Consumes a challenge that is as the code was passed under, and the code with it.
pub(super) fn finish_challenge(
    work: &mut Work<'_>,
    intent: &FinishChallenge,
) -> Result<ChallengeFinished, StoreError> {
    let account = match asking(work, CodeFor::SignIn(intent.challenge_id))? {
        Err(why) => return Ok(ChallengeFinished::Dead(why)),
        Ok(asking) if asking.account.credential_version != intent.credential_version => {
            return Ok(ChallengeFinished::Dead(DeadLink::Superseded));
        }
        Ok(asking) => asking.account,
    };
    if !tries::pass(work, &intent.call, &account, &intent.passed)? {
        return Ok(ChallengeFinished::Spent);
    }
    let finished = change(
        work.sql(),
        "UPDATE challenges SET finished_at = ?1 WHERE challenge_id = ?2 AND finished_at IS NULL",
        (work.now().as_micros(), intent.challenge_id.as_bytes()),
    )?;
    if finished != 1 {
        return Err(StoreError::corrupt("a live challenge was finished already"));
    }
    work.record(
        Draft::success(work.now(), EventName::SignIn, &intent.call)
            .of(account.account_id)
            .fact("factor", &account.profile.second_factor.name()),
    )?;
    Ok(ChallengeFinished::SignedIn)
}
