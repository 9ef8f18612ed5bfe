//! An answer, as whoever asked for it sees it.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// Fails unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}\n{}", self.headers, self.body);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of a problem document, after a look at the document's other members.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let problem = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{problem}");
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert_eq!(problem["success"], false, "{problem}");
        assert_eq!(problem["msg"], problem["detail"], "{problem}");
        for text in ["type", "title", "detail"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {problem}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Fails unless this is a problem with that status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{}", self.body);
        self.json()
    }

    /// The one value of a header.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.get_all(name).iter();
        let line = lines.next().map(|line| line.to_str().unwrap());
        assert!(lines.next().is_none(), "{name} occurs more than once: {:?}", self.headers);
        line
    }

    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no Location: {} {}", self.status, self.body))
    }

    /// Every `Set-Cookie` line.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect()
    }

    /// What this answer makes of the two cookies of a session: name, attributes in order; a token is written as `…`.
    pub(crate) fn cookie_attributes(&self) -> Vec<String> {
        self.attributes_of(|name| !name.ends_with("deviceToken"))
    }

    /// The same of the cookie by which a browser is known.
    pub(crate) fn device_attributes(&self) -> Vec<String> {
        self.attributes_of(|name| name.ends_with("deviceToken"))
    }

    fn attributes_of(&self, which: impl Fn(&str) -> bool) -> Vec<String> {
        let shape = |line: &&str| {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            format!("{name}={};{attributes}", if value.is_empty() { "" } else { "…" })
        };
        self.cookies().iter().filter(|line| line.split('=').next().is_some_and(&which)).map(shape).collect()
    }

    /// Whether it takes both cookies away.
    pub(crate) fn clears_cookies(&self) -> bool {
        let lines = self.cookies();
        ["accessToken=;", "refreshToken=;"]
            .iter()
            .all(|name| lines.iter().any(|line| line.starts_with(name) && line.contains("Max-Age=0")))
    }

    /// Whether it brings both cookies.
    pub(crate) fn sets_cookies(&self) -> bool {
        let lines = self.cookies();
        ["accessToken=ey", "refreshToken=ey"].iter().all(|name| lines.iter().any(|line| line.starts_with(name)))
    }

    /// Whether our cookies stay as they are.
    pub(crate) fn keeps_cookies(&self) -> bool {
        self.cookies().is_empty()
    }
}
