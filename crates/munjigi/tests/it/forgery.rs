//! Tokens that we did not issue. The tutorial takes them for good, or trades them for good ones. The whole table of forgeries is
//! in `token_attacks`.

use munjigi::gate::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::harness::{Browser, Site, claims_of, forged_by, header_of, spliced};

/// The victim's access token as somebody without the key could make it, expired or not.
fn forgeries(real: &str, jwks: &Value) -> Vec<(&'static str, String)> {
    let (header, claims) = (header_of(real), claims_of(real));
    let kid = header["kid"].as_str().unwrap();
    let own = |algorithm, kid: &str| SigningKey::generate(algorithm, kid).unwrap();
    let mut later = claims.clone();
    later["exp"] = json!(claims["exp"].as_i64().unwrap() + 3600);
    let with = |member: &str, value: Value| {
        let mut header = header.clone();
        header[member] = value;
        header
    };
    let (signed, signature) = real.rsplit_once('.').unwrap();
    let x = jwks["keys"][0]["x"].as_str().unwrap();
    let public_as_secret = SigningKey::from_bytes(Algorithm::Hs256, kid, x.as_bytes()).unwrap();
    let unsigned = |alg: &str| {
        let token = spliced(real, &with("alg", json!(alg)), &later);
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    let stranger = own(Algorithm::Es256, "stranger");
    vec![
        ("another key of the same name", forged_by(&own(Algorithm::Es256, kid), "at+jwt", &later)),
        ("another key and name", forged_by(&stranger, "at+jwt", &later)),
        ("a shared secret under the name of our key", forged_by(&own(Algorithm::Hs256, kid), "at+jwt", &later)),
        ("our public key as a shared secret", forged_by(&public_as_secret, "at+jwt", &later)),
        ("another algorithm under the name of our key", forged_by(&own(Algorithm::EdDsa, kid), "at+jwt", &later)),
        ("later claims under the old signature", spliced(real, &header, &later)),
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("alg NONE with the old signature", spliced(real, &with("alg", json!("NONE")), &later)),
        ("its own key in the header", spliced(real, &with("jwk", jwks["keys"][0].clone()), &later)),
        ("a key to be fetched", spliced(real, &with("jku", json!("https://evil.example/jwks")), &later)),
        ("a critical extension", spliced(real, &with("crit", json!(["exp"])), &later)),
        ("no signature", format!("{signed}.")),
        ("no third part", signed.to_owned()),
        ("a signature of zeros", format!("{signed}.{}", "A".repeat(signature.len()))),
        ("half a signature", format!("{signed}.{}", &signature[..signature.len() / 2])),
        ("a padded signature", format!("{signed}.{signature}==")),
        ("a fourth part", format!("{real}.x")),
        ("white space", format!("{signed}. {signature}")),
    ]
}

async fn jwks(browser: &mut Browser) -> Value {
    browser.get_json("/.well-known/jwks.json").await.expect(200).json()
}

#[tokio::test]
async fn a_token_whose_signature_is_wrong_signs_nobody_in() {
    let site = Site::embedded().await;
    let mut victim = site.registered("mina").await;
    let jwks = jwks(&mut victim).await;
    for expired in [false, true] {
        if expired {
            site.let_access_expire();
        }
        for (what, token) in forgeries(&victim.access(), &jwks) {
            let mut by_cookie = site.browser().holding("accessToken", token.clone());
            let info = by_cookie.get_json("/user/info").await.expect(200);
            assert_eq!((&info.json()["loggedIn"], &info.json()["user"]), (&json!(false), &json!(null)), "{what}");
            assert!(info.keeps_cookies(), "{what}");
            let mut by_bearer = site.browser().with("authorization", &format!("Bearer {token}"));
            by_bearer.get_json("/user/info").await.problem(401, "login_required");
        }
    }
    assert!(victim.is_signed_in().await);
}

/// In the tutorial, once repaired as it was meant, a forged expired token earns a good one for whoever it names.
#[tokio::test]
async fn a_forged_token_earns_nothing_for_whom_it_names() {
    let site = Site::embedded().await;
    let mut victim = site.registered("mina").await;
    let mallory = site.registered("mallory").await;
    let jwks = jwks(&mut victim).await;
    site.let_access_expire();
    for (what, token) in forgeries(&victim.access(), &jwks) {
        for refresh in [None, Some("rubbish".to_owned()), Some(token.clone())] {
            let mut attacker = site.browser().holding("accessToken", token.clone());
            if let Some(refresh) = refresh {
                attacker = attacker.holding("refreshToken", refresh);
            }
            let info = attacker.get_json("/user/info").await;
            assert!(info.json()["loggedIn"] == false && info.keeps_cookies(), "{what}");
        }
        let mut attacker = mallory.clone().holding("accessToken", token);
        let info = attacker.info().await;
        assert_eq!(info["user"]["username"], "mallory", "their own refresh token, and only for them: {what}");
    }
}

#[tokio::test]
async fn tokens_of_another_installation_are_worth_nothing() {
    let (site, other) = (Site::embedded().await, Site::embedded().await);
    let theirs = other.registered("mina").await;
    site.registered("mina").await;
    let mut visitor = site.browser();
    visitor.jar = theirs.jar.clone();
    let info = visitor.get_json("/user/info").await;
    assert!(info.json()["loggedIn"] == false && info.keeps_cookies());
}
