//! A watch as a stream that is pulled.

use super::watch::{Watch, Watched};
use crate::pulled::{Pages, Pulled};
use crate::store::StoreError;

/// What a watcher sees, one by one. It ends after the first error.
pub type WatchStream = Pulled<Watch>;

impl Pages for Watch {
    type Item = Watched;
    type Error = StoreError;

    async fn next(&mut self) -> Result<Option<Vec<Watched>>, StoreError> {
        self.read_on().await
    }
}
