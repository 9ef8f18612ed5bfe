//! One signature, one spelling: the lower `s` of ECDSA on P-256.
//!
//! With (r, s) also (r, n − s) verifies, so that anybody could respell a valid token. We make the lower one and take no
//! other: then a token is either the very text that was issued or nothing at all.

use std::cmp::Ordering;

/// Bytes of a signature: `r` and `s`, 32 each, big-endian (RFC 7518 section 3.4).
const SIGNATURE: usize = 64;

/// The order n of the group (FIPS 186-5, P-256), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// (n − 1) / 2: the highest lower `s`.
const HALF: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d,
    0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Whether the signature is spelt with the lower `s`. What is no signature at all is left to the verification.
pub(super) fn is_low(signature: &[u8]) -> bool {
    match signature.split_at_checked(SIGNATURE / 2) {
        Some((_, s)) => s.cmp(HALF.as_slice()) != Ordering::Greater,
        None => false,
    }
}

/// The same signature spelt with the lower `s`.
pub(super) fn lower(signature: &[u8]) -> Vec<u8> {
    let mut low = signature.to_vec();
    if is_low(signature) {
        return low;
    }
    let mut borrow = 0u8;
    for (digit, n) in low.iter_mut().skip(SIGNATURE / 2).zip(ORDER).rev() {
        let (first, under) = n.overflowing_sub(*digit);
        let (second, again) = first.overflowing_sub(borrow);
        *digit = second;
        borrow = u8::from(under || again);
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_s(s: [u8; 32]) -> Vec<u8> {
        [[7; 32], s].concat()
    }

    #[test]
    fn twice_the_half_and_one_is_the_order() {
        let mut carry = 1u16;
        let mut twice = [0u8; 32];
        for (at, half) in HALF.iter().enumerate().rev() {
            let sum = u16::from(*half) * 2 + carry;
            twice[at] = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        assert_eq!((twice, carry), (ORDER, 0));
    }

    #[test]
    fn the_higher_spelling_becomes_the_lower_one_and_the_lower_one_stays() {
        let mut above = HALF;
        above[31] += 1;
        assert!(is_low(&with_s(HALF)) && !is_low(&with_s(above)));
        assert_eq!(lower(&with_s(above)), with_s(HALF));
        assert_eq!(lower(&with_s(HALF)), with_s(HALF));
        let mut top = ORDER;
        top[31] -= 1;
        let mut one = [0; 32];
        one[31] = 1;
        assert_eq!(lower(&with_s(top)), with_s(one));
    }
}
