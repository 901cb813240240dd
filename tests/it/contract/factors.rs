//! Second factors: nobody changes one without a proof that stands, and each change is made once.

use super::Bench;
use crate::support::fixture::{self, call, fresh, update};
use relatch::domain::account::{Account, AccountChange, SecondFactor};
use relatch::domain::id::{AccountId, MessageId};
use relatch::domain::message::Notice;
use relatch::domain::phone::Phone;
use relatch::domain::recovery_code::{RecoveryCode, RecoveryCodeDigest};
use relatch::domain::seal::Sealed;
use relatch::domain::totp::Step;
use relatch::store::{
    AccountCreated, App, BeginEnrolment, EnrolmentBegun, EnrolmentFinished, EnrolmentTried,
    FinishEnrolment, Leftovers, MessageContent, ProofFails, RecoveryCodesRenewed,
    RenewRecoveryCodes, SecondFactorSet, SetSecondFactor, ShownProof, Tidy, TryEnrolment,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

const EMAIL: &str = "ada@example.com";
const LIFETIME: Duration = Duration::from_mins(10);

/// A proof of the factor that this account has.
fn proof(account: &Account) -> ShownProof {
    ShownProof {
        account_id: account.account_id,
        credential_version: account.credential_version,
        second_factor: account.profile.second_factor,
    }
}

fn sealed(byte: u8) -> Sealed {
    Sealed::from_bytes(vec![byte; 64])
}

fn codes(byte: u8) -> Vec<RecoveryCodeDigest> {
    let code = |number| RecoveryCode::from_bytes([byte.wrapping_add(number); 16]);
    (0..10).map(|number| code(number).digest()).collect()
}

fn begin(proof: ShownProof, byte: u8) -> BeginEnrolment {
    BeginEnrolment {
        call: call(),
        proof,
        sealed_secret: sealed(byte),
        lifetime: LIFETIME,
    }
}

fn finish(account: &Account, byte: u8) -> FinishEnrolment {
    FinishEnrolment {
        call: call(),
        account_id: account.account_id,
        credential_version: account.credential_version,
        app: App {
            sealed_secret: sealed(byte),
            last_step: Step::new(7),
        },
        recovery_codes: codes(byte),
        notice_id: MessageId::from_bytes(fresh()),
    }
}

fn set(proof: ShownProof, second_factor: SecondFactor) -> SetSecondFactor {
    SetSecondFactor {
        call: call(),
        proof,
        second_factor,
        notice_id: MessageId::from_bytes(fresh()),
    }
}

fn renew(proof: ShownProof, byte: u8) -> RenewRecoveryCodes {
    RenewRecoveryCodes {
        call: call(),
        proof,
        recovery_codes: codes(byte),
        notice_id: MessageId::from_bytes(fresh()),
    }
}

impl Bench {
    /// An account with a verified phone.
    async fn with_phone(&self, second_factor: SecondFactor) -> Account {
        let mut creation = fixture::create_with_sms(EMAIL);
        creation.profile.second_factor = second_factor;
        match self.store.create_account(creation).await.unwrap() {
            AccountCreated::Created(account) => account,
            other => panic!("{other:?}"),
        }
    }

    async fn begun(&self, account: &Account, byte: u8) {
        let begun = self.store.begin_enrolment(begin(proof(account), byte));
        let email = account.profile.email.clone();
        assert_eq!(begun.await.unwrap(), EnrolmentBegun::Begun(email));
    }

    async fn tried_enrolment(&self, account_id: AccountId) -> EnrolmentTried {
        let intent = TryEnrolment {
            call: call(),
            account_id,
        };
        self.store.try_enrolment(intent).await.unwrap()
    }

    /// The same account after an app was enrolled.
    pub(super) async fn enrolled(&self, account: &Account, byte: u8) -> Account {
        self.begun(account, byte).await;
        self.tried_enrolment(account.account_id).await;
        let finished = self.store.finish_enrolment(finish(account, byte)).await;
        assert_eq!(finished.unwrap(), EnrolmentFinished::Finished);
        self.reread(account.account_id).await
    }

    async fn codes_left(&self, account_id: AccountId) -> u32 {
        let info = self.store.security_info(account_id).await.unwrap();
        info.unwrap().recovery_codes_left
    }

    /// The notices that are due.
    async fn due_notices(&self) -> Vec<Notice> {
        let about = |content| match content {
            MessageContent::Notice { about, .. } => about,
            other => panic!("no notice: {other:?}"),
        };
        let due = self.due().await;
        due.iter().map(|message| about(message.content)).collect()
    }
}

pub(super) async fn an_enrolled_app_is_the_factor_from_its_first_code_on(bench: Bench) {
    let before = bench.account(EMAIL).await;
    let head = bench.head();
    bench.begun(&before, 1).await;
    assert_eq!(bench.reread(before.account_id).await, before);
    let compare = EnrolmentTried::Compare {
        sealed_secret: sealed(1),
        credential_version: before.credential_version,
    };
    assert_eq!(bench.tried_enrolment(before.account_id).await, compare);
    assert_eq!(bench.reread(before.account_id).await, before);
    assert_eq!(bench.due_notices().await, []);

    let finished = bench.store.finish_enrolment(finish(&before, 1)).await;
    assert_eq!(finished.unwrap(), EnrolmentFinished::Finished);
    let after = bench.reread(before.account_id).await;
    assert_eq!(after.profile.second_factor, SecondFactor::Totp);
    assert_eq!(after.credential_version, before.credential_version.next());
    assert_ne!(after.revision, before.revision);
    assert!(after.sessions_valid_after.is_some());
    assert_eq!(bench.codes_left(before.account_id).await, 10);
    assert_eq!(bench.due_notices().await, [Notice::SecondFactorChanged]);
    assert_eq!(
        bench.events(head).await,
        [
            "totp_enrolment_begun",
            "totp_enrolment_tried",
            "second_factor_changed"
        ]
    );
    assert_eq!(
        bench.tried_enrolment(before.account_id).await,
        EnrolmentTried::Gone
    );
    let again = bench.store.finish_enrolment(finish(&after, 1)).await;
    assert_eq!(again.unwrap(), EnrolmentFinished::Gone);
}

pub(super) async fn of_many_who_finish_an_enrolment_at_once_one_does(bench: Bench) {
    const AT_ONCE: usize = 32;
    let account = bench.account(EMAIL).await;
    bench.begun(&account, 1).await;
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let finishing: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (store, barrier) = (Arc::clone(&bench.store), Arc::clone(&barrier));
            let finish = finish(&account, 1);
            tokio::spawn(async move {
                barrier.wait().await;
                store.finish_enrolment(finish).await.unwrap()
            })
        })
        .collect();
    let mut finished = 0;
    for each in finishing {
        finished += usize::from(each.await.unwrap() == EnrolmentFinished::Finished);
    }
    assert_eq!(finished, 1);
    assert_eq!(bench.due_notices().await, [Notice::SecondFactorChanged]);
}

pub(super) async fn an_enrolment_bears_five_tries(bench: Bench) {
    let account = bench.account(EMAIL).await;
    let account_id = account.account_id;
    assert_eq!(
        bench.tried_enrolment(account_id).await,
        EnrolmentTried::Gone
    );
    bench.begun(&account, 1).await;
    for _ in 0..5 {
        assert_ne!(
            bench.tried_enrolment(account_id).await,
            EnrolmentTried::Gone
        );
    }
    assert_eq!(
        bench.tried_enrolment(account_id).await,
        EnrolmentTried::Gone
    );
    // One of the five may still be on its way to be compared.
    bench.begun(&account, 2).await;
    let EnrolmentTried::Compare { sealed_secret, .. } = bench.tried_enrolment(account_id).await
    else {
        panic!("a new enrolment has tries of its own");
    };
    assert_eq!(sealed_secret, sealed(2));
    let replaced = bench.store.finish_enrolment(finish(&account, 1)).await;
    assert_eq!(replaced.unwrap(), EnrolmentFinished::Gone);
    let nobody = AccountId::from_bytes(fresh());
    assert_eq!(
        bench.tried_enrolment(nobody).await,
        EnrolmentTried::NoAccount
    );
}

pub(super) async fn an_enrolment_ends_with_its_time_and_with_the_credentials(bench: Bench) {
    let account = bench.account(EMAIL).await;
    let account_id = account.account_id;
    bench.begun(&account, 1).await;
    let just = Duration::from_micros(1);
    bench.clock.advance(LIFETIME.saturating_sub(just));
    assert_ne!(
        bench.tried_enrolment(account_id).await,
        EnrolmentTried::Gone
    );
    bench.clock.advance(just);
    assert_eq!(
        bench.tried_enrolment(account_id).await,
        EnrolmentTried::Gone
    );
    let late = bench.store.finish_enrolment(finish(&account, 1)).await;
    assert_eq!(late.unwrap(), EnrolmentFinished::Gone);
    let tidy = async || {
        let intent = Tidy {
            leftovers: Leftovers::Enrolments,
            at_most: 10,
        };
        bench.store.tidy(intent).await.unwrap().removed
    };
    assert_eq!(tidy().await, 1);

    bench.begun(&account, 2).await;
    assert_eq!(tidy().await, 0);
    let change = AccountChange {
        phone: Some(Some(Phone::parse("+14155550100").unwrap())),
        ..AccountChange::default()
    };
    let moved = bench.store.update_account(update(account_id, change)).await;
    moved.unwrap();
    assert_eq!(
        bench.tried_enrolment(account_id).await,
        EnrolmentTried::Gone
    );
    for version in [&account, &bench.reread(account_id).await] {
        let moved = bench.store.finish_enrolment(finish(version, 2)).await;
        assert_eq!(moved.unwrap(), EnrolmentFinished::Gone);
    }
    let after = bench.reread(account_id).await;
    assert_eq!(after.profile.second_factor, SecondFactor::Email);
}

pub(super) async fn a_new_app_takes_the_old_ones_place_with_codes_of_its_own(bench: Bench) {
    let first = bench.account(EMAIL).await;
    let second = bench.enrolled(&first, 1).await;
    let third = bench.enrolled(&second, 100).await;
    assert_eq!(third.credential_version, second.credential_version.next());
    assert_eq!(third.profile.second_factor, SecondFactor::Totp);
    assert_eq!(bench.codes_left(first.account_id).await, 10);
}

pub(super) async fn a_factor_is_chosen_among_those_that_the_account_has(bench: Bench) {
    let email = bench.with_phone(SecondFactor::Email).await;
    let account_id = email.account_id;
    let choose = async |account: &Account, factor| {
        let chosen = bench.store.set_second_factor(set(proof(account), factor));
        chosen.await.unwrap()
    };
    let head = bench.head();
    assert_eq!(
        choose(&email, SecondFactor::Totp).await,
        SecondFactorSet::NoApp
    );
    assert_eq!(
        choose(&email, SecondFactor::Email).await,
        SecondFactorSet::Set
    );
    assert_eq!(bench.reread(account_id).await, email, "as it was");
    assert_eq!(bench.events(head).await, [""; 0]);
    assert_eq!(bench.due_notices().await, []);

    assert_eq!(
        choose(&email, SecondFactor::Sms).await,
        SecondFactorSet::Set
    );
    let sms = bench.reread(account_id).await;
    assert_eq!(sms.profile.second_factor, SecondFactor::Sms);
    assert_eq!(sms.credential_version, email.credential_version.next());
    assert_eq!(bench.events(head).await, ["second_factor_changed"]);
    let (told, by_mail_and_sms) = (bench.due_notices().await, [Notice::SecondFactorChanged; 2]);
    assert_eq!(told, by_mail_and_sms);

    let withdrawn = AccountChange {
        phone_verified: Some(false),
        ..AccountChange::default()
    };
    let app = bench.enrolled(&sms, 1).await;
    let update = bench.store.update_account(update(account_id, withdrawn));
    update.await.unwrap();
    let app = Account {
        credential_version: bench.reread(account_id).await.credential_version,
        ..app
    };
    assert_eq!(
        choose(&app, SecondFactor::Sms).await,
        SecondFactorSet::NoVerifiedPhone
    );
}

pub(super) async fn another_factor_takes_the_app_and_every_code_along(bench: Bench) {
    let account = bench.with_phone(SecondFactor::Email).await;
    for factor in [SecondFactor::Email, SecondFactor::Sms] {
        let account = bench.reread(account.account_id).await;
        let app = bench.enrolled(&account, 1).await;
        bench.begun(&app, 2).await;
        let chosen = bench.store.set_second_factor(set(proof(&app), factor));
        assert_eq!(chosen.await.unwrap(), SecondFactorSet::Set);
        assert_eq!(bench.codes_left(account.account_id).await, 0);
        assert_eq!(
            bench.tried_enrolment(account.account_id).await,
            EnrolmentTried::Gone
        );
        let back = bench.reread(account.account_id).await;
        let back = set(proof(&back), SecondFactor::Totp);
        let back = bench.store.set_second_factor(back).await;
        assert_eq!(back.unwrap(), SecondFactorSet::NoApp, "{factor:?}");
    }
}

pub(super) async fn recovery_codes_are_for_factors_that_they_stand_in_for(bench: Bench) {
    let account = bench.with_phone(SecondFactor::Sms).await;
    let head = bench.head();
    for byte in [1, 100] {
        let renewed = bench
            .store
            .renew_recovery_codes(renew(proof(&account), byte));
        assert_eq!(renewed.await.unwrap(), RecoveryCodesRenewed::Renewed);
        assert_eq!(bench.codes_left(account.account_id).await, 10);
    }
    assert_eq!(bench.events(head).await, ["recovery_codes_renewed"; 2]);
    let (told, by_mail_and_sms) = (bench.due_notices().await, [Notice::RecoveryCodesRenewed; 4]);
    assert_eq!(told, by_mail_and_sms, "twice");
    assert_eq!(bench.reread(account.account_id).await, account);

    let other = bench.account("ben@example.com").await;
    let useless = bench.store.renew_recovery_codes(renew(proof(&other), 1));
    assert_eq!(useless.await.unwrap(), RecoveryCodesRenewed::NoUse);
    assert_eq!(bench.codes_left(other.account_id).await, 0);
}

pub(super) async fn a_proof_that_does_not_stand_changes_nothing(bench: Bench) {
    let account = bench.with_phone(SecondFactor::Sms).await;
    let other = bench.account("ben@example.com").await;
    let good = proof(&account);
    let nobody = AccountId::from_bytes(fresh());
    let void = ProofFails::Void;
    for (proof, why) in [
        (
            ShownProof {
                credential_version: account.credential_version.next(),
                ..good
            },
            void,
        ),
        (
            ShownProof {
                second_factor: SecondFactor::Email,
                ..good
            },
            void,
        ),
        (
            ShownProof {
                second_factor: SecondFactor::Totp,
                ..good
            },
            void,
        ),
        (
            ShownProof {
                account_id: other.account_id,
                ..good
            },
            void,
        ),
        (
            ShownProof {
                account_id: nobody,
                ..good
            },
            ProofFails::NoAccount,
        ),
    ] {
        let head = bench.head();
        let begun = bench.store.begin_enrolment(begin(proof, 1)).await;
        assert_eq!(begun.unwrap(), EnrolmentBegun::Refused(why), "{proof:?}");
        let chosen = set(proof, SecondFactor::Email);
        let chosen = bench.store.set_second_factor(chosen).await;
        assert_eq!(chosen.unwrap(), SecondFactorSet::Refused(why), "{proof:?}");
        let renewed = bench.store.renew_recovery_codes(renew(proof, 1)).await;
        let refused = RecoveryCodesRenewed::Refused(why);
        assert_eq!(renewed.unwrap(), refused, "{proof:?}");
        assert_eq!(bench.events(head).await, [""; 0], "{proof:?}");
    }
    assert_eq!(bench.reread(account.account_id).await, account);
    assert_eq!(bench.reread(other.account_id).await, other);
    assert_eq!(
        bench.tried_enrolment(account.account_id).await,
        EnrolmentTried::Gone
    );
    assert_eq!(bench.codes_left(account.account_id).await, 0);
}
