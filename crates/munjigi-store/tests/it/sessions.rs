//! The hot state, on every backend.

use std::collections::HashSet;
use std::time::Duration;

use munjigi_rules::refresh::{Presented, Record, Rotation, Successor};
use munjigi_rules::session::MOST_PER_USER;
use munjigi_rules::{Epoch, Generation, Nonce, SessionId, Timestamp, UserId};
use munjigi_store::{LiveSession, Sessions};
use tokio::task::JoinSet;

use crate::support::*;

conformance! { sqlite redis => {
    a_new_session_is_listed_and_only_under_its_user
    an_unknown_session_is_gone
    a_successor_rotates_and_the_record_moves_on
    a_young_token_is_kept_and_nothing_is_written
    the_spent_token_is_repeated_and_nothing_is_written
    a_token_ahead_of_the_store_is_adopted
    a_superseded_token_is_reuse_and_nothing_is_written
    a_session_of_an_older_epoch_is_gone_unless_it_was_kept
    a_session_is_over_from_the_very_millisecond
    of_many_parallel_rotations_of_one_token_exactly_one_moves_the_record
    one_session_over_the_cap_ends_the_one_rotated_longest_ago
    sessions_that_are_over_make_room_before_the_cap_does
    ending_forgets_one_session_and_is_fine_to_repeat
    ending_all_forgets_every_session_but_the_kept_one
    it_answers_a_ping
} }

/// A session with its next token.
struct Session<'a, S> {
    store: &'a S,
    user: UserId,
    id: SessionId,
    record: Record,
    token: Presented,
}

fn shown(next: Successor, at: Timestamp) -> Presented {
    Presented { generation: next.generation, nonce: next.nonce, parent: next.parent, issued_at: at }
}

impl<'a, S: Sessions> Session<'a, S> {
    async fn open(store: &'a S) -> Self {
        let (user, id, opening) = (user_id(), session_id(), opening(NOW));
        store.open(user, id, opening.record, NOW).await.unwrap();
        Self { store, user, id, record: opening.record, token: shown(opening.first, NOW) }
    }

    async fn show(&self, token: Presented, fresh: Nonce, now: Timestamp) -> Rotation {
        self.store.rotate(self.user, self.id, token, terms(), fresh, now).await.unwrap()
    }

    /// Rotates once, and goes on with the successor.
    async fn rotate(&mut self, now: Timestamp) {
        match self.show(self.token, nonce(), now).await {
            Rotation::Rotated { record, next } => (self.record, self.token) = (record, shown(next, now)),
            other => panic!("{other:?}"),
        }
    }

    /// What the store holds of it.
    async fn stored(&self) -> Option<Record> {
        let live = self.store.list(self.user, NOW).await.unwrap();
        live.iter().find(|s| s.session == self.id).map(|s| s.record)
    }
}

/// When a token that was issued at [`NOW`] is old enough.
fn ripe() -> Timestamp {
    NOW.plus(terms().young())
}

async fn a_new_session_is_listed_and_only_under_its_user<S: Sessions, G>(two: Two<S, G>) {
    let session = Session::open(&two.first).await;
    let live = LiveSession { session: session.id, record: session.record };
    assert_eq!(two.second.list(session.user, NOW).await.unwrap(), [live]);
    assert_eq!(two.second.list(user_id(), NOW).await.unwrap(), []);
}

async fn an_unknown_session_is_gone<S: Sessions, G>(two: Two<S, G>) {
    let session = Session::open(&two.first).await;
    let elsewhere = [(session.user, session_id()), (user_id(), session.id)];
    for (user, id) in elsewhere {
        let decision = two.first.rotate(user, id, session.token, terms(), nonce(), ripe()).await.unwrap();
        assert_eq!(decision, Rotation::Gone);
    }
}

async fn a_successor_rotates_and_the_record_moves_on<S: Sessions, G>(two: Two<S, G>) {
    let session = Session::open(&two.first).await;
    let fresh = nonce();
    let now = ripe();
    let record = Record {
        generation: Generation(1),
        spent: session.token.nonce,
        rotated_at: now,
        idle_until: now.plus(LIFETIMES.idle),
        ..session.record
    };
    let next =
        Successor { generation: Generation(2), nonce: fresh, parent: session.token.nonce, expires: record.idle_until };
    assert_eq!(session.show(session.token, fresh, now).await, Rotation::Rotated { record, next });
    assert_eq!(session.stored().await, Some(record));
    let by_the_other = two.second.rotate(session.user, session.id, shown(next, now), terms(), nonce(), now).await;
    assert_eq!(by_the_other.unwrap(), Rotation::Kept);
}

async fn a_young_token_is_kept_and_nothing_is_written<S: Sessions, G>(two: Two<S, G>) {
    let session = Session::open(&two.first).await;
    assert_eq!(session.show(session.token, nonce(), ripe().minus(MS)).await, Rotation::Kept);
    assert_eq!(session.stored().await, Some(session.record));
}

async fn the_spent_token_is_repeated_and_nothing_is_written<S: Sessions, G>(two: Two<S, G>) {
    let mut session = Session::open(&two.first).await;
    let spent = session.token;
    session.rotate(ripe()).await;
    let cases = [(Duration::ZERO, false), (Duration::from_secs(60), false), (Duration::from_millis(60_001), true)];
    for (after, is_late) in cases {
        let fresh = nonce();
        let next = Successor {
            generation: Generation(2),
            nonce: fresh,
            parent: spent.nonce,
            expires: session.record.idle_until,
        };
        let decision = session.show(spent, fresh, ripe().plus(after)).await;
        assert_eq!(decision, Rotation::Repeated { next, late: is_late });
        assert_eq!(session.stored().await, Some(session.record));
    }
}

async fn a_token_ahead_of_the_store_is_adopted<S: Sessions, G>(two: Two<S, G>) {
    let session = Session::open(&two.first).await;
    let ahead = Presented { generation: Generation(3), nonce: nonce(), parent: nonce(), issued_at: NOW };
    // Two rotations were lost, and two is what the time allows.
    let now = ripe().plus(terms().young());
    match session.show(ahead, nonce(), now).await {
        Rotation::Adopted { record, next, lost } => {
            assert_eq!((record.generation, record.spent, lost), (Generation(3), ahead.nonce, 2));
            assert_eq!((next.generation, next.parent), (Generation(4), ahead.nonce));
            assert_eq!(session.stored().await, Some(record));
        }
        other => panic!("{other:?}"),
    }
    let too_far = Presented { generation: Generation(5_000), ..ahead };
    assert_eq!(session.show(too_far, nonce(), now).await, Rotation::Reused);
}

async fn a_superseded_token_is_reuse_and_nothing_is_written<S: Sessions, G>(two: Two<S, G>) {
    let mut session = Session::open(&two.first).await;
    let first = session.token;
    session.rotate(ripe()).await;
    session.rotate(ripe().plus(terms().young())).await;
    let stranger = Presented { nonce: nonce(), ..session.token };
    let orphan = Presented { parent: nonce(), ..session.token };
    for token in [first, orphan] {
        let decision = session.show(token, nonce(), NOW.plus(Duration::from_secs(3_600))).await;
        assert_eq!(decision, Rotation::Reused, "{token:?}");
        assert_eq!(session.stored().await, Some(session.record));
    }
    // A sibling is free: the first successor to be shown wins, whichever it is.
    let decision = session.show(stranger, nonce(), NOW.plus(Duration::from_secs(3_600))).await;
    assert!(matches!(decision, Rotation::Rotated { .. }));
}

async fn a_session_of_an_older_epoch_is_gone_unless_it_was_kept<S: Sessions, G>(two: Two<S, G>) {
    let session = Session::open(&two.first).await;
    let raised = LIFETIMES.terms(Epoch(1));
    let show =
        async |terms| two.first.rotate(session.user, session.id, session.token, terms, nonce(), ripe()).await.unwrap();
    assert_eq!(show(raised).await, Rotation::Gone);
    assert!(matches!(show(LIFETIMES.terms(Epoch(0))).await, Rotation::Rotated { .. }));
}

async fn a_session_is_over_from_the_very_millisecond<S: Sessions, G>(two: Two<S, G>) {
    let ends = NOW.plus(Duration::from_secs(1_000));
    let later = ends.plus(MS);
    for (idle_until, until) in [(ends, later), (later, ends)] {
        let (user, id, opening) = (user_id(), session_id(), opening(NOW));
        let record = Record { idle_until, until, ..opening.record };
        two.first.open(user, id, record, NOW).await.unwrap();
        let at = async |now| {
            let live = two.first.list(user, now).await.unwrap().len();
            let token = shown(opening.first, now);
            (live, two.first.rotate(user, id, token, terms(), nonce(), now).await.unwrap())
        };
        assert_eq!(at(ends.minus(MS)).await, (1, Rotation::Kept));
        assert_eq!(at(ends).await, (0, Rotation::Gone));
        // It was removed in passing, so that even a clock that goes back does not find it.
        assert_eq!(at(ends.minus(MS)).await, (0, Rotation::Gone));
    }
}

async fn of_many_parallel_rotations_of_one_token_exactly_one_moves_the_record<S, G>(two: Two<S, G>)
where
    S: Sessions + Clone + 'static,
{
    let session = Session::open(&two.first).await;
    let mut tabs = JoinSet::new();
    for tab in 0..64 {
        let store = if tab % 2 == 0 { two.first.clone() } else { two.second.clone() };
        let (user, id, token) = (session.user, session.id, session.token);
        tabs.spawn(async move { store.rotate(user, id, token, terms(), nonce(), ripe()).await.unwrap() });
    }
    let decisions = tabs.join_all().await;
    let count = |is: fn(&Rotation) -> bool| decisions.iter().filter(|d| is(d)).count();
    assert_eq!(count(|d| matches!(d, Rotation::Rotated { .. })), 1);
    assert_eq!(count(|d| matches!(d, Rotation::Repeated { late: false, .. })), 63);
}

async fn one_session_over_the_cap_ends_the_one_rotated_longest_ago<S: Sessions, G>(two: Two<S, G>) {
    let user = user_id();
    let mut ids = Vec::new();
    for second in 0..=MOST_PER_USER as u64 {
        let (at, id) = (NOW.plus(Duration::from_secs(second)), session_id());
        ids.push(id);
        let removed = two.first.open(user, id, opening(at).record, at).await.unwrap();
        let expected: &[_] = if ids.len() > MOST_PER_USER { &ids[..1] } else { &[] };
        assert_eq!(removed, expected);
    }
    let now = NOW.plus(Duration::from_secs(1_000));
    let live: HashSet<_> = two.first.list(user, now).await.unwrap().iter().map(|s| s.session).collect();
    assert_eq!(live, ids[1..].iter().copied().collect());
    // A session that is opened again is none more.
    two.first.open(user, ids[1], opening(now).record, now).await.unwrap();
    assert_eq!(two.first.list(user, now).await.unwrap().len(), MOST_PER_USER);
}

async fn sessions_that_are_over_make_room_before_the_cap_does<S: Sessions, G>(two: Two<S, G>) {
    let user = user_id();
    let soon = NOW.plus(Duration::from_secs(1));
    for number in 0..MOST_PER_USER {
        let record = opening(NOW).record;
        let idle_until = if number < 10 { soon } else { record.idle_until };
        two.first.open(user, session_id(), Record { idle_until, ..record }, NOW).await.unwrap();
    }
    two.first.open(user, session_id(), opening(soon).record, soon).await.unwrap();
    assert_eq!(two.first.list(user, NOW).await.unwrap().len(), MOST_PER_USER - 10 + 1);
}

async fn ending_forgets_one_session_and_is_fine_to_repeat<S: Sessions, G>(two: Two<S, G>) {
    let session = Session::open(&two.first).await;
    let other = session_id();
    two.first.open(session.user, other, opening(NOW).record, NOW).await.unwrap();
    for _ in 0..2 {
        two.second.end(session.user, session.id).await.unwrap();
    }
    assert_eq!(session.show(session.token, nonce(), ripe()).await, Rotation::Gone);
    let live = two.first.list(session.user, NOW).await.unwrap();
    assert_eq!(live.iter().map(|s| s.session).collect::<Vec<_>>(), [other]);
}

async fn ending_all_forgets_every_session_but_the_kept_one<S: Sessions, G>(two: Two<S, G>) {
    let (user, keep) = (user_id(), session_id());
    for id in [session_id(), keep, session_id()] {
        two.first.open(user, id, opening(NOW).record, NOW).await.unwrap();
    }
    let stranger = Session::open(&two.first).await;
    let live = async || two.second.list(user, NOW).await.unwrap().iter().map(|s| s.session).collect::<Vec<_>>();
    two.first.end_all(user, Epoch(u32::MAX), Some(keep)).await.unwrap();
    assert_eq!(live().await, [keep]);
    for _ in 0..2 {
        two.first.end_all(user, Epoch(u32::MAX), None).await.unwrap();
        assert_eq!(live().await, []);
    }
    two.first.end_all(user, Epoch(u32::MAX), Some(keep)).await.unwrap();
    // One that was opened since the epoch was raised stays, or a log-in at that moment would be lost.
    let record = opening(NOW).record;
    let newer = Record { epoch: Epoch(record.epoch.0 + 1), ..record };
    let since = session_id();
    two.first.open(user, since, newer, NOW).await.unwrap();
    two.first.open(user, session_id(), record, NOW).await.unwrap();
    two.second.end_all(user, newer.epoch, None).await.unwrap();
    assert_eq!(live().await, [since]);
    assert_eq!(stranger.stored().await, Some(stranger.record));
}

async fn it_answers_a_ping<S: Sessions, G>(two: Two<S, G>) {
    two.first.ping().await.unwrap();
    drop(two.place);
}
