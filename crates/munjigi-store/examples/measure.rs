//! Measures the stores on this machine.
//!
//! `cargo run --release -p munjigi-store --example measure -- <empty directory> <redis url>`; the Redis is to be one that
//! nobody else uses and that holds nothing.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

use munjigi_rules::refresh::{Presented, Rotation};
use munjigi_rules::session::{Lifetimes, Opening, open};
use munjigi_rules::{DisplayName, Epoch, Nonce, SessionId, Timestamp, UserId, Username};
use munjigi_store::{Migrate, NewUser, Redis, Sessions, Sqlite, StoredHash, Users};
use tokio::task::JoinSet;

const LIFETIMES: Lifetimes = Lifetimes {
    access: Duration::from_secs(600),
    idle: Duration::from_secs(14 * 86_400),
    absolute: Duration::from_secs(90 * 86_400),
};
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const CALLERS: usize = 50;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(url)) = (arguments.next(), arguments.next()) else {
        return Err("usage: measure <empty directory> <redis url>".into());
    };
    let sqlite = Sqlite::open(&Path::new(&directory).join("munjigi.db"), Migrate::Auto)?;
    let redis = Redis::connect(&url).await?;
    memory(&url, &redis).await?;
    rotations("Redis", &redis, 4_000).await?;
    rotations("SQLite", &sqlite, 400).await?;
    users(&sqlite).await
}

/// Redis's bytes a session.
async fn memory(url: &str, store: &Redis) -> Outcome {
    // The first one loads the script, which is not to be counted.
    store.open(UserId::new(NOW, random()), SessionId::from_bytes(random()), opening().record, NOW).await?;
    for sessions in [1, 3] {
        let before = used(url).await?;
        let count = 10_000 / CALLERS;
        at_once(store, move |store| async move {
            for _ in 0..count {
                let user = UserId::new(NOW, random());
                for _ in 0..sessions {
                    store.open(user, SessionId::from_bytes(random()), opening().record, NOW).await?;
                }
            }
            Ok(())
        })
        .await?;
        let bytes = used(url).await?.saturating_sub(before) / (count * CALLERS * sessions);
        println!("Redis: {bytes} bytes a session, {sessions} a user");
    }
    Ok(())
}

async fn used(url: &str) -> Outcome<usize> {
    let mut raw = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let memory: redis::InfoDict = redis::cmd("INFO").arg("memory").query_async(&mut raw).await?;
    let get = |name: &str| memory.get::<usize>(name).ok_or("the server tells no memory");
    Ok(get("used_memory")?.saturating_sub(get("mem_clients_normal")?))
}

/// How many real rotations a second, by callers that each have a session of their own.
async fn rotations<S: Sessions + Clone + 'static>(name: &str, store: &S, each: u64) -> Outcome {
    let took = at_once(store, move |store| async move {
        let (user, session, opening) = (UserId::new(NOW, random()), SessionId::from_bytes(random()), opening());
        store.open(user, session, opening.record, NOW).await?;
        let mut next = opening.first;
        for number in 0..each {
            let now = NOW.plus(LIFETIMES.access * u32::try_from(number % 2_000).unwrap_or(0));
            let shown = Presented {
                generation: next.generation,
                nonce: next.nonce,
                parent: next.parent,
                issued_at: now.minus(LIFETIMES.access),
            };
            let fresh = Nonce::from_bytes(random());
            let terms = LIFETIMES.terms(Epoch(0));
            if let Rotation::Rotated { next: successor, .. } =
                store.rotate(user, session, shown, terms, fresh, now).await?
            {
                next = successor;
            }
        }
        Ok(())
    })
    .await?;
    println!("{name}: {:.0} rotations/s, {CALLERS} at once", CALLERS as f64 * each as f64 / took.as_secs_f64());
    Ok(())
}

/// Registrations, each durable, and the look-up that a log-in begins with.
async fn users(store: &Sqlite) -> Outcome {
    const EACH: usize = 200;
    let took = at_once(store, |store| async move {
        for _ in 0..EACH {
            store.register(new_user()?).await?;
        }
        Ok(())
    })
    .await?;
    println!("SQLite: {:.0} registrations/s, {CALLERS} at once", (CALLERS * EACH) as f64 / took.as_secs_f64());
    let some = Users::list(store, None, 1_000).await?;
    let took = at_once(store, move |store| {
        let some = some.clone();
        async move {
            for user in some {
                store.credentials(&user.username).await?;
            }
            Ok(())
        }
    })
    .await?;
    println!("SQLite: {:.0} look-ups/s, {CALLERS} at once", (CALLERS * 1_000) as f64 / took.as_secs_f64());
    Ok(())
}

/// Runs the same work for every caller, all at once.
async fn at_once<S, F, R>(store: &S, work: F) -> Outcome<Duration>
where
    S: Clone,
    F: Fn(S) -> R,
    R: Future<Output = Outcome> + Send + 'static,
{
    let begin = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(work(store.clone()));
    }
    for outcome in callers.join_all().await {
        outcome?;
    }
    Ok(begin.elapsed())
}

fn opening() -> Opening {
    open(&LIFETIMES, Epoch(0), Nonce::from_bytes(random()), Nonce::from_bytes(random()), NOW)
}

fn new_user() -> Result<NewUser, Box<dyn Error + Send + Sync>> {
    let id = UserId::new(NOW, random());
    let username = Username::parse(&format!("u{}", &id.to_string().replace("-", "").split_at(8).1))?;
    let hash = StoredHash { scheme: "argon2id:m=19456,t=2,p=1".to_owned(), text: "$argon2id$".repeat(10) };
    Ok(NewUser { id, username, name: DisplayName::parse("Mina")?, hash, created_at: NOW })
}

fn random<const N: usize>() -> [u8; N] {
    std::array::from_fn(|i| RandomState::new().hash_one(i).to_le_bytes().first().copied().unwrap_or(0))
}
