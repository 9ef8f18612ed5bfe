//! Files that pages load: styles and the icon. They are part of the binary.
//!
//! A page names them with a hash of their content (`style.0123456789abcdef.css`), so that a browser may keep that address
//! for ever: new content has a new address.

/// A file of the static route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The content.
    pub bytes: &'static [u8],
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// Asked for by its hashed name: the content at this address never changes.
    pub immutable: bool,
}

struct Stored {
    stem: &'static str,
    extension: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    hash: u64,
}

static STORED: [Stored; 3] = [
    Stored::new("style", "css", "text/css; charset=utf-8", include_bytes!("../static/style.css")),
    Stored::new("munjigi", "js", "text/javascript; charset=utf-8", include_bytes!("../static/munjigi.js")),
    Stored::new("favicon", "svg", "image/svg+xml", include_bytes!("../static/favicon.svg")),
];

impl Stored {
    const fn new(
        stem: &'static str,
        extension: &'static str,
        content_type: &'static str,
        bytes: &'static [u8],
    ) -> Self {
        Self { stem, extension, content_type, bytes, hash: fnv(bytes) }
    }

    fn name(&self) -> String {
        format!("{}.{}", self.stem, self.extension)
    }

    fn hashed_name(&self) -> String {
        format!("{}.{:016x}.{}", self.stem, self.hash, self.extension)
    }
}

/// FNV-1a, worked out by the compiler. It tells versions apart; nothing here needs more of it.
const fn fnv(mut bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    hash
}

/// The file at `path` below the static route, by its hashed name or by its plain one.
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    STORED.iter().find_map(|stored| {
        let immutable = path == stored.hashed_name();
        let known = immutable || path == stored.name();
        known.then_some(Asset { bytes: stored.bytes, content_type: stored.content_type, immutable })
    })
}

/// The hashed name of a file by its plain one.
pub(super) fn hashed_name(name: &str) -> Option<String> {
    STORED.iter().find(|stored| stored.name() == name).map(Stored::hashed_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_both_names_and_only_the_hashed_one_is_immutable() {
        let hashed = hashed_name("style.css").unwrap();
        let by_hash = asset(&hashed).unwrap();
        assert!(by_hash.immutable && by_hash.content_type.starts_with("text/css"));
        let plain = asset("style.css").unwrap();
        assert_eq!(plain, Asset { immutable: false, ..by_hash });
    }

    #[test]
    fn nothing_else_is_found() {
        for path in
            ["", "style", "style.0000000000000000.css", "../style.css", "STYLE.CSS", "style.css/", "favicon.ico"]
        {
            assert_eq!(asset(path), None, "{path}");
        }
    }

    #[test]
    fn the_hash_is_fnv_1a_and_follows_the_content() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(fnv(b"ab"), fnv(b"ba"));
    }

    #[test]
    fn style_and_script_stay_small_and_load_nothing_from_elsewhere() {
        for (name, most) in [("style.css", 16 * 1024), ("munjigi.js", 12 * 1024)] {
            let text = std::str::from_utf8(asset(name).unwrap().bytes).unwrap();
            assert!(text.len() < most, "{name}: {} bytes", text.len());
            for foreign in ["http:", "https:", "@import", "url(", "import ", "import("] {
                assert!(!text.contains(foreign), "{name}: {foreign}");
            }
        }
    }

    /// Words belong to the languages, and markup made of strings would be a way in.
    #[test]
    fn the_script_makes_no_markup_and_runs_no_text() {
        let script = std::str::from_utf8(asset("munjigi.js").unwrap().bytes).unwrap();
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "localStorage",
            "sessionStorage",
            "indexedDB",
        ] {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
    }
}
