//! JSON, read another way than the product reads it.

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The whole of it. `None` where a member that the product skips unread cannot be built: nested too deeply, half a surrogate pair,
/// a number beyond all bounds, a text that is not UTF-8.
///
/// # Panics
/// If it is not JSON for any other reason.
pub(super) fn read_otherwise(json: &[u8]) -> Option<Value> {
    let error = match serde_json::from_slice(json) {
        Ok(value) => return Some(value),
        Err(error) => error.to_string(),
    };
    let skipped = ["recursion limit", "surrogate", "hex escape", "number out of range", "invalid unicode code point"];
    assert!(skipped.iter().any(|known| error.contains(known)), "not JSON: {error}");
    None
}

/// Whether a member is what was read of it. A UUID may be spelt in several ways.
pub(super) fn says(json: &Value, member: &str, read: &Value) -> bool {
    let digits = |value: &Value| {
        let text = value.as_str().unwrap_or_default().to_lowercase();
        text.trim_start_matches("urn:uuid:").replace(['-', '{', '}'], "")
    };
    json[member] == *read || (member == "sub" && digits(&json[member]) == digits(read))
}

/// Whether a member stands twice in a JSON object, however it is spelt there.
pub(super) fn is_doubled(json: &[u8], member: &str) -> bool {
    struct Count<'a>(&'a str, usize);
    impl<'de> Visitor<'de> for Count<'_> {
        type Value = bool;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
            while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                self.1 += usize::from(name == self.0);
            }
            Ok(self.1 > 1)
        }
    }
    serde_json::Deserializer::from_slice(json).deserialize_map(Count(member, 0)).unwrap_or(true)
}
