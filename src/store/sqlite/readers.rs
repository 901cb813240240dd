//! The readers: a small pool of connections that cannot write.

use crate::store::StoreError;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lends connections to reads, one each, and lets further reads wait.
pub(super) struct Readers {
    pool: Arc<Pool>,
    permits: Arc<Semaphore>,
}

type Pool = Mutex<Vec<Connection>>;

impl Readers {
    /// A pool of these connections.
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(connections.len())),
            pool: Arc::new(Mutex::new(connections)),
        }
    }

    /// Runs `read` on a thread that may block. Everything it reads belongs to one moment: what is
    /// committed meanwhile stays out of sight.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(StoreError::unavailable)?;
        let lent = Lent::of(Arc::clone(&self.pool), permit);
        tokio::task::spawn_blocking(move || lent.read(read))
            .await
            .unwrap_or_else(|_| Err(StoreError::corrupt("a read panicked")))
    }
}

/// A connection outside the pool. It goes back however the read ends, and its permit after it.
struct Lent {
    connection: Option<Connection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    fn of(pool: Arc<Pool>, permit: OwnedSemaphorePermit) -> Self {
        let connection = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self {
            connection,
            pool,
            _permit: permit,
        }
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(connection) = &self.connection else {
            return Err(StoreError::unavailable("no connection is left for reading"));
        };
        // Ends when it is dropped, a panic included.
        let moment = connection.unchecked_transaction()?;
        read(&moment)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}
