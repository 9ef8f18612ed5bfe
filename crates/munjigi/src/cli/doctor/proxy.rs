//! What becomes of a request on its way: whether the server knows the visitor's address, and gets what it decides by.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::public::{COOKIE, MADE_UP, Seen};
use super::report::Report;
use super::wire::authority;
use crate::config::Config;
use crate::doctor_calls::Sight;

const CHECK: &str = "proxy";

pub(super) fn check(config: &Config, url: &Url, seen: &Seen, report: &mut Report) {
    address(config, url, seen, report);
    let before = report.complaints();
    headers(url, &seen.sight, report);
    if report.complaints() == before {
        report.ok(CHECK, "Host, Cookie, Origin and Sec-Fetch-Site arrive as they were sent");
    }
}

/// By whom, and from where, the server thinks that it was asked.
fn address(config: &Config, url: &Url, seen: &Seen, report: &mut Report) {
    let sight = &seen.sight;
    let Some(peer) = sight.peer else {
        let what = "the server does not know who is at the other end: no limit by address binds anybody";
        return report.wrong(CHECK, what, "serve the app by into_make_service_with_connect_info (docs/embedding.md)");
    };
    let (proxy, forwarded) = (peer.ip().to_canonical(), !sight.header("x-forwarded-for").is_empty());
    if is_same(peer, seen.answer.local) {
        return direct(proxy, sight, report);
    }
    match (sight.trusted, forwarded) {
        (false, true) => {
            let what = format!(
                "every visitor seems to come from {proxy}, which forwards for others and is not in server.trusted_proxies: no limit by address binds anybody"
            );
            report.wrong(
                CHECK,
                what,
                format!("set server.trusted_proxies = [\"{proxy}\"], if that is your proxy, and restart"),
            );
        }
        (false, false) if url.scheme() == "https" => {
            let what = format!("every visitor seems to come from {proxy}: the proxy does not say for whom it asks");
            report.wrong(
                CHECK,
                what,
                format!("let it send X-Forwarded-For, and set server.trusted_proxies = [\"{proxy}\"]"),
            );
        }
        (false, false) => {
            let what = format!(
                "the server sees {proxy}, and not {}: something is between that does not say for whom it asks",
                seen.answer.local.ip()
            );
            report.warning(
                CHECK,
                what,
                format!(
                    "if it is your proxy, let it send X-Forwarded-For, and set server.trusted_proxies = [\"{proxy}\"]"
                ),
            );
        }
        (true, false) => {
            let what = format!("the proxy at {proxy} does not say for whom it asks: its visitors are not told apart");
            report.wrong(
                CHECK,
                what,
                "let it send X-Forwarded-For (`proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for` in nginx)",
            );
        }
        (true, true) => believed(config, proxy, seen, report),
    }
}

fn is_same(one: SocketAddr, other: SocketAddr) -> bool {
    (one.ip().to_canonical(), one.port()) == (other.ip().to_canonical(), other.port())
}

/// Nothing is between.
fn direct(from: IpAddr, sight: &Sight, report: &mut Report) {
    if sight.trusted {
        let what = format!(
            "{from} is in server.trusted_proxies, and asked without a proxy: whoever reaches the server from there can say any address"
        );
        report.warning(CHECK, what, "take it out of server.trusted_proxies, or let only the proxy reach server.listen");
    } else {
        report.ok(CHECK, format!("there is none, and the server sees {from}"));
    }
}

/// A proxy that is believed says for whom it asks. Could a visitor say it in its place?
fn believed(config: &Config, proxy: IpAddr, seen: &Seen, report: &mut Report) {
    let here = seen.sight.address.map_or_else(|| "nobody".to_owned(), |address| address.to_string());
    let Some(made_up) = &seen.made_up else {
        return report.skipped(
            CHECK,
            "whether visitors can make up their address is not known: the second question was not answered",
        );
    };
    let is_believed = made_up.address.is_some_and(|address| address.to_string() == MADE_UP);
    if !is_believed {
        return report.ok(
            CHECK,
            format!(
                "the one at {proxy} is believed and says that this is {here}; what visitors make up is not believed"
            ),
        );
    }
    let last =
        made_up.header("x-forwarded-for").last().and_then(|line| line.rsplit(',').next()).unwrap_or_default().trim();
    if last == MADE_UP {
        let what = format!("the proxy at {proxy} passes on what visitors say of their address: they can say any");
        let mend =
            "let it add what it sees itself to X-Forwarded-For (`$proxy_add_x_forwarded_for` in nginx), or replace it";
        return report.wrong(CHECK, what, mend);
    }
    let covering = last.parse::<IpAddr>().ok().and_then(|last| {
        let nets = config.server.trusted_proxies.iter().filter(|net| net.contains(&last.to_canonical()));
        nets.min_by_key(|net| net.prefix_len())
            .filter(|net| net.prefix_len() < net.max_prefix_len() && !last.is_loopback())
    });
    match covering {
        Some(net) => {
            let what = format!("server.trusted_proxies has {net}, in which {last} is, too, and that is no proxy but this machine: it can say any address");
            report.warning(CHECK, what, format!("name the proxy alone: server.trusted_proxies = [\"{proxy}\"]"));
        }
        None => report.skipped(
            CHECK,
            format!("whether visitors can make up their address cannot be seen from {last}, which is a trusted proxy itself: ask from another machine"),
        ),
    }
}

/// Headers that must arrive as they were sent.
fn headers(url: &Url, sight: &Sight, report: &mut Report) {
    let arrived = |name: &str| sight.header(name).first().map(String::as_str);
    let (sent, host) = (authority(url), arrived("host").unwrap_or_default());
    if host != sent {
        let what = format!("Host was {sent}, and arrives as {host:?}");
        report.warning(CHECK, what, "let the proxy pass it on (`proxy_set_header Host $http_host` in nginx)");
    }
    if let Some(scheme) = arrived("x-forwarded-proto").filter(|scheme| *scheme != url.scheme()) {
        let what = format!("X-Forwarded-Proto says {scheme:?}, and visitors use {}", url.scheme());
        report.warning(CHECK, what, "let the proxy that has the TLS say it, and those behind it pass it on");
    }
    if !sight.header("cookie").iter().any(|line| line.contains(COOKIE)) {
        let what = "Cookie does not arrive: nobody stays signed in";
        report.wrong(CHECK, what, "let the proxy pass Cookie on to everything below server.base_path");
    }
    let lost: Vec<_> = ["origin", "sec-fetch-site"].into_iter().filter(|name| arrived(name).is_none()).collect();
    match lost.as_slice() {
        [] => {}
        [one] => {
            let what = format!("{one} does not arrive: one of two ways to know that a form is from our own page");
            report.warning(CHECK, what, "let the proxy pass on Origin and Sec-Fetch-Site");
        }
        _ => {
            let what = "Origin and Sec-Fetch-Site do not arrive: pages of other sites could act for visitors";
            report.wrong(CHECK, what, "let the proxy pass on Origin and Sec-Fetch-Site");
        }
    }
}
