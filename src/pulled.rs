//! Streams that are pulled: a page is made when the one before was taken to its end, so what waits for a
//! slow reader is a page and no more.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;
use tokio_stream::Stream;

/// What makes items, page by page.
pub trait Pages: Send + Unpin + 'static {
    /// One item.
    type Item: Send + Unpin;
    /// Why there can be no next page.
    type Error: Send;

    /// The next page; `None` after the last.
    fn next(&mut self)
    -> impl Future<Output = Result<Option<Vec<Self::Item>>, Self::Error>> + Send;
}

/// The items, one by one. The stream ends after the first error.
pub struct Pulled<P: Pages> {
    page: vec::IntoIter<P::Item>,
    state: State<P>,
}

enum State<P: Pages> {
    Idle(Box<P>),
    Making(Making<P>),
    Ended,
}

type Page<P> = Result<Option<Vec<<P as Pages>::Item>>, <P as Pages>::Error>;
type Making<P> = Pin<Box<dyn Future<Output = (Box<P>, Page<P>)> + Send>>;

impl<P: Pages> Pulled<P> {
    /// The items that `pages` makes.
    #[must_use]
    pub fn new(pages: P) -> Self {
        Self {
            page: Vec::new().into_iter(),
            state: State::Idle(Box::new(pages)),
        }
    }
}

fn make<P: Pages>(mut pages: Box<P>) -> Making<P> {
    Box::pin(async move {
        let page = pages.next().await;
        (pages, page)
    })
}

impl<P: Pages> Stream for Pulled<P> {
    type Item = Result<P::Item, P::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            let mut making = match std::mem::replace(&mut this.state, State::Ended) {
                State::Idle(pages) => make(pages),
                State::Making(making) => making,
                State::Ended => return Poll::Ready(None),
            };
            let Poll::Ready((pages, page)) = making.as_mut().poll(cx) else {
                this.state = State::Making(making);
                return Poll::Pending;
            };
            match page {
                Ok(Some(page)) => {
                    this.page = page.into_iter();
                    this.state = State::Idle(pages);
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}
