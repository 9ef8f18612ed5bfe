//! Limits on tries (section 8).

use std::time::Duration;

use serde_json::json;

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, RedisServer, Reply, Site, claims_of, header_of, spliced};

const SETTINGS: [(&str, &str); 6] = [
    ("limits.log_in_account", "3/30s"),
    ("limits.log_in_address", "6/60s"),
    ("limits.log_in_anywhere", "12/2m"),
    ("limits.registration_address", "2/20s"),
    ("limits.renewal_session", "5/50s"),
    ("limits.account_session", "4/40s"),
];

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

/// Headers by which somebody, somewhere, passes an address on.
const CLAIMS: [&str; 11] = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-cluster-client-ip",
    "x-originating-ip",
    "x-remote-addr",
    "client-ip",
];

#[tokio::test]
async fn a_stranger_does_not_get_around_them_by_forwarded_headers() {
    let site = Site::with(&[&SETTINGS[..], &[("limits.log_in_address", "1000/1m")]].concat()).await;
    for (number, header) in CLAIMS.into_iter().enumerate() {
        let account = format!("mina{number}");
        let guess = async |n: u8| {
            let own = format!("198.51.100.{n}");
            let own = if header == "forwarded" { format!("for={own}") } else { own };
            wrong(&mut site.browser().from("203.0.113.9").with(header, &own), &account).await
        };
        for n in 0..3 {
            guess(n).await.problem(401, "invalid_credentials");
        }
        is_limited(&guess(4).await, "11");
    }
}

#[tokio::test]
async fn nor_does_a_visitor_of_our_proxy() {
    let settings = [("limits.log_in_address", "1000/1m"), ("server.trusted_proxies", "10.0.0.0/8")];
    let site = Site::with(&[&SETTINGS[..], &settings].concat()).await;
    for (number, header) in CLAIMS.into_iter().enumerate() {
        let account = format!("mina{number}");
        let guess = async |n: u8| {
            let own = format!("198.51.100.{n}");
            // What the visitor sends stands before what the proxy adds.
            let browser = site.browser().from("10.0.0.1").with(header, &own);
            wrong(&mut browser.with("x-forwarded-for", "203.0.113.9"), &account).await
        };
        for n in 0..3 {
            guess(n).await.problem(401, "invalid_credentials");
        }
        is_limited(&guess(4).await, "11");
    }
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
        for n in 0..12 {
            let mut guesser = behind_an_unknown_proxy(&site, &format!("198.51.100.{n}"));
            wrong(&mut guesser, "mina").await.problem(401, "invalid_credentials");
        }
        is_limited(&wrong(&mut behind_an_unknown_proxy(&site, "203.0.113.9"), "mina").await, "11");
    })
    .await;
}

/// Strangers at many addresses use up what one account has for all of them.
async fn use_up(site: &Site, username: &str) {
    for n in 0..12 {
        let mut guesser = site.browser().from(&format!("198.51.100.{n}"));
        wrong(&mut guesser, username).await.problem(401, "invalid_credentials");
    }
    is_limited(&wrong(&mut site.browser().from("198.51.100.99"), username).await, "11");
}

#[tokio::test]
async fn strangers_at_many_addresses_share_what_one_account_has() {
    on_each_store(async |site| {
        site.registered("mina").await;
        use_up(&site, "mina").await;
        use_up(&site, "nobody").await;
        // With the right password neither: or they would only have to go on.
        is_limited(&site.browser().from("203.0.113.9").log_in("mina").await, "11");
        site.registered("jiho").await.from("203.0.113.9").log_in("jiho").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_owner_comes_in_from_a_known_browser_meanwhile() {
    on_each_store(async |site| {
        let mut owner = site.registered("mina").await.from("192.0.2.1");
        owner.log_out().await.expect(200);
        use_up(&site, "mina").await;
        // Mistypes, and gets it right, from wherever they are now.
        let mut owner = owner.from("192.0.2.77");
        wrong(&mut owner, "mina").await.problem(401, "invalid_credentials");
        owner.log_in("mina").await.expect(200);
        owner.log_out().await.expect(200);
        owner.log_in("MINA").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_known_browser_has_few_failures_of_its_own_wherever_it_is() {
    on_each_store(async |site| {
        let mut thief = site.registered("mina").await;
        thief.log_out().await.expect(200);
        for n in 0..3 {
            thief = thief.from(&format!("198.51.100.{n}"));
            wrong(&mut thief, "mina").await.problem(401, "invalid_credentials");
        }
        is_limited(&wrong(&mut thief.clone().from("198.51.100.9"), "mina").await, "11");
        // It cost nobody else anything.
        use_up(&site, "mina").await;
    })
    .await;
}

/// How many wrong passwords for mina these browsers get answered, each from an address of its own.
async fn guesses_of(browsers: &[Browser]) -> usize {
    let mut answered = 0;
    for (n, browser) in browsers.iter().enumerate() {
        let mut browser = browser.clone().from(&format!("192.0.2.{n}"));
        while wrong(&mut browser, "mina").await.status == 401 {
            answered += 1;
        }
    }
    answered
}

#[tokio::test]
async fn a_new_password_makes_strangers_of_the_browsers_that_came_in_with_the_old_one() {
    on_each_store(async |site| {
        let mut owner = site.registered("mina").await;
        let mut intruders = vec![];
        for n in 0..8 {
            let mut intruder = site.browser().from(&format!("198.51.100.{n}"));
            intruder.log_in("mina").await.expect(200);
            intruder.log_out().await.expect(200);
            intruders.push(intruder);
        }
        assert_eq!(guesses_of(&intruders[..2]).await, 6, "each has failures of its own");
        let change = json!({ "currentPassword": crate::harness::PASSWORD, "newPassword": "nine iron lanterns",
            "confirmPassword": "nine iron lanterns" });
        let changed = owner.post_json("/user/account/password", change).await.expect(200);
        assert!(changed.cookies().iter().any(|cookie| cookie.starts_with("deviceToken=")), "the owner's is known anew");
        assert_eq!(guesses_of(&intruders).await, 12, "all that strangers have, and no more");
        // The owner comes in meanwhile, from the browser with which they changed it.
        owner.log_out().await.expect(200);
        owner.log_in_with("mina", "nine iron lanterns").await.expect(200);
        // They end everything else: this browser stays known.
        owner.post_json("/user/account/sessions/end-others", json!({})).await.expect(200);
        owner.log_out().await.expect(200);
        owner.log_in_with("mina", "nine iron lanterns").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_browser_is_known_only_for_accounts_that_were_logged_in_to_from_it() {
    on_each_store(async |site| {
        site.registered("mina").await;
        let mut stranger = site.registered("jiho").await;
        stranger.log_out().await.expect(200);
        use_up(&site, "mina").await;
        is_limited(&wrong(&mut stranger.clone().from("203.0.113.9"), "mina").await, "11");
    })
    .await;
}

/// A token with another claim, under the signature that it had.
fn with_claim(token: &str, name: &str, value: serde_json::Value) -> String {
    let mut claims = claims_of(token);
    claims[name] = value;
    spliced(token, &header_of(token), &claims)
}

#[tokio::test]
async fn a_device_token_that_is_not_ours_is_none() {
    let site = Site::with(&SETTINGS).await;
    let mut known = site.registered("mina").await;
    known.log_out().await.expect(200);
    let token = known.jar["deviceToken"].clone();
    let signature = token.rfind('.').unwrap();
    let elsewhere = Site::with(&SETTINGS).await.registered("mina").await.jar["deviceToken"].clone();
    let tokens = site.logged_in("mina").await;
    use_up(&site, "mina").await;
    let forged = [
        elsewhere,
        tokens.access(),
        tokens.refresh(),
        token[..signature].to_owned() + ".",
        token[..signature].to_owned() + &tokens.refresh()[tokens.refresh().rfind('.').unwrap()..],
        token.clone() + "A",
        with_claim(&token, "exp", json!(9_999_999_999_u64)),
    ];
    for forged in forged {
        let mut browser = site.browser().from("203.0.113.9").holding("deviceToken", forged.clone());
        is_limited(&browser.log_in("mina").await, "11");
    }
    // Two of them are none, either.
    let doubled = format!("deviceToken={token}; deviceToken={token}");
    is_limited(&site.browser().from("203.0.113.9").with("cookie", &doubled).log_in("mina").await, "11");
    known.from("203.0.113.9").log_in("mina").await.expect(200);
}

#[tokio::test]
async fn renewals_of_one_session_are_limited_and_nobody_is_signed_out_by_it() {
    on_each_store(async |site| {
        let mut browser = site.registered("mina").await;
        let mut other = site.logged_in("mina").await;
        site.let_access_expire();
        for _ in 0..5 {
            browser.clone().without("accessToken").get_json("/user/info").await.expect(200);
        }
        let refused = browser.clone().without("accessToken").get_json("/user/info").await;
        refused.problem(429, "rate_limited");
        assert!(refused.keeps_cookies() && refused.header("retry-after").is_some());
        let page = browser.clone().without("accessToken").get("/user/account").await.expect(429);
        assert!(page.keeps_cookies() && page.body.contains("<html"), "{}", page.body);
        assert!(other.is_signed_in().await, "another session is not concerned");
        site.clock.advance(Duration::from_secs(10));
        assert!(browser.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn a_forged_refresh_token_counts_for_nobody() {
    let site = Site::with(&SETTINGS).await;
    let mut browser = site.registered("mina").await;
    let forged = with_claim(&browser.refresh(), "gen", json!(7));
    for _ in 0..10 {
        let mut thief = site.browser().holding("refreshToken", forged.clone());
        assert!(!thief.is_signed_in().await);
    }
    site.let_access_expire();
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn changes_of_an_account_are_limited_by_session() {
    on_each_store(async |site| {
        let mut browser = site.registered("mina").await;
        let mut other = site.logged_in("mina").await;
        let end_others = "/user/account/sessions/end-others";
        browser.post_json("/user/account/name", json!({ "name": "Mina K" })).await.expect(200);
        let ended = format!("/user/account/sessions/{}/end", other.session_id().await);
        browser.post_json(&ended, json!({})).await.expect(200);
        for _ in 0..2 {
            browser.post_json(end_others, json!({})).await.expect(200);
        }
        for (path, body) in
            [(end_others, json!({})), (ended.as_str(), json!({})), ("/user/account/name", json!({ "name": "Mina L" }))]
        {
            browser.post_json(path, body).await.problem(429, "rate_limited");
        }
        // Leaving is always possible.
        browser.post_json("/user/account/sessions/current/end", json!({})).await.expect(200);
        assert!(!browser.is_signed_in().await);
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
