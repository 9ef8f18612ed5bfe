//! What becomes of our cookies on their way to a browser.

use http::header::SET_COOKIE;
use munjigi_gate::CookieSettings;
use munjigi_gate::cookies::Cookie;

use super::listed;
use super::public::Seen;
use super::report::Report;
use crate::config::Config;

const CHECK: &str = "cookies";

pub(super) fn check(config: &Config, seen: &Seen, report: &mut Report) {
    let cookies = &config.cookies;
    let settings = CookieSettings::new(config.https(), cookies.domain.clone(), cookies.same_site);
    let lines = seen.answer.headers().get_all(SET_COOKIE).iter();
    let arrived: Vec<String> = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
    let sent =
        [Cookie::Access, Cookie::Refresh].map(|cookie| (settings.name(cookie).to_owned(), written(&settings, cookie)));
    let before = report.complaints();
    judge(&sent, &arrived, report);
    if report.complaints() == before {
        let (names, guard) = (sent.map(|(name, _)| name), if config.https() { ", for TLS alone" } else { "" });
        report.ok(CHECK, format!("{} arrive as they were set{guard}", listed(&names)));
    }
}

fn written(settings: &CookieSettings, cookie: Cookie) -> String {
    settings.clear(cookie).ok().and_then(|line| line.to_str().map(str::to_owned).ok()).unwrap_or_default()
}

fn judge(sent: &[(String, String)], arrived: &[String], report: &mut Report) {
    let begins = |line: &String, name: &String| line.trim_start().starts_with(&format!("{name}="));
    let missing: Vec<_> =
        sent.iter().filter(|(name, _)| !arrived.iter().any(|line| begins(line, name))).map(|(name, _)| name).collect();
    if arrived.iter().any(|line| sent.iter().all(|(name, _)| line.contains(&format!("{name}=")))) {
        let what = "two Set-Cookie lines arrive as one: browsers take it for one cookie, and nobody stays signed in";
        return report.wrong(CHECK, what, "let the proxy pass each Set-Cookie on as a line of its own");
    }
    match missing.as_slice() {
        [] => {}
        [one] => {
            let what = format!(
                "of two cookies in one answer {one} does not arrive: who logs in is signed out when the access token expires"
            );
            report.wrong(CHECK, what, "let the proxy pass on every Set-Cookie, and not the first or the last alone");
        }
        _ => {
            let what = format!("{} do not arrive: nobody can log in", listed(&missing));
            report.wrong(CHECK, what, "let the proxy pass on Set-Cookie; if the server was started with another server.public_url or cookies.domain, restart it");
        }
    }
    for (name, written) in sent {
        for line in arrived.iter().filter(|line| begins(line, name) && *line != written) {
            let (lost, added) = (difference(written, line), difference(line, written));
            let lost = if lost.is_empty() { String::new() } else { format!(" without {}", listed(&lost)) };
            let added = if added.is_empty() { String::new() } else { format!(" with {}", listed(&added)) };
            let what = format!("{name} was changed on its way: it arrives{lost}{added}");
            report.wrong(
                CHECK,
                what,
                "let the proxy leave Set-Cookie as it is (in nginx: no proxy_cookie_path, _domain or _flags)",
            );
        }
    }
}

/// Attributes of one line that the other does not have.
fn difference(of: &str, without: &str) -> Vec<String> {
    let parts = |line: &str| line.split(';').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    let other = parts(without);
    parts(of).into_iter().filter(|part| !other.contains(part)).collect()
}
