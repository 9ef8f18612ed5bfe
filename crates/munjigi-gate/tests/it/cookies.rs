//! Our two cookies on the way in and on the way out.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Request};
use munjigi_gate::cookies::{Cookie, strip};
use munjigi_gate::{CookieSettings, SameSite, WhenStale};

use crate::support::*;

fn headers(lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (COOKIE, line.parse().unwrap())).collect()
}

fn plain() -> CookieSettings {
    CookieSettings::new(false, None, SameSite::Lax)
}

fn read(settings: &CookieSettings, lines: &[&str]) -> (Option<String>, Option<String>) {
    let headers = headers(lines);
    let shown = settings.read(&headers);
    (shown.access().map(str::to_owned), shown.refresh().map(str::to_owned))
}

fn stripped(lines: &[&str]) -> Vec<String> {
    let mut headers = headers(lines);
    strip(&mut headers);
    headers.get_all(COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
}

#[test]
fn names_and_attributes_follow_the_public_url() {
    let lines = |https, domain: Option<&str>, same_site| {
        let settings = CookieSettings::new(https, domain.map(str::to_owned), same_site);
        let set = settings.set(Cookie::Access, "a.b.c", Some(60)).unwrap();
        let clear = settings.clear(Cookie::Refresh).unwrap();
        (set.to_str().unwrap().to_owned(), clear.to_str().unwrap().to_owned())
    };
    let expect = |set: &str, clear: &str| (set.to_owned(), clear.to_owned());
    assert_eq!(
        lines(false, None, SameSite::Lax),
        expect(
            "accessToken=a.b.c; Path=/; HttpOnly; SameSite=Lax; Max-Age=60",
            "refreshToken=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        )
    );
    assert_eq!(
        lines(true, None, SameSite::Strict),
        expect(
            "__Host-accessToken=a.b.c; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=60",
            "__Host-refreshToken=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0"
        )
    );
    assert_eq!(
        lines(true, Some("example.com"), SameSite::Lax),
        expect(
            "__Secure-accessToken=a.b.c; Path=/; HttpOnly; SameSite=Lax; Secure; Domain=example.com; Max-Age=60",
            "__Secure-refreshToken=; Path=/; HttpOnly; SameSite=Lax; Secure; Domain=example.com; Max-Age=0"
        )
    );
}

#[test]
fn a_browsers_session_cookie_has_no_max_age_and_is_hidden_from_logs() {
    let line = plain().set(Cookie::Refresh, "a.b.c", None).unwrap();
    assert_eq!(line.to_str().unwrap(), "refreshToken=a.b.c; Path=/; HttpOnly; SameSite=Lax");
    assert!(line.is_sensitive());
}

#[test]
fn only_a_token_can_be_set() {
    for odd in ["", "a b", "a;b", "a,b", "a\"b", "a\r\nb", "ü", "a=b"] {
        assert!(plain().set(Cookie::Access, odd, None).is_err(), "{odd:?}");
    }
}

#[test]
fn tokens_are_read_from_any_of_several_headers() {
    let both = (Some("a.b.c".to_owned()), Some("r-_9".to_owned()));
    assert_eq!(read(&plain(), &["accessToken=a.b.c; refreshToken=r-_9"]), both);
    assert_eq!(read(&plain(), &["x=1;accessToken=a.b.c", "y=2; refreshToken=r-_9 ;z"]), both);
    assert_eq!(read(&plain(), &[]), (None, None));
    assert_eq!(read(&plain(), &["AccessToken=a; accesstoken=b; xaccessToken=c; accessTokenx=d; accessToken"]).0, None);
}

#[test]
fn a_name_that_is_there_twice_counts_as_absent() {
    for lines in [
        &["accessToken=a; accessToken=a"][..],
        &["accessToken=a; accessToken=b"],
        &["accessToken=a", "accessToken=b"],
        &["accessToken=a; accessToken="],
        &["accessToken=a; accessToken"],
        &["accessToken=a; accessToken =b"],
        &["accessToken=a; accessToken=\"b\""],
    ] {
        let with_refresh = [lines, &["refreshToken=r"]].concat();
        assert_eq!(read(&plain(), &with_refresh), (None, Some("r".to_owned())), "{lines:?}");
    }
}

#[test]
fn a_value_that_no_token_can_have_counts_as_absent() {
    for value in ["", "a b", "\"a.b.c\"", "a%20b", "a+b", "a/b", "a=b", "a,b", "a\u{e9}"] {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_bytes(format!("accessToken={value}").as_bytes()).unwrap());
        assert_eq!(plain().read(&headers).access(), None, "{value}");
    }
}

#[test]
fn with_a_prefix_in_force_other_names_are_ignored() {
    let host = CookieSettings::new(true, None, SameSite::Lax);
    let secure = CookieSettings::new(true, Some("example.com".to_owned()), SameSite::Lax);
    let line = "accessToken=plain; __Host-accessToken=host; __Secure-accessToken=secure";
    assert_eq!(read(&host, &[line]).0.as_deref(), Some("host"));
    assert_eq!(read(&secure, &[line]).0.as_deref(), Some("secure"));
    assert_eq!(read(&plain(), &[line]).0.as_deref(), Some("plain"));
    assert_eq!(read(&host, &["accessToken=plain; __Secure-accessToken=s; __host-accessToken=h"]).0, None);
}

#[test]
fn our_cookies_are_taken_off_under_any_prefix_and_however_often() {
    let ours = "accessToken=1; __Host-accessToken=2; __Secure-refreshToken=3; refreshToken; accessToken=4";
    assert_eq!(stripped(&[ours]), Vec::<String>::new());
    assert_eq!(stripped(&[ours, "refreshToken=\"x\""]), Vec::<String>::new());
    assert_eq!(stripped(&["a=1; accessToken=2; b=3"]), ["a=1; b=3"]);
    assert_eq!(stripped(&["accessToken=2; b=3"]), ["b=3"]);
    assert_eq!(stripped(&["b=3;accessToken=2"]), ["b=3"]);
    assert_eq!(stripped(&["a=1", "accessToken=2", "b=3; refreshToken=x"]), ["a=1", "b=3"]);
    assert_eq!(stripped(&["accessToken=2; a=accessToken=3; accessTokens=4"]), ["a=accessToken=3; accessTokens=4"]);
}

#[test]
fn other_cookies_stay_to_the_byte() {
    let odd = ["a=1;  b = \"x; y\" ;;c", "", "__Host-session=1; accesstoken=x"];
    assert_eq!(stripped(&odd), odd);
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_bytes(b"a=\xff\xfe; accessToken=1; b=\x80").unwrap());
    strip(&mut headers);
    assert_eq!(headers[COOKIE].as_bytes(), b"a=\xff\xfe; b=\x80");
}

#[tokio::test]
async fn the_inner_service_does_not_see_our_cookies_unless_it_is_told_to() {
    let world = World::new().await;
    let line = format!("theme=dark; accessToken={}; lang=ko", token());
    let request = || Request::builder().header(COOKIE, &line).body(axum::body::Body::empty()).unwrap();
    let answer = world.send(request()).await;
    answer.is_signed_in();
    assert_eq!(answer.seen().unwrap().cookies, ["theme=dark; lang=ko"]);
    assert_eq!(world.peek(request()).await.seen().unwrap().cookies, ["theme=dark; lang=ko"]);
    let answer = world.send_through(world.gate.layer().keep_cookies(), request()).await;
    assert_eq!(answer.seen().unwrap().cookies, std::slice::from_ref(&line));
    let answer = world.send(with_cookies(Some(&token()), None)).await;
    assert!(answer.seen().unwrap().cookies.is_empty());
}

#[tokio::test]
async fn doubled_cookies_sign_nobody_in_and_nobody_out() {
    let world = World::new().await;
    let line = format!("accessToken={0}; accessToken={0}", token());
    let request = Request::builder().header(COOKIE, line).body(axum::body::Body::empty()).unwrap();
    let answer = world.send(request).await;
    answer.is_anonymous(None);
    answer.leaves_cookies_alone();
    assert!(answer.seen().unwrap().cookies.is_empty());
}

#[tokio::test]
async fn an_unprefixed_cookie_signs_nobody_in_on_https() {
    let world = World::with(WhenStale::Serve, CookieSettings::new(true, None, SameSite::Lax)).await;
    world.revoked.mark_read(at(START));
    world.send(with_cookies(Some(&token()), Some("r"))).await.is_anonymous(None);
    let line = format!("__Host-accessToken={}", token());
    let request = Request::builder().header(COOKIE, line).body(axum::body::Body::empty()).unwrap();
    world.send(request).await.is_signed_in();
    assert!(world.renewals().is_empty());
}
