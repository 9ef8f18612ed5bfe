//! A session's record as it lies in Redis: 49 bytes, so that a user's hash stays a compact list.
//!
//! ```text
//!  offset  0        1          5       21          29          37      45
//!          version  gen        spent   rotated_at  idle_until  until   epoch     integers big-endian, times in ms
//!          u8 = 1   u32        16      i64         i64         i64     u32
//! ```
//!
//! `record.lua` says the same for the scripts.

use munjigi_rules::refresh::Record;
use munjigi_rules::{Epoch, Generation, Nonce, Timestamp};

const VERSION: u8 = 1;
const LENGTH: usize = 49;

/// For the store.
pub(crate) fn pack(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.push(VERSION);
    bytes.extend(record.generation.0.to_be_bytes());
    bytes.extend(record.spent.as_bytes());
    for time in [record.rotated_at, record.idle_until, record.until] {
        bytes.extend(time.as_millis().to_be_bytes());
    }
    bytes.extend(record.epoch.0.to_be_bytes());
    bytes
}

/// From the store. `None`: nothing that [`pack`] writes.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Record> {
    let (version, mut rest) = bytes.split_first()?;
    if *version != VERSION || bytes.len() != LENGTH {
        return None;
    }
    Some(Record {
        generation: Generation(u32::from_be_bytes(next(&mut rest)?)),
        spent: Nonce::from_bytes(next(&mut rest)?),
        rotated_at: time(&mut rest)?,
        idle_until: time(&mut rest)?,
        until: time(&mut rest)?,
        epoch: Epoch(u32::from_be_bytes(next(&mut rest)?)),
    })
}

fn time(rest: &mut &[u8]) -> Option<Timestamp> {
    next(rest).map(i64::from_be_bytes).map(Timestamp::from_millis)
}

fn next<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_reads_back_and_other_bytes_are_none() {
        let record = Record {
            generation: Generation(u32::MAX),
            spent: Nonce::from_bytes([7; 16]),
            rotated_at: Timestamp::from_millis(1),
            idle_until: Timestamp::from_millis(-2),
            until: Timestamp::from_millis(i64::MAX),
            epoch: Epoch(3),
        };
        let bytes = pack(&record);
        assert_eq!(bytes.len(), LENGTH);
        assert_eq!(unpack(&bytes), Some(record));
        assert_eq!(unpack(&bytes[..48]), None);
        assert_eq!(unpack(&[]), None);
        assert_eq!(unpack(&[bytes.as_slice(), &[0]].concat()), None);
        assert_eq!(unpack(&[&[2], &bytes[1..]].concat()), None);
    }
    proptest! {
        #[test]
        fn bytes_are_a_record_if_they_are_what_it_is_written_as(
            first in prop_oneof![Just(VERSION), any::<u8>()],
            rest in prop_oneof![prop::collection::vec(any::<u8>(), LENGTH - 1), prop::collection::vec(any::<u8>(), 0..100)],
        ) {
            let bytes = [vec![first], rest].concat();
            let read = unpack(&bytes);
            prop_assert_eq!(read.is_some(), first == VERSION && bytes.len() == LENGTH);
            prop_assert_eq!(read.map(|record| pack(&record)), read.map(|_| bytes));
        }
    }
}
