use super::super::queue::Priority::Interactive;
use super::super::testing::{House, event, jot, mark};
use super::*;
use tokio::task::JoinHandle;

fn lost(error: StoreError) -> (Doubt, String) {
    match error {
        StoreError::Unavailable { doubt, cause } => (doubt, cause.to_string()),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn operations_that_wait_together_share_one_commit() {
    let house = House::new();
    let writer = house.stop_the_writer().await;
    let begun: Vec<_> = (0..100)
        .map(|key| house.begin(Interactive, move |work| mark(work, &format!("{key:02}"))))
        .collect();
    house.until_waiting(100).await;
    writer.release();
    for operation in begun {
        operation.await.unwrap().unwrap();
    }
    assert_eq!(house.marks().await.len(), 100);
    let statistics = house.store.writer_statistics();
    assert_eq!((statistics.groups, statistics.operations), (2, 101));
}

#[tokio::test]
async fn an_operation_that_fails_or_panics_is_taken_back_alone_with_its_events() {
    let house = House::new();
    let writer = house.stop_the_writer().await;
    let first = house.begin(Interactive, |work| mark(work, "first"));
    let failing = house.begin(Interactive, |work| {
        mark(work, "failing")?;
        work.wake_workers();
        Err::<(), _>(StoreError::unavailable("on purpose"))
    });
    let second = house.begin(Interactive, |work| mark(work, "second"));
    let panicking = house.begin(Interactive, |work| {
        mark(work, "panicking")?;
        panic!("on purpose") as Result<(), _>
    });
    let third = house.begin(Interactive, |work| mark(work, "third"));
    house.until_waiting(5).await;
    writer.release();

    for kept in [first, second, third] {
        kept.await.unwrap().unwrap();
    }
    assert_eq!(
        lost(failing.await.unwrap().unwrap_err()),
        (Doubt::None, "on purpose".to_owned())
    );
    assert!(matches!(
        panicking.await.unwrap(),
        Err(StoreError::Corrupt(_))
    ));
    assert_eq!(house.marks().await, ["first", "second", "third"]);
    let log = [(1, "first"), (2, "second"), (3, "third")];
    assert_eq!(
        house.log().await,
        log.map(|(place, fact)| (place, fact.to_owned()))
    );
    assert_eq!(*house.store.writer.work().borrow(), 0);
}

#[tokio::test]
async fn an_operation_can_work_on_after_a_statement_of_its_own_failed() {
    let house = House::new();
    let tried_twice = house.write(|work| {
        mark(work, "one")?;
        assert!(mark(work, "one").is_err());
        mark(work, "two")
    });
    tried_twice.await.unwrap();
    assert_eq!(house.marks().await, ["one", "two"]);
}

/// What the operations of one group ask of a disk: how many commits were synced.
async fn syncs(operations: impl FnOnce(&House) -> Vec<JoinHandle<Result<(), StoreError>>>) -> u64 {
    let house = House::new();
    let writer = house.stop_the_writer().await;
    let operations = operations(&house);
    house.until_waiting(operations.len()).await;
    let before = house.store.writer.statistics().syncs;
    writer.release();
    for operation in operations {
        operation.await.unwrap().unwrap();
    }
    let statistics = house.store.writer.statistics();
    // The writer was stopped by an operation in a synced group of its own.
    assert_eq!(statistics.groups, 2);
    statistics.syncs - before - 1
}

#[tokio::test]
async fn what_may_pass_is_not_synced_unless_it_shares_its_group_or_leaves_an_event() {
    let passing = |house: &House| house.begin_passing(|work| jot(work, "passing"));
    assert_eq!(syncs(|house| vec![passing(house)]).await, 0);
    let lasting = |house: &House| house.begin(Interactive, |work| jot(work, "lasting"));
    assert_eq!(syncs(|house| vec![passing(house), lasting(house)]).await, 1);
    let eventful = |house: &House| house.begin_passing(|work| mark(work, "eventful"));
    assert_eq!(syncs(|house| vec![eventful(house)]).await, 1);
}

#[tokio::test]
async fn the_connection_syncs_again_for_what_comes_after_what_may_pass() {
    let house = House::new();
    let mode = |work: &mut Work<'_>| {
        let mode: i64 = work
            .sql()
            .pragma_query_value(None, "synchronous", |row| row.get(0))?;
        Ok(mode)
    };
    let passing = || house.store.writer.submit_passing(Interactive, mode);
    let (normal, full) = (1, 2);
    assert_eq!(house.write(mode).await.unwrap(), full);
    assert_eq!(passing().await.unwrap(), normal);
    assert_eq!(house.write(mode).await.unwrap(), full);
    assert_eq!(passing().await.unwrap(), normal);
}

#[tokio::test]
async fn a_full_disk_stops_the_group_and_leaves_nothing_half_done() {
    let house = House::new();
    house.write(|work| mark(work, "before")).await.unwrap();
    let writer = house.stop_the_writer().await;
    let earlier = house.begin(Interactive, |work| mark(work, "earlier"));
    let filling = house.begin(Interactive, |work| {
        // As many pages as there are: the next one does not fit.
        work.sql().pragma_update(None, "max_page_count", 1)?;
        let huge = vec![b'x'; 1_000_000];
        work.sql()
            .prepare_cached("INSERT INTO limits (limit_key, arrival) VALUES (?1, 0)")?
            .execute([huge])?;
        Ok(())
    });
    let later = house.begin(Interactive, |work| mark(work, "later"));
    house.until_waiting(3).await;
    writer.release();

    for operation in [earlier, filling, later] {
        let (doubt, _) = lost(operation.await.unwrap().unwrap_err());
        assert_eq!(doubt, Doubt::None);
    }
    assert_eq!(house.marks().await, ["before"]);
    assert_eq!(*house.store.writer.head().borrow(), Sequence::new(1));

    let more_room = house.write(|work| {
        work.sql().pragma_update(None, "max_page_count", 100_000)?;
        mark(work, "after")
    });
    more_room.await.unwrap();
    assert_eq!(house.marks().await, ["after", "before"]);
    let log = [(1, "before".to_owned()), (2, "after".to_owned())];
    assert_eq!(house.log().await, log);
}

#[tokio::test]
async fn a_commit_that_is_refused_takes_the_group_back() {
    let house = House::new();
    let writer = house.stop_the_writer().await;
    let sound = house.begin(Interactive, |work| mark(work, "sound"));
    let unsound = house.begin(Interactive, |work| {
        work.sql().pragma_update(None, "defer_foreign_keys", true)?;
        work.sql().execute(
            "INSERT INTO attempts VALUES (randomblob(16), 1, 0, 'retry', '')",
            [],
        )?;
        Ok(())
    });
    house.until_waiting(2).await;
    writer.release();
    for operation in [sound, unsound] {
        let (doubt, cause) = lost(operation.await.unwrap().unwrap_err());
        assert_eq!(doubt, Doubt::None);
        assert!(cause.starts_with("the commit failed"), "{cause}");
    }
    assert_eq!(*house.store.writer.head().borrow(), Sequence::ZERO);
    house.write(|work| mark(work, "next")).await.unwrap();
    assert_eq!(house.log().await, [(1, "next".to_owned())]);
}

#[test]
fn a_commit_that_failed_while_it_was_written_is_in_doubt() {
    let failed = |code| {
        let error = rusqlite::ffi::Error::new(code);
        lost(commit_failed(&rusqlite::Error::SqliteFailure(error, None))).0
    };
    assert_eq!(failed(rusqlite::ffi::SQLITE_IOERR_FSYNC), Doubt::Unknown);
    assert_eq!(failed(rusqlite::ffi::SQLITE_FULL), Doubt::None);
}

#[tokio::test]
async fn the_head_shows_committed_events_only_and_all_of_them_once_they_are_answered() {
    let house = House::new();
    let head = house.store.writer.head();
    let seen = head.clone();
    let shown_within = house.write(move |work| {
        mark(work, "one")?;
        mark(work, "two")?;
        Ok(*seen.borrow())
    });
    assert_eq!(shown_within.await.unwrap(), Sequence::ZERO);
    assert_eq!(*head.borrow(), Sequence::new(2));
}

#[tokio::test]
async fn workers_are_woken_once_a_group_that_made_work() {
    let house = House::new();
    let work = house.store.writer.work();
    house.write(|work| mark(work, "idle")).await.unwrap();
    assert_eq!(*work.borrow(), 0);
    let writer = house.stop_the_writer().await;
    let begun = [(); 3].map(|()| {
        house.begin(Interactive, |work| {
            work.wake_workers();
            Ok(())
        })
    });
    house.until_waiting(3).await;
    writer.release();
    for operation in begun {
        operation.await.unwrap().unwrap();
    }
    assert_eq!(*work.borrow(), 1);
}

#[tokio::test]
async fn time_does_not_run_backwards_from_group_to_group() {
    let house = House::new();
    let now = async || house.write(|work| Ok(work.now())).await.unwrap();
    house.clock.put(5_000_000);
    assert_eq!(now().await, Timestamp::from_micros(5_000_000));
    house.clock.put(4_000_000);
    assert_eq!(now().await, Timestamp::from_micros(5_000_000));
    house.clock.put(6_000_000);
    assert_eq!(now().await, Timestamp::from_micros(6_000_000));
}

#[tokio::test]
async fn a_thousand_events_across_many_groups_are_dense() {
    let house = House::new();
    let begun: Vec<_> = (0..1_000)
        .map(|number| {
            house.begin(Interactive, move |work| {
                work.record(event(work.now(), ""))?;
                match number % 3 {
                    0 => Err(StoreError::unavailable("every third")),
                    _ => Ok(()),
                }
            })
        })
        .collect();
    let mut committed = 0;
    for operation in begun {
        committed += i64::from(operation.await.unwrap().is_ok());
    }
    let places: Vec<i64> = house.log().await.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..=committed).collect::<Vec<_>>());
    assert_eq!(*house.store.writer.head().borrow(), Sequence::new(666));
}
