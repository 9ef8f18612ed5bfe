//! The feed, on every database.

use std::time::Duration;

use munjigi_rules::revocation::Ended;
use munjigi_rules::{SessionId, Timestamp, UserId};
use munjigi_store::{Cursor, FeedPage, LogIn, Revocations, SessionEnd, Sessions, Users};
use tokio::task::JoinSet;

use crate::support::*;

conformance! { sqlite => {
    an_ended_session_is_told_and_leaves_no_trace_elsewhere
    ending_it_again_changes_nothing
    a_row_stays_until_the_sessions_own_end_where_the_log_in_is_known
    a_row_stays_at_least_as_long_as_nodes_need_it
    a_reader_goes_on_where_it_stopped
    an_entry_is_told_until_the_very_millisecond
    what_is_filtered_still_moves_the_cursor
    pruned_rows_do_not_move_the_cursor_back
    pruning_forgets_what_is_over_and_nothing_else
    many_writers_lose_nothing
    the_databases_clock_is_a_clock
} }

const LATER: Duration = Duration::from_secs(3_600);

fn end(session: SessionId, user: UserId) -> SessionEnd {
    SessionEnd { session, user, feed_until: NOW.plus(LATER), keep_until: NOW.plus(LATER * 2) }
}

async fn ended(store: &impl Revocations) -> SessionEnd {
    let end = end(session_id(), user_id());
    assert!(store.end_session(end).await.unwrap());
    end
}

fn entry(end: SessionEnd) -> Ended {
    Ended::Session { session: end.session, feed_until: end.feed_until }
}

async fn read(store: &impl Revocations, from: Cursor, now: Timestamp) -> FeedPage {
    store.read(from, now).await.unwrap()
}

async fn prune(store: &impl Revocations, now: Timestamp) -> u64 {
    store.prune(now).await.unwrap()
}

/// A user, signed in.
async fn signed_in<S: Users + Sessions>(store: &S, until: Timestamp) -> LogIn {
    let user = new_user(&format!("u{}", &session_id().to_string()[..20]));
    let log_in = LogIn { until, ..log_in(user.id, NOW) };
    store.register(user).await.unwrap();
    store.record_log_in(log_in.clone()).await.unwrap();
    store.open(log_in.user, log_in.session, opening(NOW).record, NOW).await.unwrap();
    log_in
}

async fn an_ended_session_is_told_and_leaves_no_trace_elsewhere<S: Revocations + Users + Sessions, G>(two: Two<S, G>) {
    let log_in = signed_in(&two.first, NOW.plus(LATER)).await;
    let end = end(log_in.session, log_in.user);
    assert!(two.first.end_session(end).await.unwrap());
    assert_eq!(read(&two.second, Cursor::default(), NOW).await.entries, [entry(end)]);
    assert_eq!(two.second.log_ins(log_in.user, NOW).await.unwrap(), []);
    assert_eq!(Sessions::list(&two.second, log_in.user, NOW).await.unwrap(), []);
}

async fn ending_it_again_changes_nothing<S: Revocations, G>(two: Two<S, G>) {
    let first = ended(&two.first).await;
    let again = SessionEnd { feed_until: NOW.plus(LATER * 9), keep_until: NOW.plus(LATER * 9), ..first };
    assert!(!two.second.end_session(again).await.unwrap());
    assert_eq!(read(&two.first, Cursor::default(), NOW).await.entries, [entry(first)]);
    assert_eq!(prune(&two.first, first.keep_until).await, 1);
}

async fn a_row_stays_until_the_sessions_own_end_where_the_log_in_is_known<S: Revocations + Users + Sessions, G>(
    two: Two<S, G>,
) {
    let until = NOW.plus(LATER * 5);
    let log_in = signed_in(&two.first, until).await;
    two.first.end_session(end(log_in.session, log_in.user)).await.unwrap();
    let revoked = async || two.first.standing(log_in.user, log_in.session).await.unwrap().unwrap().revoked;
    prune(&two.first, until.minus(MS)).await;
    assert!(revoked().await);
    prune(&two.first, until).await;
    assert!(!revoked().await);
}

async fn a_row_stays_at_least_as_long_as_nodes_need_it<S: Revocations + Users + Sessions, G>(two: Two<S, G>) {
    let log_in = signed_in(&two.first, NOW.plus(MS)).await;
    let end = end(log_in.session, log_in.user);
    two.first.end_session(end).await.unwrap();
    prune(&two.first, end.feed_until.minus(MS)).await;
    assert_eq!(read(&two.first, Cursor::default(), NOW).await.entries, [entry(end)]);
    assert_eq!(prune(&two.first, end.feed_until).await, 1);
}

async fn a_reader_goes_on_where_it_stopped<S: Revocations, G>(two: Two<S, G>) {
    let empty = read(&two.second, Cursor::default(), NOW).await;
    assert_eq!((empty.entries.as_slice(), empty.next), ([].as_slice(), Cursor::default()));
    let (one, other) = (ended(&two.first).await, ended(&two.first).await);
    let page = read(&two.second, empty.next, NOW).await;
    assert_eq!(page.entries, [entry(one), entry(other)]);
    assert_eq!(read(&two.second, page.next, NOW).await.entries, []);
    let third = ended(&two.first).await;
    assert_eq!(read(&two.second, page.next, NOW).await.entries, [entry(third)]);
    assert_eq!(read(&two.first, Cursor::default(), NOW).await.entries.len(), 3);
}

async fn an_entry_is_told_until_the_very_millisecond<S: Revocations, G>(two: Two<S, G>) {
    let end = ended(&two.first).await;
    for (now, told) in [(end.feed_until.minus(MS), 1), (end.feed_until, 0), (end.feed_until.plus(MS), 0)] {
        assert_eq!(read(&two.first, Cursor::default(), now).await.entries.len(), told);
    }
}

async fn what_is_filtered_still_moves_the_cursor<S: Revocations, G>(two: Two<S, G>) {
    let end = ended(&two.first).await;
    let page = read(&two.first, Cursor::default(), end.feed_until).await;
    assert!(page.entries.is_empty() && page.next != Cursor::default());
}

async fn pruned_rows_do_not_move_the_cursor_back<S: Revocations, G>(two: Two<S, G>) {
    let end = ended(&two.first).await;
    let before = read(&two.first, Cursor::default(), NOW).await.next;
    prune(&two.first, end.keep_until).await;
    assert_eq!(read(&two.first, before, NOW).await.next, before);
    let third = ended(&two.first).await;
    let page = read(&two.first, before, NOW).await;
    assert!(page.next.0 > before.0);
    assert_eq!(page.entries, [entry(third)]);
}

async fn pruning_forgets_what_is_over_and_nothing_else<S: Revocations + Users + Sessions, G>(two: Two<S, G>) {
    let until = NOW.plus(LATER * 2);
    ended(&two.first).await;
    let log_in = signed_in(&two.first, until).await;
    two.first.end_sessions(raise(log_in.user, Some(log_in.session))).await.unwrap();
    assert_eq!(prune(&two.first, NOW).await, 0);
    // The epoch's row first, then the session's and the visible side.
    assert_eq!(prune(&two.first, raise(log_in.user, None).feed_until).await, 1);
    assert_eq!(prune(&two.first, until.minus(MS)).await, 0);
    assert_eq!(prune(&two.first, until).await, 2);
    assert_eq!(prune(&two.first, until).await, 0);
}

async fn many_writers_lose_nothing<S: Revocations + Clone + 'static, G>(two: Two<S, G>) {
    let mut writers = JoinSet::new();
    for number in 0..200 {
        let store = if number % 2 == 0 { two.first.clone() } else { two.second.clone() };
        writers.spawn(async move { ended(&store).await });
    }
    // A reader that runs beside them meets every entry once.
    let (mut cursor, mut seen) = (Cursor::default(), 0);
    while !writers.is_empty() {
        writers.join_next().await;
        let page = read(&two.first, cursor, NOW).await;
        (cursor, seen) = (page.next, seen + page.entries.len());
    }
    assert_eq!(seen, 200);
}

async fn the_databases_clock_is_a_clock<S: Revocations, G>(two: Two<S, G>) {
    let first = read(&two.first, Cursor::default(), NOW).await.database_now;
    let second = read(&two.first, Cursor::default(), NOW).await.database_now;
    let spread = second.millis_since(first);
    assert!((0..60_000).contains(&spread), "{first:?} {second:?}");
    assert!(first > Timestamp::from_secs(1_700_000_000) && first < Timestamp::from_secs(4_000_000_000), "{first:?}");
    drop(two.place);
}
