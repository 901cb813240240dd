//! A watch as a stream that is pulled.

use super::watch::{Watch, Watched};
use crate::store::StoreError;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;
use tokio_stream::Stream;

/// What a watcher sees, one by one. It ends after the first error.
///
/// The next page is read when the one before was taken to its end.
pub struct WatchStream {
    page: vec::IntoIter<Watched>,
    state: State,
}

enum State {
    Idle(Box<Watch>),
    Reading(Reading),
    Ended,
}

type Page = Result<Option<Vec<Watched>>, StoreError>;
type Reading = Pin<Box<dyn Future<Output = (Box<Watch>, Page)> + Send>>;

impl WatchStream {
    pub(super) fn new(watch: Watch) -> Self {
        Self {
            page: Vec::new().into_iter(),
            state: State::Idle(Box::new(watch)),
        }
    }
}

fn read(mut watch: Box<Watch>) -> Reading {
    Box::pin(async move {
        let page = watch.next().await;
        (watch, page)
    })
}

impl Stream for WatchStream {
    type Item = Result<Watched, StoreError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(seen) = this.page.next() {
                return Poll::Ready(Some(Ok(seen)));
            }
            let mut reading = match std::mem::replace(&mut this.state, State::Ended) {
                State::Idle(watch) => read(watch),
                State::Reading(reading) => reading,
                State::Ended => return Poll::Ready(None),
            };
            let Poll::Ready((watch, page)) = reading.as_mut().poll(cx) else {
                this.state = State::Reading(reading);
                return Poll::Pending;
            };
            match page {
                Ok(Some(page)) => {
                    this.page = page.into_iter();
                    this.state = State::Idle(watch);
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}
