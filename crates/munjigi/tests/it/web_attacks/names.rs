//! Usernames that look like another one, and names that hide, turn or fake what stands around them.

use serde_json::json;

use super::{rows, tell};
use crate::harness::{PASSWORD, Site};

/// Texts that somebody could take for `mina`, or that software could fold into it.
const RESEMBLING: &[&str] = &[
    // Letters of other scripts and forms.
    "m\u{456}na",
    "min\u{430}",
    "\u{43c}ina",
    "mi\u{578}a",
    "\u{217f}ina",
    "m\u{131}na",
    "m\u{130}na",
    "M\u{130}NA",
    "m\u{2170}na",
    "mın\u{e1}",
    "\u{ff4d}\u{ff49}\u{ff4e}\u{ff41}",
    "\u{1d5c6}\u{1d5c2}\u{1d5c7}\u{1d5ba}",
    "\u{24dc}\u{24d8}\u{24dd}\u{24d0}",
    "\u{1d50}\u{2071}\u{207f}\u{1d43}",
    "mi\u{f1}a",
    "m\u{ed}na",
    "mi\u{207f}a",
    "\u{1f1f2}ina",
    "\u{1d39}ina",
    "min\u{aa}",
    "\u{ab}mina\u{bb}",
    // What cannot be seen.
    "mina\u{200b}",
    "\u{200b}mina",
    "mi\u{200c}na",
    "mi\u{200d}na",
    "mi\u{2060}na",
    "mina\u{feff}",
    "\u{feff}mina",
    "mi\u{ad}na",
    "mi\u{34f}na",
    "mina\u{180e}",
    "mina\u{3164}",
    "mina\u{115f}",
    "mina\u{ffa0}",
    "mina\u{2800}",
    "mina\u{e0001}",
    "mina\u{e0061}",
    "mina\u{fe0f}",
    "mina\u{e0100}",
    "mina\u{61c}",
    "mina\u{17b4}",
    "mina\u{206a}",
    // What turns text around.
    "\u{202e}anim",
    "mina\u{202e}",
    "\u{2066}mina\u{2069}",
    "\u{200f}mina",
    "mi\u{200e}na",
    "\u{202d}mina\u{202c}",
    "\u{2067}mina",
    // Marks.
    "mina\u{301}",
    "mi\u{30a}na",
    "m\u{338}ina",
    "mina\u{20dd}",
    "m\u{36f}i\u{36f}n\u{36f}a\u{36f}",
    "mina\u{489}",
    // Controls and spaces.
    "mina\u{0}",
    "\u{0}mina",
    "mi\u{0}na",
    "mina\n",
    "mina\r\n",
    "\tmina",
    "mina\t",
    " mina",
    "mina ",
    "mi na",
    "mina\u{a0}",
    "mina\u{3000}",
    "mina\u{2003}",
    "mina\u{7f}",
    "mina\u{8}\u{8}",
    "mina\u{1b}[31m",
    "mina\u{85}",
    "mina\u{9b}31m",
    "mina\u{2028}",
    "mina\u{c}",
    "mina\u{b}",
    "mi\u{8}ina",
    // Signs that other software reads.
    "mina%00",
    "mina\\0",
    "mina/",
    "../mina",
    "./mina",
    "mina/../mina",
    "mina@",
    "@mina",
    "mina@evil.example",
    "mina+x",
    "mina,",
    "mina;",
    "mina:",
    "mina|id",
    "mina&",
    "mina'",
    "mina\"",
    "mina`",
    "mina$",
    "mina*",
    "mina?",
    "mina#",
    "mina!",
    "mina~",
    "mina^",
    "mina=",
    "mina<",
    "mina>",
    "mina(",
    "mina[",
    "mina{",
    "mina\\",
    "%6dina",
    "&#109;ina",
    "xn--mna-9pa\u{2024}",
    "mina\u{2024}",
    "mina\u{ff0e}x",
    "mina\u{3002}",
    "mina\u{2010}x",
    "mina\u{2212}x",
    "mina\u{ff3f}",
    "mina\u{fe4d}",
    "mina\u{203f}x",
    "\u{ff11}\u{ff12}\u{ff13}\u{ff14}",
    "\u{661}\u{662}\u{663}\u{664}",
    "\u{1d7ce}\u{1d7cf}\u{1d7d0}\u{1d7d1}",
    "\u{b2}\u{b3}\u{b9}\u{2074}",
    "mina\u{20e3}",
    "\u{fb01}mina",
    "\u{1f600}mina",
    "\u{ac00}\u{b098}\u{b2e4}\u{b77c}",
    "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
    "min",
];

#[tokio::test]
async fn a_username_that_resembles_another_is_neither_given_away_nor_let_in() {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    site.registered("mina").await;
    let before = rows(&site.database(), "SELECT * FROM users");
    let mut tried = 0;
    for name in RESEMBLING.iter().copied() {
        let form = json!({ "username": name, "password": PASSWORD, "confirmPassword": PASSWORD, "name": "Mina" });
        let refused = site.browser().post_json("/user/register", form).await;
        let problem = refused.problem(422, "validation_failed");
        assert!(problem["errors"]["username"].is_string(), "{name:?}: {problem}");
        for member in ["username", "id"] {
            let form = serde_urlencoded::to_string([(member, name), ("password", PASSWORD)]).unwrap();
            let reply = site.browser().post("/user/login", "application/x-www-form-urlencoded", form).await;
            assert_eq!(reply.status, 401, "{name:?}");
            site.browser().log_in(name).await.problem(401, "invalid_credentials");
            tried += 3;
        }
    }
    assert_eq!(rows(&site.database(), "SELECT * FROM users"), before);
    assert!(tried >= 600, "{tried}");
    tell(&format!("usernames that resemble: {tried} tried, 0 given away, 0 let in"));
}

/// Usernames are one without regard to case, by ASCII alone: `K` of Kelvin, long s and dotless i fold into nobody's name.
#[tokio::test]
async fn case_makes_no_second_user_and_folding_no_third() {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    let mut owner = site.registered("Kim_Soo-1").await;
    let id = owner.info().await["user"]["id"].clone();
    let mut tried = 0;
    for mask in 0..(1_u32 << 6) {
        let mut letter = 0;
        let name: String = "kim_soo-1"
            .chars()
            .map(|c| {
                let upper = c.is_ascii_alphabetic() && mask >> letter & 1 == 1;
                letter += u32::from(c.is_ascii_alphabetic());
                if upper { c.to_ascii_uppercase() } else { c }
            })
            .collect();
        site.browser().register(&name).await.problem(409, "username_taken");
        let mut browser = site.browser();
        browser.log_in(&name).await.expect(200);
        let user = browser.info().await["user"].clone();
        assert_eq!((&user["id"], &user["username"]), (&id, &json!("Kim_Soo-1")), "{name}");
        tried += 1;
    }
    for name in [
        "\u{212a}im_soo-1",
        "kim_\u{17f}oo-1",
        "k\u{131}m_soo-1",
        "K\u{130}M_SOO-1",
        "kim_so\u{1e4d}-1",
        "kim_so\u{2126}-1",
    ] {
        let form = json!({ "username": name, "password": PASSWORD, "confirmPassword": PASSWORD, "name": "Kim" });
        site.browser().post_json("/user/register", form).await.problem(422, "validation_failed");
        site.browser().log_in(name).await.problem(401, "invalid_credentials");
        tried += 1;
    }
    tell(&format!("cases of one username: {tried} tried, 0 made a second user"));
}

#[tokio::test]
async fn reserved_names_stay_reserved_in_every_case() {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    for name in [
        "admin",
        "Admin",
        "ADMIN",
        "aDmIn",
        "root",
        "ROOT",
        "Support",
        "SeCuRiTy",
        "munjigi",
        "MUNJIGI",
        "www.",
        "null",
        "Undefined",
    ] {
        let form = json!({ "username": name, "password": PASSWORD, "confirmPassword": PASSWORD, "name": "Mallory" });
        let reply = site.browser().post_json("/user/register", form).await;
        let free = name == "www.";
        assert_eq!(reply.status, if free { 201 } else { 422 }, "{name}");
    }
}

#[tokio::test]
async fn a_name_cannot_hide_turn_or_be_invisible() {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    let mut mina = site.registered("mina").await;
    let mut tried = 0;
    // Each control, format and invisible character alone and between letters.
    let hostile = (0..=0x1f).chain(0x7f..=0x9f).chain([0xad, 0x61c, 0x180e, 0x200b, 0x200e, 0x200f, 0xfeff]);
    let hostile = hostile.chain(0x2028..=0x202e).chain(0x2060..=0x206f).chain(0xfff9..=0xfffb).chain(0xe0000..=0xe007f);
    for c in hostile.filter_map(char::from_u32) {
        for name in [format!("Mi{c}na"), format!("{c}Mina{c}x"), c.to_string()] {
            let reply = mina.post_json("/user/account/name", json!({ "name": name })).await;
            // White space at the ends is trimmed like any other.
            let trimmed = name.trim();
            if !trimmed.contains(c) && !trimmed.is_empty() {
                continue;
            }
            assert_eq!(reply.status, 422, "{name:?}");
            tried += 1;
        }
    }
    // Alone they leave no mark: such a name would look like none.
    for blank in [
        "\u{200c}",
        "\u{200d}\u{200d}",
        "\u{115f}",
        "\u{1160}",
        "\u{3164}\u{3164}",
        "\u{ffa0}",
        "\u{2800}",
        "\u{fe0f}",
        "\u{34f}",
        "\u{17b4}\u{17b5}",
        "\u{180b}\u{180f}",
        "\u{e0100}",
        "\u{e01ef}",
        "\u{1bca0}",
        "\u{1d173}",
        "\u{1d17a}",
        "\u{fff0}",
        "\u{e0080}",
        "\u{a0}\u{3164}",
        " \u{2003}\u{200d}",
        "\u{3000}\u{2800}\u{34f}",
    ] {
        let reply = mina.post_json("/user/account/name", json!({ "name": blank })).await;
        assert_eq!(reply.status, 422, "{blank:?} looks like no name");
        tried += 1;
    }
    assert_eq!(mina.info().await["user"]["name"], "Mina");
    for good in [
        "김미나",
        "Zoë 👩\u{200d}🚀",
        "می\u{200c}خواهم",
        "葛\u{e0100}城",
        "O'Brien & Sons",
        "محمد",
        "क\u{94d}\u{200d}ष",
        "❤\u{fe0f}",
    ] {
        mina.post_json("/user/account/name", json!({ "name": good })).await.expect(200);
        assert_eq!(mina.info().await["user"]["name"], good);
    }
    tell(&format!("names that hide or turn: {tried} tried, 0 taken"));
}
