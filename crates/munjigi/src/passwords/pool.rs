//! A few threads for hashing, at the lowest priority, so that cheap requests keep their latency while all cores hash.
//!
//! Each worker holds its own memory and takes one job at a time from a bounded queue. A job whose caller has gone away
//! while it waited is dropped; one that has begun is finished by its worker, whoever still waits for it.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::scheme::Memory;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// More hashes wait than the queue holds: 503, try again.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
pub struct Busy;

/// The threads, and the queue before them.
pub(super) struct Pool {
    queue: SyncSender<Job>,
}

impl Pool {
    /// Starts `workers` threads with room for `queue` waiting jobs.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(workers: usize, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..workers {
            let receiver = Arc::clone(&receiver);
            std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || work(&receiver))?;
        }
        Ok(Self { queue: sender })
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
        self.queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Busy,
        })?;
        receiver.await.map_err(|_| Busy)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    lowest_priority();
    let mut memory = Memory::default();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
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
    use super::*;

    #[tokio::test]
    async fn a_full_queue_is_said_at_once_and_empties_again() {
        let pool = Arc::new(Pool::start(1, 1).unwrap());
        let (begun, has_begun) = oneshot::channel();
        let (go, may_go) = std::sync::mpsc::sync_channel::<()>(0);
        let first = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(move |_| {
                    begun.send(()).unwrap();
                    may_go.recv().unwrap();
                })
                .await
            }
        });
        has_begun.await.unwrap();
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|_| 2).await }
        });
        while pool.queue.try_send(Box::new(|_| {})).is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(pool.run(|_| 3).await.is_err());
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        let _ = waiting.await.unwrap();
        while pool.run(|_| 4).await.is_err() {
            tokio::task::yield_now().await;
        }
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
