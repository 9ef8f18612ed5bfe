//! The two requests that a remote gate makes.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use super::{RemoteError, RemoteSettings};

/// To be connected, and to answer with all of the keys or with the head of the stream.
const PATIENCE: Duration = Duration::from_secs(3);
/// A key set is some hundred bytes a key.
const MOST_KEY_SET: usize = 256 * 1024;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What went wrong on the way, or at the other end.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("the server cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("the server does not answer")]
    Silent,
    #[error("the server refuses the feed token")]
    Refused,
    #[error("the server answers {0}")]
    Status(StatusCode),
    #[error("the answer is no stream of events")]
    NoStream,
    #[error("the key set is larger than 256 KiB")]
    TooLarge,
}

/// A server, as it is reached from here.
pub(super) struct Wire {
    client: Client,
    keys: Url,
    feed: Url,
    authorization: HeaderValue,
}

impl Wire {
    pub(super) fn new(settings: &RemoteSettings) -> Result<Self, RemoteError> {
        let wrong = || RemoteError::Url(settings.url.clone());
        let base = settings.url.trim_end_matches('/');
        let at = |path: &str| {
            let url = Url::parse(&format!("{base}{path}")).ok()?;
            (matches!(url.scheme(), "http" | "https") && url.path() == path && url.query().is_none()).then_some(url)
        };
        let keys = at("/.well-known/jwks.json").ok_or_else(wrong)?;
        let feed = at("/auth/revocations").ok_or_else(wrong)?;
        let host = feed.host_str().unwrap_or_default();
        if feed.scheme() == "http" && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            tracing::warn!(
                url = base,
                note = "the feed token and the keys can be read and changed on the way",
                "no_https"
            );
        }
        if settings.feed_token.is_empty() || !settings.feed_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RemoteError::Token);
        }
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {}", settings.feed_token)).map_err(|_| RemoteError::Token)?;
        authorization.set_sensitive(true);
        // The token goes to this server and nowhere else.
        let client = Client::builder().redirect(Policy::none()).connect_timeout(PATIENCE).no_proxy().build();
        let client = client.map_err(|error| RemoteError::Client(error.into()))?;
        Ok(Self { client, keys, feed, authorization })
    }

    /// The key set as it stands, and how long it may be kept.
    pub(super) async fn keys(&self) -> Result<(Vec<u8>, Option<Duration>), WireError> {
        let read = async {
            let mut response = self.client.get(self.keys.clone()).send().await?;
            if response.status() != StatusCode::OK {
                return Err(WireError::Status(response.status()));
            }
            let max_age = max_age(&response);
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if body.len() + chunk.len() > MOST_KEY_SET {
                    return Err(WireError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok((body, max_age))
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap_or(Err(WireError::Silent))
    }

    /// The stream of what has ended, from after the last event that was seen.
    pub(super) async fn feed(&self, last_seen: Option<&str>) -> Result<Stream, WireError> {
        let mut request = self.client.get(self.feed.clone());
        request = request.header(AUTHORIZATION, self.authorization.clone()).header(ACCEPT, "text/event-stream");
        if let Some(id) = last_seen {
            request = request.header(LAST_EVENT_ID, id);
        }
        let opened = tokio::time::timeout(PATIENCE, request.send()).await;
        let response = opened.map_err(|_| WireError::Silent)??;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(WireError::Refused),
            status => return Err(WireError::Status(status)),
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().unwrap_or_default().trim() != "text/event-stream" {
            return Err(WireError::NoStream);
        }
        Ok(Stream(response))
    }
}

/// A stream that is open.
pub(super) struct Stream(Response);

impl Stream {
    /// What came next; `None`: it has ended. A caller may give up waiting without losing anything.
    pub(super) async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, WireError> {
        Ok(self.0.chunk().await?)
    }
}

fn max_age(response: &Response) -> Option<Duration> {
    let line = response.headers().get(CACHE_CONTROL)?.to_str().ok()?;
    let secs = line.split(',').find_map(|directive| directive.trim().strip_prefix("max-age="))?;
    secs.trim_matches('"').parse().ok().map(Duration::from_secs)
}
