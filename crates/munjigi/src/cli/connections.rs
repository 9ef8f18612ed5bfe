//! Connections: how many there may be at once, which one has to go when there are too many, and how long a client may keep
//! the server waiting.
//!
//! ```text
//!              a whole head                 an answer
//!   WAITING ────────────────────► AT WORK ────────────► WAITING   since then
//!      ▲                            │  ▲
//!      └── the body is not here ────┘  └── the body is here
//!          (since its head was)
//! ```
//!
//! At the cap, connections that wait for their client make room for a new one: first of the address that has the most of
//! them, and there those that have waited longest. So whoever opens thousands of them and keeps silent, or sends a byte now
//! and then, only pushes their own out. One that the server is at work for is never dropped; if there are no others, the new
//! one is told 503 and closed. For a stream of events the server is at work until its end: that nothing is on its way does not
//! mean that nobody listens.

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum_server::accept::Accept;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Sleep;
use tower::{BoxError, Service};

use crate::http::answer::Lasting;
use crate::metrics::Connections as Counts;

/// Descriptors that are no connections of clients: the database, Redis, the log.
const RESERVE: usize = 64;
/// So many of the reserve are for connections that were told to go and have not gone yet.
const LEAVING: usize = RESERVE / 2;
/// Of so many connections one more is dropped at a time, so that under a flood not each new one looks at all others.
const BATCH: usize = 64;
/// What a client is told for whom there is no room.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// All connections of this server.
pub(super) struct Connections {
    most: usize,
    patience: Duration,
    /// Says which of two connections has waited longer, without a clock.
    turns: AtomicU64,
    open: Mutex<Open>,
    counts: Counts,
}

#[derive(Default)]
struct Open {
    next: u64,
    /// Whoever accepts, while it waits for those to be gone that were told to go.
    acceptor: Option<Waker>,
    /// How many were not told to go.
    staying: usize,
    all: HashMap<u64, Entry>,
    by_address: HashMap<IpAddr, Arc<AtomicUsize>>,
}

struct Entry {
    state: Arc<State>,
    address: IpAddr,
    /// How many this address has.
    siblings: Arc<AtomicUsize>,
    close: Option<oneshot::Sender<()>>,
}

/// Since when a connection has been waiting for its client, as a turn; 0 while the server is at work for it.
struct State(AtomicU64);

impl Connections {
    /// At most so many at once, and so many as there are descriptors for; a client may keep the server waiting for `patience`.
    pub(super) fn new(most: usize, patience: Duration, counts: Counts) -> Arc<Self> {
        let most = bearable(most);
        Arc::new(Self { most, patience, turns: AtomicU64::new(1), open: Mutex::default(), counts })
    }

    /// How long a client may keep the server waiting.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    /// What the server tells of an `accept` that failed. Where descriptors have run out all the same, there is room again
    /// when this returns to the runtime.
    pub(super) fn accept_failed(&self, error: &io::Error) {
        use rustix::io::Errno;
        let errno = Errno::from_io_error(error);
        if matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) {
            let dropped = self.make_room(&mut self.lock());
            tracing::warn!(%error, dropped, note = "raise the limit of open files", "accept_failed");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_room(&self, open: &mut Open) -> usize {
        let dropped = open.drop_some(1 + self.most / BATCH);
        self.counts.shed.inc_by(dropped as u64);
        dropped
    }

    fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether too many are leaving for one more to be accepted now.
    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut open = self.lock();
        if open.all.len() - open.staying < LEAVING {
            return Poll::Ready(());
        }
        open.acceptor = Some(cx.waker().clone());
        Poll::Pending
    }

    /// A place for one more; `None`: there is none, and the server is at work for all others.
    fn place(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.lock();
        if open.staying >= self.most {
            let dropped = self.make_room(&mut open);
            tracing::debug!(dropped, most = self.most, "connections_full");
        }
        if open.staying >= self.most || open.all.len() >= self.most + LEAVING {
            self.counts.refused.inc();
            return None;
        }
        let state = Arc::new(State(AtomicU64::new(self.turn())));
        let (close, closed) = oneshot::channel();
        let siblings = Arc::clone(open.by_address.entry(address).or_default());
        siblings.fetch_add(1, Ordering::Relaxed);
        let number = open.next;
        open.next += 1;
        open.staying += 1;
        self.counts.open.inc();
        open.all.insert(number, Entry { state: Arc::clone(&state), address, siblings, close: Some(close) });
        Some(Place { connections: Arc::clone(self), number, state, close: Mutex::new(Some(closed)) })
    }
}

impl Open {
    /// Tells at most so many to go, the least needed first; says how many there were. Never more than leave one to the address that has
    /// the most: whoever has a single one pays only where everybody has.
    fn drop_some(&mut self, most: usize) -> usize {
        let mut waiting: Vec<_> = self
            .all
            .iter_mut()
            .filter(|(_, entry)| entry.close.is_some())
            .filter_map(|(_, entry)| match entry.state.0.load(Ordering::Relaxed) {
                0 => None,
                since => Some((std::cmp::Reverse(entry.siblings.load(Ordering::Relaxed)), since, entry)),
            })
            .collect();
        let greatest = waiting.iter().map(|(siblings, _, _)| siblings.0).max().unwrap_or_default();
        let most = most.min(greatest.saturating_sub(1).max(1));
        if waiting.len() > most {
            waiting.select_nth_unstable_by_key(most, |(siblings, since, _)| (*siblings, *since));
            waiting.truncate(most);
        }
        let told = waiting.len();
        self.staying -= told;
        for (_, _, entry) in waiting {
            // Its task may be ending by itself.
            let _ = entry.close.take().map(|close| close.send(()));
        }
        told
    }
}

/// One connection's place among all; it is free again when this goes.
struct Place {
    connections: Arc<Connections>,
    number: u64,
    state: Arc<State>,
    /// What it is told by when it has to go; the stream takes it.
    close: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Place {
    fn take_close(&self) -> Option<oneshot::Receiver<()>> {
        self.close.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn wait(&self, since: u64) {
        self.state.0.store(since, Ordering::Relaxed);
    }

    fn work(&self) {
        self.state.0.store(0, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        let Some(entry) = open.all.remove(&self.number) else { return };
        self.connections.counts.open.dec();
        open.staying -= usize::from(entry.close.is_some());
        if let Some(acceptor) = open.acceptor.take() {
            acceptor.wake();
        }
        if entry.siblings.fetch_sub(1, Ordering::Relaxed) == 1 {
            open.by_address.remove(&entry.address);
        }
    }
}

/// As many connections as were asked for, if there are descriptors for them: the limit is raised as far as it may be.
fn bearable(most: usize) -> usize {
    let wanted = u64::try_from(most + RESERVE).unwrap_or(u64::MAX);
    let limit = getrlimit(Resource::Nofile);
    let mut current = limit.current.unwrap_or(u64::MAX);
    if current < wanted {
        let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok() {
            current = raised;
        }
    }
    if current >= wanted {
        return most;
    }
    let fewer = usize::try_from(current).unwrap_or(usize::MAX).saturating_sub(RESERVE).max(1);
    tracing::warn!(
        open_files = current,
        connections = fewer,
        note = "the limit of open files leaves room for fewer connections than server.max_connections",
        "few_descriptors"
    );
    fewer
}

/// An address as it is counted: of IPv6 the first 64 bits, which is what one household or one machine gets.
fn counted(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Gives each connection its place when it has been accepted, and accepts no faster than those leave who make room: until then
/// new ones wait where the system keeps them, and need no descriptor.
pub(super) struct Seating<M> {
    pub(super) make: M,
    pub(super) connections: Arc<Connections>,
}

impl<M> Service<SocketAddr> for Seating<M>
where
    M: Service<SocketAddr>,
    M::Future: Send + 'static,
{
    type Response = Tracked<M::Response>;
    type Error = M::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, M::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), M::Error>> {
        ready!(self.connections.poll_room(cx));
        self.make.poll_ready(cx)
    }

    fn call(&mut self, peer: SocketAddr) -> Self::Future {
        let (place, service) = (self.connections.place(counted(peer)).map(Arc::new), self.make.call(peer));
        Box::pin(async move { Ok(Tracked { service: service.await?, place }) })
    }
}

/// Lets those in who have a place.
#[derive(Clone)]
pub(super) struct Door;

impl<S> Accept<TcpStream, Tracked<S>> for Door {
    type Stream = Guarded;
    type Service = Tracked<S>;
    type Future = std::future::Ready<io::Result<(Guarded, Tracked<S>)>>;

    fn accept(&self, stream: TcpStream, service: Tracked<S>) -> Self::Future {
        std::future::ready(let_in(stream, service))
    }
}

fn let_in<S>(stream: TcpStream, service: Tracked<S>) -> io::Result<(Guarded, Tracked<S>)> {
    let Some((place, close)) = service.place.as_ref().and_then(|place| Some((Arc::clone(place), place.take_close()?)))
    else {
        // Whether it can still be told or not, it is closed.
        let _ = stream.try_write(FULL);
        return Err(io::Error::other("server.max_connections is reached"));
    };
    stream.set_nodelay(true)?;
    let patience = place.connections.patience;
    Ok((Guarded { stream, close, stalled: None, patience, _place: place }, service))
}

/// A stream that ends when its place is needed, or when its client does not read.
///
/// An answer that is larger than what the system keeps for the client has to be taken within the patience, all of it: it is
/// the flush after it that stops the timer, and not the next byte, which a client could go on taking one at a time.
pub(super) struct Guarded {
    stream: TcpStream,
    close: oneshot::Receiver<()>,
    stalled: Option<Pin<Box<Sleep>>>,
    patience: Duration,
    _place: Arc<Place>,
}

impl Guarded {
    fn told_to_go(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.close.is_terminated() && Pin::new(&mut self.close).poll(cx).is_pending() {
            return Ok(());
        }
        Err(io::Error::other("its place is needed"))
    }

    fn written(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if outcome.is_pending() {
            let patience = self.patience;
            let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
            ready!(stalled.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        outcome
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.told_to_go(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.told_to_go(cx)?;
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.told_to_go(cx)?;
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.stalled = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A service that says of its connection when the server is at work for it, and when it waits for its client.
#[derive(Clone)]
pub(super) struct Tracked<S> {
    service: S,
    /// None where there was none: then it is not let in.
    place: Option<Arc<Place>>,
}

impl<S, B> Service<Request<B>> for Tracked<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(place) = self.place.clone() else {
            return Box::pin(self.service.call(request.map(Body::new)));
        };
        let since = place.connections.turn();
        place.work();
        let arriving = |body| Body::new(Arriving { body, place: Arc::clone(&place), since });
        let answer = self.service.call(request.map(arriving));
        Box::pin(async move {
            let answer = answer.await?;
            if answer.extensions().get::<Lasting>().is_some() {
                return Ok(answer.map(|body| Body::new(Going { body, place })));
            }
            place.wait(place.connections.turn());
            Ok(answer)
        })
    }
}

/// The body of an answer that the server is at work for until its end.
struct Going {
    body: Body,
    place: Arc<Place>,
}

impl HttpBody for Going {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.place.wait(self.place.connections.turn());
    }
}

/// A body of which more may be on its way.
struct Arriving<B> {
    body: B,
    place: Arc<Place>,
    /// When its head was here: bytes that come one at a time do not make it younger.
    since: u64,
}

impl<B: HttpBody + Unpin> HttpBody for Arriving<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() {
            self.place.wait(self.since)
        } else {
            self.place.work()
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACKER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
    const VISITOR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    fn connections(most: usize) -> Arc<Connections> {
        Arc::new(Connections {
            most,
            patience: Duration::from_secs(1),
            turns: AtomicU64::new(1),
            open: Mutex::default(),
            counts: Counts::default(),
        })
    }

    fn was_told_to_go(place: &Place) -> bool {
        place.close.lock().unwrap().as_mut().unwrap().try_recv().is_ok()
    }

    #[test]
    fn at_the_cap_the_one_that_has_waited_longest_makes_room() {
        let connections = connections(3);
        let mut held: Vec<_> = (0..3).map(|_| connections.place(ATTACKER).unwrap()).collect();
        // The first has had an answer since, so the second has waited longest.
        held[0].work();
        held[0].wait(connections.turn());
        held.push(connections.place(ATTACKER).unwrap());
        let gone: Vec<_> = held.iter().map(was_told_to_go).collect();
        assert_eq!(gone, [false, true, false, false]);
    }

    #[test]
    fn whoever_has_the_most_pushes_out_their_own() {
        let connections = connections(4);
        let visitor = connections.place(VISITOR).unwrap();
        let mut flood: Vec<_> = (0..3).map(|_| connections.place(ATTACKER).unwrap()).collect();
        for _ in 0..100 {
            flood.push(connections.place(ATTACKER).unwrap());
            flood.retain(|place| !was_told_to_go(place));
            assert_eq!(flood.len(), 3);
        }
        assert_eq!((connections.counts.open.get(), connections.counts.shed.get()), (4, 100));
        assert!(!was_told_to_go(&visitor), "the visitor has waited longest, and alone");
        let second = connections.place(VISITOR).unwrap();
        flood.retain(|place| !was_told_to_go(place));
        assert_eq!((flood.len(), was_told_to_go(&second)), (2, false));
    }

    #[test]
    fn whoever_has_a_single_one_does_not_pay_for_who_has_more() {
        let connections = connections(640);
        let address = |n: u16| IpAddr::V4(std::net::Ipv4Addr::new(192, 0, n.to_be_bytes()[0], n.to_be_bytes()[1]));
        let visitors: Vec<_> = (0..637).map(|n| connections.place(address(n)).unwrap()).collect();
        let flood: Vec<_> = (0..3).map(|_| connections.place(ATTACKER).unwrap()).collect();
        let newcomer = connections.place(VISITOR).unwrap();
        assert_eq!(flood.iter().filter(|place| was_told_to_go(place)).count(), 2);
        assert!(!visitors.iter().chain([&newcomer]).any(was_told_to_go));
    }

    #[test]
    fn nobody_is_dropped_whom_the_server_is_at_work_for() {
        let connections = connections(2);
        let busy: Vec<_> = (0..2).map(|_| connections.place(VISITOR).unwrap()).collect();
        busy.iter().for_each(Place::work);
        assert!(connections.place(ATTACKER).is_none());
        assert_eq!((connections.counts.shed.get(), connections.counts.refused.get()), (0, 1));
        assert!(busy.iter().all(|place| !was_told_to_go(place)));
        // A body that does not come is waited for since its head came, however its bytes trickle.
        busy[1].wait(1);
        assert!(connections.place(ATTACKER).is_some());
        assert_eq!(busy.iter().map(was_told_to_go).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_place_that_is_left_is_free_again() {
        let connections = connections(2);
        for _ in 0..10 {
            let held: Vec<_> = (0..2).map(|_| connections.place(VISITOR).unwrap()).collect();
            held.iter().for_each(Place::work);
            assert!(connections.place(VISITOR).is_none());
        }
        let open = connections.lock();
        assert!(open.all.is_empty() && open.by_address.is_empty());
    }

    #[test]
    fn of_ipv6_the_64_counts() {
        let counted = |text: &str| counted(SocketAddr::new(text.parse().unwrap(), 1));
        assert_eq!(counted("2001:db8:1:2:3::9"), counted("2001:db8:1:2:ffff::1"));
        assert_ne!(counted("2001:db8:1:2::9"), counted("2001:db8:1:3::9"));
        assert_eq!(counted("::ffff:203.0.113.9"), VISITOR);
    }
}
