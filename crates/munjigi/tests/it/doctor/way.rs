//! The way from a visitor to the server: where it leads, and what becomes of a request and of an answer.

use super::middle::{Middle, begins, lines, replacing, untouched, with, without};
use super::{Findings, Installation};

/// A proxy adds where it saw the visitor: as 203.0.113.9, which this machine is not.
const ADDED: &str = "203.0.113.9";

/// A proxy of ours that does all as it should: it adds where it saw the visitor to what they said themselves.
fn adding(head: String) -> String {
    let said = head.split("\r\n").find(|line| begins(line, "x-forwarded-for")).map(str::to_owned);
    let line = said.map_or(format!("X-Forwarded-For: {ADDED}"), |line| format!("{line}, {ADDED}"));
    let rest = without(&["x-forwarded-for"])(head);
    rest.replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
}

/// What is found of a proxy that does this, before a server that believes these.
async fn through(
    trusted: &str,
    question: impl Fn(String) -> String + Send + Sync + 'static,
    answer: impl Fn(String) -> String + Send + Sync + 'static,
) -> Findings {
    let installation = Installation::new();
    let middle = Middle::before(installation.port, question, answer);
    let installation = installation.set("server.public_url", &middle.url).set("server.trusted_proxies", trusted);
    let _server = installation.serve().await;
    installation.doctor()
}

#[tokio::test]
async fn a_proxy_that_does_all_as_it_should_is_told_so() {
    let found = through("127.0.0.1", adding, untouched).await.nothing_else_than(&[]);
    found.says("proxy", "ok", &["127.0.0.1 is believed", ADDED]).says(
        "cookies",
        "ok",
        &["accessToken and refreshToken"],
    );
}

#[tokio::test]
async fn a_server_that_does_not_know_its_visitors_is_found() {
    through("", adding, untouched).await.says(
        "proxy",
        "wrong",
        &["seems to come from 127.0.0.1", "server.trusted_proxies = [\"127.0.0.1\"]"],
    );
    through("", untouched, untouched).await.says(
        "proxy",
        "warning",
        &["does not say for whom it asks", "X-Forwarded-For"],
    );
    through("127.0.0.1", untouched, untouched).await.says("proxy", "wrong", &["not told apart", "X-Forwarded-For"]);
}

#[tokio::test]
async fn an_address_that_visitors_can_make_up_is_found() {
    // Passed on as they said it.
    let passes_on = |head: String| if head.to_lowercase().contains("x-forwarded-for") { head } else { adding(head) };
    through("127.0.0.1", passes_on, untouched).await.says(
        "proxy",
        "wrong",
        &["passes on what visitors say", "proxy_add_x_forwarded_for"],
    );
    // Added to, but everybody in there is believed to be a proxy.
    let wide = through("127.0.0.1,203.0.113.0/24", adding, untouched).await;
    wide.says("proxy", "warning", &["203.0.113.0/24", ADDED, "server.trusted_proxies = [\"127.0.0.1\"]"]);
    // From the proxy's own address it cannot be seen.
    let own = through("127.0.0.1,203.0.113.9", adding, untouched).await;
    own.says("proxy", "skipped", &["ask from another machine"]).finds_well("proxy");
    // Without any proxy whoever is believed says what they like.
    let installation = Installation::new().set("server.trusted_proxies", "127.0.0.1,::1");
    let _server = installation.serve().await;
    installation.doctor().says("proxy", "warning", &["asked without a proxy", "server.trusted_proxies"]);
}

#[tokio::test]
async fn what_a_proxy_loses_or_changes_of_a_request_is_found() {
    for (lost, status, word) in [
        (&["cookie"][..], "wrong", "nobody stays signed in"),
        (&["origin", "sec-fetch-site"], "wrong", "could act for visitors"),
        (&["sec-fetch-site"], "warning", "sec-fetch-site does not arrive"),
        (&["origin"], "warning", "origin does not arrive"),
    ] {
        let lose = without(Box::leak(Box::new(lost.to_vec())));
        through("127.0.0.1", move |head| lose(adding(head)), untouched).await.says("proxy", status, &[word, "pass"]);
    }
    let host = with("Host: 127.0.0.1:3000");
    let found = through("127.0.0.1", move |head| host(adding(head)), untouched).await;
    found.says("proxy", "warning", &["Host was localhost:", "127.0.0.1:3000", "proxy_set_header Host"]);
    let scheme = with("X-Forwarded-Proto: https");
    let found = through("127.0.0.1", move |head| scheme(adding(head)), untouched).await;
    found.says("proxy", "warning", &["X-Forwarded-Proto says \"https\"", "http"]);
}

/// The lines of one answer: which is the first cookie, which the second.
fn only_one_cookie(head: String) -> String {
    let mut seen = 0;
    lines(&head, |line| {
        seen += usize::from(begins(line, "set-cookie"));
        (!begins(line, "set-cookie") || seen == 1).then(|| line.to_owned())
    })
}

fn in_one_line(head: String) -> String {
    let cookies: Vec<_> =
        head.split("\r\n").filter(|line| begins(line, "set-cookie")).map(|line| &line[12..]).collect();
    let line = format!("Set-Cookie: {}", cookies.join(", "));
    without(&["set-cookie"])(head.clone()).replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
}

#[tokio::test]
async fn what_a_proxy_loses_or_changes_of_our_cookies_is_found() {
    let found = through("127.0.0.1", adding, only_one_cookie).await;
    found.says("cookies", "wrong", &["refreshToken does not arrive", "every Set-Cookie"]);
    let found = through("127.0.0.1", adding, without(&["set-cookie"])).await;
    found.says("cookies", "wrong", &["accessToken and refreshToken do not arrive", "nobody can log in"]);
    through("127.0.0.1", adding, in_one_line).await.says("cookies", "wrong", &["arrive as one"]);
    let found = through("127.0.0.1", adding, replacing("Path=/;", "Path=/app;")).await;
    found.says("cookies", "wrong", &["accessToken was changed", "without Path=/ with Path=/app", "proxy_cookie_path"]);
    let found = through("127.0.0.1", adding, replacing("; HttpOnly", "")).await;
    found.says("cookies", "wrong", &["refreshToken was changed", "without HttpOnly"]);
}

#[tokio::test]
async fn a_public_url_that_leads_elsewhere_is_found() {
    let installation = Installation::new();
    let _server = installation.serve().await;
    let leading = |answer| Middle::saying(answer).url;
    for (answer, words) in [
        (
            "HTTP/1.1 301 Moved\r\nLocation: https://www.example.com/\r\nContent-Length: 0\r\n\r\n",
            &["leads on to https://www.example.com/", "server.public_url"][..],
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", &["200 OK, and is no Munjigi", "server.base_path"]),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", &["502 Bad Gateway", "server.listen"]),
        ("SSH-2.0-OpenSSH_9.2\r\n", &["speaks no HTTP"]),
        ("HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nhi", &["breaks off"]),
    ] {
        installation.doctor_with(&["--url", &leading(answer)]).says("public url", "wrong", words);
    }
    let other = Installation::new();
    let _other = other.serve().await;
    let there = format!("http://localhost:{}", other.port);
    installation.doctor_with(&["--url", &there]).says(
        "public url",
        "wrong",
        &["does not know this installation's secret", "--config"],
    );
    let nobody = format!("http://localhost:{}", super::installation::free_port());
    installation.doctor_with(&["--url", &nobody]).says(
        "public url",
        "wrong",
        &["cannot be connected to", "lead server.public_url to it"],
    );
    let unknown = installation.doctor_with(&["--url", "http://nowhere.invalid"]);
    unknown.says("public url", "wrong", &["nowhere.invalid", "cannot be connected to"]);
    installation.place.run(&["doctor", "--url", "nowhere"]).complains(2, &["scheme, host and port"]);
}

#[tokio::test]
async fn a_cache_in_between_is_found() {
    let installation = Installation::new();
    let _server = installation.serve().await;
    let middle = Middle::caching(installation.port);
    installation.doctor_with(&["--url", &middle.url]);
    installation.doctor_with(&["--url", &middle.url]).says("public url", "wrong", &["out of a cache", "no-store"]);
}

#[tokio::test]
async fn a_server_with_other_settings_or_other_keys_or_another_time_is_found() {
    let installation = Installation::new();
    let _server = installation.serve().await;
    let (own, elsewhere) =
        (format!("http://localhost:{}", installation.port), "server.public_url=https://login.example.com");
    let found = installation.doctor_with(&["--set", elsewhere, "--url", &own]);
    let found = found.says("public url", "warning", &[&own, "https://login.example.com", "restart"]);
    found.says("cookies", "wrong", &["__Host-accessToken", "do not arrive", "restart"]);
    // What a cache or another server shows for the keys.
    let keys = Middle::before(installation.port, replacing("/.well-known/jwks.json", "/nothing"), untouched);
    installation.doctor_with(&["--url", &keys.url]).says("keys", "wrong", &["jwks.json answers 404", "proxy"]);
    let old = Middle::before(installation.port, untouched, with("Date: Fri, 01 Jan 2021 00:00:00 GMT"));
    installation.doctor_with(&["--url", &old.url]).says("clock", "wrong", &["ahead of the public URL", "chrony"]);
    let none = Middle::before(installation.port, untouched, without(&["date"]));
    installation.doctor_with(&["--url", &none.url]).says("clock", "skipped", &["no Date"]);
    // The keys here are others than those that are shown there for five minutes more.
    installation.database().execute_batch("UPDATE signing_keys SET kid = 'another'").unwrap();
    installation.doctor().says("keys", "wrong", &["cannot be decrypted"]);
}

#[tokio::test]
async fn somebody_else_on_our_port_is_found() {
    let installation = Installation::new().begun().await;
    let other = Middle::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let port = other.url.rsplit(':').next().unwrap();
    let installation = installation.set("server.listen", &format!("127.0.0.1:{port}"));
    installation.doctor().says("server", "wrong", &["no Munjigi", "answers 200", "another port"]);
}
