//! How passwords are hashed, here and where people come from.
//!
//! New hashes are Argon2id in the PHC string format. Hashes that were brought along are verified as they are, on the bytes
//! as typed and then in NFC, and replaced at the first log-in that succeeds. [`super::foreign`] takes them apart.

use std::collections::BTreeMap;
use std::fmt;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use munjigi_rules::password::normalise;
use munjigi_store::StoredHash;

use super::foreign::Foreign;
use crate::{config, random};

/// Most that a bcrypt hash brought along may cost: 2^16 rounds, a few seconds.
const MOST_BCRYPT_COST: u32 = 16;
/// Most rounds of a PBKDF2 hash brought along: a few seconds too.
const MOST_ROUNDS: u32 = 4_000_000;
/// Most KiB that a scrypt hash brought along may take, and most in all its lanes, one after the other.
const MOST_SCRYPT: (u64, u64) = (256 * 1024, 1024 * 1024);
/// In how many parts the most that one hash may cost is divided.
const WHOLE: u64 = 1_000_000;

/// A way of hashing, with its cost: users of one scheme cost the same to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Argon2id, version 1.3 (RFC 9106).
    Argon2id {
        /// Memory in KiB.
        memory: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// bcrypt, as `$2a$`, `$2b$` and `$2y$`.
    Bcrypt {
        /// Two to the power of it is the number of rounds.
        cost: u32,
    },
    /// PBKDF2 with HMAC (RFC 8018).
    Pbkdf2 {
        /// The hash function below.
        prf: Prf,
        /// Rounds.
        rounds: u32,
    },
    /// scrypt (RFC 7914).
    Scrypt {
        /// N is two to the power of it.
        log_n: u8,
        /// Block size.
        r: u32,
        /// Lanes.
        p: u32,
    },
    /// The tutorial's: PBKDF2-HMAC-SHA-512 with the salt's base64 text for salt.
    Tutorial,
}

/// What PBKDF2 stands on. SHA-1 has collisions, which is no way into an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Prf {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Prf {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes of one block.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2id { memory, passes, lanes } => write!(f, "argon2id:m={memory},t={passes},p={lanes}"),
            Self::Bcrypt { cost } => write!(f, "bcrypt:{cost}"),
            Self::Pbkdf2 { prf, rounds } => write!(f, "pbkdf2-{}:{rounds}", prf.name()),
            Self::Scrypt { log_n, r, p } => write!(f, "scrypt:ln={log_n},r={r},p={p}"),
            Self::Tutorial => f.write_str("tutorial"),
        }
    }
}

/// Memory that one worker uses again and again, and what it did with it.
#[derive(Default)]
pub struct Memory {
    blocks: Vec<Block>,
    /// Hashes computed, one entry each.
    done: Vec<Scheme>,
}

impl Memory {
    fn blocks(&mut self, params: &Params) -> &mut [Block] {
        let needed = params.block_count();
        if self.blocks.len() < needed {
            self.blocks.resize(needed, Block::default());
        }
        self.blocks.get_mut(..needed).unwrap_or_default()
    }

    /// The hashes that were computed since this was asked last.
    pub fn take_done(&mut self) -> Vec<Scheme> {
        std::mem::take(&mut self.done)
    }
}

impl Scheme {
    /// The scheme of a hash as other systems keep it, if it is one that we verify.
    #[must_use]
    pub fn detect(text: &str) -> Option<Self> {
        if let Ok(hash) = PasswordHash::new(phc(text))
            && hash.algorithm.as_str() == "argon2id"
        {
            let params = Params::try_from(&hash).ok()?;
            let version_1_3 = hash.version == Some(Version::V0x13.into());
            let whole = hash.salt.is_some() && hash.hash.is_some();
            let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
            let scheme = Self::Argon2id { memory, passes, lanes };
            return (version_1_3 && whole && scheme.is_bearable()).then_some(scheme);
        }
        Foreign::parse(text).map(|hash| hash.scheme())
    }

    /// Whether it can be waited for. What costs more is taken for no hash, wherever it is from.
    pub(super) fn is_bearable(self) -> bool {
        match self {
            Self::Argon2id { memory, passes, lanes } => {
                memory <= config::Passwords::MOST_MEMORY
                    && passes <= config::Passwords::MOST_PASSES
                    && u64::from(memory) * u64::from(passes) <= u64::from(config::Passwords::MOST_WORK)
                    && Params::new(memory, passes, lanes, None).is_ok()
            }
            Self::Bcrypt { cost } => (4..=MOST_BCRYPT_COST).contains(&cost),
            Self::Pbkdf2 { rounds, .. } => (1..=MOST_ROUNDS).contains(&rounds),
            Self::Scrypt { log_n, r, p } => {
                // N is larger than one, by the description.
                (1..32).contains(&log_n)
                    && Self::scrypt_blocks(log_n, r, p)
                        .is_some_and(|(memory, work)| memory <= MOST_SCRYPT.0 * 8 && work <= MOST_SCRYPT.1 * 8)
                    && scrypt::Params::new(log_n, r, p).is_ok()
            }
            Self::Tutorial => true,
        }
    }

    /// What scrypt holds, and what it goes through, in its blocks of 128 bytes. It holds `r` for each lane beside the `N` times `r`
    /// that all share: with a small N the lanes may be more than there is memory.
    fn scrypt_blocks(log_n: u8, r: u32, p: u32) -> Option<(u64, u64)> {
        let (n, r, p) = (1_u64.checked_shl(log_n.into())?, u64::from(r), u64::from(p));
        Some((n.max(p).checked_mul(r)?, n.checked_mul(r)?.checked_mul(p)?))
    }

    /// Whether a failed log-in, which costs one of each, can be waited for where these are present: together they cost no more than
    /// one may.
    #[must_use]
    pub fn are_bearable(present: &[Self]) -> bool {
        let shares = Self::left(None, present.iter().copied()).into_iter().map(Self::share);
        shares.fold(0_u64, u64::saturating_add) <= WHOLE
    }

    /// What it costs of the most that one may: of [`WHOLE`], and a thousandth at least.
    fn share(self) -> u64 {
        let (work, most) = match self {
            Self::Argon2id { memory, passes, .. } => {
                (u64::from(memory) * u64::from(passes), config::Passwords::MOST_WORK.into())
            }
            Self::Bcrypt { cost } => (1_u64.checked_shl(cost).unwrap_or(u64::MAX), 1 << MOST_BCRYPT_COST),
            Self::Pbkdf2 { rounds, .. } => (rounds.into(), MOST_ROUNDS.into()),
            Self::Scrypt { log_n, r, p } => {
                (Self::scrypt_blocks(log_n, r, p).map_or(u64::MAX, |(_, work)| work), MOST_SCRYPT.1 * 8)
            }
            Self::Tutorial => (super::foreign::TUTORIAL_ROUNDS.get().into(), MOST_ROUNDS.into()),
        };
        (work.saturating_mul(WHOLE) / most).max(WHOLE / 1000)
    }

    /// The scheme that [`fmt::Display`] wrote, if it is one that we verify.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::read(name).filter(|scheme| scheme.is_bearable() && scheme.to_string() == name)
    }

    fn read(name: &str) -> Option<Self> {
        if name == "tutorial" {
            return Some(Self::Tutorial);
        }
        let (family, cost) = name.split_once(':')?;
        match family {
            "bcrypt" => Some(Self::Bcrypt { cost: cost.parse().ok()? }),
            "scrypt" => {
                let (log_n, rest) = cost.strip_prefix("ln=")?.split_once(",r=")?;
                let (r, p) = rest.split_once(",p=")?;
                Some(Self::Scrypt { log_n: log_n.parse().ok()?, r: r.parse().ok()?, p: p.parse().ok()? })
            }
            "argon2id" => {
                let (memory, rest) = cost.strip_prefix("m=")?.split_once(",t=")?;
                let (passes, lanes) = rest.split_once(",p=")?;
                Some(Self::Argon2id {
                    memory: memory.parse().ok()?,
                    passes: passes.parse().ok()?,
                    lanes: lanes.parse().ok()?,
                })
            }
            _ => {
                let name = family.strip_prefix("pbkdf2-")?;
                let prf = Prf::ALL.into_iter().find(|prf| prf.name() == name)?;
                Some(Self::Pbkdf2 { prf, rounds: cost.parse().ok()? })
            }
        }
    }

    /// What is left to do for a failure to cost the same for everybody, once `own` was done: each of the `others`; but PBKDF2
    /// of one function costs as many rounds as it says, so there the longest stands for all, less what was done.
    #[must_use]
    pub fn left(own: Option<Self>, others: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut left = Vec::new();
        let mut most = BTreeMap::new();
        for scheme in others.filter(|scheme| Some(*scheme) != own) {
            match scheme {
                Self::Pbkdf2 { prf, rounds } => {
                    let longest = most.entry(prf).or_insert(rounds);
                    *longest = rounds.max(*longest);
                }
                other => left.push(other),
            }
        }
        for (prf, longest) in most {
            let done = match own {
                Some(Self::Pbkdf2 { prf: own, rounds }) if own == prf => rounds,
                _ => 0,
            };
            if longest > done {
                left.push(Self::Pbkdf2 { prf, rounds: longest - done });
            }
        }
        left
    }

    /// Whether `typed` is the password of `hash`, which is of this scheme.
    #[must_use]
    pub fn verify(self, hash: &StoredHash, typed: &str, memory: &mut Memory) -> bool {
        let normal = normalise(typed);
        match self {
            Self::Argon2id { .. } => {
                memory.done.push(self);
                verify_argon2id(&hash.text, normal.as_bytes(), memory)
            }
            _ => {
                let foreign = Foreign::parse(&hash.text);
                let mut try_one = |password: &str| {
                    memory.done.push(self);
                    foreign.as_ref().is_some_and(|foreign| foreign.is_of(password))
                };
                let as_typed = try_one(typed);
                // Both forms are tried whatever the first one says, so that time tells nothing.
                let in_nfc = typed != normal.as_str() && try_one(&normal);
                as_typed || in_nfc
            }
        }
    }

    /// Does the work of [`Scheme::verify`] for nobody.
    pub fn burn(self, typed: &str, memory: &mut Memory) {
        let nobody = StoredHash { scheme: self.to_string(), text: self.of_nobody() };
        std::hint::black_box(self.verify(&nobody, typed, memory));
    }

    /// A hash of this scheme that no password has.
    fn of_nobody(self) -> String {
        match self {
            Self::Argon2id { memory, passes, lanes } => {
                format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$AAAAAAAAAAAAAAAAAAAAAA${}", "A".repeat(43))
            }
            Self::Bcrypt { cost } => format!("$2b${cost:02}${}", ".".repeat(53)),
            Self::Pbkdf2 { prf, rounds } => {
                let hash = "00".repeat(prf.len());
                format!("pbkdf2:{}:{rounds}$AAAAAAAAAAAAAAAA${hash}", prf.name())
            }
            Self::Scrypt { log_n, r, p } => {
                format!("$scrypt$ln={log_n},r={r},p={p}$AAAAAAAAAAAAAAAAAAAAAA${}", "A".repeat(43))
            }
            Self::Tutorial => format!("{}==$AAAAAAAAAAAAAAAAAAAAAA==", "A".repeat(86)),
        }
    }

    /// Hashes a new password. Only Argon2id makes new hashes.
    ///
    /// # Errors
    /// If the parameters are out of bounds, which the configuration sees to.
    pub fn hash(params: &Params, password: &str, memory: &mut Memory) -> anyhow::Result<StoredHash> {
        let salt = random::bytes::<16>();
        let mut out = [0; 32];
        memory.done.push(Self::of(params));
        argon2(params.clone()).hash_password_into_with_memory(
            password.as_bytes(),
            &salt,
            &mut out,
            memory.blocks(params),
        )?;
        let text = PasswordHash {
            algorithm: Algorithm::Argon2id.into(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params).map_err(anyhow::Error::msg)?,
            salt: Some(Salt::new(&salt).map_err(anyhow::Error::msg)?),
            hash: Some(Output::new(&out).map_err(anyhow::Error::msg)?),
        };
        Ok(StoredHash { scheme: Self::of(params).to_string(), text: text.to_string() })
    }

    /// The scheme of new hashes.
    #[must_use]
    pub fn of(params: &Params) -> Self {
        Self::Argon2id { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }
}

fn argon2(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Compiled once. Inlined where somebody's hash is verified and where one is burned for nobody, it became two loops of different
/// speed: a known user's failure took a fiftieth longer.
#[inline(never)]
fn verify_argon2id(text: &str, password: &[u8], memory: &mut Memory) -> bool {
    let Ok(kept) = PasswordHash::new(phc(text)) else { return false };
    let (Ok(params), Some(salt), Some(hash)) = (Params::try_from(&kept), kept.salt, kept.hash) else { return false };
    let mut out = vec![0; hash.len()];
    let hashed =
        argon2(params.clone()).hash_password_into_with_memory(password, &salt, &mut out, memory.blocks(&params));
    hashed.is_ok() && equal(&out, hash.as_bytes())
}

/// Django's name in front of it, off.
fn phc(text: &str) -> &str {
    text.strip_prefix("argon2").filter(|rest| rest.starts_with("$argon2")).unwrap_or(text)
}

pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample that the format's description gives for the tutorial's app, of the password it gives.
    const TUTORIAL: &str = "zh8XRvXHpAY2z6oj7+nKbBNTOhSa+/g6CicAxpLECd8wEbAxyPO52IoTanjiPZ407yoNE1rYg6EJhm46H7LL0w==$AAECAwQFBgcICQoLDA0ODw==";

    fn verify(text: &str, typed: &str) -> bool {
        let scheme = Scheme::detect(text).unwrap();
        let hash = StoredHash { scheme: scheme.to_string(), text: text.to_owned() };
        scheme.verify(&hash, typed, &mut Memory::default())
    }

    #[test]
    fn a_new_hash_verifies_and_says_what_it_cost() {
        let params = Params::new(64, 1, 1, None).unwrap();
        let mut memory = Memory::default();
        let hash = Scheme::hash(&params, "blue kettle 9", &mut memory).unwrap();
        assert!(hash.text.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hash.text);
        assert_eq!(hash.scheme, "argon2id:m=64,t=1,p=1");
        assert!(verify(&hash.text, "blue kettle 9") && !verify(&hash.text, "blue kettle 8"));
        let again = Scheme::hash(&params, "blue kettle 9", &mut memory).unwrap();
        assert_ne!(hash.text, again.text, "each hash has a salt of its own");
    }

    #[test]
    fn reused_memory_gives_the_same_hash_as_fresh_memory() {
        let text = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA";
        let mut memory = Memory::default();
        let large = Params::new(256, 2, 1, None).unwrap();
        let _ = Scheme::hash(&large, "soil the memory", &mut memory).unwrap();
        let mut reused = [0; 32];
        let params = Params::new(64, 1, 1, None).unwrap();
        argon2(params.clone())
            .hash_password_into_with_memory(b"x", &[0; 16], &mut reused, memory.blocks(&params))
            .unwrap();
        let mut fresh = [0; 32];
        argon2(params).hash_password_into(b"x", &[0; 16], &mut fresh).unwrap();
        assert_eq!(reused, fresh, "{text}");
    }

    #[test]
    fn a_bcrypt_hash_verifies_under_all_three_of_its_names() {
        let hash = bcrypt::hash("blue kettle 9", 4).unwrap();
        for name in ["$2a$", "$2b$", "$2y$"] {
            let renamed = format!("{name}{}", hash.get(4..).unwrap());
            assert_eq!(Scheme::detect(&renamed), Some(Scheme::Bcrypt { cost: 4 }));
            assert!(verify(&renamed, "blue kettle 9") && !verify(&renamed, "blue kettle 8"), "{renamed}");
        }
        assert!(!verify(&hash, &"x".repeat(300)));
    }

    #[test]
    fn the_tutorials_own_hash_is_recomputed_to_the_letter() {
        assert_eq!(Scheme::detect(TUTORIAL), Some(Scheme::Tutorial));
        assert!(!verify(TUTORIAL, "wrong"));
        // Of 비밀번호, made with another implementation (Python's hashlib).
        let kept = concat!(
            "1spesMpos0dSp0mJi9l8FM5ajXwvTlTtkiaW1X+LmhwKFs9HdtxM9DmpicIYefCiID68OIOmDTZKn7SKqcWlcQ==",
            "$c2FsdHNhbHRzYWx0c2FsdA=="
        );
        assert!(verify(kept, "비밀번호"));
        let decomposed: String = "비밀번호".chars().flat_map(decompose).collect();
        assert_ne!(decomposed, "비밀번호");
        assert!(verify(kept, &decomposed), "typed on another keyboard");
    }

    /// Hangul syllables into jamo (Unicode section 3.12).
    fn decompose(c: char) -> Vec<char> {
        let index = u32::from(c) - 0xac00;
        let parts = [0x1100 + index / 588, 0x1161 + index % 588 / 28, 0x11a7 + index % 28];
        parts.into_iter().filter(|part| *part != 0x11a7).filter_map(char::from_u32).collect()
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_not_taken_for_one() {
        for odd in [
            "",
            "$",
            "$$",
            "plain",
            "$2b$99$aaaa",
            "$2b$31$......................................................",
            "$2b$12$가나다라마바사아자차카타파하",
            "$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
            "AAAA$AAAA",
        ] {
            assert_eq!(Scheme::detect(odd), None, "{odd}");
        }
        let tutorial = |salt: usize| format!("{}==${}", "A".repeat(86), "A".repeat(salt));
        for (salt, taken) in [(24, true), (256, true), (260, false), (1 << 20, false)] {
            assert_eq!(Scheme::detect(&tutorial(salt)).is_some(), taken, "a salt of {salt} characters");
        }
        for bearable in ["argon2id:m=1048576,t=4,p=1", "argon2id:m=65536,t=64,p=1", "bcrypt:16"] {
            assert!(Scheme::named(bearable).is_some(), "{bearable}");
        }
        for odd in [
            "",
            "bcrypt:31",
            "bcrypt:+7",
            "argon2id:m=4294967295,t=1,p=1",
            "argon2id:m=64,t=65,p=1",
            "argon2id:m=1048576,t=5,p=1",
            "md5:1",
        ] {
            assert_eq!(Scheme::named(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_longest_of_one_function_stands_for_all_of_it_whoever_failed() {
        let pbkdf2 = |prf, rounds| Scheme::Pbkdf2 { prf, rounds };
        let (old, new, other) = (pbkdf2(Prf::Sha256, 260_000), pbkdf2(Prf::Sha256, 1_000_000), pbkdf2(Prf::Sha1, 5));
        let present = [old, new, other, Scheme::Tutorial];
        let left = |own| Scheme::left(own, present.into_iter());
        assert_eq!(left(None), [Scheme::Tutorial, other, new]);
        assert_eq!(left(Some(old)), [Scheme::Tutorial, other, pbkdf2(Prf::Sha256, 740_000)]);
        assert_eq!(left(Some(new)), [Scheme::Tutorial, other]);
        assert_eq!(left(Some(Scheme::Tutorial)), [other, new]);
    }

    #[test]
    fn what_one_hash_may_cost_all_together_may_cost() {
        let argon2id = |memory, passes| Scheme::Argon2id { memory, passes, lanes: 1 };
        let dearest = argon2id(1024 * 1024, 4);
        let usual = [Scheme::Tutorial, Scheme::Bcrypt { cost: 12 }, Scheme::Scrypt { log_n: 14, r: 16, p: 1 }];
        let pbkdf2 = (0..10_000).map(|more| Scheme::Pbkdf2 { prf: Prf::Sha256, rounds: 600_000 + more });
        assert!(Scheme::are_bearable(&[dearest]) && Scheme::are_bearable(&usual));
        assert!(Scheme::are_bearable(&pbkdf2.chain(usual).collect::<Vec<_>>()), "the longest stands for all");
        assert!(!Scheme::are_bearable(&[dearest, argon2id(64, 1)]));
        let cheap: Vec<_> = (8..1009).map(|memory| argon2id(memory, 1)).collect();
        assert!(!Scheme::are_bearable(&cheap) && Scheme::are_bearable(&cheap[1..]), "nor thousands of small ones");
        for dearest in ["bcrypt:16", "pbkdf2-sha512:4000000", "scrypt:ln=18,r=8,p=4", "scrypt:ln=1,r=1,p=2097152"] {
            let dearest = Scheme::named(dearest).unwrap();
            assert!(Scheme::are_bearable(&[dearest]), "{dearest}");
        }
    }

    #[test]
    fn burning_runs_the_real_verification_of_every_scheme() {
        let mut memory = Memory::default();
        let pbkdf2 = |prf| Scheme::Pbkdf2 { prf, rounds: 1000 };
        for scheme in [
            Scheme::Argon2id { memory: 64, passes: 1, lanes: 1 },
            Scheme::Bcrypt { cost: 4 },
            pbkdf2(Prf::Sha1),
            pbkdf2(Prf::Sha256),
            pbkdf2(Prf::Sha512),
            Scheme::Scrypt { log_n: 10, r: 8, p: 1 },
            Scheme::Tutorial,
        ] {
            assert_eq!(Scheme::named(&scheme.to_string()), Some(scheme));
            assert_eq!(Scheme::detect(&scheme.of_nobody()), Some(scheme), "it is taken for what it is made for");
            scheme.burn("anything", &mut memory);
        }
        assert!(!memory.blocks.is_empty() && memory.take_done().len() == 7);
        assert!(Scheme::detect(&format!("$2b$04${}", ".".repeat(53))).is_some());
        assert!(Scheme::detect(&format!("{}==$AAAAAAAAAAAAAAAAAAAAAA==", "A".repeat(86))).is_some());
    }
}
