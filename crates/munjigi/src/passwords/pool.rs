//! A few threads for hashing, at the lowest priority, so that cheap requests keep their latency while all cores hash.
//!
//! Each worker holds its own memory and takes one job at a time from a bounded queue. A job whose caller goes away while it
//! waits is taken out of the queue at once, so that nobody's hashes keep nobody else's from waiting there; one that has
//! begun is finished by its worker, whoever still waits for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::scheme::Memory;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// More hashes wait than the queue holds: 503, try again.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
pub struct Busy;

/// How busy the threads are, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Threads.
    pub workers: usize,
    /// Those at work.
    pub working: usize,
    /// Jobs that wait.
    pub waiting: usize,
    /// Jobs that were not taken since the start, or would not have been.
    pub refused: u64,
}

/// The threads, and the queue before them.
pub(super) struct Pool {
    queue: Arc<Queue>,
    workers: usize,
}

impl Pool {
    /// Starts `workers` threads with room for `queue` waiting jobs.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(workers: usize, queue: usize) -> std::io::Result<Self> {
        let queue = Queue { most: queue, waiting: Mutex::default(), more: Condvar::new() };
        let pool = Self { queue: Arc::new(queue), workers };
        for number in 0..workers {
            let queue = Arc::clone(&pool.queue);
            std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || work(&queue))?;
        }
        Ok(pool)
    }

    /// Whether a task would be taken now.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full.
    pub(super) fn room(&self) -> Result<(), Busy> {
        self.queue.room().map(drop)
    }

    pub(super) fn load(&self) -> Load {
        let waiting = self.queue.lock();
        // A thread that is idle and has a job waiting is about to take it.
        let working = self.workers.saturating_sub(waiting.idle);
        Load { workers: self.workers, working, waiting: waiting.jobs.len(), refused: waiting.refused }
    }

    /// Runs `task` on one of the threads.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            if !sender.is_closed() {
                let _ = sender.send(task(memory));
            }
        });
        // Held until the answer is here: if the caller goes away first, the job goes with it.
        let _ticket = self.queue.put(job)?;
        receiver.await.map_err(|_| {
            // The job went without an answer: it panicked, and the panic was said. To the caller it is a thread that is not to be had.
            tracing::error!(note = "a hashing thread panicked", "failure");
            Busy
        })
    }
}

/// The threads end once the last job is done.
impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.more.notify_all();
    }
}

struct Queue {
    most: usize,
    waiting: Mutex<Waiting>,
    more: Condvar,
}

/// Jobs in the order in which they came.
#[derive(Default)]
struct Waiting {
    next: u64,
    jobs: BTreeMap<u64, Job>,
    /// Workers that have nothing to do: a job for one of them does not wait.
    idle: usize,
    /// Jobs that were turned away, and how many of them were said in the log, and when.
    refused: u64,
    refused_said: u64,
    said_at: Option<Instant>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, if there is room for one more.
    fn room(&self) -> Result<MutexGuard<'_, Waiting>, Busy> {
        let mut waiting = self.lock();
        if waiting.jobs.len() < self.most + waiting.idle {
            return Ok(waiting);
        }
        waiting.refused += 1;
        // Under a flood this is a thousand times a second, and the log must not become the next thing that is full.
        if waiting.said_at.is_none_or(|said| said.elapsed() >= Duration::from_secs(1)) {
            waiting.said_at = Some(Instant::now());
            let refused = waiting.refused - waiting.refused_said;
            waiting.refused_said = waiting.refused;
            drop(waiting);
            tracing::warn!(refused, note = "more passwords wait to be hashed than passwords.queue", "busy");
        }
        Err(Busy)
    }

    fn put(&self, job: Job) -> Result<Ticket<'_>, Busy> {
        let mut waiting = self.room()?;
        let number = waiting.next;
        waiting.next += 1;
        waiting.jobs.insert(number, job);
        drop(waiting);
        self.more.notify_one();
        Ok(Ticket { queue: self, number })
    }

    /// The next job; waits for one. `None`: there will be no more.
    fn take(&self) -> Option<Job> {
        let mut waiting = self.lock();
        waiting.idle += 1;
        loop {
            if let Some((_, job)) = waiting.jobs.pop_first() {
                waiting.idle -= 1;
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A job's place in the queue.
struct Ticket<'a> {
    queue: &'a Queue,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        // The job itself, with the password in it, is dropped after the lock.
        let left = self.queue.lock().jobs.remove(&self.number);
        drop(left);
    }
}

fn work(queue: &Queue) {
    lowest_priority();
    let mut memory = Memory::default();
    while let Some(job) = queue.take() {
        // A panic in one job must not take the worker with it: its caller is told, the next job goes on.
        let mut lent = std::mem::take(&mut memory);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            job(&mut lent);
            lent
        }));
        memory = done.unwrap_or_default();
    }
}

/// On Linux a priority is a thread's own. Elsewhere it would be the whole process's, so it is left alone.
///
/// The lowest niceness, and not the idle class below it: requests would keep their latency better still, but beside another
/// program that keeps all cores busy a log-in in the idle class took longer than ten seconds.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn lowest_priority() {
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19) {
        tracing::warn!(%error, note = "hashing threads keep the normal priority", "priority_refused");
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn lowest_priority() {}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use tokio::task::JoinSet;

    use super::*;

    /// A pool of one worker, which is kept busy until the sender goes.
    async fn kept_busy(queue: usize) -> (Arc<Pool>, SyncSender<()>) {
        let pool = Arc::new(Pool::start(1, queue).unwrap());
        let (begun, has_begun) = oneshot::channel();
        let (go, may_go) = sync_channel::<()>(0);
        let busy = Arc::clone(&pool);
        tokio::spawn(async move {
            busy.run(move |_| {
                begun.send(()).unwrap();
                let _ = may_go.recv();
            })
            .await
        });
        has_begun.await.unwrap();
        (pool, go)
    }

    /// Lets the others go on until it is so.
    async fn until(what: &str, so: impl Fn() -> bool) {
        for _ in 0..1_000_000 {
            if so() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("never: {what}");
    }

    impl Pool {
        fn waiting(&self) -> usize {
            self.queue.lock().jobs.len()
        }
    }

    /// Puts a job into the queue, for a caller that waits for it.
    async fn enqueue(pool: &Arc<Pool>, callers: &mut JoinSet<Result<u8, Busy>>) -> tokio::task::AbortHandle {
        let (before, own) = (pool.waiting(), Arc::clone(pool));
        let caller = callers.spawn(async move { own.run(|_| 7).await });
        until("the job waits", || pool.waiting() > before).await;
        caller
    }

    #[tokio::test]
    async fn a_full_queue_is_said_at_once_and_empties_again() {
        let (pool, go) = kept_busy(3).await;
        let mut callers = JoinSet::new();
        for _ in 0..3 {
            enqueue(&pool, &mut callers).await;
        }
        assert!(pool.room().is_err() && pool.run(|_| 8).await.is_err());
        assert_eq!(pool.load(), Load { workers: 1, working: 1, waiting: 3, refused: 2 });
        drop(go);
        assert!(callers.join_all().await.into_iter().all(|answer| answer.unwrap() == 7));
        assert!(pool.room().is_ok() && pool.run(|_| 9).await.unwrap() == 9);
        assert_eq!((pool.load().waiting, pool.load().refused), (0, 2));
    }

    #[tokio::test]
    async fn hashes_that_nobody_waits_for_leave_the_queue_at_once() {
        let (pool, go) = kept_busy(2).await;
        let mut callers = JoinSet::new();
        for _ in 0..500 {
            let gone = enqueue(&pool, &mut callers).await;
            gone.abort();
            until("the queue is empty", || pool.waiting() == 0).await;
        }
        for _ in 0..2 {
            enqueue(&pool, &mut callers).await;
        }
        assert!(pool.run(|_| 8).await.is_err(), "but there is no more room than there was");
        drop(go);
    }

    #[tokio::test]
    async fn callers_that_go_away_at_any_point_take_no_worker_and_no_room_with_them() {
        let pool = Arc::new(Pool::start(2, 8).unwrap());
        let mut callers = JoinSet::new();
        for round in 0..400_u32 {
            let own = Arc::clone(&pool);
            let job = move |_: &mut Memory| (0..round % 7 * 4_000).for_each(|_| std::hint::spin_loop());
            let caller = callers.spawn(async move { own.run(job).await.is_ok() });
            for _ in 0..round % 5 {
                tokio::task::yield_now().await;
            }
            if round % 3 > 0 {
                caller.abort();
            }
        }
        while callers.join_next().await.is_some() {}
        assert_eq!(pool.waiting(), 0);
        // Both workers are still there: the two jobs wait for each other.
        let barrier = Arc::new(std::sync::Barrier::new(2));
        let (one, two) = (Arc::clone(&barrier), barrier);
        let (one, two) = tokio::join!(pool.run(move |_| one.wait()), pool.run(move |_| two.wait()));
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(pool.waiting(), 0);
    }

    #[tokio::test]
    async fn the_threads_end_with_the_pool() {
        let (pool, go) = kept_busy(1).await;
        let queue = Arc::downgrade(&pool.queue);
        drop(go);
        until("the job is done", || Arc::strong_count(&pool) == 1).await;
        drop(pool);
        until("the threads have ended", || queue.upgrade().is_none()).await;
    }

    #[tokio::test]
    async fn a_panic_in_one_job_is_not_the_end_of_its_worker() {
        let pool = Pool::start(1, 4).unwrap();
        assert!(pool.run(|_| -> () { std::panic::resume_unwind(Box::new("on purpose")) }).await.is_err());
        assert_eq!(pool.run(|_| 7).await.unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hashing_threads_have_the_lowest_priority() {
        let pool = Pool::start(1, 1).unwrap();
        let nice = pool.run(|_| rustix::process::getpriority_process(Some(rustix::thread::gettid()))).await.unwrap();
        assert_eq!(nice.unwrap(), 19);
    }
}
