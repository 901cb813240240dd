//! Telling open pages that they are out of date, by Server-Sent Events.
//!
//! An event says that something changed and not what: a page asks for itself again, so that there is one way
//! alone in which messages become HTML.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::http::Desk;
use crate::domain::id::MessageId;
use crate::pulled::{Pages, Pulled};
use crate::shutdown::Shutdown;

/// How many pages may be told at a time; a browser asks for six of one place at the most.
pub(super) const LISTENERS: usize = 16;

/// How often the store is asked for requests that led to no message: it tells nobody of them by itself.
const LOOK: Duration = Duration::from_secs(1);

/// How long nothing is said at the most, so that a page that is gone is found to be.
const SILENCE: Duration = Duration::from_secs(15);

/// How long a browser waits until it asks again, when it was cut off or there are too many.
const AGAIN: Duration = Duration::from_secs(2);

/// Who may be told, and until when.
#[derive(Clone)]
pub(super) struct Live {
    places: Arc<Semaphore>,
    ending: Shutdown,
}

impl Live {
    /// Tells pages until `ending`.
    pub(super) fn new(ending: Shutdown) -> Self {
        Self {
            places: Arc::new(Semaphore::new(LISTENERS)),
            ending,
        }
    }

    /// An event at once, and one for each change from then on; 503 if too many listen.
    pub(super) fn stream(&self, desk: Desk) -> Response {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let again = [(RETRY_AFTER, AGAIN.as_secs().to_string())];
            return (StatusCode::SERVICE_UNAVAILABLE, again).into_response();
        };
        let changes = Changes {
            arrivals: desk.inbox.changes(),
            desk,
            suppressed: None,
            has_begun: false,
            ending: self.ending.clone(),
            _place: place,
        };
        let stream = Sse::new(Pulled::new(changes));
        // axum's own word is that it may be kept, if it is asked for again.
        ([(CACHE_CONTROL, "no-store")], stream).into_response()
    }
}

/// What one page is told.
struct Changes {
    desk: Desk,
    arrivals: watch::Receiver<()>,
    /// The newest request that led to no message, as far as the page was told.
    suppressed: Option<MessageId>,
    has_begun: bool,
    ending: Shutdown,
    _place: OwnedSemaphorePermit,
}

impl Pages for Changes {
    type Item = Event;
    type Error = Infallible;

    async fn next(&mut self) -> Result<Option<Vec<Event>>, Infallible> {
        let ending = self.ending.clone();
        Ok(tokio::select! {
            biased;
            () = ending.requested() => None,
            event = self.event() => Some(vec![event]),
        })
    }
}

impl Changes {
    async fn event(&mut self) -> Event {
        if !self.has_begun {
            self.suppressed = self.desk.newest_suppressed().await;
            self.has_begun = true;
            return changed().retry(AGAIN);
        }
        let silence = Instant::now() + SILENCE;
        loop {
            tokio::select! {
                // An error says that the inbox is gone, and this holds one.
                Ok(()) = self.arrivals.changed() => return changed(),
                () = sleep_until(silence) => return Event::default().comment(""),
                () = sleep(LOOK) => {}
            }
            let suppressed = self.desk.newest_suppressed().await;
            if suppressed.is_some() && suppressed != self.suppressed {
                self.suppressed = suppressed;
                return changed();
            }
        }
    }
}

fn changed() -> Event {
    Event::default().data("changed")
}
