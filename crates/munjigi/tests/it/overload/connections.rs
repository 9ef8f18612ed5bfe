//! Connections that are held for nothing.

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::io::AsyncReadExt as _;

use super::{GET, HEAD, NEVER, Raw, Vitals, is_served, open_files};
use crate::harness::{Place, eventually};

/// How long clients may take in these tests.
fn place() -> Place {
    Place::new().set("server.client_timeout", "1s").set("limits.enabled", "false")
}

/// What a slow client sends before it becomes slow, what it then sends again and again, and what it may be told.
const SLOW: [(&str, &str, &str, &str); 6] = [
    ("says nothing", "", "", ""),
    ("begins a head and stops", "GET /user/info HTTP/1.1\r\nHos", "", ""),
    ("sends a head byte by byte", "GET /user/info HTTP/1.1\r\nX-Long: ", "x", ""),
    ("begins a body and stops", "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", "", "HTTP/1.1 400"),
    (
        "sends a body byte by byte",
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
        " ",
        "HTTP/1.1 400",
    ),
    (
        "sends a body chunk by chunk",
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        "1\r\n \r\n",
        "HTTP/1.1 400",
    ),
];

#[tokio::test]
async fn a_slow_client_is_cut_off_while_others_are_served() {
    let place = place();
    let server = place.serve().await;
    let (before, visitor) = Vitals::at_rest(&server).await;
    let mut slow = tokio::task::JoinSet::new();
    for (what, first, again, told) in SLOW {
        for _ in 0..10 {
            let mut raw = Raw::open(&server).await;
            let first = if told.is_empty() { first.to_owned() } else { format!("{HEAD}{first}") };
            slow.spawn(async move {
                raw.send(first).await.unwrap();
                while !again.is_empty() && !raw.is_over() && raw.send(again).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                let said = raw.rest().await;
                // What it was told may be lost by the reset that its own next byte provoked.
                assert!(said.is_empty() || said.starts_with(told) || !again.is_empty(), "{what}: {said}");
            });
        }
    }
    for _ in 0..5 {
        is_served(&visitor, &server).await;
    }
    for each in slow.join_all().await {
        let () = each;
    }
    before.are_back(&server).await;
    is_served(&visitor, &server).await;
}

#[tokio::test]
async fn silence_between_two_requests_is_not_for_ever() {
    let place = place();
    let server = place.serve().await;
    let mut raw = Raw::open(&server).await;
    raw.send(GET).await.unwrap();
    let said = raw.rest().await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
}

/// Asks again and again, and reads nothing of the answers, or a little now and then; ends when the server has had enough.
async fn asks_and_hardly_reads(mut raw: Raw, reads: bool) {
    let requests = GET.repeat(64);
    let asking = async {
        loop {
            match raw.0.try_write(requests.as_bytes()) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
            if reads && raw.0.read(&mut [0; 512]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(NEVER, asking).await.expect("it was never cut off");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answers_is_cut_off() {
    let place = place();
    let server = place.serve().await;
    let (before, visitor) = Vitals::at_rest(&server).await;
    let mut deaf = tokio::task::JoinSet::new();
    for reads in [false, false, true, true] {
        deaf.spawn(asks_and_hardly_reads(Raw::with_small_window(&server).await, reads));
    }
    is_served(&visitor, &server).await;
    assert_eq!(deaf.join_all().await.len(), 4);
    before.are_back(&server).await;
    is_served(&visitor, &server).await;
}

#[tokio::test]
async fn idle_connections_do_not_keep_others_out() {
    const FILES: u32 = 160;
    // Long enough that none of them is closed for its silence.
    let place = place().set("server.client_timeout", "60s").open_files(FILES);
    let server = place.serve().await;
    let mut visitor = server.browser();
    visitor.register("visitor").await.expect(201);
    let mut kept = Raw::open(&server).await;
    kept.send(GET).await.unwrap();
    kept.answer().await;
    let mut idle = Vec::new();
    for round in 0..6 {
        for number in 0..100 {
            let mut raw = Raw::from(&server, "127.0.0.2").await;
            let begun = ["", "GET /user/info HTT", HEAD][(round + number) % 3];
            // The server may need its place before it has said this.
            let _ = raw.send(begun).await;
            idle.push(raw);
            // With none left, accepting makes room too: the cap is there so that stores and files find some at any time.
            let open = open_files(&server);
            assert!(open <= FILES as usize - 8, "{open} of {FILES}");
        }
        is_served(&visitor, &server).await;
    }
    let left = idle.iter().filter(|raw| !raw.is_over()).count();
    assert!(left > 32, "they were closed to make room, and not for being there: {left} are left");
    assert!(!kept.is_over(), "who has few connections keeps them");
    drop(idle);
    eventually("all is closed", || async { open_files(&server) < 60 }).await;
    assert!(place.log().contains("few_descriptors"), "{}", place.log());
    is_served(&visitor, &server).await;
}

#[tokio::test]
async fn where_descriptors_run_out_all_the_same_it_goes_on_to_accept() {
    let place = place().set("server.client_timeout", "60s");
    let server = place.serve().await;
    let mut visitor = server.browser();
    visitor.register("visitor").await.expect(201);
    is_served(&visitor, &server).await;
    let pid = Pid::from_raw(i32::try_from(server.id()).unwrap()).unwrap();
    let room_for = |more: u64| {
        let most = open_files(&server) as u64 + more;
        prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(most), maximum: Some(20_000) }).unwrap()
    };
    let usual = room_for(12);
    let mut idle = Vec::new();
    for _ in 0..24 {
        idle.push(Raw::from(&server, "127.0.0.2").await);
    }
    eventually("it has run out of descriptors", || async { place.log().contains("accept_failed") }).await;
    is_served(&visitor, &server).await;
    prlimit(Some(pid), Resource::Nofile, usual).unwrap();
    is_served(&visitor, &server).await;
}
