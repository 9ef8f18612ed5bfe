//! `return_to`: wherever it leads, a browser ends up on our origin or exactly on a trusted one.

use std::sync::LazyLock;

use http::{HeaderValue, Uri};
use munjigi_rules::return_to::{MAX, follow};
use url::{Origin, Url};

/// Pages from which a visitor may be sent on, each of its own installation.
static PAGES: LazyLock<Vec<Url>> = LazyLock::new(|| {
    let pages = [
        "https://auth.example.com/user/login?reason=ended",
        "http://localhost:3000/user/login",
        "http://[::1]:3000/a/b/login",
    ];
    pages.iter().map(|page| Url::parse(page).unwrap()).collect()
});
static TRUSTED: LazyLock<Vec<Origin>> = LazyLock::new(|| {
    let origins = ["https://app.example.com", "http://localhost:8080"];
    origins.iter().map(|origin| Url::parse(origin).unwrap().origin()).collect()
});

/// What browsers are lenient about, undone the short way: tabs and line ends vanish, a backslash is a slash.
fn leads_to_another_host(target: &str) -> bool {
    let plain: String = target.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let path = plain.split(['?', '#']).next().unwrap_or_default().replace('\\', "/");
    path.trim_start_matches(|c: char| c <= ' ').starts_with("//")
}

fn is_followed_safely(target: &str, page: &Url) {
    assert!(target.is_ascii() && !target.contains(|c: char| c.is_ascii_control() || c == ' '), "{target:?}");
    assert!(HeaderValue::from_str(target).is_ok(), "it stands in a header: {target:?}");
    let there = page.join(target).expect("a browser can go there");
    assert!(there.username().is_empty() && there.password().is_none(), "{target:?}");
    if target.starts_with('/') {
        assert!(!leads_to_another_host(target), "{target:?}");
        assert_eq!(there.origin(), page.origin(), "{target:?}");
        // The way from any other page of ours is the same.
        assert_eq!(page.join("/").unwrap().join(target).unwrap(), there, "{target:?}");
        let without_fragment = target.split('#').next().unwrap_or_default();
        if let Ok(uri) = without_fragment.parse::<Uri>() {
            assert!(uri.authority().is_none() && uri.scheme().is_none(), "{target:?}");
        }
    } else {
        assert!(TRUSTED.contains(&there.origin()) && there.origin() != page.origin(), "{target:?}");
        let uri: Uri = target.split('#').next().unwrap_or_default().parse().expect("a whole URL");
        let host = uri.authority().map_or("", |authority| authority.as_str());
        assert!(["app.example.com", "localhost:8080"].contains(&host), "{target:?}");
    }
    // Serialising percent-encodes, so that what is followed may grow past what is read.
    if target.len() <= MAX {
        assert_eq!(follow(target, page, &TRUSTED).as_deref(), Some(target), "what is followed is followed again");
    }
}

pub(super) fn holds(data: &[u8]) {
    let typed = String::from_utf8_lossy(data);
    for page in PAGES.iter() {
        if let Some(target) = follow(&typed, page, &TRUSTED) {
            assert!(!typed.is_empty() && typed.len() <= MAX);
            is_followed_safely(&target, page);
            assert_eq!(
                follow(&typed, page, &[]).is_some(),
                target.starts_with('/'),
                "only a trusted origin is left to"
            );
        }
    }
}
