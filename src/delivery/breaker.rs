//! When a mail server or an SMS gateway may be tried: a server that is gone costs one connection now and
//! then, however many messages wait for it.
//!
//! A state machine without I/O; it is told the time and given its randomness.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

use crate::random::{self, Random};

/// After how many failures in a row the server counts as gone. A few at a time may fail together.
const FAILURES: u32 = 3;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Remembers how the server has been doing.
#[derive(Debug, Default)]
struct Breaker {
    state: State,
    /// How many pauses there have been since the server last answered a message.
    pauses: u32,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// All is well, but for so many failures in a row.
    Closed { failures: u32 },
    /// The server is gone; not before this moment is it asked whether it is back.
    Open { until: Instant },
    /// It says that it is back, and has not proved it yet.
    OnTrial,
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// What may be done at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Send.
    Send,
    /// Send one message at a time.
    SendOne,
    /// Ask the server whether it is back, without any message.
    Probe,
    /// Nothing, until then.
    Wait(Instant),
}

impl Breaker {
    /// What may be done at this moment.
    fn admission(&self, now: Instant) -> Admission {
        match self.state {
            State::Closed { .. } => Admission::Send,
            State::OnTrial => Admission::SendOne,
            State::Open { until } if now < until => Admission::Wait(until),
            State::Open { .. } => Admission::Probe,
        }
    }

    /// The server answered a message: accepted it, or refused this one.
    fn answered(&mut self) {
        *self = Self::default();
    }

    /// The server answered a probe. That it takes messages as well is still to be seen.
    fn probed(&mut self) {
        if let State::Open { .. } = self.state {
            self.state = State::OnTrial;
        }
    }

    /// The server could not be used. Gives the pause that this begins, if it does: doubling from 1 s to
    /// 30 s, and of that a random share between half and all.
    fn failed(&mut self, now: Instant, random: u32) -> Option<Duration> {
        match &mut self.state {
            State::Closed { failures } if *failures + 1 < FAILURES => {
                *failures += 1;
                None
            }
            // It was begun before the pause, and says nothing new.
            State::Open { until } if now < *until => None,
            State::Closed { .. } | State::Open { .. } | State::OnTrial => {
                let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.pauses));
                let full = doubled.min(LONGEST_PAUSE);
                let share = f64::from(random) / f64::from(u32::MAX);
                let pause = full / 2 + (full / 2).mul_f64(share);
                self.pauses = self.pauses.saturating_add(1);
                self.state = State::Open { until: now + pause };
                Some(pause)
            }
        }
    }
}

/// A breaker that all attempts of a channel share.
pub(super) struct Gate {
    breaker: Mutex<Breaker>,
    random: Arc<dyn Random>,
}

impl Gate {
    /// An open way; `random` spreads the pauses after failures.
    pub(super) fn new(random: Arc<dyn Random>) -> Self {
        let breaker = Mutex::default();
        Self { breaker, random }
    }

    /// See [`Breaker::admission`].
    pub(super) fn admission(&self) -> Admission {
        self.lock().admission(Instant::now())
    }

    /// See [`Breaker::answered`].
    pub(super) fn answered(&self) {
        self.lock().answered();
    }

    /// See [`Breaker::probed`].
    pub(super) fn probed(&self) {
        self.lock().probed();
    }

    /// See [`Breaker::failed`].
    pub(super) fn failed(&self) -> Option<Duration> {
        let random = random::array(&*self.random).map_or(u32::MAX, u32::from_le_bytes);
        self.lock().failed(Instant::now(), random)
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        // No panic can leave it half-changed.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LONGEST: u32 = u32::MAX;

    fn start() -> Instant {
        Instant::now()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn open(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.failed(now, LONGEST), None);
        assert_eq!(breaker.failed(now, LONGEST), None);
        assert_eq!(breaker.admission(now), Admission::Send);
        assert_eq!(breaker.failed(now, LONGEST), Some(seconds(1)));
        breaker
    }

    #[test]
    fn three_failures_in_a_row_begin_a_pause() {
        let now = start();
        let breaker = open(now);
        let until = now + seconds(1);
        assert_eq!(breaker.admission(now), Admission::Wait(until));
        assert_eq!(breaker.admission(until), Admission::Probe);
    }

    #[test]
    fn an_answer_in_between_shows_that_the_server_is_there() {
        let now = start();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            assert_eq!(breaker.failed(now, LONGEST), None);
            assert_eq!(breaker.failed(now, LONGEST), None);
            breaker.answered();
        }
        assert_eq!(breaker.admission(now), Admission::Send);
    }

    #[test]
    fn what_was_begun_before_the_pause_does_not_lengthen_it() {
        let now = start();
        let mut breaker = open(now);
        for _ in 0..20 {
            assert_eq!(breaker.failed(now, LONGEST), None);
        }
        assert_eq!(breaker.admission(now), Admission::Wait(now + seconds(1)));
    }

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let mut now = start();
        let mut breaker = open(now);
        for pause in [2, 4, 8, 16, 30, 30, 30] {
            let Admission::Wait(until) = breaker.admission(now) else {
                panic!("expected a pause");
            };
            now = until;
            assert_eq!(breaker.failed(now, LONGEST), Some(seconds(pause)));
        }
    }

    #[test]
    fn after_a_probe_one_message_decides() {
        let now = start();
        let mut breaker = open(now);
        breaker.probed();
        assert_eq!(breaker.admission(now), Admission::SendOne);
        // It takes connections and no messages: the pauses go on growing.
        assert_eq!(breaker.failed(now, LONGEST), Some(seconds(2)));
        breaker.probed();
        breaker.answered();
        assert_eq!(breaker.admission(now), Admission::Send);
        assert_eq!(
            open(now).failed(now + seconds(1), LONGEST),
            Some(seconds(2))
        );
    }

    #[test]
    fn a_probe_of_a_server_that_was_never_gone_changes_nothing() {
        let now = start();
        let mut breaker = Breaker::default();
        breaker.probed();
        assert_eq!(breaker.admission(now), Admission::Send);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_half_a_minute_nor_shorter_than_half_a_second(
            events in proptest::collection::vec((0..4_u8, any::<u32>(), 0..40_u64), 0..60)
        ) {
            let mut now = start();
            let mut breaker = Breaker::default();
            for (event, random, passed) in events {
                now += seconds(passed);
                match event {
                    0 => breaker.answered(),
                    1 => breaker.probed(),
                    _ => if let Some(pause) = breaker.failed(now, random) {
                        prop_assert!(pause <= LONGEST_PAUSE && pause >= FIRST_PAUSE / 2);
                        prop_assert_eq!(breaker.admission(now), Admission::Wait(now + pause));
                    },
                }
                if let Admission::Wait(until) = breaker.admission(now) {
                    prop_assert!(until <= now + LONGEST_PAUSE);
                }
            }
        }
    }
}
