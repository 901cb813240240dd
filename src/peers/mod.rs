//! Who is at the other end of a listener's connections, and how many of them there may be.
//!
//! A listener has so many places. When all are taken a newcomer is let in all the same, and the connection
//! that matters least is cut: strangers go before callers, and who has not called for the longest goes
//! first. So a flood of connections crowds out its own, and not those whom the service is for.

mod guarded;

pub use guarded::Guarded;

use crate::domain::caller::ProvenNames;
use crate::metrics::{ConnectionMetrics, Listener, ListenerMetrics};
use std::collections::HashMap;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How often the log is told that connections are cut: a flood must not fill it.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// What a caller's last call counts for above a stranger's arrival.
const CALLER: u64 = 1 << 63;

/// What is known of the other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// What its certificate proves.
    pub names: ProvenNames,
    /// What its connection matters.
    pub standing: Standing,
}

/// The places of one listener.
#[derive(Debug, Clone)]
pub struct Places(Arc<Hall>);

#[derive(Debug)]
struct Hall {
    listener: Listener,
    places: NonZeroUsize,
    metrics: ListenerMetrics,
    /// Numbers arrivals and calls in the order they come.
    next: AtomicU64,
    guests: Mutex<Guests>,
}

#[derive(Debug, Default)]
struct Guests {
    /// By the number of their arrival.
    seated: HashMap<u64, Guest>,
    told: Option<Instant>,
}

#[derive(Debug)]
struct Guest {
    weight: Arc<AtomicU64>,
    /// Dropping it cuts the connection.
    _lasting: oneshot::Sender<Infallible>,
}

/// A place that a connection has. Dropping it gives the place back.
#[derive(Debug)]
pub struct Seat {
    standing: Standing,
    /// `None` once it was cut.
    lasting: Option<oneshot::Receiver<Infallible>>,
}

/// What a connection matters to its listener.
#[derive(Debug, Clone)]
pub struct Standing {
    hall: Arc<Hall>,
    arrival: u64,
    weight: Arc<AtomicU64>,
}

impl Places {
    /// So many places for this listener.
    #[must_use]
    pub fn new(listener: Listener, places: NonZeroUsize, metrics: &ConnectionMetrics) -> Self {
        Self(Arc::new(Hall {
            listener,
            places,
            metrics: metrics.of(listener),
            next: AtomicU64::new(0),
            guests: Mutex::default(),
        }))
    }

    /// A place for a connection that has just come. If there is none, another connection is cut for it.
    #[must_use]
    pub fn seat(&self) -> Seat {
        let hall = &self.0;
        let arrival = hall.tick();
        let weight = Arc::new(AtomicU64::new(arrival));
        let (lasting, lasts) = oneshot::channel();
        let guest = Guest {
            weight: Arc::clone(&weight),
            _lasting: lasting,
        };
        let mut guests = hall.guests();
        if guests.seated.len() >= hall.places.get() {
            hall.make_room(&mut guests);
        }
        guests.seated.insert(arrival, guest);
        hall.metrics.open(guests.seated.len());
        drop(guests);
        Seat {
            standing: Standing {
                hall: Arc::clone(hall),
                arrival,
                weight,
            },
            lasting: Some(lasts),
        }
    }

    /// Cuts every connection that is there.
    pub fn clear(&self) {
        let mut guests = self.0.guests();
        guests.seated.clear();
        self.0.metrics.open(0);
    }
}

impl Hall {
    fn tick(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn make_room(&self, guests: &mut Guests) {
        let weight = |guest: &Guest| guest.weight.load(Ordering::Relaxed);
        let least = guests
            .seated
            .iter()
            .min_by_key(|(_, guest)| weight(guest))
            .map(|(arrival, _)| *arrival);
        if let Some(arrival) = least {
            guests.seated.remove(&arrival);
            self.metrics.cut();
        }
        if guests.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            guests.told = Some(Instant::now());
            tracing::warn!(
                listener = self.listener.name(),
                places = self.places,
                "every place for a connection is taken: those that matter least are cut for newer ones"
            );
        }
    }

    fn leave(&self, arrival: u64) {
        let mut guests = self.guests();
        if guests.seated.remove(&arrival).is_some() {
            self.metrics.open(guests.seated.len());
        }
    }

    /// A panic while the lock is held leaves the guests as they were: every change is a single step.
    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// What the connection matters.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }

    /// Waits until the place is somebody else's.
    pub fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(lasting) = &mut self.lasting {
            // Nothing is ever sent: it is over when the other end is dropped.
            let _ = ready!(Pin::new(lasting).poll(cx));
            self.lasting = None;
        }
        Poll::Ready(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.standing.cut();
    }
}

impl Standing {
    /// A caller who has shown a credential calls over the connection.
    pub fn called(&self) {
        let now = CALLER | self.hall.tick();
        self.weight.store(now, Ordering::Relaxed);
    }

    /// Cuts the connection.
    pub fn cut(&self) {
        self.hall.leave(self.arrival);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn places(number: usize) -> Places {
        let number = NonZeroUsize::new(number).unwrap();
        Places::new(Listener::Grpc, number, &ConnectionMetrics::default())
    }

    fn is_cut(seat: &mut Seat) -> bool {
        seat.poll_cut(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    /// Which of them are cut, by their number.
    fn cut(seats: &mut [Seat]) -> Vec<usize> {
        let seats = seats.iter_mut().enumerate();
        seats
            .filter_map(|(number, seat)| is_cut(seat).then_some(number))
            .collect()
    }

    #[test]
    fn strangers_go_in_the_order_they_came() {
        let places = places(3);
        let mut seats: Vec<_> = (0..5).map(|_| places.seat()).collect();
        assert_eq!(cut(&mut seats), [0, 1]);
    }

    #[test]
    fn callers_stay_while_there_are_strangers() {
        let places = places(3);
        let mut seats: Vec<_> = (0..3).map(|_| places.seat()).collect();
        seats[0].standing().called();
        seats.extend((0..20).map(|_| places.seat()));
        assert_eq!(cut(&mut seats), (1..21).collect::<Vec<_>>());
    }

    #[test]
    fn among_callers_who_called_last_stays() {
        let places = places(3);
        let mut seats: Vec<_> = (0..3).map(|_| places.seat()).collect();
        for number in [1, 2, 0, 1] {
            seats[number].standing().called();
        }
        let newcomer = places.seat();
        assert_eq!(cut(&mut seats), [2]);
        newcomer.standing().called();
        let mut newest = places.seat();
        assert_eq!(cut(&mut seats), [0, 2]);
        assert!(!is_cut(&mut newest));
    }

    #[test]
    fn who_leaves_makes_room() {
        let places = places(2);
        let mut first = places.seat();
        for _ in 0..10 {
            drop(places.seat());
        }
        assert!(!is_cut(&mut first));
        assert_eq!(places.0.guests().seated.len(), 1);
    }

    #[tokio::test]
    async fn who_waits_for_the_cut_is_woken() {
        let seat = places(1).seat();
        let standing = seat.standing();
        let mut seat = seat;
        let waiting = tokio::spawn(async move {
            std::future::poll_fn(|cx| seat.poll_cut(cx)).await;
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        standing.cut();
        waiting.await.unwrap();
    }
}
