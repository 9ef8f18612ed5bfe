//! The threads: one that writes, in groups, and some that read.
//!
//! ```text
//!  write() --> bounded queue --> writer: BEGIN IMMEDIATE
//!                                        SAVEPOINT job RELEASE     (or ROLLBACK TO: only this job fails)
//!                                        SAVEPOINT job RELEASE
//!                                        COMMIT                    one flush for all of them
//!  <---------- oneshot ---------------- answers
//!
//!  read()  --> bounded queue --> whichever reader is free: BEGIN, job, ROLLBACK --> oneshot
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use rusqlite::{Connection, TransactionBehavior, ffi};
use tokio::sync::oneshot;

use super::open::Connections;
use super::query::{failure, unavailable};
use crate::StoreError;

/// How long a caller waits; work that has not begun by then is not begun.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The same for work over the whole database.
pub(super) const LONG_PATIENCE: Duration = Duration::from_secs(120);

/// How much may wait.
const QUEUE: usize = 1024;

/// How many jobs share one commit at most.
const GROUP: usize = 128;

type Queue = SyncSender<Box<dyn Job>>;

/// The queues to the threads, which end when these are dropped.
pub(super) struct Threads {
    writer: Queue,
    readers: Queue,
}

impl Threads {
    pub(super) fn start(connections: Connections) -> io::Result<Self> {
        let Connections { writer: mut db, readers } = connections;
        let (writer, jobs) = sync_channel(QUEUE);
        thread::Builder::new().name("sqlite-write".into()).spawn(move || write_groups(&mut db, &jobs))?;
        let (reader, jobs) = sync_channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for db in readers {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name("sqlite-read".into()).spawn(move || read_each(&db, &jobs))?;
        }
        Ok(Self { writer, readers: reader })
    }

    pub(super) async fn write<T, W>(&self, step: &'static str, patience: Duration, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        ask(&self.writer, step, patience, work).await
    }

    pub(super) async fn read<T, W>(&self, step: &'static str, patience: Duration, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        ask(&self.readers, step, patience, work).await
    }
}

/// Queues a job and waits for its answer.
async fn ask<T, W>(queue: &Queue, step: &'static str, patience: Duration, work: W) -> Result<T, StoreError>
where
    T: Send + 'static,
    W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (answer, wait) = oneshot::channel();
    let deadline = Instant::now() + patience;
    let task = Task { step, deadline, work: Some(work), done: None, answer };
    queue.try_send(Box::new(task)).map_err(|e| match e {
        TrySendError::Full(_) => unavailable(step, "too many requests are waiting for the database"),
        TrySendError::Disconnected(_) => unavailable(step, "the database's thread has ended"),
    })?;
    match tokio::time::timeout(patience, wait).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(unavailable(step, "the database's thread has ended")),
        Err(_) => Err(unavailable(step, "the database did not answer in time")),
    }
}

/// Something to be done with a connection, and somebody who waits for it.
trait Job: Send {
    /// Does it and remembers the result. `false`: undo what it did.
    fn run(&mut self, db: &Connection) -> bool;

    /// Tells the one who waits: the result, or that the transaction around it failed.
    fn answer(self: Box<Self>, failed: Option<Arc<rusqlite::Error>>);
}

struct Task<T, W> {
    step: &'static str,
    deadline: Instant,
    work: Option<W>,
    done: Option<rusqlite::Result<T>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, db: &Connection) -> bool {
        if let Some(work) = self.work.take_if(|_| Instant::now() < self.deadline) {
            // A bug in one job must not take the thread, and with it every later request, down.
            self.done = catch_unwind(AssertUnwindSafe(|| work(db))).ok();
        }
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failed: Option<Arc<rusqlite::Error>>) {
        let step = self.step;
        let answer = match (self.done, failed) {
            (Some(Err(error)), _) => Err(failure(step, error)),
            (_, Some(error)) => Err(unavailable(step, error)),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(unavailable(step, "it was given up")),
        };
        // Whoever asked may have gone away; the work is done all the same.
        let _ = self.answer.send(answer);
    }
}

/// The writing thread.
fn write_groups(db: &mut Connection, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        let failed = commit_together(db, &mut group).err().map(Arc::new);
        for job in group {
            job.answer(failed.clone());
        }
    }
}

/// Runs the jobs in one transaction, each in a savepoint of its own.
fn commit_together(db: &mut Connection, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    let mut transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        let savepoint = transaction.savepoint()?;
        if job.run(&savepoint) {
            savepoint.commit()?;
        } else {
            savepoint.finish()?;
        }
        // A full disk or a failing one makes SQLite roll the whole transaction back by itself: nothing of the group stays.
        if transaction.is_autocommit() {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT_ROLLBACK), None));
        }
    }
    transaction.commit()
}

/// A reading thread.
fn read_each(db: &Connection, jobs: &Mutex<Receiver<Box<dyn Job>>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut job) = next else { return };
        let failed = read_snapshot(db, job.as_mut()).err().map(Arc::new);
        job.answer(failed);
    }
}

/// Runs a job in a transaction, so that all its queries see the same moment.
fn read_snapshot(db: &Connection, job: &mut dyn Job) -> rusqlite::Result<()> {
    let snapshot = db.unchecked_transaction()?;
    job.run(&snapshot);
    snapshot.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::SyncSender;

    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::super::schema::Migrate;
    use super::super::{Sqlite, change, one};
    use super::*;

    const PUT: &str = "INSERT INTO meta (key, value) VALUES (?1, x'00')";

    fn store() -> (Sqlite, TempDir) {
        let place = tempfile::tempdir().unwrap();
        (Sqlite::open(&place.path().join("munjigi.db"), Migrate::Auto).unwrap(), place)
    }

    async fn put(store: &Sqlite, key: &'static str) -> Result<usize, StoreError> {
        store.write("put", move |db| change(db, PUT, [key])).await
    }

    async fn count(store: &Sqlite) -> i64 {
        let sql = "SELECT count(*) FROM meta";
        store.read("count", move |db| one(db, sql, [], |row| row.get(0))).await.unwrap().unwrap()
    }

    /// Occupies the writer until the sender is used or dropped, so that what comes next shares one commit.
    async fn hold(store: &Sqlite) -> (SyncSender<()>, tokio::task::JoinHandle<()>) {
        let (release, wait) = sync_channel(1);
        let (entered, inside) = oneshot::channel();
        let store = store.clone();
        let held = tokio::spawn(async move {
            let work = move |_: &Connection| {
                let _ = entered.send(());
                let _ = wait.recv();
                Ok(())
            };
            store.write("hold", work).await.unwrap();
        });
        inside.await.unwrap();
        (release, held)
    }

    #[tokio::test]
    async fn a_failing_job_and_a_panicking_one_do_not_hurt_their_neighbours() {
        let (store, _place) = store();
        let (release, held) = hold(&store).await;
        let panic = |db: &Connection| {
            change(db, PUT, ["undone"])?;
            panic!("a bug")
        };
        let fail = |db: &Connection| {
            change(db, PUT, ["undone too"])?;
            change(db, PUT, ["one"])
        };
        let all = async {
            tokio::join!(
                put(&store, "one"),
                store.write::<(), _>("panic", panic),
                put(&store, "two"),
                store.write("fail", fail),
                put(&store, "three"),
                async { drop(release) },
            )
        };
        let (one, panicked, two, failed, three, ()) = all.await;
        held.await.unwrap();
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert!(panicked.is_err() && failed.is_err());
        assert_eq!(count(&store).await, 3);
    }

    #[tokio::test]
    async fn jobs_that_wait_together_share_one_commit() {
        let (store, place) = store();
        let log = place.path().join("munjigi.db-wal");
        put(&store, "before").await.unwrap();
        let (release, held) = hold(&store).await;
        let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut tasks = tokio::task::JoinSet::new();
        for key in keys {
            let store = store.clone();
            tasks.spawn(async move { put(&store, key).await.unwrap() });
        }
        // The tasks have queued their jobs once each was polled.
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        let before = std::fs::metadata(&log).unwrap().len();
        drop(release);
        held.await.unwrap();
        tasks.join_all().await;
        let pages = (std::fs::metadata(&log).unwrap().len() - before) / 4_096;
        assert!(pages < keys.len() as u64, "{pages} pages for {} small writes", keys.len());
        assert_eq!(count(&store).await, 9);
    }

    #[tokio::test]
    async fn a_full_disk_is_unavailable_for_the_whole_group_and_passes() {
        let (store, _place) = store();
        let limit = |pages: u32| {
            move |db: &Connection| db.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, u32>(0))
        };
        let pages = store.write("limit", limit(1)).await.unwrap();
        assert!(pages > 1);
        let (release, held) = hold(&store).await;
        let fill = |db: &Connection| db.execute("INSERT INTO meta VALUES ('big', zeroblob(1000000))", []);
        let all = async { tokio::join!(put(&store, "small"), store.write("fill", fill), async { drop(release) }) };
        let (_small, full, ()) = all.await;
        // Whoever shared the group is told; the one that was held may have been committed on its own.
        held.await.unwrap();
        assert!(matches!(full, Err(StoreError::Unavailable { .. })), "{full:?}");
        store.write("limit", limit(1_000_000)).await.unwrap();
        store.write("fill", fill).await.unwrap();
        assert!(matches!(count(&store).await, 1 | 2));
    }

    #[tokio::test]
    async fn a_full_queue_is_unavailable_at_once() {
        let (store, _place) = store();
        let (release, held) = hold(&store).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..QUEUE + 10 {
            let store = store.clone();
            tasks.spawn(async move { store.write("nothing", |_| Ok(())).await.is_err() });
        }
        let first = tasks.join_next().await.unwrap().unwrap();
        assert!(first, "only a refused one can be done while the writer is held");
        drop(release);
        held.await.unwrap();
        let refused = tasks.join_all().await.into_iter().filter(|refused| *refused).count();
        assert_eq!(refused + 1, 10);
    }

    #[tokio::test]
    async fn work_that_waited_too_long_is_not_begun() {
        let (store, _place) = store();
        let (release, held) = hold(&store).await;
        let late = store.threads.write("late", Duration::ZERO, |db| change(db, PUT, ["late"])).await;
        assert!(matches!(late, Err(StoreError::Unavailable { .. })));
        drop(release);
        held.await.unwrap();
        put(&store, "next").await.unwrap();
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let (store, _place) = store();
        assert!(store.read("write", |db| change(db, PUT, ["no"])).await.is_err());
        assert_eq!(count(&store).await, 0);
    }
}
