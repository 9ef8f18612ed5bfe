//! Randomness, from the operating system by way of aws-lc-rs.

/// `N` random bytes.
///
/// # Panics
/// Never in practice: the operating system's generator cannot fail once the process runs, and going on without
/// randomness would be worse than not going on.
#[must_use]
#[expect(clippy::expect_used, reason = "there is nothing safe to do without randomness")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn a_million_nonces_drawn_by_64_threads_at_once_are_all_different() {
        let drawn: HashSet<[u8; 16]> = std::thread::scope(|scope| {
            let draw = || (0..16_000).map(|_| super::bytes()).collect::<Vec<[u8; 16]>>();
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(draw)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(drawn.len(), 64 * 16_000);
        // Every bit is set about half the time: 512,000 of 1,024,000, give or take ten standard deviations.
        let mut set = [0_u32; 128];
        for nonce in drawn {
            let nonce = u128::from_be_bytes(nonce);
            for (bit, set) in set.iter_mut().enumerate() {
                *set += u32::from(nonce >> bit & 1 == 1);
            }
        }
        assert!(set.iter().all(|set| (506_900..517_100).contains(set)), "{set:?}");
    }
}
