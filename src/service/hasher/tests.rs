//! The hasher as its callers see it.

use std::{
    pin::Pin,
    sync::mpsc,
    task::{Context, Waker},
};

use tokio::{task::JoinHandle, time::sleep_until};

use super::*;
use crate::domain::password::{BreachesUnreadable, Rule, SHA1_BYTES};
use crate::metrics::{Metrics, Registry};

const PLACES: usize = 8;

fn hasher() -> Arc<Hasher> {
    hasher_measured_by(&Metrics::default())
}

fn hasher_measured_by(metrics: &Metrics) -> Arc<Hasher> {
    let threads = NonZeroUsize::MIN;
    let settings = HasherSettings {
        threads,
        queue: PLACES,
        metrics: metrics.hasher.clone(),
        ..HasherSettings::default()
    };
    Arc::new(Hasher::start(settings).unwrap())
}

fn later() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

/// A hasher whose only thread is busy until it is released.
struct Busy {
    hasher: Arc<Hasher>,
    metrics: Metrics,
    release: mpsc::Sender<()>,
    job: JoinHandle<Result<(), HashError>>,
}

impl Busy {
    async fn new() -> Self {
        let metrics = Metrics::default();
        let hasher = hasher_measured_by(&metrics);
        let (release, released) = mpsc::channel();
        let (started, start) = tokio::sync::oneshot::channel();
        let pool = Arc::clone(&hasher);
        let job = tokio::spawn(async move {
            let work = move |_: &mut arena::Arena| {
                started.send(()).unwrap();
                released.recv().unwrap();
            };
            pool.pool
                .run(Class::Confirm, Operation::Hash, later(), work)
                .await
        });
        start.await.unwrap();
        Self {
            hasher,
            metrics,
            release,
            job,
        }
    }

    /// Lines up a verification, which counts as a hash once it is begun.
    fn line_up(&self, class: Class, deadline: Instant) -> Attempt<'_> {
        let mut attempt: Attempt<'_> =
            Box::pin(self.hasher.verify(class, deadline, password("any"), None));
        assert!(
            attempt
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        attempt
    }

    /// Lets the thread go on and waits until it has done all there was to do.
    async fn finish(self) -> Arc<Hasher> {
        self.release.send(()).unwrap();
        self.job.await.unwrap().unwrap();
        self.hasher
            .pool
            .run(Class::Confirm, Operation::Hash, later(), |_| ())
            .await
            .unwrap();
        self.hasher
    }
}

type Attempt<'a> = Pin<Box<dyn Future<Output = Result<Verdict, HashError>> + 'a>>;

#[tokio::test]
async fn a_password_hashed_on_one_call_verifies_on_another() {
    let hasher = hasher();
    let kept = hasher
        .hash(Class::Confirm, later(), password("right"), [7; SALT_BYTES])
        .await
        .unwrap();
    let verdict = |text| hasher.verify(Class::SignIn, later(), password(text), Some(kept.clone()));
    assert!(verdict("right").await.unwrap().matches);
    assert!(!verdict("wrong").await.unwrap().matches);
    assert_eq!(hasher.hashes_run(), 3);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_but_confirms_have_a_quarter_left() {
    let busy = Busy::new().await;
    let mut lined_up: Vec<_> = (0..PLACES * 3 / 4)
        .map(|_| busy.line_up(Class::SignIn, later()))
        .collect();
    assert_eq!(busy.hasher.waiting(), PLACES * 3 / 4);
    let refusal = HashError::Saturated {
        retry_after: Duration::from_secs(1),
    };
    for class in [Class::SignIn, Class::Policy] {
        let refused = busy
            .hasher
            .verify(class, later(), password("any"), None)
            .await;
        assert_eq!(refused.unwrap_err(), refusal);
    }
    lined_up.extend((0..PLACES / 4).map(|_| busy.line_up(Class::Confirm, later())));
    let refused = busy
        .hasher
        .verify(Class::Confirm, later(), password("any"), None)
        .await;
    assert_eq!(refused.unwrap_err(), refusal);
    drop(lined_up);
    assert_eq!(busy.finish().await.hashes_run(), 0);
}

#[tokio::test]
async fn a_hash_at_a_kept_place_is_made_however_full_the_queue_is() {
    let busy = Busy::new().await;
    let place = busy.hasher.place(Class::Confirm).unwrap();
    let lined_up: Vec<_> = (1..PLACES)
        .map(|_| busy.line_up(Class::Confirm, later()))
        .collect();
    let full = busy.hasher.place(Class::Confirm).unwrap_err();
    assert!(matches!(full, HashError::Saturated { .. }));
    busy.release.send(()).unwrap();
    let hash = busy
        .hasher
        .hash_at(place, later(), password("new"), [7; SALT_BYTES]);
    assert!(hash.await.is_ok());
    drop(lined_up);
}

#[tokio::test]
async fn what_was_accepted_is_done_when_the_thread_is_free_again() {
    let busy = Busy::new().await;
    let (first, second) = (
        busy.line_up(Class::SignIn, later()),
        busy.line_up(Class::Confirm, later()),
    );
    busy.release.send(()).unwrap();
    assert!(first.await.is_ok());
    assert!(second.await.is_ok());
    assert_eq!(busy.hasher.hashes_run(), 2);
}

#[tokio::test]
async fn a_job_whose_caller_went_away_is_never_begun() {
    let busy = Busy::new().await;
    drop(busy.line_up(Class::Confirm, later()));
    assert_eq!(busy.finish().await.hashes_run(), 0);
}

#[tokio::test]
async fn callers_that_went_away_make_room() {
    let busy = Busy::new().await;
    for _ in 0..PLACES * 3 {
        drop(busy.line_up(Class::SignIn, later()));
    }
    assert!(busy.hasher.waiting() <= PLACES);
}

#[tokio::test]
async fn every_job_is_done_or_refused_or_abandoned() {
    let busy = Busy::new().await;
    let (places, shared) = (PLACES, PLACES * 3 / 4);
    for _ in 0..places {
        drop(busy.line_up(Class::Confirm, later()));
    }
    // These take the places of those who have gone, and the last of them finds none.
    let lined_up: Vec<_> = (0..shared)
        .map(|_| busy.line_up(Class::SignIn, later()))
        .collect();
    let one_more = busy
        .hasher
        .verify(Class::SignIn, later(), password("any"), None);
    assert!(matches!(one_more.await, Err(HashError::Saturated { .. })));
    let late = busy
        .hasher
        .verify(Class::Confirm, Instant::now(), password("any"), None);
    assert_eq!(late.await.unwrap_err(), HashError::DeadlineExceeded);
    let metrics = busy.metrics.clone();
    busy.release.send(()).unwrap();
    for attempt in lined_up {
        attempt.await.unwrap();
    }
    let counted = |name: &str| -> usize {
        let text = Registry::new(&metrics).text().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    };
    let verified = counted("relatch_hashing_duration_seconds_count{operation=\"verify\"}");
    let refused = counted("relatch_hashing_refused_total");
    let abandoned = counted("relatch_hashing_abandoned_total");
    assert_eq!((verified, refused, abandoned), (shared, 1, places + 1));
}

#[tokio::test]
async fn a_job_whose_deadline_has_passed_is_never_begun() {
    let busy = Busy::new().await;
    let deadline = Instant::now() + Duration::from_millis(200);
    let late = busy.line_up(Class::Confirm, deadline);
    sleep_until(deadline).await;
    busy.release.send(()).unwrap();
    assert_eq!(late.await.unwrap_err(), HashError::DeadlineExceeded);
    busy.hasher
        .pool
        .run(Class::Confirm, Operation::Hash, later(), |_| ())
        .await
        .unwrap();
    assert_eq!(busy.hasher.hashes_run(), 0);
}

#[tokio::test]
async fn who_waits_in_the_queue_hears_of_the_deadline_when_it_passes() {
    let busy = Busy::new().await;
    let soon = Instant::now() + Duration::from_millis(10);
    let late = busy
        .hasher
        .verify(Class::Confirm, soon, password("any"), None)
        .await;
    assert_eq!(late.unwrap_err(), HashError::DeadlineExceeded);
    assert_eq!(busy.finish().await.hashes_run(), 0);
}

#[tokio::test]
async fn a_deadline_in_the_past_takes_no_place() {
    let busy = Busy::new().await;
    let late = busy
        .hasher
        .verify(Class::Confirm, Instant::now(), password("any"), None)
        .await;
    assert_eq!(late.unwrap_err(), HashError::DeadlineExceeded);
    assert_eq!(busy.hasher.waiting(), 0);
    busy.finish().await;
}

#[tokio::test]
async fn judging_is_bounded_like_hashing_and_runs_no_argon2() {
    let judge = |hasher: Arc<Hasher>| async move {
        let words = PersonalWords::default().with_text("mina@mail.example");
        hasher
            .judge(
                Class::Policy,
                later(),
                (Arc::default(), None),
                password("mina mina mina!"),
                words,
            )
            .await
    };
    let busy = Busy::new().await;
    let lined_up: Vec<_> = (0..PLACES * 3 / 4)
        .map(|_| busy.line_up(Class::SignIn, later()))
        .collect();
    assert!(matches!(
        judge(Arc::clone(&busy.hasher)).await,
        Err(HashError::Saturated { .. })
    ));
    drop(lined_up);
    let hasher = busy.finish().await;
    assert!(!judge(Arc::clone(&hasher)).await.unwrap().accepts());
    assert_eq!(hasher.hashes_run(), 0);
}

/// A list of one password, or of none that could be read.
struct Listed(Option<&'static str>);

impl Breaches for Listed {
    fn have(&self, sha1: &[u8; SHA1_BYTES]) -> Result<bool, BreachesUnreadable> {
        match self.0 {
            Some(text) => Ok(*password(text).sha1() == *sha1),
            None => Err(BreachesUnreadable("the disk is gone".to_owned())),
        }
    }
}

#[tokio::test]
async fn a_listed_password_is_refused_and_an_unreadable_list_lets_none_pass() {
    const GOOD: &str = "marmalade gondola tuesday";
    let hasher = hasher();
    let judge = async |listed| {
        let rules = (
            Arc::default(),
            Some(Arc::new(Listed(listed)) as Arc<dyn Breaches>),
        );
        let words = PersonalWords::default();
        hasher
            .judge(Class::Policy, later(), rules, password(GOOD), words)
            .await
    };
    assert!(judge(Some("another")).await.unwrap().accepts());
    let refused = judge(Some(GOOD)).await.unwrap();
    assert_eq!(refused.violations[0].rule, Rule::Breached);
    assert_eq!(judge(None).await.unwrap_err(), HashError::Internal);
}

#[test]
fn a_queue_without_a_quarter_is_refused() {
    let settings = HasherSettings {
        queue: 3,
        ..HasherSettings::default()
    };
    assert!(matches!(
        Hasher::start(settings),
        Err(HasherStartError::QueueTooShort(3))
    ));
}
