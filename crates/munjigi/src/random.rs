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
