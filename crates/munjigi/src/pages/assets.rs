//! Files that pages load: styles, the script, pictures. They are part of the binary, or were read at start from the folder of
//! one's own pages.
//!
//! A page names them with a hash of their content (`style.0123456789abcdef.css`), so that a browser may keep that address
//! for ever: new content has a new address.

use std::path::Path;

use bytes::Bytes;

/// A file of the static route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The content.
    pub bytes: Bytes,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// Asked for by its hashed name: the content at this address never changes.
    pub immutable: bool,
}

/// The files that are built in.
pub(super) const BUILT_IN: [(&str, &[u8]); 3] = [
    ("style.css", include_bytes!("../static/style.css")),
    ("munjigi.js", include_bytes!("../static/munjigi.js")),
    ("favicon.svg", include_bytes!("../static/favicon.svg")),
];

/// What may be served, by the end of its name. Nothing of it is a page.
const KINDS: [(&str, &str); 9] = [
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("jpg", "image/jpeg"),
    ("avif", "image/avif"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
];

/// The `Content-Type` of a file by its name; `None`: such files are not served.
pub(super) fn kind(name: &str) -> Option<&'static str> {
    let (stem, extension) = name.rsplit_once('.')?;
    KINDS.iter().find(|(known, _)| *known == extension && !stem.is_empty()).map(|(_, kind)| *kind)
}

/// The end of a file's name, in small letters.
pub(super) fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// The ends of names that may be served, for a message.
pub(super) fn kinds() -> String {
    KINDS.map(|(extension, _)| extension).join(", ")
}

#[derive(Clone, Debug)]
struct Stored {
    name: String,
    hashed: String,
    content_type: &'static str,
    bytes: Bytes,
}

/// All files of the static route.
#[derive(Clone, Debug)]
pub(super) struct Assets(Vec<Stored>);

impl Assets {
    /// Those of the binary.
    pub(super) fn built_in() -> Self {
        let mut assets = Self(Vec::new());
        for (name, bytes) in BUILT_IN {
            assets.put(name, Bytes::from_static(bytes));
        }
        assets
    }

    /// Adds a file, in the place of one with the same name. What has no kind is left out.
    pub(super) fn put(&mut self, name: &str, bytes: Bytes) {
        let Some(content_type) = kind(name) else { return };
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let hashed = format!("{stem}.{:016x}.{extension}", fnv(&bytes));
        self.0.retain(|stored| stored.name != name);
        self.0.push(Stored { name: name.to_owned(), hashed, content_type, bytes });
    }

    /// The file at `path` below the static route, by its hashed name or by its plain one.
    pub(super) fn find(&self, path: &str) -> Option<Asset> {
        let stored = self.0.iter().find(|stored| path == stored.hashed || path == stored.name)?;
        let immutable = path == stored.hashed;
        Some(Asset { bytes: stored.bytes.clone(), content_type: stored.content_type, immutable })
    }

    /// The hashed name of a file by its plain one.
    pub(super) fn hashed_name(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|stored| stored.name == name).map(|stored| stored.hashed.as_str())
    }

    /// Whether a page may need fonts from here.
    pub(super) fn have_fonts(&self) -> bool {
        self.0.iter().any(|stored| stored.content_type == "font/woff2")
    }
}

/// FNV-1a. It tells versions apart; nothing here needs more of it.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(path: &str) -> Option<Asset> {
        Assets::built_in().find(path)
    }

    #[test]
    fn a_file_is_found_by_both_names_and_only_the_hashed_one_is_immutable() {
        let assets = Assets::built_in();
        let by_hash = assets.find(assets.hashed_name("style.css").unwrap()).unwrap();
        assert!(by_hash.immutable && by_hash.content_type.starts_with("text/css"));
        let plain = assets.find("style.css").unwrap();
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
    fn a_file_takes_the_place_of_one_with_its_name_and_has_another_address() {
        let mut assets = Assets::built_in();
        let before = assets.hashed_name("favicon.svg").unwrap().to_owned();
        assets.put("favicon.svg", Bytes::from_static(b"<svg/>"));
        assert_eq!(assets.find("favicon.svg").unwrap().bytes, "<svg/>");
        assert_eq!(assets.find(&before), None);
        assets.put("page.html", Bytes::from_static(b"<script>"));
        assert_eq!(assets.find("page.html"), None);
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
            let asset = asset(name).unwrap();
            let text = std::str::from_utf8(&asset.bytes).unwrap();
            assert!(text.len() < most, "{name}: {} bytes", text.len());
            for foreign in ["http:", "https:", "@import", "url(", "import ", "import("] {
                assert!(!text.contains(foreign), "{name}: {foreign}");
            }
        }
    }

    /// Words belong to the languages, and markup made of strings would be a way in.
    #[test]
    fn the_script_makes_no_markup_and_runs_no_text() {
        let asset = asset("munjigi.js").unwrap();
        let script = std::str::from_utf8(&asset.bytes).unwrap();
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
