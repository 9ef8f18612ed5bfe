//! One connection, made again when it breaks.
//!
//! The client library has a connection manager; it stays broken for good when a reconnection fails otherwise than by I/O
//! (a password being rotated, "max number of clients reached"), so this is our own.
//!
//! ```text
//!            connected                         the connection broke, or a replica answered
//!  [ none ] ----------> [ connection, number ] --------------------------------------------> [ none ]
//!    |  ^
//!    |  | failed: for PAUSE every call fails at once
//!    '--'
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, FromRedisValue, RedisError, RedisResult,
    ServerErrorKind, TlsCertificates,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Request;

/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_millis(250);

/// How long connecting may take; callers do not wait for all of it.
const CONNECT: Duration = Duration::from_secs(2);

/// How long after a failed attempt the next one is made.
const PAUSE: Duration = Duration::from_millis(100);

/// Commands under way at once; more wait for their turn, within their time limit.
const PIPELINE: usize = 1024;

/// The connection, shared by all clones.
#[derive(Clone, Debug)]
pub(super) struct Link {
    client: Client,
    slot: Arc<Mutex<Slot>>,
}

#[derive(Default)]
struct Slot {
    live: Option<MultiplexedConnection>,
    /// Counts connections, so that a late complaint does not hit the next one.
    number: u64,
    failure: Option<(Instant, RedisError)>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Link {
    /// Does not connect yet.
    pub(super) fn new(info: ConnectionInfo, authorities: Option<&[u8]>) -> RedisResult<Self> {
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            // An error says that the process has chosen one already, which is as good.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let tcp = TcpSettings::default().set_nodelay(true);
        // A peer that has vanished without a word does not hold the connection for the quarter of an hour TCP would.
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(CONNECT);
        let info = info.set_tcp_settings(tcp);
        let client = match authorities {
            None => Client::open(info)?,
            Some(pem) => {
                Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) })?
            }
        };
        Ok(Self { client, slot: Arc::default() })
    }

    /// Sends a request, once more over a new connection if the present one turns out to be dead.
    pub(super) async fn send<T: FromRedisValue>(&self, request: Request<'_>) -> RedisResult<T> {
        let (mut connection, number) = self.connection().await?;
        let first = request.send(&mut connection).await;
        if !first.as_ref().is_err_and(is_broken) {
            return first;
        }
        self.discard(number).await;
        let (mut connection, number) = self.connection().await?;
        let second = request.send(&mut connection).await;
        if second.as_ref().is_err_and(is_broken) {
            self.discard(number).await;
        }
        second
    }

    async fn connection(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        let slot = Arc::clone(&self.slot).lock_owned().await;
        if let Some(live) = &slot.live {
            return Ok((live.clone(), slot.number));
        }
        if let Some((at, error)) = &slot.failure
            && at.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        // A task of its own, which goes on when the caller's time is over, so that a slow handshake does end.
        let attempt = tokio::spawn(connect(self.client.clone(), slot));
        attempt.await.map_err(|_| RedisError::from((ErrorKind::Client, "the attempt to connect was given up")))?
    }

    async fn discard(&self, number: u64) {
        let mut slot = self.slot.lock().await;
        if slot.number == number {
            slot.live = None;
        }
    }
}

impl Request<'_> {
    async fn send<T: FromRedisValue>(&self, connection: &mut MultiplexedConnection) -> RedisResult<T> {
        match self {
            Self::Command(command) => command.query_async(connection).await,
            Self::Script(script) => script.invoke_async(connection).await,
        }
    }
}

async fn connect(client: Client, mut slot: OwnedMutexGuard<Slot>) -> RedisResult<(MultiplexedConnection, u64)> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(ANSWER))
        .set_pipeline_buffer_size(PIPELINE);
    match client.get_multiplexed_async_connection_with_config(&config).await {
        Ok(connection) => {
            slot.number += 1;
            slot.live = Some(connection.clone());
            slot.failure = None;
            Ok((connection, slot.number))
        }
        Err(error) => {
            slot.failure = Some((Instant::now(), error.clone()));
            Err(error)
        }
    }
}

/// Nothing good will come over this connection any more; a replica's refusal to write says that its name now leads to
/// another server.
fn is_broken(error: &RedisError) -> bool {
    let is_replica = matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown));
    is_replica || error.is_unrecoverable_error()
}
