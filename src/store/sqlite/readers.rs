//! The readers: a small pool of connections that cannot write.

use super::damage::Damage;
use crate::store::StoreError;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

/// Lends connections to reads, one each, and lets further reads wait.
pub(super) struct Readers {
    pool: Arc<Pool>,
    permits: Arc<Semaphore>,
    damage: Arc<Damage>,
}

type Pool = Mutex<Vec<Connection>>;

impl Readers {
    /// A pool of these connections, which tells how reads ended.
    pub(super) fn new(connections: Vec<Connection>, damage: Arc<Damage>) -> Self {
        Self {
            damage,
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
        let damage = Arc::clone(&self.damage);
        let read = move || {
            let ended = lent.read(read);
            damage.note(&ended);
            ended
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|lost| Err(never_ended(&lost)))
    }
}

fn never_ended(lost: &JoinError) -> StoreError {
    if lost.is_panic() {
        // The panic hook has said where; its words may quote data and stay out of answers.
        StoreError::corrupt("a read panicked")
    } else {
        StoreError::unavailable("reads are no longer run")
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

#[cfg(test)]
mod tests {
    use super::super::SqliteSettings;
    use super::super::testing::{House, mark};
    use super::*;
    use std::num::NonZeroUsize;
    use std::sync::mpsc;
    use tokio::sync::oneshot;

    fn marks(connection: &Connection) -> Result<i64, StoreError> {
        Ok(connection.query_one("SELECT count(*) FROM limits", [], |row| row.get(0))?)
    }

    fn one_reader() -> House {
        House::with(SqliteSettings {
            readers: NonZeroUsize::MIN,
            ..SqliteSettings::default()
        })
    }

    #[tokio::test]
    async fn what_was_answered_is_read() {
        let house = House::new();
        house.write(|work| mark(work, "a")).await.unwrap();
        assert_eq!(house.store.readers.read(marks).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_read_sees_one_moment_and_does_not_hold_up_the_writer() {
        let house = House::new();
        let (entered, has_entered) = oneshot::channel();
        let (release, released) = mpsc::channel();
        let store = Arc::clone(&house.store);
        let read = tokio::spawn(async move {
            let twice = store.readers.read(move |connection| {
                let before = marks(connection)?;
                entered.send(()).unwrap();
                released.recv().unwrap();
                Ok((before, marks(connection)?))
            });
            twice.await
        });
        has_entered.await.unwrap();
        house.write(|work| mark(work, "meanwhile")).await.unwrap();
        release.send(()).unwrap();
        assert_eq!(read.await.unwrap().unwrap(), (0, 0));
        assert_eq!(house.store.readers.read(marks).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let house = House::new();
        let written = house
            .store
            .readers
            .read(|connection| Ok(connection.execute("DELETE FROM installation", [])?));
        let error = written.await.unwrap_err().to_string();
        assert!(error.contains("readonly"), "{error}");
    }

    #[tokio::test]
    async fn a_read_that_panics_gives_its_connection_back() {
        let house = one_reader();
        for _ in 0..2 {
            let panicked = house
                .store
                .readers
                .read(|_| panic!("on purpose") as Result<(), _>);
            assert!(matches!(panicked.await, Err(StoreError::Corrupt(_))));
        }
        assert_eq!(house.store.readers.read(marks).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn the_next_read_waits_for_a_connection_though_the_caller_of_the_last_has_gone() {
        let house = one_reader();
        let (entered, has_entered) = oneshot::channel();
        let (release, released) = mpsc::channel::<()>();
        let store = Arc::clone(&house.store);
        let gone = tokio::spawn(async move {
            let slow = store.readers.read(move |_| {
                entered.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            });
            slow.await
        });
        has_entered.await.unwrap();
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert_eq!(house.store.readers.permits.available_permits(), 0);
        release.send(()).unwrap();
        assert_eq!(house.store.readers.read(marks).await.unwrap(), 0);
    }
}
