//! What followers are sent, and what is kept for them.

use munjigi_rules::SessionId;

use super::log::MOST_BYTES;
use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn followers() -> Arc<Followers> {
    let patience = Duration::from_millis(50);
    Arc::new(Followers { patience, ..Followers::new(10, "https://id.example.com") })
}

fn ended(sessions: std::ops::Range<u64>) -> Vec<Ended> {
    let session = |n: u64| SessionId::from_bytes((u128::from(n) << 64 | 1).to_be_bytes());
    sessions.map(|n| Ended::Session { session: session(n), feed_until: NOW.plus(Duration::from_secs(60)) }).collect()
}

/// Reads to the next `current`; says how many sessions were told, and the id.
async fn read(frames: &mut mpsc::Receiver<Bytes>) -> Option<(usize, String)> {
    let mut told = 0;
    loop {
        let frame = frames.recv().await?;
        let text = std::str::from_utf8(&frame).unwrap();
        assert!(text.len() < 64 * 1024 && text.ends_with("\n\n"), "{}", text.len());
        told += text.matches("\"sid\"").count();
        if text.starts_with("event: current") {
            return Some((told, text.lines().nth(1).unwrap().strip_prefix("id: ").unwrap().to_owned()));
        }
    }
}

/// What a read of the table does.
fn reads(followers: &Followers, set: &RevokedSet, entries: Vec<Ended>) {
    set.apply(entries.iter().copied());
    followers.publish(&entries);
    followers.beat();
}

#[tokio::test]
async fn whoever_takes_nothing_is_dropped_and_nothing_is_kept_for_them() {
    let (followers, set) = (followers(), Arc::new(RevokedSet::new()));
    set.apply(ended(0..20_000));
    let join = || followers.join(Arc::clone(&set), NOW, None, || true).unwrap();
    let (deaf, mut keen) = (join(), join());
    assert_eq!(read(&mut keen).await.unwrap().0, 20_000);
    let dropping = async {
        while followers.count() == 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            followers.beat();
            read(&mut keen).await.unwrap();
        }
    };
    assert!(timeout(Duration::from_secs(20), dropping).await.is_ok(), "it keeps its place");
    assert_eq!(deaf.len(), UNDER_WAY);
    assert!(followers.whole.lock().await.upgrade().is_none(), "what was written for both is gone");
    reads(&followers, &set, ended(20_000..20_003));
    assert_eq!(read(&mut keen).await.unwrap().0, 3);
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_who_is_behind_it_begins_again() {
    let (followers, set) = (followers(), Arc::new(RevokedSet::new()));
    let join = |id: Option<&str>| followers.join(Arc::clone(&set), NOW, id, || true).unwrap();
    let (_, first) = read(&mut join(None)).await.unwrap();
    for n in 0..40 {
        reads(&followers, &set, ended(n * 1_000..(n + 1) * 1_000));
    }
    let bytes: usize = followers.lock().frames.iter().map(Bytes::len).sum();
    assert!(bytes == followers.lock().bytes && bytes <= MOST_BYTES, "{bytes}");
    let (told, last) = read(&mut join(Some(&first))).await.unwrap();
    assert_eq!(told, 40_000);
    assert_eq!(read(&mut join(Some(&last))).await.unwrap().0, 0);
    // More than anybody who follows has to take at once: they begin again.
    let mut following = join(Some(&last));
    assert_eq!(read(&mut following).await.unwrap().0, 0);
    reads(&followers, &set, ended(40_000..60_000));
    assert_eq!(read(&mut following).await, None);
    assert_eq!(read(&mut join(Some(&last))).await.unwrap().0, 60_000);
}

#[tokio::test]
async fn nobody_misses_what_ends_while_everything_is_being_sent() {
    let (followers, set) = (followers(), Arc::new(RevokedSet::new()));
    set.apply(ended(0..5_000));
    let mut frames = followers.join(Arc::clone(&set), NOW, None, || true).unwrap();
    assert!(frames.recv().await.unwrap().starts_with(b"retry"));
    assert!(frames.recv().await.unwrap().starts_with(b"event: ended"));
    reads(&followers, &set, ended(5_000..5_007));
    assert_eq!(read(&mut frames).await.unwrap().0, 4_500 + 7);
}

#[tokio::test]
async fn there_is_room_for_so_many_and_none_once_it_stops() {
    let (followers, set) = (followers(), Arc::new(RevokedSet::new()));
    let join = || followers.join(Arc::clone(&set), NOW, None, || true);
    let mut all: Vec<_> = (0..10).map(|_| join().unwrap()).collect();
    assert_eq!(join().err(), Some(Full));
    followers.stop();
    followers.beat();
    for frames in &mut all {
        while read(frames).await.is_some() {}
    }
    while followers.count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(join().err(), Some(Full));
}
