//! Limits on tries (section 8).

use std::time::Duration;

use serde_json::json;

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, RedisServer, Reply, Site};

const SETTINGS: [(&str, &str); 3] =
    [("limits.log_in_account", "3/30s"), ("limits.log_in_address", "6/60s"), ("limits.registration_address", "2/20s")];

async fn on_each_store(test: impl AsyncFn(Site)) {
    test(Site::with(&SETTINGS).await).await;
    test(Site::open(&SETTINGS, Some(RedisServer::private())).await).await;
}

async fn wrong(browser: &mut Browser, username: &str) -> Reply {
    browser.clone().log_in_with(username, "wrong-one").await
}

#[track_caller]
fn is_limited(reply: &Reply, wait: &str) {
    reply.problem(429, "rate_limited");
    assert_eq!(reply.header("retry-after"), Some(wait));
    assert!(reply.keeps_cookies());
}

#[tokio::test]
async fn guessing_one_account_from_one_address_is_slowed_down() {
    on_each_store(async |site| {
        site.registered("mina").await;
        let mut guesser = site.browser().from("203.0.113.9");
        for _ in 0..3 {
            wrong(&mut guesser, "mina").await.problem(401, "invalid_credentials");
        }
        is_limited(&wrong(&mut guesser, "mina").await, "11");
        is_limited(&wrong(&mut guesser, "MINA").await, "11");
        is_limited(&guesser.clone().log_in("mina").await, "11");
        let page = guesser.post_form("/user/login", &[("username", "mina"), ("password", "x")]).await.expect(429);
        assert!(page.header("retry-after").is_some() && page.body.contains("Please try again in"), "{}", page.body);

        site.browser().from("203.0.113.10").log_in("mina").await.expect(200);
        site.clock.advance(Duration::from_secs(10));
        guesser.log_in("mina").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_success_gives_its_try_back() {
    on_each_store(async |site| {
        site.registered("mina").await;
        let mut browser = site.browser().from("203.0.113.9");
        wrong(&mut browser, "mina").await.problem(401, "invalid_credentials");
        for _ in 0..10 {
            browser.log_in("mina").await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_names_count_alike() {
    on_each_store(async |site| {
        let mut guesser = site.browser().from("203.0.113.9");
        for _ in 0..3 {
            wrong(&mut guesser, "nobody").await.problem(401, "invalid_credentials");
        }
        is_limited(&wrong(&mut guesser, "nobody").await, "11");
    })
    .await;
}

#[tokio::test]
async fn many_accounts_from_one_address_are_slowed_down_too() {
    on_each_store(async |site| {
        let mut guesser = site.browser().from("203.0.113.9");
        for n in 0..6 {
            wrong(&mut guesser, &format!("user{n}")).await.problem(401, "invalid_credentials");
        }
        is_limited(&wrong(&mut guesser, "user7").await, "11");
        wrong(&mut site.browser().from("203.0.113.10"), "user7").await.problem(401, "invalid_credentials");
    })
    .await;
}

#[tokio::test]
async fn of_ipv6_the_64_counts() {
    let site = Site::with(&SETTINGS).await;
    for host in 1..=3 {
        let mut guesser = site.browser().from(&format!("2001:db8:1:2:{host}::1"));
        wrong(&mut guesser, "mina").await.problem(401, "invalid_credentials");
    }
    is_limited(&wrong(&mut site.browser().from("2001:db8:1:2::9"), "mina").await, "11");
    wrong(&mut site.browser().from("2001:db8:1:3::9"), "mina").await.problem(401, "invalid_credentials");
    for _ in 0..3 {
        wrong(&mut site.browser().from("::ffff:192.0.2.7"), "mina").await.problem(401, "invalid_credentials");
    }
    is_limited(&wrong(&mut site.browser().from("192.0.2.7"), "mina").await, "11");
}

#[tokio::test]
async fn registrations_are_limited_by_address() {
    on_each_store(async |site| {
        let mut browser = site.browser().from("203.0.113.9");
        for username in ["mina", "jiho"] {
            browser.clone().register(username).await.expect(201);
        }
        is_limited(&browser.register("sora").await, "11");
        site.browser().from("203.0.113.10").register("sora").await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_form_that_is_wrong_is_no_registration() {
    let site = Site::with(&SETTINGS).await;
    let mut browser = site.browser().from("203.0.113.9");
    for _ in 0..5 {
        browser.post_json("/user/register", json!({ "username": "x" })).await.expect(422);
    }
    browser.register("mina").await.expect(201);
}

#[tokio::test]
async fn a_stranger_does_not_get_around_them_by_forwarded_headers() {
    let site = Site::with(&SETTINGS).await;
    let guess = |n: u8| {
        let own = format!("198.51.100.{n}");
        let browser = site.browser().from("203.0.113.9").with("x-forwarded-for", &own);
        let mut browser = browser.with("forwarded", &format!("for={own}")).with("x-real-ip", &own);
        async move { wrong(&mut browser, "mina").await }
    };
    for n in 0..3 {
        guess(n).await.problem(401, "invalid_credentials");
    }
    is_limited(&guess(4).await, "11");
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_visitors_address_counts() {
    let site = Site::with(&[&SETTINGS[..], &[("server.trusted_proxies", "10.0.0.0/8")]].concat()).await;
    let guess = |forwarded: &str| {
        let mut browser = site.browser().from("10.0.0.1").with("x-forwarded-for", forwarded);
        async move { wrong(&mut browser, "mina").await }
    };
    for forged in ["1.1.1.1, ", "2.2.2.2, ", ""] {
        guess(&format!("{forged}203.0.113.9")).await.problem(401, "invalid_credentials");
    }
    is_limited(&guess("3.3.3.3, 203.0.113.9, 10.0.0.2").await, "11");
    guess("203.0.113.10").await.problem(401, "invalid_credentials");
}

/// A visitor behind a proxy on this machine that nobody has named.
fn behind_an_unknown_proxy(site: &Site, forwarded: &str) -> Browser {
    site.browser().from("127.0.0.1").with("x-forwarded-for", forwarded)
}

#[tokio::test]
async fn a_proxy_that_nobody_named_does_not_lock_everybody_out() {
    let site = Site::with(&SETTINGS).await;
    site.registered("mina").await;
    for n in 0..20 {
        let mut guesser = behind_an_unknown_proxy(&site, "203.0.113.9");
        wrong(&mut guesser, &format!("user{n}")).await.problem(401, "invalid_credentials");
    }
    behind_an_unknown_proxy(&site, "198.51.100.1").log_in("mina").await.expect(200);
}

#[tokio::test]
async fn but_one_account_is_guarded_there_all_the_same() {
    on_each_store(async |site| {
        for n in 0..6 {
            let mut guesser = behind_an_unknown_proxy(&site, &format!("198.51.100.{n}"));
            wrong(&mut guesser, "mina").await.problem(401, "invalid_credentials");
        }
        is_limited(&wrong(&mut behind_an_unknown_proxy(&site, "203.0.113.9"), "mina").await, "11");
    })
    .await;
}

#[tokio::test]
async fn they_can_be_switched_off() {
    let site = Site::with(&[&SETTINGS[..], &[("limits.enabled", "false")]].concat()).await;
    let mut guesser = site.browser().from("203.0.113.9");
    for _ in 0..10 {
        wrong(&mut guesser, "mina").await.problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn an_attacker_elsewhere_does_not_lock_the_owner_out() {
    let site = Site::with(&SETTINGS).await;
    let mut owner = site.registered("mina").await.from("192.0.2.1");
    for n in 0..30 {
        wrong(&mut site.browser().from(&format!("198.51.100.{n}")), "mina").await;
    }
    owner.log_in_with("mina", PASSWORD).await.expect(200);
    owner.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn parallel_guesses_get_no_more_tries() {
    on_each_store(async |site| {
        let mut guesses = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let mut guesser = site.browser().from("203.0.113.9");
            guesses.spawn(async move { wrong(&mut guesser, "mina").await.status.as_u16() });
        }
        let answers = guesses.join_all().await;
        assert_eq!(answers.iter().filter(|status| **status == 401).count(), 3, "{answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 429).count(), 9, "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn a_log_in_that_could_not_be_decided_is_no_failure() {
    let settings = [
        ("limits.log_in_account", "8/80s"),
        ("passwords.workers", "1"),
        ("passwords.queue", "1"),
        ("passwords.argon2_memory", "32MiB"),
    ];
    let site = Site::with(&settings).await;
    site.registered("mina").await;
    let mut log_ins = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut browser = site.browser().from("203.0.113.9");
        log_ins.spawn(async move { browser.log_in("mina").await.status.as_u16() });
    }
    let answers = log_ins.join_all().await;
    assert!(answers.contains(&503) && answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
    for n in 0..8 {
        let answer = wrong(&mut site.browser().from("203.0.113.9"), "mina").await;
        assert_eq!(answer.status, 401, "failure {n} of 8 that are allowed; before it, nothing had failed: {answers:?}");
    }
}
