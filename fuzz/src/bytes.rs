//! From bytes to what a target needs.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The first line and the rest.
pub(super) fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}

/// `number` bytes, the missing ones zero, and the rest.
pub(super) fn take<const N: usize>(data: &[u8]) -> ([u8; N], &[u8]) {
    let mut taken = [0; N];
    let length = data.len().min(N);
    taken[..length].copy_from_slice(&data[..length]);
    (taken, &data[length..])
}

/// `original`, changed as `script` says: three bytes for each change of a character, two for where and one for what.
pub(super) fn edited(original: &str, script: &[u8]) -> String {
    let mut text = original.to_owned();
    for change in script.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % (text.len() + 1);
        let character = char::from(change[2] & 0x7f);
        match change[2] {
            0x00..=0x7f if at < text.len() => text.replace_range(at..=at, character.encode_utf8(&mut [0; 4])),
            0x80..=0x9f if at < text.len() => drop(text.remove(at)),
            0xa0..=0xbf => text.truncate(at),
            _ => text.insert(at, character),
        }
    }
    text
}

/// The result of a future that never has to wait.
pub(super) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a future that was to be ready at once waits"),
    }
}
