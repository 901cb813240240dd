//! Passing a second factor: a code is counted in the store before anybody looks at it, and used up together
//! with what it was asked for.

use super::Service;
use super::error::ServiceError;
use crate::domain::call::Call;
use crate::domain::client::Client;
use crate::domain::code::{self, Code, CodeFor};
use crate::domain::id::MessageId;
use crate::domain::limit::{self, Bucket, Limit, Rate};
use crate::domain::recovery_code::RecoveryCode;
use crate::domain::seal::UnsealRefused;
use crate::domain::totp::matching_step;
use crate::random::{self, NoEntropy};
use crate::store::{
    Against, CodeOrder, CodeSent, CountedTry, DeadLink, FactorPassed, FactorTried, LooksLike,
    PassedBy, RefuseFactor, SendCode, SentCode, TryFactor, Whence,
};

/// A code that somebody typed.
pub(super) struct Shown<'a> {
    /// The link or the sign-in that asks for it.
    pub(super) what_for: CodeFor,
    pub(super) code: &'a str,
    pub(super) client: &'a Client,
    /// The limits of the source that were not taken yet.
    pub(super) limits: Vec<Limit>,
}

/// A right code that is not used up yet.
pub(super) struct Passage {
    pub(super) tried: CountedTry,
    pub(super) passed: FactorPassed,
}

enum Typed {
    Digits(Code),
    Recovery(RecoveryCode),
    Neither,
}

impl Typed {
    fn read(code: &str) -> Self {
        match (Code::parse(code), RecoveryCode::parse(code)) {
            (Some(digits), _) => Self::Digits(digits),
            (None, Some(code)) => Self::Recovery(code),
            (None, None) => Self::Neither,
        }
    }

    fn looks_like(&self) -> LooksLike {
        match self {
            Self::Digits(_) => LooksLike::SixDigits,
            Self::Recovery(code) => LooksLike::RecoveryCode(code.digest()),
            Self::Neither => LooksLike::Nothing,
        }
    }
}

impl Service {
    /// Looks at a code; `None` if none is asked for.
    pub(super) async fn pass_factor(
        &self,
        call: &Call,
        shown: Shown<'_>,
    ) -> Result<Option<Passage>, ServiceError> {
        let (what_for, client) = (shown.what_for, shown.client);
        let typed = Typed::read(shown.code);
        let intent = TryFactor {
            call: call.clone(),
            what_for,
            limits: shown.limits,
            looks_like: typed.looks_like(),
        };
        let tried = match self.store.try_factor(intent).await? {
            FactorTried::Counted(tried) => tried,
            FactorTried::NotAsked => return Ok(None),
            FactorTried::Dead(why) => return Err(over(what_for, why)),
            FactorTried::SourceLimited(limited) => {
                return Err(ServiceError::limited(Bucket::SignInSource, limited));
            }
        };
        let Some(by) = self.compare(what_for, &tried, &typed)? else {
            return Err(self.refuse_factor(call, what_for, tried, client).await);
        };
        let passed = FactorPassed {
            by,
            notice_id: self.message_id()?,
            whence: Whence::of(client),
        };
        Ok(Some(Passage { tried, passed }))
    }

    /// By what the code passes, if it is right.
    fn compare(
        &self,
        what_for: CodeFor,
        tried: &CountedTry,
        typed: &Typed,
    ) -> Result<Option<PassedBy>, UnsealRefused> {
        Ok(match (&tried.against, typed) {
            (Against::Sendings(sendings), Typed::Digits(typed)) => {
                code::matches(&self.keyring.load(), what_for, sendings, typed)
                    .then_some(PassedBy::SentCode)
            }
            (Against::App(app), Typed::Digits(typed)) => {
                let secret = self.unsealed(tried.account_id, &app.sealed_secret)?;
                let now = self.clock.now();
                matching_step(&secret, typed.expose(), now, app.last_step).map(PassedBy::AppCode)
            }
            (Against::RecoveryCode, Typed::Recovery(typed)) => {
                Some(PassedBy::RecoveryCode(typed.digest()))
            }
            (Against::Sendings(_) | Against::App(_), Typed::Recovery(_) | Typed::Neither)
            | (Against::RecoveryCode, Typed::Digits(_) | Typed::Neither)
            | (Against::Nothing, _) => None,
        })
    }

    /// Writes down that a counted code was wrong; gives the answer to that.
    pub(super) async fn refuse_factor(
        &self,
        call: &Call,
        what_for: CodeFor,
        tried: CountedTry,
        client: &Client,
    ) -> ServiceError {
        let notice_id = match self.message_id() {
            Ok(notice_id) => notice_id,
            Err(error) => return error.into(),
        };
        let intent = RefuseFactor {
            call: call.clone(),
            what_for,
            tried,
            notice_id,
            whence: Whence::of(client),
        };
        match self.store.refuse_factor(intent).await {
            Ok(()) => ServiceError::SecondFactorWrong,
            Err(error) => error.into(),
        }
    }

    /// Sends a code for a link or a sign-in; `None` if there is none to send.
    pub(super) async fn send_code(
        &self,
        call: Call,
        what_for: CodeFor,
        client: &Client,
    ) -> Result<Option<SentCode>, ServiceError> {
        let rates = &self.rules.rates;
        let (bucket, rate, rate_of_codes) = match what_for {
            CodeFor::Reset(_) => (Bucket::CheckSource, rates.check_source, rates.codes),
            CodeFor::SignIn(_) => (
                Bucket::SignInSource,
                rates.sign_in_source,
                self.rate_of_other_codes(),
            ),
        };
        let limits = limit::for_source(&self.keyring.load(), bucket, rate, client.source());
        let intent = SendCode {
            call,
            what_for,
            limits,
            order: self.code_order(rate_of_codes, client)?,
        };
        match self.store.send_code(intent).await? {
            CodeSent::Sent(sent) => Ok(Some(sent)),
            CodeSent::Nothing => Ok(None),
            CodeSent::Dead(why) => Err(over(what_for, why)),
            CodeSent::SourceLimited(limited) => Err(ServiceError::limited(bucket, limited)),
            CodeSent::Limited(limited) => Err(ServiceError::limited(Bucket::Codes, limited)),
        }
    }

    /// How many codes an account is sent that are not for a reset. Some of the day's are kept for those: whoever
    /// signs in with a stolen password, again and again, must not keep its owner from a new one.
    pub(super) fn rate_of_other_codes(&self) -> Rate {
        self.rules.rates.codes.but_the_last_third()
    }

    /// What a message with a code for this person is made with.
    pub(super) fn code_order(&self, rate: Rate, client: &Client) -> Result<CodeOrder, NoEntropy> {
        Ok(CodeOrder {
            message_id: self.message_id()?,
            rate,
            fallback_locale: client.locale.clone(),
        })
    }

    /// A name for a message of this moment.
    pub(super) fn message_id(&self) -> Result<MessageId, NoEntropy> {
        let entropy = random::array(&*self.random)?;
        Ok(MessageId::at(self.clock.now(), entropy))
    }
}

/// What a caller is told of a link or a sign-in that asks for nothing any more.
pub(super) fn over(what_for: CodeFor, why: DeadLink) -> ServiceError {
    match what_for {
        CodeFor::Reset(_) => why.into(),
        CodeFor::SignIn(_) => ServiceError::ChallengeInvalid,
    }
}
