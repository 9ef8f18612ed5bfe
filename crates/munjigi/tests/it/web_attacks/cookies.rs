//! Cookies that somebody else has put beside ours: tossed from a neighbouring host, doubled, under names that resemble. Never
//! does a visitor act as somebody else by them.

use http::header::{ACCEPT, COOKIE};
use http::{HeaderValue, Request};
use serde_json::Value;

use super::tell;
use crate::harness::{Browser, Site};

/// What `/user/info` says to these `Cookie` lines.
async fn who(site: &Site, lines: &[Vec<u8>]) -> Value {
    let mut request = Request::get("/user/info").header(ACCEPT, "application/json");
    for line in lines {
        request = request.header(COOKIE, HeaderValue::from_bytes(line).unwrap());
    }
    site.browser().send(request.body(String::new()).unwrap()).await.expect(200).json()
}

/// All orders of these.
fn orders(items: &[String]) -> Vec<Vec<String>> {
    if items.is_empty() {
        return vec![vec![]];
    }
    let without = |n: usize| items.iter().enumerate().filter(move |(i, _)| *i != n).map(|(_, item)| item.clone());
    (0..items.len())
        .flat_map(|n| {
            let rest: Vec<String> = without(n).collect();
            orders(&rest).into_iter().map(move |mut order| {
                order.insert(0, items[n].clone());
                order
            })
        })
        .collect()
}

/// The pairs in one header, in two at every place, each in its own; with the separators that senders have used.
fn splits(pairs: &[String]) -> Vec<Vec<Vec<u8>>> {
    let mut splits = Vec::new();
    for between in ["; ", ";", ";;", " ;\t"] {
        splits.push(vec![pairs.join(between).into_bytes()]);
    }
    for at in 1..pairs.len() {
        splits.push(vec![pairs[..at].join("; ").into_bytes(), pairs[at..].join("; ").into_bytes()]);
    }
    splits.push(pairs.iter().map(|pair| pair.clone().into_bytes()).collect());
    splits
}

#[tokio::test]
async fn a_doubled_cookie_is_nobodys_in_every_order_and_split() {
    let site = Site::embedded().await;
    let (mina, mallory) = (site.registered("mina").await, site.registered("mallory").await);
    let pair = |name: &str, browser: &Browser| format!("{name}={}", browser.jar[name]);
    let (access, refresh) = ("accessToken", "refreshToken");
    let mut tried = 0;
    for (pairs, allowed) in [
        (vec![pair(access, &mina), pair(access, &mallory)], None),
        (vec![pair(access, &mina), pair(access, &mallory), pair(access, &mina)], None),
        (vec![pair(access, &mina), pair(access, &mina)], None),
        (vec![pair(access, &mina), "accessToken=".to_owned()], None),
        (vec![pair(access, &mina), "accessToken".to_owned()], None),
        (vec![pair(access, &mina), "accessToken=rubbish".to_owned()], None),
        (vec![pair(access, &mina), pair(access, &mallory), pair(refresh, &mina), pair(refresh, &mallory)], None),
        // The refresh token says once who it is; the doubled access token says nothing.
        (vec![pair(access, &mina), pair(access, &mallory), pair(refresh, &mina)], Some("mina")),
        (vec![pair(access, &mina), pair(refresh, &mina), pair(refresh, &mallory)], Some("mina")),
        (vec![pair(access, &mina), pair(refresh, &mina), "theme=dark".to_owned()], Some("mina")),
    ] {
        for order in orders(&pairs) {
            for lines in splits(&order) {
                let said = who(&site, &lines).await;
                assert_eq!(said["user"]["username"].as_str(), allowed, "{lines:?}: {said}");
                tried += 1;
            }
        }
    }
    tell(&format!("doubled cookies: {tried} arrangements tried, 0 took one of two"));
}

/// Where names have a prefix, only that name counts: the prefix is what keeps neighbours from planting.
#[tokio::test]
async fn with_https_only_the_prefixed_name_counts() {
    for (settings, prefix) in [
        (&[("server.public_url", "https://auth.example.com")][..], "__Host-"),
        (&[("server.public_url", "https://auth.example.com"), ("cookies.domain", "example.com")], "__Secure-"),
    ] {
        let site = Site::with(settings).await;
        let mut mallory = site.browser();
        mallory.register("mallory").await.expect(201);
        let tokens: Vec<(String, String)> = mallory
            .jar
            .iter()
            .map(|(name, value)| (name.trim_start_matches(prefix).to_owned(), value.clone()))
            .collect();
        let mut tried = 0;
        for other in [
            "",
            "__Host-",
            "__Secure-",
            "__host-",
            "__HOST-",
            "__Http-",
            "__Host-Http-",
            "_Host-",
            "__Host_",
            "Host-",
            "__Host-__Host-",
            "__Secure-__Host-",
            "__Host- ",
            "\u{2000}__Host-",
            "\u{a0}__Host-",
            "\u{85}__Host-",
            "\u{feff}__Secure-",
            "=__Host-",
            "$__Host-",
            "\"__Host-",
            "__Host-x=y,__Host-",
            "$Version=1,__Host-",
            "__Secure-x=y,__Secure-",
            "%5F_Host-",
            "x\t__Host-",
        ] {
            if other == prefix {
                continue;
            }
            let lines: Vec<Vec<u8>> =
                tokens.iter().map(|(name, value)| format!("{other}{name}={value}").into_bytes()).collect();
            for lines in [lines.clone(), vec![lines.join(&b"; "[..])]] {
                assert_eq!(who(&site, &lines).await["loggedIn"], false, "{prefix}: {other:?}");
                tried += 1;
            }
        }
        let exact: Vec<Vec<u8>> =
            tokens.iter().map(|(name, value)| format!("{prefix}{name}={value}").into_bytes()).collect();
        assert_eq!(who(&site, &exact).await["loggedIn"], true, "{prefix}");
        // A planted cookie without the prefix is no second one either: it cannot sign anybody out.
        let planted: Vec<Vec<u8>> = exact.into_iter().chain([b"accessToken=x; refreshToken=y".to_vec()]).collect();
        assert_eq!(who(&site, &planted).await["loggedIn"], true, "{prefix}");
        tell(&format!("cookie names beside {prefix}: {tried} tried, 0 counted"));
    }
}

#[tokio::test]
async fn a_name_or_a_value_that_resembles_does_not_count() {
    let site = Site::embedded().await;
    let mallory = site.registered("mallory").await;
    let mut tried = 0;
    for name in [
        "AccessToken",
        "accesstoken",
        "ACCESSTOKEN",
        "\"accessToken\"",
        "accessToken[]",
        "accessToken.0",
        "accessToken%20",
        "access Token",
        "$accessToken",
        "accessTokens",
        "xaccessToken",
        "access\u{ad}Token",
        "a\u{441}cessToken",
        "accessToken\u{a0}",
        "\u{feff}accessToken",
        "%61ccessToken",
        "access_token",
        "access-token",
        "accessToken,x",
        "x,accessToken",
        "'accessToken'",
        "accessToken\\",
    ] {
        let line = format!("{name}={}", mallory.access()).into_bytes();
        assert_eq!(who(&site, &[line]).await["loggedIn"], false, "{name}");
        tried += 1;
    }
    let token = mallory.access();
    for value in [
        format!("\"{token}\""),
        format!("'{token}'"),
        format!("{token},x"),
        format!("{token} x"),
        format!("x {token}"),
        format!("{token}%20"),
        format!("Bearer {token}"),
        format!("{token}="),
        format!("={token}"),
        token.replace('.', "%2e"),
        format!("{token}\u{a0}"),
        format!("{token}\\"),
        format!("{token}."),
        format!(".{token}"),
        format!("j:{token}"),
        format!("s:{token}"),
        token.to_uppercase(),
    ] {
        assert_eq!(who(&site, &[format!("accessToken={value}").into_bytes()]).await["loggedIn"], false, "{value}");
        tried += 1;
    }
    for line in
        [format!("accessToken={token}"), format!("  accessToken={token}  "), format!("a=b;accessToken={token};c")]
    {
        assert_eq!(who(&site, &[line.clone().into_bytes()]).await["user"]["username"], "mallory", "{line}");
    }
    tell(&format!("names and values that resemble: {tried} tried, 0 counted"));
}
