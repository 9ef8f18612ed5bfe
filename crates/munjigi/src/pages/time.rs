//! Moments for people: a date and time in UTC, and how long ago.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Error, ErrorKind, HtmlEscape};

use super::{Lang, Messages};

/// Longer ago than this is told by the date alone, in days.
const DAYS_MAX: i64 = 30;

/// `<time>` with the date and time in words, UTC.
pub(super) fn datetime(messages: &Messages, lang: Lang, moment: &str) -> Result<String, Error> {
    let moment = parse(moment)?;
    Ok(element(moment, &words(messages, lang, "datetime", moment), None))
}

/// `<time>` with how long before `now` it was, and the date and time as its title.
pub(super) fn ago(messages: &Messages, lang: Lang, moment: &str, now: &str) -> Result<String, Error> {
    let moment = parse(moment)?;
    let title = words(messages, lang, "datetime", moment);
    // Clocks differ a little between nodes: what lies ahead is "just now".
    let seconds = parse(now)?.as_second().saturating_sub(moment.as_second());
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let text = if minutes < 1 {
        messages.text(lang, "ago-now", &[])
    } else if hours < 1 {
        messages.text(lang, "ago-minutes", &[("count", minutes.into())])
    } else if days < 1 {
        messages.text(lang, "ago-hours", &[("count", hours.into())])
    } else if days <= DAYS_MAX {
        messages.text(lang, "ago-days", &[("count", days.into())])
    } else {
        words(messages, lang, "date", moment)
    };
    Ok(element(moment, &text, Some(&title)))
}

fn parse(text: &str) -> Result<Timestamp, Error> {
    text.parse().map_err(|error: jiff::Error| {
        Error::new(ErrorKind::InvalidOperation, "a time is not RFC 3339").with_source(error)
    })
}

fn words(messages: &Messages, lang: Lang, key: &str, moment: Timestamp) -> String {
    let utc = moment.to_zoned(TimeZone::UTC);
    let mut args = vec![("year", utc.year().into()), ("month", utc.month().into()), ("day", utc.day().into())];
    if key == "datetime" {
        args.push(("time", format!("{:02}:{:02}", utc.hour(), utc.minute()).into()));
    }
    messages.text(lang, key, &args)
}

fn element(moment: Timestamp, text: &str, title: Option<&str>) -> String {
    let title = title.map(|title| format!(" title=\"{}\"", HtmlEscape(title))).unwrap_or_default();
    format!("<time datetime=\"{moment:.0}\"{title}>{}</time>", HtmlEscape(text))
}

#[cfg(test)]
mod tests {
    use super::super::sources::{LOCALES, locales};
    use super::*;

    fn messages() -> Messages {
        Messages::load(&locales(LOCALES)).unwrap()
    }

    #[test]
    fn a_moment_is_told_in_utc() {
        let messages = messages();
        let moment = "2026-11-23T10:05:09.123Z";
        assert_eq!(
            datetime(&messages, Lang(0), moment).unwrap(),
            "<time datetime=\"2026-11-23T10:05:09Z\">23 November 2026, 10:05 UTC</time>"
        );
        assert_eq!(
            datetime(&messages, Lang(1), moment).unwrap(),
            "<time datetime=\"2026-11-23T10:05:09Z\">2026년 11월 23일 10:05 UTC</time>"
        );
        let elsewhere = datetime(&messages, Lang(1), "2026-11-24T00:30:00+09:00").unwrap();
        assert!(elsewhere.contains("2026년 11월 23일 15:30 UTC"), "{elsewhere}");
    }

    #[test]
    fn ago_changes_its_unit_exactly_at_the_edge() {
        let messages = messages();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (seconds, en, ko) in [
            (-3_600, "just now", "방금 전"),
            (0, "just now", "방금 전"),
            (59, "just now", "방금 전"),
            (60, "1 minute ago", "1분 전"),
            (5 * 60, "5 minutes ago", "5분 전"),
            (3_599, "59 minutes ago", "59분 전"),
            (3_600, "1 hour ago", "1시간 전"),
            (86_399, "23 hours ago", "23시간 전"),
            (86_400, "1 day ago", "1일 전"),
            (31 * 86_400 - 1, "30 days ago", "30일 전"),
            (31 * 86_400, "1 January 2026", "2026년 1월 1일"),
        ] {
            let now = start.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap().to_string();
            for (lang, words) in [(Lang(0), en), (Lang(1), ko)] {
                let html = ago(&messages, lang, "2026-01-01T00:00:00Z", &now).unwrap();
                assert!(html.contains(&format!(">{words}</time>")), "{seconds}: {html}");
            }
        }
    }

    #[test]
    fn what_is_no_moment_is_an_error() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "<script>"] {
            assert!(datetime(&messages(), Lang(0), text).is_err(), "{text}");
        }
    }
}
