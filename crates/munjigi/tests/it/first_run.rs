//! The first page of an installation in which nobody has an account.

use crate::harness::{PASSWORD, Place, Site};

const WELCOME: &str = "Munjigi is ready";

/// How often the users were asked for a list since the start.
async fn asked(site: &Site) -> f64 {
    let metrics = site.metrics().await;
    metrics.sum("munjigi_store_duration_seconds_count", ("step", "list users"))
}

#[tokio::test]
async fn whoever_comes_first_is_told_what_to_do_next() {
    let site = Site::embedded().await;
    let mut visitor = site.browser();
    let home = visitor.get("/").await.expect(303);
    assert_eq!(home.location(), "/user/info");
    let page = visitor.get("/user/info").await.expect(200).body;
    for told in [
        WELCOME,
        "href=\"/user/register\"",
        "docs/forward-auth.md",
        "docs/embedding.md",
        "docs/clients.md",
        "server.public_url",
        "munjigi doctor",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let korean = visitor.get("/user/info?lang=ko").await.expect(200).body;
    assert!(korean.contains("Munjigi가 준비됐어요") && korean.contains("첫 계정 만들기"), "{korean}");
}

/// It is for whoever sets it up, but anybody may be the first.
#[tokio::test]
async fn strangers_learn_nothing_by_it_but_that_nobody_is_there() {
    let place = Place::new();
    let server = place.serve().await;
    let page = server.browser().get("/user/info").await.expect(200).body;
    assert!(page.contains(WELCOME));
    let folder = place.path().display().to_string();
    for secret in
        [env!("CARGO_PKG_VERSION"), &folder, "munjigi.db", "munjigi-data", "SQLite", "Redis", "127.0.0.1", "localhost"]
    {
        assert!(!page.contains(secret), "{secret}: {page}");
    }
}

#[tokio::test]
async fn where_registration_is_closed_the_command_is_told() {
    let site = Site::with(&[("accounts.registration", "closed")]).await;
    let page = site.browser().get("/user/info").await.expect(200).body;
    assert!(page.contains("munjigi user add") && !page.contains("/user/register"), "{page}");
}

#[tokio::test]
async fn once_somebody_has_an_account_it_is_gone_and_no_store_is_asked() {
    let site = Site::embedded().await;
    let mut visitor = site.browser();
    let first = asked(&site).await;
    assert!(visitor.get("/user/info").await.body.contains(WELCOME));
    assert!(asked(&site).await > first, "the control: as long as nobody is there, it is looked");
    site.registered("mina").await;
    assert!(!visitor.get("/user/info").await.body.contains(WELCOME));
    let settled = asked(&site).await;
    for _ in 0..3 {
        assert!(!visitor.get("/user/info").await.body.contains(WELCOME));
        visitor.get_json("/user/info").await.expect(200);
    }
    assert_eq!(asked(&site).await, settled);
    // Nor by a node that is started later, with everything out of reach.
    let node = site.second_node().await;
    let settled = asked(&node).await;
    site.database().execute_batch("ALTER TABLE users RENAME TO hidden").unwrap();
    assert!(!node.browser().get("/user/info").await.expect(200).body.contains(WELCOME));
    assert_eq!(asked(&node).await, settled);
}

#[tokio::test]
async fn an_account_that_was_made_by_a_command_counts() {
    let place = Place::new();
    let server = place.serve().await;
    assert!(server.browser().get("/user/info").await.body.contains(WELCOME));
    place.run_with_input(&["user", "add", "mina", "--password-stdin"], PASSWORD).expect(0);
    assert!(!server.browser().get("/user/info").await.expect(200).body.contains(WELCOME));
}

/// The usual page says enough.
#[tokio::test]
async fn with_the_users_out_of_reach_the_page_is_the_usual_one() {
    let site = Site::embedded().await;
    site.database().execute_batch("ALTER TABLE users RENAME TO hidden").unwrap();
    let mut visitor = site.browser();
    assert!(!visitor.get("/user/info").await.expect(200).body.contains(WELCOME));
    site.database().execute_batch("ALTER TABLE hidden RENAME TO users").unwrap();
    assert!(visitor.get("/user/info").await.expect(200).body.contains(WELCOME));
}

#[tokio::test]
async fn programs_get_the_same_answer_as_ever() {
    let site = Site::embedded().await;
    let empty = site.browser().get_json("/user/info").await.expect(200).body;
    assert_eq!(empty, r#"{"loggedIn":false,"user":null,"session":null,"reason":null}"#);
    site.registered("mina").await;
    assert_eq!(site.browser().get_json("/user/info").await.expect(200).body, empty);
}
