//! Invitations.

use super::sign_in::with_password;
use super::{Bench, link_of};
use crate::support::fixture::{
    self, cancel, confirm, create, fresh, invite, open, password_hash, profile, repeatable,
};
use relatch::domain::account::{Account, AccountChange, Profile};
use relatch::domain::email::Email;
use relatch::domain::id::AccountId;
use relatch::domain::idempotency::Method;
use relatch::domain::message::{DeliveryState, MessageKind, Notice};
use relatch::domain::reset::{LIVE_LINKS, Origin};
use relatch::domain::token::Link;
use relatch::store::{
    AccountCreated, CreateAccount, DeadLink, InviteSent, MessageContent, MessageFilter,
    MessagePage, OpenedReset, QueuedLink, ResetConfirmed, ResetsCancelled, SendInvite,
};
use std::time::Duration;

/// Somebody whose address nobody has verified.
async fn newcomer(bench: &Bench) -> Account {
    let creation = CreateAccount {
        profile: Profile {
            email_verified: false,
            ..profile("new@example.com")
        },
        ..create("new@example.com")
    };
    match bench.store.create_account(creation).await.unwrap() {
        AccountCreated::Created(account) => account,
        other => panic!("{other:?}"),
    }
}

async fn queued(bench: &Bench, intent: SendInvite) -> QueuedLink {
    match bench.store.send_invite(intent).await.unwrap() {
        InviteSent::Queued(queued) => queued,
        other => panic!("{other:?}"),
    }
}

/// Invites somebody and takes the link out of the outbox.
async fn invited(bench: &Bench, account_id: AccountId) -> Link {
    queued(bench, invite(account_id)).await;
    let due = bench.due().await;
    let [message] = due.as_slice() else {
        panic!("one message is due, not {due:?}")
    };
    link_of(message)
}

async fn is_live(bench: &Bench, link: Link) -> bool {
    let opened = bench.store.open_reset(open(link)).await.unwrap();
    matches!(opened, OpenedReset::Live(_))
}

pub(super) async fn an_invitation_reaches_an_unverified_address_and_verifies_it_when_it_is_used(
    bench: Bench,
) {
    let account = newcomer(&bench).await;
    let before = bench.head();
    let sent = queued(&bench, invite(account.account_id)).await;
    assert_eq!(sent.destination, "n***@example.com");
    let due = bench.due().await;
    let [message] = due.as_slice() else {
        panic!("one message is due, not {due:?}")
    };
    assert_eq!(message.message_id, sent.message_id);
    assert_eq!(message.address, "new@example.com");
    let MessageContent::ResetLink { link, origin, .. } = message.content else {
        panic!("{message:?}")
    };
    assert_eq!(origin, Origin::Invitation);
    assert_eq!(link.expires_at, sent.expires_at);

    let opened = bench.open(link).await;
    let use_it = confirm(link, &opened, password_hash(1));
    let used = bench.store.confirm_reset(use_it.clone()).await.unwrap();
    assert!(matches!(used, ResetConfirmed::Confirmed(_)), "{used:?}");
    let after = bench.reread(account.account_id).await;
    assert!(after.has_password && after.profile.email_verified);
    let again = bench.store.confirm_reset(use_it).await.unwrap();
    assert_eq!(again, ResetConfirmed::Dead(DeadLink::Used));
    let events = bench.events(before).await;
    assert_eq!(events, ["authn_token_created", "authn_password_change"]);
    // The address is known to be the owner's from now on.
    let notices = bench.due().await;
    assert!(matches!(
        notices[0].content,
        MessageContent::Notice {
            about: Notice::PasswordChanged,
            ..
        }
    ));
    let page = MessagePage {
        filter: MessageFilter::Account(account.account_id),
        after: None,
        at_most: 10,
    };
    let listed = bench.store.list_messages(page).await.unwrap();
    let mut kinds = listed.iter().map(|message| message.kind);
    assert!(kinds.any(|kind| kind == MessageKind::Invitation));
}

pub(super) async fn nobody_is_invited_who_has_a_password_is_disabled_or_is_not_there(bench: Bench) {
    let nobody = AccountId::from_bytes(fresh());
    let owner = with_password(&bench, "ada@example.com", 1).await.account_id;
    let disabled = newcomer(&bench).await.account_id;
    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let update = fixture::update(disabled, change);
    bench.store.update_account(update).await.unwrap();
    let before = bench.head();
    for (account_id, answer) in [
        (nobody, InviteSent::NoAccount),
        (owner, InviteSent::HasPassword),
        (disabled, InviteSent::Disabled),
    ] {
        let sent = bench.store.send_invite(invite(account_id)).await.unwrap();
        assert_eq!(sent, answer);
    }
    assert_eq!(bench.head(), before);
    assert!(bench.due().await.is_empty());
}

pub(super) async fn a_repeated_invitation_is_one_message(bench: Bench) {
    let account_id = newcomer(&bench).await.account_id;
    let intent = |field: &[u8]| SendInvite {
        repeatable: repeatable(Method::SendInvite, "1", field),
        ..invite(account_id)
    };
    let first = queued(&bench, intent(b"new")).await;
    assert_eq!(queued(&bench, intent(b"new")).await, first);
    assert_eq!(bench.due().await.len(), 1);
    let other = bench.store.send_invite(intent(b"other")).await.unwrap();
    assert_eq!(other, InviteSent::RequestIdReused);
}

pub(super) async fn invitations_are_counted_apart_from_reset_links(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let reset = bench.link("ada@example.com").await;
    let mut links = Vec::new();
    for _ in 0..=LIVE_LINKS {
        bench.clock.advance(Duration::from_secs(1));
        links.push(invited(&bench, account.account_id).await);
    }
    let newest = links.pop().unwrap();
    assert_eq!(links.last(), Some(&newest), "sent again");
    links.dedup();
    assert_eq!(links.len(), LIVE_LINKS as usize);
    for link in links.into_iter().chain([reset]) {
        assert!(is_live(&bench, link).await);
    }
    let fresh = bench.link("ada@example.com").await;
    assert_ne!(fresh.reset_id, newest.reset_id);

    let cancelled = bench.store.cancel_resets(cancel(newest)).await.unwrap();
    assert_eq!(cancelled, ResetsCancelled::Cancelled(LIVE_LINKS + 2));
    assert!(!is_live(&bench, newest).await);
}

pub(super) async fn an_invitation_dies_with_its_time_and_with_the_credentials(bench: Bench) {
    let account_id = newcomer(&bench).await.account_id;
    let link = invited(&bench, account_id).await;
    bench
        .clock
        .advance(Duration::from_hours(72) - Duration::from_secs(1));
    assert!(is_live(&bench, link).await);
    bench.clock.advance(Duration::from_secs(1));
    assert!(!is_live(&bench, link).await);

    let link = invited(&bench, account_id).await;
    let change = AccountChange {
        email: Some(Email::parse("other@example.com").unwrap()),
        ..AccountChange::default()
    };
    let update = fixture::update(account_id, change);
    bench.store.update_account(update).await.unwrap();
    assert!(!is_live(&bench, link).await);
}

pub(super) async fn an_invitation_that_was_never_sent_is_told_to_be_dead(bench: Bench) {
    let account_id = newcomer(&bench).await.account_id;
    queued(&bench, invite(account_id)).await;
    bench.clock.advance(Duration::from_hours(72));
    assert!(bench.due().await.is_empty());
    let page = MessagePage {
        filter: MessageFilter::Account(account_id),
        after: None,
        at_most: 1,
    };
    let listed = bench.store.list_messages(page).await.unwrap().remove(0);
    assert_eq!(
        (listed.state, listed.reason.as_str()),
        (DeliveryState::Expired, "link_dead")
    );
}
