//! The faults of the tutorial that must be impossible here (section 3), each attacked. Those that need a process of their
//! own are in `crash`, those about tokens in `forgery`, those about what is stored in `secrets`.

use http::Method;
use redis::AsyncCommands as _;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{OTHER_PASSWORD, RedisServer, Reply, Site};

on_both_stores! {
    async fn a_log_out_ends_the_refresh_token_too(site: Site) {
        let mut browser = site.registered("mina").await;
        let mut thief = site.browser().holding("refreshToken", browser.refresh());
        browser.log_out().await.expect(200);
        let refused = thief.get_json("/user/info").await;
        assert_eq!(refused.json()["loggedIn"], false);
        assert!(!refused.sets_cookies());
    }

    async fn a_second_device_does_not_end_the_first(site: Site) {
        let mut devices = vec![site.registered("mina").await];
        for _ in 0..4 {
            devices.push(site.logged_in("mina").await);
        }
        for _ in 0..2 {
            site.let_access_expire();
            for device in &mut devices {
                assert!(device.get_json("/user/info").await.sets_cookies());
                assert!(device.is_signed_in().await);
            }
        }
    }

    async fn every_request_gets_an_answer_whatever_its_tokens_are(site: Site) {
        let browser = site.registered("mina").await;
        let ended = site.logged_in("mina").await;
        ended.clone().log_out().await;
        site.let_access_expire();
        let tokens = [
            None,
            Some(String::new()),
            Some("rubbish".to_owned()),
            Some("a.b.c".to_owned()),
            Some(browser.access()),
            Some(browser.refresh()),
            Some(ended.access()),
            Some(ended.refresh()),
        ];
        for access in &tokens {
            for refresh in &tokens {
                let mut visitor = site.browser();
                for (name, token) in [("accessToken", access), ("refreshToken", refresh)] {
                    if let Some(token) = token {
                        visitor = visitor.holding(name, token);
                    }
                }
                for path in ["/user/info", "/user/login", "/user/account", "/user/logout"] {
                    let status = visitor.clone().get(path).await.status.as_u16();
                    assert!([200, 303].contains(&status), "{path} {status} {access:?} {refresh:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_key_in_redis_expires() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.browser().from("203.0.113.9");
    browser.register("mina").await.expect(201);
    browser.clone().log_in_with("mina", OTHER_PASSWORD).await.expect(401);
    site.let_access_expire();
    browser.info().await;
    site.logged_in("mina").await;
    let keys = site.redis().keys().await;
    assert!(keys.len() >= 3, "a session's and some counters': {keys:?}");
    let mut raw = site.redis().raw().await;
    for key in keys {
        let ttl: i64 = raw.ttl(&key).await.unwrap();
        assert!((1..=91 * 86_400).contains(&ttl), "{}: {ttl}", String::from_utf8_lossy(&key));
    }
}

#[tokio::test]
async fn nobody_is_led_to_where_the_referer_says() {
    let site = Site::embedded().await;
    let evil = "https://evil.example/";
    let mut browser = site.browser().with("referer", evil);
    browser.register("mina").await.expect(201);
    let form = [("username", "mina"), ("password", crate::harness::PASSWORD)];
    let mut locations = vec![
        browser.get("/user/login").await,
        browser.get("/user/register").await,
        browser.post_form("/user/account/name", &[("name", "Minah")]).await,
        browser.post_form("/user/logout", &[]).await,
        browser.post_form("/user/login", &form).await,
        browser.post_form("/user/account/sessions/end-others", &[]).await,
        browser.post_form("/user/account/sessions/current/end", &[]).await,
        browser.get("/user/account").await,
        browser.get("/").await,
    ];
    locations.push(browser.get("/.well-known/change-password").await);
    for reply in locations {
        let reply = reply.expect(303);
        assert!(reply.location().starts_with("/user/"), "{}", reply.location());
    }
}

#[tokio::test]
async fn nothing_but_a_post_logs_anybody_out() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"] {
        let method: Method = method.parse().unwrap();
        let request = browser.request(method.clone(), "/user/logout").body(String::new()).unwrap();
        let reply = browser.send(request).await;
        assert!(reply.keeps_cookies(), "{method}");
        assert!(browser.is_signed_in().await, "{method}");
    }
    let mut request = browser.request(Method::GET, "/user/logout").body(String::new()).unwrap();
    request.headers_mut().insert("x-http-method-override", "POST".parse().unwrap());
    browser.send(request).await;
    browser.get("/user/logout?_method=POST").await;
    assert!(browser.is_signed_in().await);
}

/// Were a hash made on the event loop, nothing at all would be answered here until it is done.
#[tokio::test]
async fn a_signed_in_visitor_is_served_while_every_hashing_thread_is_busy() {
    let settings = [
        ("passwords.workers", "1"),
        ("passwords.queue", "1"),
        ("passwords.argon2_memory", "64MiB"),
        ("passwords.argon2_passes", "6"),
    ];
    let site = Site::with(&settings).await;
    let mut browser = site.registered("mina").await;
    let mut log_ins = JoinSet::new();
    for _ in 0..8 {
        let mut other = site.browser();
        log_ins.spawn(async move { other.log_in("mina").await });
    }
    // Once one is turned away the thread is busy and its queue is full.
    let turned_away = log_ins.join_next().await.unwrap().unwrap();
    turned_away.problem(503, "unavailable");
    assert!(turned_away.header("retry-after").is_some());
    assert!(browser.is_signed_in().await);
    let account = browser.get_json("/user/account").await;
    let mut statuses: Vec<u16> = vec![turned_away.status.as_u16()];
    while let Some(done) = log_ins.try_join_next() {
        statuses.push(done.unwrap().status.as_u16());
    }
    assert_eq!(account.status, 200);
    assert!(
        statuses.iter().all(|status| *status == 503),
        "no hash was done before the visitor was served: {statuses:?}"
    );
    assert!(log_ins.join_all().await.iter().any(|reply| reply.status == 200), "and the hash is done in the end");
}

/// The answer without what differs between any two answers.
fn essence(reply: &Reply) -> String {
    let mut headers = reply.headers.clone();
    headers.remove("x-request-id");
    format!("{} {headers:?} {}", reply.status, reply.body)
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    let site = Site::embedded().await;
    let disabled = site.registered("jiho").await.info().await["user"]["id"].as_str().unwrap().parse().unwrap();
    munjigi::flows::admin::disable(&site.app.core, disabled).await.unwrap();
    site.registered("mina").await;
    let mut answers = Vec::new();
    for username in ["mina", "MINA", "jiho", "nobody-here", "admin", "x", "not a username", "미나"] {
        let refused = site.browser().log_in_with(username, "wrong-one").await;
        refused.problem(401, "invalid_credentials");
        answers.push((username, essence(&refused)));
    }
    for (username, answer) in &answers {
        assert_eq!(*answer, answers[0].1, "{username}");
    }
    let page = |username: &'static str| {
        let mut browser = site.browser();
        async move {
            let form = [("username", username), ("password", "wrong-one")];
            essence(&browser.post_form("/user/login", &form).await).replace(username, "…")
        }
    };
    assert_eq!(page("mina").await, page("mona").await, "and the same page");
}

#[tokio::test]
async fn a_fault_of_ours_is_not_shown_to_the_caller() {
    let site = Site::on(RedisServer::shared()).await;
    let mut browser = site.registered("mina").await;
    let user = browser.info().await["user"]["id"].as_str().unwrap().to_owned();
    let key = format!("munjigi:s:{{{user}}}");
    let _: () = site.redis().raw().await.set_ex(&key, "not a hash", 600).await.unwrap();
    let failed = browser.get_json("/user/account/sessions").await;
    failed.problem(500, "internal");
    let page = browser.get("/user/account").await.expect(500);
    for leak in ["WRONGTYPE", "redis", "Redis", &user, "src/", "panicked"] {
        assert!(!failed.body.contains(leak) && !page.body.contains(leak), "{leak}: {}", failed.body);
    }
    assert!(page.body.contains(page.header("x-request-id").unwrap()), "the page says which line of the log it is");
    let renewing = browser.clone().without("accessToken").get_json("/user/info").await;
    renewing.problem(503, "unavailable");
    assert!(renewing.keeps_cookies(), "nobody is signed out by it");
}

#[tokio::test]
async fn racing_registrations_of_one_name_make_one_account() {
    let site = Site::embedded().await;
    let mut racing = JoinSet::new();
    for n in 0..16 {
        let mut browser = site.browser();
        let username = if n % 2 == 0 { "mina" } else { "Mina" };
        racing.spawn(async move { browser.post_json("/user/register", crate::harness::application(username)).await });
    }
    let mut statuses: Vec<u16> = racing.join_all().await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [&[201][..], &[409; 15]].concat());
    assert_eq!(site.browser().log_in("mina").await.expect(200).json()["success"], json!(true));
}
