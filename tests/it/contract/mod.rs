//! What every store does, whichever backend it has: one suite, no case outside it.

mod accounts;
mod addresses;
mod audit;
mod codes;
mod factors;
mod import;
mod invitations;
mod limits;
mod outbox;
mod peppers;
mod removals;
mod requests;
mod resets;
mod retry;
mod second_factors;
mod sign_in;
mod sqlite;
mod tidy;
mod wrong_passwords;

use crate::support::clock::ManualClock;
use crate::support::fixture;
use relatch::domain::account::{Account, Profile};
use relatch::domain::audit::Sequence;
use relatch::domain::id::AccountId;
use relatch::domain::message::ChannelKind;
use relatch::domain::token::Link;
use relatch::store::{
    AccountCreated, AccountSelector, CreateAccount, EventStretch, LeasedMessage, LiveReset,
    MessageContent, OpenedReset, Store, TakenIn,
};
use std::sync::Arc;

/// A store with a clock to move.
pub(crate) struct Bench {
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
}

impl Bench {
    /// Creates an account with a verified address.
    pub(crate) async fn account(&self, email: &str) -> Account {
        self.account_of(fixture::profile(email)).await
    }

    /// Creates an account with this profile.
    pub(crate) async fn account_of(&self, profile: Profile) -> Account {
        let create = CreateAccount {
            profile,
            ..fixture::create("ada@example.com")
        };
        match self.store.create_account(create).await.unwrap() {
            AccountCreated::Created(account) => account,
            other => panic!("{other:?}"),
        }
    }

    /// Creates an account with a verified address and phone whose second factor is SMS.
    pub(crate) async fn sms_account(&self, email: &str) -> Account {
        let created = fixture::create_with_sms(email);
        match self.store.create_account(created).await.unwrap() {
            AccountCreated::Created(account) => account,
            other => panic!("{other:?}"),
        }
    }

    /// The account as it is now.
    pub(crate) async fn reread(&self, account_id: AccountId) -> Account {
        self.store
            .account(AccountSelector::Id(account_id))
            .await
            .unwrap()
            .unwrap()
    }

    /// Requests a link and resolves the request.
    pub(crate) async fn request(&self, email: &str) {
        assert_eq!(
            self.store
                .take_in(fixture::take_in(email, "192.0.2.1"))
                .await
                .unwrap(),
            TakenIn::Accepted
        );
        self.store.resolve(fixture::resolve(100)).await.unwrap();
    }

    /// Every message that is due, leased: the mails, then the text messages.
    pub(crate) async fn due(&self) -> Vec<LeasedMessage> {
        let mut due = Vec::new();
        for channel in [ChannelKind::Email, ChannelKind::Sms] {
            let lease = fixture::lease_by(channel, 1_000);
            due.extend(self.store.lease_messages(lease).await.unwrap().messages);
        }
        due
    }

    /// Requests a link and takes it out of the outbox.
    pub(crate) async fn link(&self, email: &str) -> Link {
        self.request(email).await;
        let due = self.due().await;
        let [message] = due.as_slice() else {
            panic!("one message is due, not {due:?}")
        };
        link_of(message)
    }

    /// Opens a link that must be live.
    pub(crate) async fn open(&self, link: Link) -> LiveReset {
        match self.store.open_reset(fixture::open(link)).await.unwrap() {
            OpenedReset::Live(live) => live,
            other => panic!("{other:?}"),
        }
    }

    /// The names of all events behind `after`.
    pub(crate) async fn events(&self, after: Sequence) -> Vec<String> {
        let stretch = EventStretch {
            after,
            through: *self.store.log_head().borrow(),
            at_most: 10_000,
            names: Vec::new(),
            account_id: None,
        };
        let read = self.store.read_events(stretch).await.unwrap();
        read.events
            .iter()
            .map(|event| name_of(&event.leaf))
            .collect()
    }

    /// The log's head.
    pub(crate) fn head(&self) -> Sequence {
        *self.store.log_head().borrow()
    }
}

/// The link that a message carries.
pub(crate) fn link_of(message: &LeasedMessage) -> Link {
    match message.content {
        MessageContent::ResetLink { link, .. } | MessageContent::FactorRemoval { link, .. } => link,
        MessageContent::Code { .. } | MessageContent::AddressCode { .. } => {
            panic!("a code is no link")
        }
        MessageContent::Notice { .. } => panic!("a notice carries no link"),
    }
}

/// The name of the event with this leaf.
pub(crate) fn name_of(leaf: &[u8]) -> String {
    use prost::Message as _;
    relatch::pb::AuditLeaf::decode(leaf).unwrap().name
}

/// Runs every case against the backend that `$open` opens, which gives a [`Bench`] and whatever must
/// live as long as it.
macro_rules! contract {
    ($open:path) => {
        $crate::contract::cases! { $open;
            accounts: [
                an_account_is_created_once_for_each_address,
                a_repeated_creation_gives_the_same_account,
                accounts_are_found_by_id_and_address,
                an_update_needs_the_revision_that_was_read,
                an_address_can_not_be_taken_over_by_an_update,
                another_address_is_told_to_the_one_before_and_to_the_new_one,
                a_deleted_account_takes_its_links_and_messages_along,
                accounts_are_listed_in_pages_without_gaps,
            ],
            addresses: [
                an_address_becomes_the_account_s_when_its_code_was_shown,
                a_verification_needs_a_proof_that_stands_and_a_minute_after_the_last,
                five_tries_ten_minutes_and_other_credentials_end_a_verification,
                whose_an_address_is_is_told_at_the_end_only,
                an_account_is_sent_ten_codes_a_day,
                the_present_address_can_be_verified_and_is_told_so,
            ],
            requests: [
                a_request_becomes_a_message_for_a_verified_address,
                nothing_is_sent_where_nothing_may_be_sent,
                the_typed_address_is_erased_when_the_request_is_resolved,
                a_repeated_request_is_taken_in_once,
                a_full_intake_refuses_everybody,
                sources_are_resolved_in_turns,
                the_identifier_limit_suppresses_silently,
                the_fourth_request_sends_the_newest_link_again,
                a_request_that_waited_too_long_is_not_sent,
                a_profile_link_tells_its_way,
                a_profile_link_goes_by_sms_where_that_is_the_factor,
                a_link_never_goes_by_two_ways,
                a_profile_link_is_limited_and_repeatable,
                links_live_from_the_intake_s_commit,
            ],
            resets: [
                a_link_is_used_once,
                of_many_confirms_at_once_one_succeeds,
                whatever_moves_the_credentials_kills_every_link,
                a_dead_link_says_why,
                cancelling_kills_every_live_link_and_may_be_repeated,
                a_repeated_confirm_is_recognised_and_another_link_refused,
                a_repeated_confirm_has_nothing_to_be_tried_against_once_the_credentials_moved,
                a_confirm_tells_the_owner,
                a_confirm_tells_the_owner_by_every_way_that_is_verified,
                a_link_dies_with_its_last_microsecond,
            ],
            sign_in: [
                only_accounts_that_may_sign_in_are_checked,
                a_sign_in_under_moved_credentials_does_not_stand,
                an_outdated_hash_is_replaced_once,
                ending_sessions_moves_the_watermark,
            ],
            codes: [
                a_right_password_waits_for_the_factor_unless_codes_by_email_are_off,
                codes_are_sent_a_minute_apart_and_three_times,
                an_account_is_sent_ten_codes_a_day_and_its_sign_in_waits_all_the_same,
                a_phone_that_is_not_known_to_be_theirs_gets_no_code_and_an_email_does,
                each_code_is_good_for_ten_minutes,
                a_code_goes_to_where_the_factor_is,
                a_code_is_not_sent_once_its_sign_in_is_over,
                a_challenge_is_removed_once_it_is_over,
            ],
            second_factors: [
                the_fifth_try_is_the_last,
                of_many_tries_at_once_five_are_counted,
                a_hundred_wrong_codes_in_a_row_stop_the_factor_and_its_own_link_reopens_it,
                a_right_code_begins_the_count_anew,
                the_owner_is_told_of_wrong_codes_at_five_and_at_a_hundred,
                a_challenge_passes_once,
                a_challenge_dies_with_the_credentials,
                a_confirm_without_the_code_that_is_asked_for_changes_nothing,
                of_many_uses_of_a_step_at_once_one_passes,
                a_spent_code_leaves_the_link_as_it_was,
                a_recovery_code_is_used_once_tells_the_owner_and_reopens_the_factor,
                a_factor_that_is_chosen_begins_without_the_wrong_codes_before,
            ],
            wrong_passwords: [
                the_tenth_begins_a_pause_at_its_source_and_nowhere_else,
                in_a_pause_nothing_counts_and_nothing_stands,
                a_hundred_stop_the_password_until_a_reset,
                a_right_one_begins_the_counts_anew,
                as_many_at_once_as_there_are_count,
                the_owner_is_told_once,
                what_nobody_told_them_is_told_at_the_stop,
                a_source_is_forgotten_a_day_after_its_pause,
            ],
            factors: [
                an_enrolled_app_is_the_factor_from_its_first_code_on,
                of_many_who_finish_an_enrolment_at_once_one_does,
                an_enrolment_bears_five_tries,
                an_enrolment_ends_with_its_time_and_with_the_credentials,
                a_new_app_takes_the_old_ones_place_with_codes_of_its_own,
                a_factor_is_chosen_among_those_that_the_account_has,
                another_factor_takes_the_app_and_every_code_along,
                recovery_codes_are_for_factors_that_they_stand_in_for,
                a_proof_that_does_not_stand_changes_nothing,
            ],
            removals: [
                a_removal_is_announced_and_takes_effect_in_its_time,
                whoever_is_told_of_a_removal_can_stop_it,
                what_was_stopped_is_announced_no_more,
                an_announcement_of_what_was_stopped_is_not_tried_again,
                a_removal_under_way_is_ordered_once,
                a_removal_of_which_nobody_could_be_told_is_not_begun,
                an_owner_who_chooses_another_factor_ends_a_removal,
                of_many_who_carry_a_removal_out_at_once_one_does,
                a_removal_is_forgotten_once_it_has_ended,
            ],
            import: [
                an_imported_row_is_an_account_at_once_and_may_be_sent_again,
                an_account_that_exists_is_left_as_it_is,
                a_row_is_known_again_whatever_became_of_its_account,
                a_row_that_is_sent_again_brings_no_deleted_account_back,
                judging_changes_nothing,
                accounts_are_exported_in_pages_with_their_hashes,
            ],
            peppers: [
                a_pepper_is_in_use_while_a_hash_needs_it,
            ],
            invitations: [
                an_invitation_reaches_an_unverified_address_and_verifies_it_when_it_is_used,
                nobody_is_invited_who_has_a_password_is_disabled_or_is_not_there,
                a_repeated_invitation_is_one_message,
                invitations_are_counted_apart_from_reset_links,
                an_invitation_dies_with_its_time_and_with_the_credentials,
                an_invitation_that_was_never_sent_is_told_to_be_dead,
            ],
            outbox: [
                a_leased_message_is_nobody_else_s_until_the_lease_ends,
                many_couriers_lease_every_message_once,
                each_channel_is_leased_by_itself,
                a_settled_message_keeps_no_address,
                a_retry_waits_its_pause,
                a_message_whose_link_died_is_expired_instead,
                a_lease_of_nothing_expires_what_is_dead,
                a_notice_is_given_up_after_three_days,
                of_many_attempts_the_newest_are_kept,
                a_message_that_came_back_has_failed,
                what_is_not_out_does_not_come_back,
                a_lost_lease_settles_nothing,
                messages_are_found_for_the_support_desk,
                what_waits_is_counted,
            ],
            retry: [
                a_failed_message_is_due_at_once_and_goes_where_it_went,
                a_waiting_message_is_due_at_once_and_one_in_hand_is_left,
                what_is_dead_is_not_tried_again,
                what_was_sent_is_sent_once_more_under_another_id,
                what_was_suppressed_stays_as_it_is,
                a_code_sent_once_more_is_the_same_code_and_counts_once,
                nobody_is_told_of_another_address_in_place_of_who_was_to_be,
                a_repeated_retry_is_one,
                a_notice_goes_to_the_address_of_now_if_there_is_one,
                a_code_goes_to_where_the_factor_is_until_its_sign_in_is_over,
            ],
            limits: [
                a_source_is_limited_and_recovers,
                a_repeated_confirm_counts_against_its_source,
                ipv6_sources_share_their_48,
            ],
            audit: [
                every_change_is_one_event,
                the_sequence_is_dense_under_concurrency,
                filters_see_what_they_ask_for,
                the_head_moves_when_events_are_committed,
            ],
            tidy: [
                a_counter_is_removed_once_it_is_full_again,
                a_call_is_remembered_until_its_very_end,
                what_is_over_goes_and_what_is_not_stays,
            ],
        }
    };
}

macro_rules! cases {
    ($open:path; $($module:ident: [$($case:ident),* $(,)?]),* $(,)?) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (bench, _kept) = $open();
                $crate::contract::$module::$case(bench).await;
            })*
        })*
    };
}

pub(crate) use {cases, contract};
