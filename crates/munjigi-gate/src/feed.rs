//! What an event of the feed says (`GET /auth/revocations`, docs/feed.md): the form in which entries travel from a Munjigi
//! server to the services that follow it. Server and followers share this definition.

use munjigi_rules::revocation::Ended;
use munjigi_rules::{Epoch, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::jws;

/// The data of an event `ended`. Members that a follower does not know are for newer ones than it.
#[derive(Serialize, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Data {
    sessions: Vec<Session>,
    users: Vec<User>,
}

#[derive(Serialize, Deserialize)]
struct Session {
    sid: SessionId,
    until: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    sub: UserId,
    min_epoch: Epoch,
    until: i64,
}

/// The data of an event `ended`, in one line of JSON.
#[must_use]
pub fn write(entries: impl IntoIterator<Item = Ended>) -> String {
    let mut data = Data::default();
    for entry in entries {
        match entry {
            Ended::Session { session, feed_until } => {
                data.sessions.push(Session { sid: session, until: rounded_up(feed_until) });
            }
            Ended::Epoch { user, min_epoch, feed_until } => {
                data.users.push(User { sub: user, min_epoch, until: rounded_up(feed_until) });
            }
        }
    }
    // There is nothing in it that could not be written.
    serde_json::to_string(&data).unwrap_or_default()
}

/// The entries that the data of an event `ended` holds, all of them; `None`: it is not what [`write()`] makes.
#[must_use]
pub fn read(data: &str) -> Option<Vec<Ended>> {
    let Data { sessions, users } = jws::object(data.as_bytes())?;
    let sessions = sessions.into_iter().map(|Session { sid: session, until }| {
        let feed_until = Timestamp::from_secs(until);
        Ended::Session { session, feed_until }
    });
    let users = users.into_iter().map(|User { sub: user, min_epoch, until }| {
        let feed_until = Timestamp::from_secs(until);
        Ended::Epoch { user, min_epoch, feed_until }
    });
    Some(sessions.chain(users).collect())
}

/// Nothing is forgotten too early for having been written in whole seconds.
fn rounded_up(time: Timestamp) -> i64 {
    time.plus(std::time::Duration::from_millis(999)).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_looks_as_documented() {
        let entries = [
            Ended::Epoch {
                user: UserId::from_bytes([7; 16]),
                min_epoch: Epoch(4),
                feed_until: Timestamp::from_millis(1_800_000_599_001),
            },
            Ended::Session { session: SessionId::from_bytes([1; 16]), feed_until: Timestamp::from_secs(1_800_000_600) },
        ];
        let text = write(entries);
        assert_eq!(
            text,
            r#"{"sessions":[{"sid":"01010101010101010101010101010101","until":1800000600}],"users":[{"sub":"07070707-0707-0707-0707-070707070707","minEpoch":4,"until":1800000600}]}"#
        );
        let again = read(&text).unwrap();
        assert_eq!(again.len(), 2);
        assert_eq!(again[0], entries[1]);
        assert_eq!(write(again), text);
        assert_eq!(read("{}").unwrap(), []);
        for wrong in ["", "[]", "null", r#"{"sessions":[{"sid":"1","until":1}]}"#, r#"{"users":[{"sub":"x"}]}"#] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}
