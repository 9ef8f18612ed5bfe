//! Accounts, on every database.

use std::time::Duration;

use munjigi_rules::revocation::Ended;
use munjigi_rules::{Epoch, Timestamp, UserId};
use munjigi_store::{
    Brought, BroughtAlong, Cursor, LogIn, Registered, Revocations, SessionEnd, Sessions, StoredHash, Users,
};
use tokio::task::JoinSet;

use crate::support::*;

conformance! { sqlite => {
    a_registered_user_is_found_by_id_and_by_name_in_any_case
    a_session_whose_log_in_is_forgotten_has_no_standing_any_more
    nobody_is_found_where_there_is_nobody
    of_many_parallel_registrations_of_one_name_exactly_one_is_made
    users_are_listed_in_the_order_of_registration_page_by_page
    each_scheme_is_named_once
    a_rename_changes_the_shown_name_only
    a_rehash_loses_against_a_password_change
    a_new_password_ends_every_session_but_the_kept_one
    a_password_is_not_set_where_it_was_changed_meanwhile
    disabling_ends_every_session_and_enabling_brings_none_back
    raising_the_epoch_again_keeps_only_the_newly_kept
    ending_everything_of_nobody_is_none
    ending_all_sessions_reaches_everybody_and_tells_of_those_who_had_one
    a_log_in_is_listed_until_its_end_newest_first
    a_log_in_removes_the_same_users_that_are_over
    a_long_user_agent_is_cut_between_characters
    standing_tells_whether_a_session_was_revoked
    of_many_users_that_are_brought_along_none_that_is_there_is_changed
    what_was_brought_along_can_be_listed_with_its_hashes_and_brought_to_another_place
    a_deleted_user_is_gone_with_every_session_and_leaves_the_name_behind
} }

/// What a database promises together.
trait Database: Users + Revocations + Sessions + Clone + 'static {}
impl<T: Users + Revocations + Sessions + Clone + 'static> Database for T {}

async fn registered(store: &impl Users, text: &str) -> UserId {
    let user = new_user(text);
    let id = user.id;
    assert_eq!(store.register(user).await.unwrap(), Registered::Created);
    id
}

/// A log-in with its hot state.
async fn signed_in(store: &impl Database, user: UserId) -> LogIn {
    let log_in = log_in(user, NOW);
    store.record_log_in(log_in.clone()).await.unwrap();
    store.open(user, log_in.session, opening(NOW).record, NOW).await.unwrap();
    log_in
}

/// The user's sessions that go on: in the list, in the hot state.
async fn remaining(store: &impl Database, user: UserId) -> (Vec<LogIn>, usize) {
    (store.log_ins(user, NOW).await.unwrap(), Sessions::list(store, user, NOW).await.unwrap().len())
}

async fn feed(store: &impl Database) -> Vec<Ended> {
    Revocations::read(store, Cursor::default(), NOW).await.unwrap().entries
}

fn epoch_ended(user: UserId, epoch: u32) -> Ended {
    Ended::Epoch { user, min_epoch: Epoch(epoch), feed_until: raise(user, None).feed_until }
}

async fn a_registered_user_is_found_by_id_and_by_name_in_any_case<S: Users, G>(two: Two<S, G>) {
    let new = new_user("Mina.Kim");
    assert_eq!(two.first.register(new.clone()).await.unwrap(), Registered::Created);
    let found = two.second.find(new.id).await.unwrap().unwrap();
    assert_eq!((&found.username, &found.name, found.created_at), (&new.username, &new.name, NOW));
    assert!(found.enabled && found.epoch == Epoch(0));
    for spelling in ["Mina.Kim", "mina.kim", "MINA.KIM"] {
        let credentials = two.second.credentials(&username(spelling)).await.unwrap().unwrap();
        assert_eq!((&credentials.user, &credentials.hash), (&found, &new.hash));
    }
    assert_eq!(two.first.credentials_by_id(new.id).await.unwrap().unwrap().user, found);
}

async fn nobody_is_found_where_there_is_nobody<S: Users, G>(two: Two<S, G>) {
    let nobody = user_id();
    assert_eq!(two.first.find(nobody).await.unwrap(), None);
    assert_eq!(two.first.credentials(&username("nobody")).await.unwrap(), None);
    assert_eq!(two.first.credentials_by_id(nobody).await.unwrap(), None);
    assert_eq!(two.first.standing(nobody, session_id()).await.unwrap(), None);
    assert_eq!(two.first.log_ins(nobody, NOW).await.unwrap(), []);
    assert_eq!(two.first.list(None, 10).await.unwrap(), []);
    assert_eq!(two.first.schemes().await.unwrap(), Vec::<String>::new());
    assert!(!two.first.rename(nobody, &name("Nobody")).await.unwrap());
    assert!(!two.first.enable(nobody).await.unwrap());
    assert!(!two.first.rehash(nobody, &hash("first"), &hash("new")).await.unwrap());
}

async fn of_many_parallel_registrations_of_one_name_exactly_one_is_made<S: Users + Clone + 'static, G>(two: Two<S, G>) {
    let mut race = JoinSet::new();
    for number in 0..64 {
        let (store, spelling) =
            if number % 2 == 0 { (two.first.clone(), "mina") } else { (two.second.clone(), "MiNa") };
        race.spawn(async move { store.register(new_user(spelling)).await.unwrap() });
    }
    let made = race.join_all().await.into_iter().filter(|r| *r == Registered::Created).count();
    assert_eq!(made, 1);
    assert_eq!(two.first.list(None, 100).await.unwrap().len(), 1);
}

async fn users_are_listed_in_the_order_of_registration_page_by_page<S: Users, G>(two: Two<S, G>) {
    let mut ids = Vec::new();
    for number in [3, 1, 2, 0] {
        let id = UserId::new(NOW.plus(Duration::from_secs(number)), random());
        ids.push(id);
        two.first.register(munjigi_store::NewUser { id, ..new_user(&format!("user{number}")) }).await.unwrap();
    }
    ids.sort();
    let page =
        async |after, limit| two.first.list(after, limit).await.unwrap().iter().map(|u| u.id).collect::<Vec<_>>();
    assert_eq!(page(None, 3).await, ids[..3]);
    assert_eq!(page(Some(ids[2]), 3).await, ids[3..]);
    assert_eq!(page(Some(ids[3]), 3).await, []);
    assert_eq!(page(None, usize::MAX).await, ids);
}

async fn each_scheme_is_named_once<S: Users, G>(two: Two<S, G>) {
    for (user, scheme) in [("user1", "bcrypt:12"), ("user2", "argon2id:a"), ("user3", "bcrypt:12"), ("user4", "pbkdf2")]
    {
        let hash = StoredHash { scheme: scheme.to_owned(), text: "text".to_owned() };
        two.first.register(munjigi_store::NewUser { hash, ..new_user(user) }).await.unwrap();
    }
    assert_eq!(two.second.schemes().await.unwrap(), ["argon2id:a", "bcrypt:12", "pbkdf2"]);
}

async fn a_rename_changes_the_shown_name_only<S: Users, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    let before = two.first.find(id).await.unwrap().unwrap();
    assert!(two.first.rename(id, &name("김미나")).await.unwrap());
    let after = munjigi_store::User { name: name("김미나"), ..before };
    assert_eq!(two.second.find(id).await.unwrap(), Some(after));
}

async fn a_rehash_loses_against_a_password_change<S: Users, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    assert!(two.first.rehash(id, &hash("first"), &hash("stronger")).await.unwrap());
    two.second.set_password(raise(id, None), None, &hash("changed")).await.unwrap().unwrap();
    assert!(!two.first.rehash(id, &hash("stronger"), &hash("late")).await.unwrap());
    let other_scheme = StoredHash { scheme: "bcrypt:12".to_owned(), ..hash("changed") };
    assert!(!two.first.rehash(id, &other_scheme, &hash("late")).await.unwrap());
    assert_eq!(two.first.credentials_by_id(id).await.unwrap().unwrap().hash, hash("changed"));
}

async fn a_new_password_ends_every_session_but_the_kept_one<S: Database, G>(two: Two<S, G>) {
    let (id, stranger) = (registered(&two.first, "mina").await, registered(&two.first, "juno").await);
    let (kept, ended) = (signed_in(&two.first, id).await, signed_in(&two.first, id).await);
    signed_in(&two.first, stranger).await;
    let raise = raise(id, Some(kept.session));
    let epoch = two.first.set_password(raise, Some(&hash("first")), &hash("second")).await.unwrap();
    assert_eq!(epoch, Some(Epoch(1)));
    let credentials = two.second.credentials_by_id(id).await.unwrap().unwrap();
    assert_eq!((credentials.hash, credentials.user.epoch), (hash("second"), Epoch(1)));
    assert_eq!(feed(&two.second).await, [epoch_ended(id, 1)]);
    assert_eq!(remaining(&two.second, id).await, (vec![kept.clone()], 1));
    assert_eq!(remaining(&two.second, stranger).await.1, 1);
    let standing = async |session| two.second.standing(id, session).await.unwrap().unwrap();
    let of_kept = standing(kept.session).await;
    assert!(of_kept.kept && !of_kept.revoked);
    assert_eq!(of_kept.log_in, Some(kept));
    let of_ended = standing(ended.session).await;
    assert!(!of_ended.kept && of_ended.log_in.is_none());
}

async fn a_password_is_not_set_where_it_was_changed_meanwhile<S: Database, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    signed_in(&two.first, id).await;
    let set = two.first.set_password(raise(id, None), Some(&hash("guess")), &hash("second")).await.unwrap();
    assert_eq!(set, None);
    assert_eq!(two.first.set_password(raise(user_id(), None), None, &hash("second")).await.unwrap(), None);
    assert_eq!(two.first.credentials_by_id(id).await.unwrap().unwrap().hash, hash("first"));
    assert_eq!(feed(&two.first).await, []);
    assert_eq!(remaining(&two.first, id).await.1, 1);
}

async fn disabling_ends_every_session_and_enabling_brings_none_back<S: Database, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    signed_in(&two.first, id).await;
    assert_eq!(two.first.disable(raise(id, None)).await.unwrap(), Some(Epoch(1)));
    assert!(!two.second.find(id).await.unwrap().unwrap().enabled);
    assert_eq!(feed(&two.second).await, [epoch_ended(id, 1)]);
    assert!(two.first.enable(id).await.unwrap());
    let user = two.second.find(id).await.unwrap().unwrap();
    assert!(user.enabled && user.epoch == Epoch(1));
    assert_eq!(remaining(&two.second, id).await, (vec![], 0));
}

async fn raising_the_epoch_again_keeps_only_the_newly_kept<S: Database, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    let (one, other) = (signed_in(&two.first, id).await.session, signed_in(&two.first, id).await.session);
    let kept = async |session| two.first.standing(id, session).await.unwrap().unwrap().kept;
    assert_eq!(two.first.end_sessions(raise(id, Some(one))).await.unwrap(), Some(Epoch(1)));
    assert!(kept(one).await && !kept(other).await);
    assert_eq!(two.first.end_sessions(raise(id, Some(other))).await.unwrap(), Some(Epoch(2)));
    assert!(!kept(one).await && kept(other).await);
    assert_eq!(two.first.end_sessions(raise(id, None)).await.unwrap(), Some(Epoch(3)));
    assert!(!kept(one).await && !kept(other).await);
    assert_eq!(feed(&two.first).await, [epoch_ended(id, 1), epoch_ended(id, 2), epoch_ended(id, 3)]);
}

async fn ending_everything_of_nobody_is_none<S: Database, G>(two: Two<S, G>) {
    assert_eq!(two.first.end_sessions(raise(user_id(), None)).await.unwrap(), None);
    assert_eq!(two.first.disable(raise(user_id(), None)).await.unwrap(), None);
    assert_eq!(feed(&two.first).await, []);
}

async fn ending_all_sessions_reaches_everybody_and_tells_of_those_who_had_one<S: Database, G>(two: Two<S, G>) {
    let mut ids = Vec::new();
    for text in ["mina", "juno", "hana"] {
        ids.push(registered(&two.first, text).await);
    }
    let kept = signed_in(&two.first, ids[0]).await.session;
    signed_in(&two.first, ids[0]).await;
    two.first.end_sessions(raise(ids[0], Some(kept))).await.unwrap();
    signed_in(&two.first, ids[1]).await;
    let ended = two.first.end_all_sessions(NOW, raise(ids[0], None).feed_until).await.unwrap();
    assert_eq!(ended, 2);
    for (id, epoch) in ids.iter().zip([2, 1, 1]) {
        // Also of who had none: a log-in whose password was read before does not outlive it.
        assert_eq!(two.second.find(*id).await.unwrap().unwrap().epoch, Epoch(epoch));
        assert_eq!(remaining(&two.second, *id).await, (vec![], 0));
    }
    assert!(!two.second.standing(ids[0], kept).await.unwrap().unwrap().kept);
    let mut told = feed(&two.second).await.split_off(1);
    told.sort_by_key(|e| matches!(e, Ended::Epoch { user, .. } if *user == ids[1]));
    assert_eq!(told, [epoch_ended(ids[0], 2), epoch_ended(ids[1], 1)]);
}

async fn a_log_in_is_listed_until_its_end_newest_first<S: Users, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    let older = log_in(id, NOW);
    let newer = LogIn { remembered: false, address: String::new(), ..log_in(id, NOW.plus(MS)) };
    for log_in in [&older, &newer] {
        two.first.record_log_in(log_in.clone()).await.unwrap();
    }
    let listed = async |now| two.second.log_ins(id, now).await.unwrap();
    let (older_ends, newer_ends) = (older.until, newer.until);
    let both = [newer, older];
    assert_eq!(listed(older_ends.minus(MS)).await, both);
    assert_eq!(listed(older_ends).await, both[..1]);
    assert_eq!(listed(newer_ends).await, []);
    assert_eq!(two.second.log_ins(user_id(), NOW).await.unwrap(), []);
}

async fn a_log_in_removes_the_same_users_that_are_over<S: Users, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    let long_ago = Timestamp::from_secs(0);
    for until in [NOW.minus(MS), NOW, NOW.plus(MS)] {
        two.first.record_log_in(LogIn { until, ..log_in(id, long_ago) }).await.unwrap();
    }
    two.first.record_log_in(log_in(id, NOW)).await.unwrap();
    assert_eq!(two.first.log_ins(id, long_ago).await.unwrap().len(), 2);
}

async fn a_long_user_agent_is_cut_between_characters<S: Users, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    let long = LogIn { user_agent: "가".repeat(100), ..log_in(id, NOW) };
    two.first.record_log_in(long).await.unwrap();
    assert_eq!(two.first.log_ins(id, NOW).await.unwrap()[0].user_agent, "가".repeat(85));
}

async fn standing_tells_whether_a_session_was_revoked<S: Database, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    let log_in = signed_in(&two.first, id).await;
    let standing = async || two.second.standing(id, log_in.session).await.unwrap().unwrap();
    let before = standing().await;
    assert_eq!((before.log_in.as_ref(), before.revoked, before.kept), (Some(&log_in), false, false));
    let end = SessionEnd { session: log_in.session, user: id, feed_until: NOW, keep_until: NOW };
    assert!(two.first.end_session(end).await.unwrap());
    let after = standing().await;
    assert!(after.revoked && after.log_in.is_none());
    drop(two.place);
}

async fn a_session_whose_log_in_is_forgotten_has_no_standing_any_more<S: Users, G>(two: Two<S, G>) {
    let id = registered(&two.first, "mina").await;
    let (gone, stays) = (log_in(id, NOW), log_in(id, NOW));
    for row in [&gone, &stays] {
        two.first.record_log_in(row.clone()).await.unwrap();
    }
    two.first.forget_log_ins(vec![gone.session, session_id()]).await.unwrap();
    assert_eq!(two.second.standing(id, gone.session).await.unwrap().unwrap().log_in, None);
    assert_eq!(two.second.standing(id, stays.session).await.unwrap().unwrap().log_in, Some(stays.clone()));
    assert_eq!(two.second.log_in(gone.session).await.unwrap(), None);
    assert_eq!(two.second.log_in(stays.session).await.unwrap(), Some(stays));
    drop(two.place);
}

fn brought(text: &str) -> BroughtAlong {
    BroughtAlong { user: new_user(text), enabled: true }
}

async fn of_many_users_that_are_brought_along_none_that_is_there_is_changed<S: Users, G>(two: Two<S, G>) {
    let mina = registered(&two.first, "mina").await;
    let before = two.first.credentials_by_id(mina).await.unwrap().unwrap();
    let mut again = brought("MINA");
    again.user.hash = hash("another");
    let mut same_id = brought("hana");
    same_id.user.id = mina;
    let names = ["mina", "juno", "hana", "nari"].map(username).to_vec();
    assert_eq!(two.second.taken(names.clone()).await.unwrap(), [true, false, false, false]);
    let users = vec![again, brought("juno"), brought("Juno"), same_id, brought("nari")];
    use Brought::{Created, IdTaken, UsernameTaken};
    assert_eq!(
        two.first.bring(users.clone()).await.unwrap(),
        [UsernameTaken, Created, UsernameTaken, IdTaken, Created],
        "one that cannot be does not hurt its neighbours"
    );
    assert_eq!(
        two.second.bring(users).await.unwrap(),
        [UsernameTaken, UsernameTaken, UsernameTaken, IdTaken, UsernameTaken]
    );
    assert_eq!(two.second.taken(names).await.unwrap(), [true, true, false, true]);
    assert_eq!(two.second.credentials_by_id(mina).await.unwrap(), Some(before));
    assert_eq!(two.first.list(None, 10).await.unwrap().len(), 3);
    assert_eq!(two.first.bring(vec![]).await.unwrap(), []);
}

async fn what_was_brought_along_can_be_listed_with_its_hashes_and_brought_to_another_place<S: Users, G>(
    two: Two<S, G>,
) {
    let mut hana = BroughtAlong { enabled: false, ..brought("hana") };
    hana.user.created_at = NOW.minus(Duration::from_secs(1_000_000));
    let users = vec![brought("mina"), hana, brought("juno")];
    two.first.bring(users.clone()).await.unwrap();
    let mut expected: Vec<_> = users.iter().map(|brought| (brought.user.id, brought)).collect();
    expected.sort_by_key(|(id, _)| *id);
    let mut listed = two.second.list_credentials(None, 2).await.unwrap();
    assert_eq!(listed.len(), 2);
    listed.extend(two.second.list_credentials(Some(listed[1].user.id), 2).await.unwrap());
    assert_eq!(listed.len(), 3);
    for (found, (_, brought)) in listed.iter().zip(expected) {
        let user = &found.user;
        assert_eq!(
            (user.id, &user.username, &user.name),
            (brought.user.id, &brought.user.username, &brought.user.name)
        );
        assert_eq!((&found.hash, user.created_at), (&brought.user.hash, brought.user.created_at));
        assert_eq!((user.enabled, user.epoch), (brought.enabled, Epoch(0)));
    }
}

async fn a_deleted_user_is_gone_with_every_session_and_leaves_the_name_behind<S: Database, G>(two: Two<S, G>) {
    let (id, stranger) = (registered(&two.first, "mina").await, registered(&two.first, "juno").await);
    let log_in = signed_in(&two.first, id).await;
    signed_in(&two.first, stranger).await;
    assert_eq!(two.first.delete(raise(id, None)).await.unwrap(), Some(Epoch(1)));
    assert_eq!(two.second.find(id).await.unwrap(), None);
    assert_eq!(two.second.credentials(&username("mina")).await.unwrap(), None);
    assert_eq!(two.second.standing(id, log_in.session).await.unwrap(), None);
    assert_eq!(feed(&two.second).await, [epoch_ended(id, 1)], "the nodes are told, although the user is gone");
    assert_eq!(remaining(&two.second, id).await, (vec![], 0));
    assert_eq!(remaining(&two.second, stranger).await.1, 1);
    assert_eq!(two.first.delete(raise(id, None)).await.unwrap(), None);
    for spelling in ["mina", "MINA"] {
        assert_eq!(two.second.register(new_user(spelling)).await.unwrap(), Registered::UsernameTaken);
        assert_eq!(two.second.bring(vec![brought(spelling)]).await.unwrap(), [Brought::UsernameTaken]);
        assert_eq!(two.second.taken(vec![username(spelling)]).await.unwrap(), [true]);
    }
    assert_eq!(Users::list(&two.second, None, 10).await.unwrap().len(), 1);
}
