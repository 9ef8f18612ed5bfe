//! Who is at the other end of the connection, as far as it can be believed.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::Once;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::{FORWARDED, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use crate::app::App;
use crate::flows::Client;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(of(peer(&parts.extensions), &parts.headers, &app.site.trusted_proxies))
    }
}

/// The other end of the connection.
pub struct Peer {
    /// Where it is; none where the server was not told.
    pub address: Option<SocketAddr>,
    /// Whether it is a proxy whose headers are believed.
    pub trusted: bool,
}

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        Ok(Self { address, trusted: is_from_trusted_proxy(&parts.extensions, &app.site.trusted_proxies) })
    }
}

/// Who makes this request.
pub(super) fn of_request<B>(request: &http::Request<B>, trusted: &[IpNet]) -> Client {
    of(peer(request.extensions()), request.headers(), trusted)
}

/// Whether the other end of the connection is a proxy whose headers are believed.
pub(super) fn is_from_trusted_proxy(extensions: &http::Extensions, trusted: &[IpNet]) -> bool {
    peer(extensions).is_some_and(|peer| is_trusted(peer, trusted))
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address.to_canonical()))
}

fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

/// The address is the rightmost in `X-Forwarded-For` that is no proxy of ours, if the peer is one; else the peer's.
fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let is_trusted = |address| is_trusted(address, trusted);
    let Some(peer) = peer else { return Client { user_agent, ..Client::default() } };
    if is_trusted(peer) {
        let address = forwarded(headers, is_trusted).unwrap_or(peer);
        return Client { address: Some(address), user_agent, shared_address: is_trusted(address) };
    }
    let behind_a_proxy = headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED);
    let shared_address = behind_a_proxy && is_near(peer);
    if shared_address {
        warn_once(peer);
    }
    Client { address: Some(peer), user_agent, shared_address }
}

/// From the right, because each proxy adds what it saw at the end, and what stands before it anybody can make up. What is no
/// address stops the search: nothing to the left of it can be believed.
fn forwarded(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let lines: Vec<&[u8]> = headers.get_all(X_FORWARDED_FOR).into_iter().map(HeaderValue::as_bytes).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let mut last = None;
    for hop in hops {
        let Some(address) = std::str::from_utf8(hop).ok().and_then(|hop| address(hop.trim())) else { break };
        last = Some(address);
        if !is_trusted(address) {
            break;
        }
    }
    last
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(hop: &str) -> Option<IpAddr> {
    hop.parse()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|addr| addr.ip()))
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

/// Where a proxy of one's own would be.
fn is_near(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn warn_once(peer: IpAddr) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        ::tracing::warn!(
            %peer,
            note = "forwarded headers come from a peer that is not in server.trusted_proxies: limits by address are off for \
                    it; if it is your proxy, add it",
            "untrusted_proxy"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded_for: &[&str]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for line in forwarded_for {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let client = of(Some(peer.parse().unwrap()), &headers, &["10.0.0.0/8".parse().unwrap()]);
        (client.address.unwrap().to_string(), client.shared_address)
    }

    #[test]
    fn a_stranger_cannot_say_where_they_are() {
        assert_eq!(seen("203.0.113.9", &["1.2.3.4"]), ("203.0.113.9".to_owned(), false));
        assert_eq!(seen("203.0.113.9", &[]), ("203.0.113.9".to_owned(), false));
    }

    #[test]
    fn behind_our_proxies_the_rightmost_address_that_is_not_theirs_counts() {
        let client = ("203.0.113.9".to_owned(), false);
        assert_eq!(seen("10.0.0.1", &["203.0.113.9"]), client);
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, 203.0.113.9, 10.0.0.2"]), client);
        assert_eq!(seen("10.0.0.1", &["1.2.3.4", "203.0.113.9"]), client);
        assert_eq!(seen("10.0.0.1", &["가, 203.0.113.9"]), client);
        assert_eq!(seen("10.0.0.1", &["가", "203.0.113.9"]), client);
        assert_eq!(seen("10.0.0.1", &["203.0.113.9:4711"]), client);
        assert_eq!(seen("10.0.0.1", &["[2001:db8::1]:4711"]).0, "2001:db8::1");
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, rubbish"]).0, "10.0.0.1");
    }

    /// What a visitor behind our proxy at 10.0.0.1 may send, before the proxy adds where it saw them.
    #[test]
    fn whatever_a_visitor_sends_before_it_the_proxys_own_word_counts() {
        let long = "1.2.3.4, ".repeat(2_000);
        let forged = [
            "",
            " ",
            ",",
            ", ,",
            "1.2.3.4",
            "1.2.3.4,",
            "10.0.0.2",
            "10.0.0.2, 10.0.0.3",
            "127.0.0.1",
            "::1",
            "unknown",
            "_hidden",
            "\"1.2.3.4\"",
            "for=1.2.3.4",
            "1.2.3.4;",
            "1.2.3",
            "256.1.1.1",
            "0177.0.0.1",
            "2130706433",
            "0x7f.1",
            "1.2.3.4:99999",
            "[::1",
            "::1]",
            "[::1]:",
            "fe80::1%eth0",
            "::ffff:1.2.3.4",
            "::ffff:10.0.0.2",
            "1.2.3.4\t",
            "가",
            "<script>",
            "' OR 1=1 --",
            "*",
            "0.0.0.0",
            "::",
            long.as_str(),
        ];
        for forged in forged {
            for lines in [vec![format!("{forged}, 203.0.113.9")], vec![forged.to_owned(), "203.0.113.9".to_owned()]] {
                let lines: Vec<_> = lines.iter().map(String::as_str).collect();
                assert_eq!(seen("10.0.0.1", &lines), ("203.0.113.9".to_owned(), false), "{forged:?}");
                let chain = format!("{}, 10.0.0.2,::ffff:10.0.0.3", lines.join(", "));
                assert_eq!(seen("10.0.0.1", &[&chain]), ("203.0.113.9".to_owned(), false), "{forged:?}");
                assert_eq!(seen("203.0.113.77", &lines), ("203.0.113.77".to_owned(), false), "{forged:?}");
            }
        }
    }

    #[test]
    fn where_the_proxy_says_nothing_that_can_be_read_its_visitors_are_not_told_apart() {
        for unreadable in ["", "unknown", "10.0.0.2", "203.0.113.9, unknown", "203.0.113.9,"] {
            let (address, shared) = seen("10.0.0.1", &[unreadable]);
            assert!(shared && address.starts_with("10."), "{unreadable:?}: {address}");
        }
        assert_eq!(seen("10.0.0.1", &[]), ("10.0.0.1".to_owned(), true));
    }

    #[test]
    fn a_proxy_that_is_not_trusted_is_no_reason_to_limit_everybody_behind_it() {
        assert_eq!(seen("127.0.0.1", &["203.0.113.9"]), ("127.0.0.1".to_owned(), true));
        assert_eq!(seen("127.0.0.1", &[]), ("127.0.0.1".to_owned(), false));
        assert_eq!(seen("10.0.0.1", &[]), ("10.0.0.1".to_owned(), true));
    }
}
