//! One question by HTTP, as a visitor's browser would put it: over a connection of its own, whose addresses are known, and by no proxy
//! of the environment.
//!
//! TLS certificates are held against the authorities that this machine trusts, or those in `SSL_CERT_FILE`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::{Host, Url};

/// From the first step to the last.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of an answer.
const MOST: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("it cannot be connected to")]
    Connect(#[source] io::Error),
    #[error("it does not answer within 5 s")]
    Slow,
    #[error("this machine trusts no authorities: install ca-certificates")]
    NoAuthorities,
    #[error("there is no TLS that can be trusted")]
    Tls(#[source] io::Error),
    #[error("it speaks no HTTP")]
    Http(#[from] hyper::Error),
    #[error("its answer breaks off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("its answer has more than 256 KiB")]
    TooLarge,
    #[error("it cannot be asked for")]
    Request(#[from] http::Error),
}

impl WireError {
    /// Whether nobody listens there.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) head: http::response::Parts,
    pub(super) body: Vec<u8>,
    /// Our end of the connection.
    pub(super) local: SocketAddr,
}

impl Answer {
    pub(super) const fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(super) const fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }
}

/// `host` or `host:port`, as browsers write it in `Host`.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Asks for `url` by GET.
pub(super) async fn get(url: &Url, headers: &[(&str, String)]) -> Result<Answer, WireError> {
    tokio::time::timeout(PATIENCE, ask(url, headers)).await.unwrap_or(Err(WireError::Slow))
}

async fn ask(url: &Url, headers: &[(&str, String)]) -> Result<Answer, WireError> {
    let port = url.port_or_known_default().unwrap_or_default();
    let connection = match url.host() {
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
        None => Err(io::ErrorKind::InvalidInput.into()),
    };
    let connection = connection.map_err(WireError::Connect)?;
    let local = connection.local_addr().map_err(WireError::Connect)?;
    let mut request = Request::get(url.path())
        .header(HOST, authority(url))
        .header(USER_AGENT, concat!("munjigi-doctor/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Empty::new())?;
    let (head, body) = if url.scheme() == "https" {
        exchange(secured(connection, url).await?, request).await?
    } else {
        exchange(connection, request).await?
    };
    Ok(Answer { head, body, local })
}

async fn secured(
    connection: TcpStream,
    url: &Url,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, WireError> {
    let tls = |error: Box<dyn std::error::Error + Send + Sync>| WireError::Tls(io::Error::other(error));
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if authorities.is_empty() {
        return Err(WireError::NoAuthorities);
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(error.into()))?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(name).map_err(|error| tls(error.into()))?;
    TlsConnector::from(Arc::new(config)).connect(name, connection).await.map_err(WireError::Tls)
}

async fn exchange(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<&'static [u8]>>,
) -> Result<(http::response::Parts, Vec<u8>), WireError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(connection)).await?;
    // It ends with the sender; what it fails of, the sender tells.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let read = Limited::new(body, MOST).collect().await;
    let body = read
        .map_err(|error| if error.is::<LengthLimitError>() { WireError::TooLarge } else { WireError::Body(error) })?;
    Ok((head, body.to_bytes().to_vec()))
}
