//! What somebody achieves who guesses one account's password for a day, by the limits as they are set by default, on both
//! stores. Simulated: the clock, and the addresses. Real: the counters, as a log-in takes them, and the stores that keep them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use munjigi::flows::{Client, limits};
use munjigi_rules::Timestamp;
use munjigi_store::Take;

use crate::harness::{RedisServer, Site};

const DAY: Duration = Duration::from_secs(86_400);
/// How often the guesser comes back. In between the counters fill up again, and no try is lost by waiting.
const ROUND: Duration = Duration::from_secs(900);
/// After so many refusals in a row they give up until the next round.
const PATIENCE: u32 = 12;

/// How often one can guess in a day from so many addresses.
async fn guesses(site: &Site, account: &str, addresses: u32) -> u32 {
    let core = &site.app.core;
    let start = core.now();
    let (mut made, mut next) = (0, 0);
    let mut passed = Duration::ZERO;
    while passed < DAY {
        let (now, mut refused): (Timestamp, _) = (start.plus(passed), 0);
        while refused < PATIENCE {
            let address = IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0000 + next % addresses));
            let client = Client { address: Some(address), ..Client::default() };
            match limits::log_in(core, account, &client, None).take_at(core, now).await.unwrap() {
                Take::Allowed => (made, refused) = (made + 1, 0),
                // On to the next address, as long as there is hope.
                Take::Refused { .. } => (next, refused) = (next + 1, refused + 1),
            }
        }
        passed += ROUND;
    }
    made
}

#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
async fn a_day(site: &Site, without: &Site) -> [u32; 3] {
    let mut bounded = [0; 3];
    for (number, addresses) in [1, 100, 10_000].into_iter().enumerate() {
        let account = site.app.core.account_names.of(&format!("mina{addresses}"));
        bounded[number] = guesses(site, &account, addresses).await;
        println!("guesser: {addresses} addresses, a day, one account: {} guesses", bounded[number]);
    }
    let unbounded = guesses(without, &without.app.core.account_names.of("mina"), 3).await;
    println!("guesser: 3 addresses without the limit by account: {unbounded} guesses");
    assert!(unbounded > 10 * bounded[0], "the simulation sees what the limit by account is for");
    bounded
}

/// Without what binds all addresses together.
const WITHOUT: [(&str, &str); 1] = [("limits.log_in_anywhere", "1000000/1d")];

#[tokio::test]
async fn more_addresses_are_worth_nothing_to_who_guesses_one_account() {
    let guesses = a_day(&Site::embedded().await, &Site::with(&WITHOUT).await).await;
    // A hundred at once, and a hundred more in the course of the day.
    assert!(guesses.iter().all(|made| (190..=200).contains(made)), "{guesses:?}");
}

#[tokio::test]
async fn and_so_on_redis() {
    let (site, without) = (Site::on_redis().await, Site::open(&WITHOUT, Some(RedisServer::private())).await);
    let guesses = a_day(&site, &without).await;
    assert!(guesses.iter().all(|made| (190..=200).contains(made)), "{guesses:?}");
}
