//! HTML, read as a browser's tokenizer would, as far as tags and attributes go. Nothing is forgiven here that a browser
//! takes for markup: the content of `title` counts too, which a browser reads as text.

/// A start tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: String,
    /// Names in lower case, values unescaped.
    pub(super) attributes: Vec<(String, String)>,
}

/// All start tags and comments, in order.
pub(super) fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, tail)) = rest.split_once('<') {
        rest = tail;
        if let Some(comment) = tail.strip_prefix("!--") {
            tags.push(Tag { name: "!--".to_owned(), attributes: Vec::new() });
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if tail.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (tag, after) = tag(tail);
            tags.push(tag);
            rest = after;
        }
    }
    tags
}

fn tag(text: &str) -> (Tag, &str) {
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (Tag { name: name.to_ascii_lowercase(), attributes }, rest.strip_prefix('>').unwrap_or(rest));
        }
        let end =
            rest[1..].find(|c: char| c.is_ascii_whitespace() || "/>=".contains(c)).map_or(rest.len(), |at| at + 1);
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.trim_ascii_start().strip_prefix('=') {
            Some(after) => value(after.trim_ascii_start()),
            None => ("", after),
        };
        attributes.push((name.to_ascii_lowercase(), unescaped(value)));
        rest = after;
    }
}

fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(text.len()))
}

/// What of a page no input may change: its tags, their attributes, and all values but typed texts and addresses.
pub(super) fn skeleton(html: &str) -> Vec<String> {
    let shape = |tag: Tag| {
        let attributes = tag.attributes.into_iter().map(|(name, value)| match name.as_str() {
            "value" | "href" | "action" | "formaction" | "data-page" | "data-user" => format!(" {name}"),
            _ => format!(" {name}={value:?}"),
        });
        tag.name + &attributes.collect::<String>()
    };
    tags(html).into_iter().map(shape).collect()
}

/// Every address on a page.
pub(super) fn addresses(html: &str) -> Vec<String> {
    let is_address =
        |name: &str| ["href", "action", "src", "formaction", "data-page", "srcset", "content", "data"].contains(&name);
    let attributes = tags(html).into_iter().filter(|tag| tag.name != "meta").flat_map(|tag| tag.attributes);
    attributes.filter(|(name, _)| is_address(name)).map(|(_, value)| value).collect()
}

/// Text with its entities resolved, once.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('&') {
        plain += before;
        let known = [("lt;", '<'), ("gt;", '>'), ("amp;", '&'), ("quot;", '"'), ("#39;", '\''), ("#x27;", '\'')];
        match known.iter().find_map(|(name, c)| Some((c, tail.strip_prefix(name)?))) {
            Some((c, after)) => {
                plain.push(*c);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = tail;
            }
        }
    }
    plain + rest
}

#[test]
fn this_reader_sees_markup_wherever_it_gets_through() {
    let clean = r#"<p title="a"><input value="typed"></p>"#;
    for dirty in [
        r#"<p title="a"><input value="typed"><b></p>"#,
        r#"<p title="a"><input value="" onfocus=x y=""></p>"#,
        r#"<p title="a"><input value='typed' autofocus></p>"#,
        r#"<p title="a"><!-- <input value="typed"></p>"#,
        r#"<p title="a"><svg/onload=x><input value="typed"></p>"#,
        r#"<p title="b"><input value="typed"></p>"#,
    ] {
        assert_ne!(skeleton(clean), skeleton(dirty), "{dirty}");
    }
    assert_eq!(skeleton(clean), skeleton(r#"<p title="a"><input value="&lt;b&gt; &quot;other&quot;">1 < 2</p>"#));
    assert_eq!(addresses(r#"<a href="/a?b=1&amp;c=2">x</a><form action='/f'>"#), ["/a?b=1&c=2", "/f"]);
    assert_eq!(unescaped("&amp;lt;&#39;&nothing;"), "&lt;'&nothing;");
}
