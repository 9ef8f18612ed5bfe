//! Where a link of the language switch leads: to the page one is on, with another `lang`.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What must not stand as it is in a link. `%` may: what is encoded already stays as it is.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'\'').add(b'<').add(b'>').add(b'`').add(b'\\');

/// `here` (path and query) with its query's `lang` replaced by `tag`; the other parameters keep their order and spelling.
///
/// The result always leads to a path of the same origin, whatever `here` is: more than one slash at the front, which
/// browsers read as a host, becomes one.
pub(super) fn href(here: &str, tag: &str) -> String {
    let here = here.split('#').next().unwrap_or_default();
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    let path = path.trim_start_matches(|c: char| matches!(c, '/' | '\\') || c.is_ascii_control() || c == ' ');
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_lang(pair));
    let mut link = format!("/{}?", utf8_percent_encode(path, UNSAFE));
    for pair in kept {
        link.extend(utf8_percent_encode(pair, UNSAFE));
        link.push('&');
    }
    link + "lang=" + tag
}

fn is_lang(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    percent_decode_str(name).decode_utf8_lossy() == "lang"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_language_of_the_link_changes() {
        for (here, link) in [
            ("/user/login", "/user/login?lang=ko"),
            ("/user/login?", "/user/login?lang=ko"),
            ("/user/login?lang=en", "/user/login?lang=ko"),
            ("/user/login?lang=en&lang=fr&l%61ng=x&lang", "/user/login?lang=ko"),
            (
                "/user/login?return_to=%2Fapp%3Fa%3D1%26lang%3Den",
                "/user/login?return_to=%2Fapp%3Fa%3D1%26lang%3Den&lang=ko",
            ),
            ("/user/login?return_to=%2F&lang=en&reason=ended", "/user/login?return_to=%2F&reason=ended&lang=ko"),
            ("/user/login?language=x", "/user/login?language=x&lang=ko"),
            ("/user/login#top", "/user/login?lang=ko"),
            ("", "/?lang=ko"),
        ] {
            assert_eq!(href(here, "ko"), link);
        }
    }

    #[test]
    fn a_link_never_leaves_the_origin_and_holds_no_markup() {
        for (here, link) in [
            ("//evil.example/x", "/evil.example/x?lang=ko"),
            ("/\\evil.example", "/evil.example?lang=ko"),
            ("/\t/evil.example", "/evil.example?lang=ko"),
            ("https://evil.example/", "/https://evil.example/?lang=ko"),
            ("/a\"><script>?b='\"<i>", "/a%22%3E%3Cscript%3E?b=%27%22%3Ci%3E&lang=ko"),
            ("/없음?q=가", "/%EC%97%86%EC%9D%8C?q=%EA%B0%80&lang=ko"),
        ] {
            assert_eq!(href(here, "ko"), link);
        }
    }
}
