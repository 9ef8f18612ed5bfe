//! `GET /user/doctor`: there for whoever has the installation's secret, and for nobody else.

use std::time::Duration;

use munjigi::doctor_calls::{CALL, DoctorCalls};
use munjigi::gate::Clock as _;
use munjigi::gate::jws::{self, Algorithm, SigningKey};
use munjigi::secret::Secrets;
use serde_json::json;

use crate::harness::Site;

#[tokio::test]
async fn the_doctor_is_told_what_the_server_sees() {
    let site = Site::with(&[("server.trusted_proxies", "10.0.0.5")]).await;
    let (call, nonce) = site.app.core.doctor_calls.sign(site.clock.now()).unwrap();
    let asked =
        site.browser().with(CALL, &call).with("x-forwarded-for", "203.0.113.9").with("origin", "http://x.example");
    for (from, address, trusted) in [("10.0.0.5", "203.0.113.9", true), ("10.0.0.6", "10.0.0.6", false)] {
        let reply = asked.clone().from(from).get("/user/doctor").await.expect(200);
        let sight = reply.json();
        assert_eq!((&sight["nonce"], &sight["peer"]), (&json!(nonce), &json!(format!("{from}:40000"))));
        assert_eq!((&sight["address"], &sight["trusted"]), (&json!(address), &json!(trusted)));
        assert_eq!(sight["headers"]["origin"], json!(["http://x.example"]));
        assert_eq!(sight["headers"]["sec-fetch-site"], json!([]));
        let attributes = reply.cookie_attributes();
        assert_eq!(attributes.len(), 2, "both cookies, to see what becomes of them on the way");
        assert!(attributes.iter().all(|line| line.contains("=; Path=/; HttpOnly") && line.contains("Max-Age=0")));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

/// What others could show: nothing, rubbish, a call of another installation or another time, and every other token of ours.
#[tokio::test]
async fn to_everybody_else_there_is_nothing_there() {
    let site = Site::embedded().await;
    let core = &site.app.core;
    let mina = site.registered("mina").await;
    let now = site.clock.now();
    let (good, nonce) = core.doctor_calls.sign(now).unwrap();
    let foreign = Secrets::configured("a secret of somebody else entirely".to_owned().into(), vec![]);
    let hour = Duration::from_secs(3600);
    let key = SigningKey::from_bytes(Algorithm::Hs256, jws_kid(&good), b"a key of thirty-two bytes or more").unwrap();
    let (body, _) = good.rsplit_once('.').unwrap();
    let forged = [
        String::new(),
        "rubbish".to_owned(),
        body.to_owned(),
        format!("{body}."),
        format!("{good}A"),
        good.to_uppercase(),
        DoctorCalls::new(foreign).unwrap().sign(now).unwrap().0,
        core.doctor_calls.sign(now.minus(hour)).unwrap().0,
        core.doctor_calls.sign(now.plus(hour)).unwrap().0,
        jws::sign(&key, "doctor+jwt", &json!({ "at": now.as_millis(), "nonce": nonce })).unwrap(),
        mina.access(),
        mina.refresh(),
        core.feed_tokens.present().to_string(),
    ];
    let nowhere = site.browser().get_json("/user/nowhere").await;
    let stranger = site.browser();
    for visitor in [stranger.clone(), mina.clone(), stranger.with("authorization", &format!("Bearer {good}"))] {
        let refused = visitor.clone().get_json("/user/doctor").await;
        refused.problem(404, "not_found");
        assert_eq!(refused.body, nowhere.body, "as where nothing is");
        for forged in &forged {
            let refused = visitor.clone().with(CALL, forged).get_json("/user/doctor").await;
            assert_eq!((refused.status.as_u16(), &refused.body), (404, &nowhere.body), "{forged}");
            assert!(refused.cookies().is_empty());
        }
    }
    // The control: the same way, with a call that is good.
    mina.with(CALL, &good).get_json("/user/doctor").await.expect(200);
}

/// A call opens no other door, whatever it is shown as.
#[tokio::test]
async fn a_call_is_good_for_nothing_else() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let (call, _) = site.app.core.doctor_calls.sign(site.clock.now()).unwrap();
    let bearer = site.browser().with("authorization", &format!("Bearer {call}"));
    bearer.clone().get_json("/api/v1/me").await.problem(401, "login_required");
    bearer.clone().get_json("/auth/verify").await.expect(401);
    bearer.clone().get_json("/auth/revocations").await.problem(401, "login_required");
    let mut browser = site.browser().holding("accessToken", &call).holding("refreshToken", &call);
    assert!(!browser.is_signed_in().await);
    let shown = json!({ "refreshToken": call });
    site.browser().post_json("/api/v1/sessions/refresh", shown).await.problem(401, "session_ended");
}

/// Whoever answers the doctor's question is told nothing of anybody else, and the question changes nothing.
#[tokio::test]
async fn a_call_leaves_the_session_of_whoever_makes_it_alone() {
    let site = Site::embedded().await;
    let mut mina = site.registered("mina").await;
    let (call, _) = site.app.core.doctor_calls.sign(site.clock.now()).unwrap();
    mina.clone().with(CALL, &call).get_json("/user/doctor").await.expect(200);
    assert!(mina.is_signed_in().await, "cookies were taken away from a copy; the session goes on");
    mina.without("accessToken").is_signed_in().await.then_some(()).expect("and renews");
}

fn jws_kid(call: &str) -> String {
    crate::harness::header_of(call)["kid"].as_str().unwrap().to_owned()
}
