//! Where a visitor may be sent afterwards.

use url::Url;

/// A longer `return_to` is ignored, in bytes.
pub const MAX: usize = 2048;

/// Resolves `return_to` as a browser on the page `page` would, and follows it only onto the page's own origin (then it is
/// a path that begins with exactly one `/`) or exactly onto one of the `trusted` origins (then it is a whole URL).
/// Everything else is `None`: ignored, never an error.
#[must_use]
pub fn follow(return_to: &str, page: &Url, trusted: &[url::Origin]) -> Option<String> {
    if return_to.is_empty() || return_to.len() > MAX {
        return None;
    }
    let target = page.join(return_to).ok()?;
    if !matches!(target.scheme(), "http" | "https") {
        return None;
    }
    if target.origin() == page.origin() {
        return Some(path_of(&target));
    }
    let plain = target.username().is_empty() && target.password().is_none();
    (plain && trusted.contains(&target.origin())).then(|| target.to_string())
}

/// Path, query and fragment. A path such as `//host` stays on the origin as long as the origin stands before it, and would
/// lead away without it: it is written with one slash.
fn path_of(target: &Url) -> String {
    let mut text = format!("/{}", target.path().trim_start_matches('/'));
    for (mark, part) in [('?', target.query()), ('#', target.fragment())] {
        if let Some(part) = part {
            text.push(mark);
            text.push_str(part);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn go(return_to: &str) -> Option<String> {
        let page = Url::parse("https://auth.example.com/user/login").unwrap();
        let app = Url::parse("https://app.example.com").unwrap();
        follow(return_to, &page, &[app.origin()])
    }

    #[test]
    fn own_paths_and_trusted_origins_are_followed() {
        for (typed, target) in [
            ("/user/account?tab=2#top", "/user/account?tab=2#top"),
            ("info", "/user/info"),
            ("https://auth.example.com/x", "/x"),
            ("/나의 방", "/%EB%82%98%EC%9D%98%20%EB%B0%A9"),
            ("https://app.example.com/board?p=1", "https://app.example.com/board?p=1"),
        ] {
            assert_eq!(go(typed).as_deref(), Some(target), "{typed}");
        }
    }

    #[test]
    fn a_visitor_is_never_led_to_a_strange_origin() {
        for evil in [
            "",
            "//evil.example",
            "https://evil.example",
            "https:/\\evil.example",
            "\\\\evil.example",
            "/\\evil.example",
            "\t//evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://auth.example.com@evil.example/",
            "https://auth.example.com.evil.example/",
            "https://user@app.example.com/",
            "http://app.example.com/",
            "https://app.example.com:8443/",
            "http://auth.example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://auth.example.com/x",
            "https://аpp.example.com/",
            "file:///etc/passwd",
        ] {
            assert_eq!(go(evil), None, "{evil:?}");
        }
        assert_eq!(go(&format!("/{}", "a".repeat(MAX))), None);
    }

    #[test]
    fn a_path_that_would_lead_away_on_its_own_is_written_with_one_slash() {
        for (tricky, target) in [
            ("/..//evil.example", "/evil.example"),
            ("/.//evil.example", "/evil.example"),
            ("/%2e%2e//evil.example", "/evil.example"),
            ("https://auth.example.com//evil.example", "/evil.example"),
            ("https://auth.example.com/\\evil.example", "/evil.example"),
            ("https://x:y@auth.example.com/a", "/a"),
        ] {
            assert_eq!(go(tricky).as_deref(), Some(target), "{tricky}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_followed_a_browser_ends_up_on_an_allowed_origin(typed in r"[/\\.:@%?#a-z0-9\t\n 가]{0,24}(evil\.example)?.{0,6}") {
            if let Some(target) = go(&typed) {
                let page = Url::parse("https://auth.example.com/user/login").unwrap();
                let there = page.join(&target).unwrap();
                prop_assert!(["auth.example.com", "app.example.com"].contains(&there.host_str().unwrap()));
                prop_assert!(!target.starts_with("//") && target.is_ascii());
                prop_assert!(!target.contains(['\r', '\n', '\t', '\\']) || target.contains('#') || target.contains('?'));
            }
        }
    }
}
