//! A good token where a token has no business to be.

use http::{HeaderName, HeaderValue, Method, Request};
use munjigi_gate::{CookieSettings, SameSite, WhenStale};

use super::*;

/// A header, `TOKEN` for the token. None of these is a way to show an access token.
const HEADERS: [(&str, &str); 62] = [
    ("authorization", "TOKEN"),
    ("authorization", "Token TOKEN"),
    ("authorization", "JWT TOKEN"),
    ("authorization", "Basic TOKEN"),
    ("authorization", "Digest TOKEN"),
    ("authorization", "DPoP TOKEN"),
    ("authorization", "OAuth TOKEN"),
    ("authorization", "Negotiate TOKEN"),
    ("authorization", "access_token TOKEN"),
    ("authorization", "Bearer: TOKEN"),
    ("authorization", "Bearer=TOKEN"),
    ("authorization", "Bearer,TOKEN"),
    ("authorization", "Bearer;TOKEN"),
    ("authorization", "Bearer\tTOKEN"),
    ("authorization", "Bearer \tTOKEN"),
    ("authorization", "Bearer TOKEN\t"),
    ("authorization", "BearerTOKEN"),
    ("authorization", "Bearer Bearer TOKEN"),
    ("authorization", "Bearer TOKEN TOKEN"),
    ("authorization", "Bearer TOKEN,"),
    ("authorization", "Bearer TOKEN, Bearer TOKEN"),
    ("authorization", "Bearer TOKEN; charset=utf-8"),
    ("authorization", "Bearer TOKEN x"),
    ("authorization", "Bearer x TOKEN"),
    ("authorization", "Bearer \"TOKEN\""),
    ("authorization", "Bearer 'TOKEN'"),
    ("authorization", "Bearer <TOKEN>"),
    ("authorization", "Bearer token=TOKEN"),
    ("authorization", "Bearer access_token=TOKEN"),
    ("authorization", "Bearer realm=\"x\", token=\"TOKEN\""),
    ("authorization", "Bearer jwt:TOKEN"),
    ("authorization", "Bearer %20TOKEN"),
    ("authorization", "Bearer TOKEN%00"),
    ("authorization", "Bearer TOKEN="),
    ("authorization", "Bearer é TOKEN"),
    ("authorization", "Basic x, Bearer TOKEN"),
    ("authorization", " Bearer"),
    ("authorization", "Ｂearer TOKEN"),
    ("proxy-authorization", "Bearer TOKEN"),
    ("x-authorization", "Bearer TOKEN"),
    ("x-access-token", "TOKEN"),
    ("x-auth-token", "TOKEN"),
    ("x-forwarded-access-token", "TOKEN"),
    ("x-forwarded-user", "keeper"),
    ("remote-user", "keeper"),
    ("access-token", "TOKEN"),
    ("accesstoken", "TOKEN"),
    ("token", "TOKEN"),
    ("set-cookie", "accessToken=TOKEN"),
    ("cookie2", "accessToken=TOKEN"),
    ("cookie", "AccessToken=TOKEN"),
    ("cookie", "accesstoken=TOKEN"),
    ("cookie", "access_token=TOKEN"),
    ("cookie", "accessToken[]=TOKEN"),
    ("cookie", "accessToken:TOKEN"),
    ("cookie", "accessToken=\"TOKEN\""),
    ("cookie", "accessToken=TOKEN%00"),
    ("cookie", "accessToken=Bearer TOKEN"),
    ("cookie", "accessToken==TOKEN"),
    ("cookie", "accessToken=TOKEN, accessToken=TOKEN"),
    ("cookie", "\"accessToken\"=TOKEN"),
    ("cookie", "x accessToken=TOKEN"),
];

/// Several cookie lines. Which of two is ours cannot be said, not even of two alike.
const DOUBLED: [&[&str]; 12] = [
    &["accessToken=TOKEN; accessToken=TOKEN"],
    &["accessToken=TOKEN", "accessToken=TOKEN"],
    &["accessToken=TOKEN; accessToken=x"],
    &["accessToken=x; accessToken=TOKEN"],
    &["accessToken=x", "accessToken=TOKEN"],
    &["accessToken=TOKEN; accessToken"],
    &["accessToken; accessToken=TOKEN"],
    &["accessToken=; accessToken=TOKEN"],
    &["accessToken=TOKEN; accessToken="],
    &["accessToken=TOKEN; a=b; accessToken =TOKEN"],
    &["accessToken=TOKEN;accessToken=TOKEN;accessToken=TOKEN"],
    &["a=b", "accessToken=TOKEN; c=d", "accessToken=TOKEN"],
];

fn request(lines: &[(&str, String)]) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    for (name, line) in lines {
        let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        request.headers_mut().append(name.parse::<HeaderName>().unwrap(), line);
    }
    request
}

/// Renewing and looking: nobody is signed in.
async fn is_nobody(world: &World, what: &str, make: impl Fn() -> Request<Body>) -> usize {
    for answer in [world.send(make()).await, world.peek(make()).await] {
        assert!(answer.seen().is_none_or(|seen| seen.visitor.identity().is_none()), "{what}");
        assert!(answer.set_cookies().is_empty(), "{what}");
    }
    2
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "a suite of attacks says how many there were")]
async fn a_good_token_counts_nowhere_but_in_its_two_places() {
    let (keys, refresh) = (keys(), refresh_key());
    let mut tried = 0;
    for key in &keys {
        let fort = Fort::new(&keys, &refresh).await;
        let (world, token) = (&fort.world, access_mint(key, &keys).good());
        let filled = |line: &str| line.replace("TOKEN", &token);
        world.send(request(&[("cookie", filled("accessToken=TOKEN"))])).await.is_signed_in();
        world.send(request(&[("authorization", filled("Bearer TOKEN"))])).await.is_signed_in();
        for (name, line) in HEADERS {
            tried += is_nobody(world, line, || request(&[(name, filled(line))])).await;
        }
        for lines in DOUBLED {
            let lines: Vec<_> = lines.iter().map(|line| ("cookie", filled(line))).collect();
            tried += is_nobody(world, &format!("{lines:?}"), || request(&lines)).await;
        }
        for query in
            ["access_token=TOKEN", "accessToken=TOKEN", "token=TOKEN", "jwt=TOKEN", "Authorization=Bearer TOKEN"]
        {
            let uri = format!("/?{}", filled(query).replace(' ', "%20"));
            let form = || {
                let body = Request::builder().method(Method::POST).uri(&uri);
                let body = body.header("content-type", "application/x-www-form-urlencoded");
                body.body(Body::from(filled(query))).unwrap()
            };
            tried += is_nobody(world, query, form).await;
        }
        // A bearer that is no good is no good, whatever the cookies say; neither are two.
        for lines in [
            &[("authorization", "Bearer x"), ("cookie", "accessToken=TOKEN")][..],
            &[("authorization", "Bearer"), ("cookie", "accessToken=TOKEN")],
            &[("authorization", "Bearer TOKEN x"), ("cookie", "accessToken=TOKEN; refreshToken=x")],
            &[("authorization", "Bearer TOKEN"), ("authorization", "Bearer TOKEN"), ("cookie", "accessToken=TOKEN")],
            &[("authorization", "Basic x"), ("authorization", "Bearer TOKEN"), ("cookie", "accessToken=TOKEN")],
            &[("authorization", "Bearer é"), ("cookie", "accessToken=TOKEN")],
        ] {
            let lines: Vec<_> = lines.iter().map(|(name, line)| (*name, filled(line))).collect();
            tried += is_nobody(world, &format!("{lines:?}"), || request(&lines)).await;
        }
        for bytes in [&b"Bearer \xff"[..], b"Bearer \xc3", b"bearer \x80\x80.a.b"] {
            let with_bytes = || {
                let mut request = request(&[("cookie", filled("accessToken=TOKEN"))]);
                request.headers_mut().insert("authorization", HeaderValue::from_bytes(bytes).unwrap());
                request
            };
            tried += is_nobody(world, "a bearer that is no text", with_bytes).await;
        }
        assert_eq!((fort.asked(), fort.loads()), ((0, 0), 0));
    }
    println!("good tokens in other places: {tried} tried, 0 accepted, 0 asked a store");
    assert!(tried >= 600, "{tried}");
}

/// With a prefix in force, only that prefix keeps a neighbouring host from planting a cookie.
#[tokio::test]
async fn a_planted_cookie_without_the_prefix_counts_for_nothing() {
    for (domain, real) in [(None, "__Host-accessToken"), (Some("example.com".to_owned()), "__Secure-accessToken")] {
        let settings = CookieSettings::new(true, domain, SameSite::Lax);
        let world = World::with(WhenStale::Serve, settings).await;
        world.revoked.mark_read(at(START));
        let names =
            ["accessToken", "__Host-accessToken", "__Secure-accessToken", "__host-accessToken", "__Http-accessToken"];
        for name in names {
            let answer = world.send(request(&[("cookie", format!("{name}={}", token()))])).await;
            assert_eq!(answer.visitor().identity().is_some(), name == real, "{name}");
        }
    }
}
