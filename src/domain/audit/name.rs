//! Event names: OWASP's logging vocabulary where it has one, our own words elsewhere.

use std::fmt;

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The ordinary course of things.
    Info,
    /// Worth a look when there are many.
    Warn,
    /// Worth a look.
    Critical,
}

impl Level {
    /// The level's number in the API.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Info => 1,
            Self::Warn => 2,
            Self::Critical => 3,
        }
    }
}

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for was done.
    Success,
    /// It was refused.
    Refused,
    /// It was tried and did not work.
    Failure,
}

impl Outcome {
    /// The outcome as the log spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failure => "failure",
        }
    }
}

macro_rules! event_names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $level:ident),* $(,)?) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventName {
            $($(#[$doc])* $variant,)*
        }

        impl EventName {
            /// Every name there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name as the log spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            const fn usual_level(self) -> Level {
                match self {
                    $(Self::$variant => Level::$level,)*
                }
            }
        }
    };
}

event_names! {
    /// A reset link was made.
    TokenCreated = "authn_token_created" Info,
    /// A live link was asked for once more and is sent again.
    TokenResent = "reset_link_resent" Info,
    /// A request for a link leads to no message.
    RequestSuppressed = "reset_request_suppressed" Info,
    /// The live links of an account were killed by its owner.
    TokenRevoked = "authn_token_revoked" Info,
    /// A link was refused that had been used before.
    TokenReuse = "authn_token_reuse" Critical,
    /// A link was refused.
    TokenRefused = "reset_link_refused" Warn,
    /// A password was set.
    PasswordChange = "authn_password_change" Info,
    /// A password was not changed: refused by the policy, or the present one was wrong.
    PasswordRefused = "authn_password_change_fail" Warn,
    /// Somebody signed in.
    SignIn = "authn_login_success" Info,
    /// A password was right, and the second factor is due.
    FactorAsked = "second_factor_asked" Info,
    /// A code for the second factor is to be sent.
    CodeCreated = "second_factor_code_created" Info,
    /// A code was tried: it counts as wrong until it was looked at.
    FactorTried = "second_factor_tried" Info,
    /// A recovery code was used.
    RecoveryCodeUsed = "recovery_code_used" Warn,
    /// A factor had as many wrong codes in a row as it bears: it takes none any more.
    FactorStopped = "second_factor_stopped" Warn,
    /// Somebody did not.
    SignInFailed = "authn_login_fail" Warn,
    /// Somebody did not, with so many wrong passwords from there that a pause begins.
    SignInPaused = "authn_login_fail_max" Warn,
    /// A password was wrong for the last time: it works no more.
    PasswordStopped = "authn_login_lock" Warn,
    /// An authenticator app was given its secret.
    EnrolmentBegun = "totp_enrolment_begun" Info,
    /// A first code of it was tried.
    EnrolmentTried = "totp_enrolment_tried" Info,
    /// A code was sent to an address that is to become an account's.
    VerificationBegun = "address_verification_begun" Info,
    /// A code that is to prove an address is looked at.
    VerificationTried = "address_verification_tried" Info,
    /// An address became an account's, verified.
    AddressVerified = "address_verified" Info,
    /// An account's second factor is another, or another app.
    SecondFactorChanged = "second_factor_changed" Info,
    /// The support desk takes a second factor away; its owner has time to object.
    FactorRemovalOrdered = "second_factor_removal_ordered" Warn,
    /// The owner objected.
    FactorRemovalCancelled = "second_factor_removal_cancelled" Warn,
    /// Recovery codes were issued, and those before them are void.
    RecoveryCodesRenewed = "recovery_codes_renewed" Info,
    /// Sessions were ended.
    SessionsEnded = "session_ended" Info,
    /// An account was created.
    AccountCreated = "user_created" Info,
    /// An account was changed.
    AccountUpdated = "user_updated" Info,
    /// An account was deleted.
    AccountDeleted = "user_deleted" Info,
    /// Somebody was given every account.
    AccountsExported = "accounts_exported" Warn,
    /// A channel accepted a message.
    MessageSent = "message_sent" Info,
    /// A channel refused a message for good.
    MessageFailed = "message_failed" Warn,
    /// Somebody asked for a message to be tried at once.
    MessageRetried = "message_retried" Info,
    /// A message was not sent, for a budget was used up.
    MessageSuppressed = "message_suppressed" Warn,
    /// A message that was accepted came back.
    MessageBounced = "message_bounced" Warn,
    /// A message's link died before it could be sent.
    MessageExpired = "message_expired" Warn,
    /// A caller lacked a scope.
    ScopeMissing = "authz_fail" Critical,
    /// A caller showed no valid credential.
    CallerUnknown = "authn_caller_fail" Warn,
    /// A limit was reached.
    RateLimited = "excess_rate_limit_exceeded" Warn,
    /// A field could not be read.
    InputRefused = "input_validation_fail" Warn,
    /// The service could not take the work on.
    Overloaded = "sys_overloaded" Warn,
    /// The log was watched.
    AuditWatched = "audit_watch_opened" Info,
    /// The store was made of a backup: another log ended, and this one began.
    StoreRestored = "store_restored" Critical,
    /// The service began to serve.
    Startup = "sys_startup" Info,
    /// The service ended in good order.
    Shutdown = "sys_shutdown" Info,
}

impl EventName {
    /// How grave an event of this name and outcome is.
    #[must_use]
    pub const fn level(self, outcome: Outcome) -> Level {
        match (self.usual_level(), outcome) {
            (Level::Info, Outcome::Failure) => Level::Warn,
            (level, _) => level,
        }
    }

    /// The name that is spelled so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_spelled_once() {
        for name in EventName::ALL {
            assert_eq!(EventName::parse(name.as_str()), Some(*name));
        }
        assert_eq!(EventName::parse("authn_login"), None);
    }
}
