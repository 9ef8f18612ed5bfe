//! Users that are brought along from another system, many at a time.

use std::collections::HashSet;
use std::time::Instant;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use munjigi_rules::name::InvalidName;
use munjigi_rules::username::InvalidUsername;
use munjigi_rules::{DisplayName, Timestamp, UserId, Username};
use munjigi_store::{Brought, BroughtAlong, NewUser, StoredHash};

use super::FlowError;
use crate::core::Core;
use crate::import::{Malformed, Record, Row};
use crate::passwords::Scheme;
use crate::random;

/// Users in one transaction: a few milliseconds, in which nobody else writes.
const TOGETHER: usize = 250;

/// Why somebody is not brought along.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What stands there is no user.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The username is none of ours.
    #[error(transparent)]
    Username(#[from] InvalidUsername),
    /// The name cannot be shown.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Together with what is there.
    #[error("with hashes of so many kinds and costs, a failed log-in would take longer than can be waited for")]
    TooManyCosts,
    /// Nobody could log in with it.
    #[error("they have no password")]
    NoPassword,
    /// The hash says nothing to us. It may be a password in clear: it is not shown.
    #[error("the password hash is of no known kind, or costs more than can be waited for")]
    UnknownHash,
    /// A former line has the username.
    #[error("the username stands in the file twice (letters of either case are the same)")]
    Repeated,
    /// Somebody else has the id.
    #[error("somebody of another username has this id")]
    IdTaken,
    /// Neither yes nor no.
    #[error("whether they are enabled is neither yes nor no")]
    Enabled,
}

impl Refusal {
    /// For programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(Malformed::TooLong) => "too_long",
            Self::Malformed(_) | Self::Enabled => "malformed",
            Self::Username(_) => "invalid_username",
            Self::Name(_) => "invalid_name",
            Self::NoPassword => "no_password",
            Self::UnknownHash => "unknown_hash",
            Self::TooManyCosts => "too_many_costs",
            Self::Repeated => "repeated",
            Self::IdTaken => "id_taken",
        }
    }
}

/// Somebody who is not brought along.
#[derive(Debug)]
pub struct Refused {
    /// Where they stand.
    pub line: u64,
    /// The how-manieth user of the file they are: a dump has many on one line.
    pub number: u64,
    /// Who, where that is a username at all.
    pub username: Option<Username>,
    /// Why.
    pub why: Refusal,
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Import {
    /// Yes.
    Real,
    /// Everything is looked at, nothing is written.
    Dry,
}

/// Line, and number.
type Place = (u64, u64);

/// An import that is under way.
pub struct Importer<'a> {
    core: &'a Core,
    mode: Import,
    waiting: Vec<(Place, BroughtAlong)>,
    /// Usernames so far: all that stays in memory of a file.
    seen: HashSet<String>,
    /// What a failed log-in costs so far; `None` before the first user.
    schemes: Option<Vec<Scheme>>,
    /// Users that were looked at.
    read: u64,
    /// Accounts that were made, or would be.
    pub imported: u64,
    /// Usernames that are, or once were, somebody's.
    pub skipped: u64,
    /// How many were refused.
    pub refused: u64,
}

impl<'a> Importer<'a> {
    /// Begins.
    #[must_use]
    pub fn new(core: &'a Core, mode: Import) -> Self {
        let (waiting, seen) = (Vec::new(), HashSet::new());
        Self { core, mode, waiting, seen, schemes: None, read: 0, imported: 0, skipped: 0, refused: 0 }
    }

    /// Takes one user, and writes those that wait once there are enough. Returns who was refused.
    ///
    /// # Errors
    /// The store cannot be reached: those that wait are not written.
    pub async fn take(&mut self, row: Row) -> Result<Vec<Refused>, FlowError> {
        if self.schemes.is_none() {
            let present = self.core.users.schemes().await?;
            self.schemes = Some(present.iter().filter_map(|name| Scheme::named(name)).collect());
        }
        self.read += 1;
        let (line, number) = (row.line, self.read);
        let named = row.record.as_ref().ok().and_then(|record| record.username.as_deref());
        let username = named.and_then(|name| Username::parse(name).ok());
        let mut refused = Vec::new();
        match self.check(row.record) {
            Ok(user) => self.waiting.push(((line, number), user)),
            Err(why) => refused.push(Refused { line, number, username, why }),
        }
        if self.waiting.len() >= TOGETHER {
            refused.extend(self.write().await?);
        }
        self.refused += refused.len() as u64;
        Ok(refused)
    }

    /// Writes the last ones.
    ///
    /// # Errors
    /// As [`Importer::take`].
    pub async fn finish(&mut self) -> Result<Vec<Refused>, FlowError> {
        let refused = self.write().await?;
        self.refused += refused.len() as u64;
        Ok(refused)
    }

    fn check(&mut self, record: Result<Record, Malformed>) -> Result<BroughtAlong, Refusal> {
        let record = record?;
        let username = Username::parse(record.username.as_deref().unwrap_or_default())?;
        let name = record.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(username.as_str());
        let name = DisplayName::parse(name)?;
        let (scheme, hash) = hash(record.hash.as_deref().unwrap_or_default())?;
        let enabled = is_enabled(record.enabled.as_deref().unwrap_or_default())?;
        let now = self.core.now();
        let created_at = record.created_at.as_deref().and_then(moment).map_or(now, |at| at.min(now));
        // What is no UUID is not an id of ours.
        let own = record.id.as_deref().and_then(|id| id.parse().ok());
        let id = own.unwrap_or_else(|| UserId::new(created_at, random::bytes()));
        if !self.seen.insert(username.folded()) {
            return Err(Refusal::Repeated);
        }
        self.bear(scheme)?;
        Ok(BroughtAlong { user: NewUser { id, username, name, hash, created_at }, enabled })
    }

    /// Each failed log-in costs one hash of each scheme that anybody has: a file must not make that as long as it likes.
    fn bear(&mut self, scheme: Scheme) -> Result<(), Refusal> {
        let schemes = self.schemes.get_or_insert_default();
        if schemes.contains(&scheme) {
            return Ok(());
        }
        let more = Scheme::left(None, schemes.iter().copied().chain([scheme]));
        if !Scheme::are_bearable(&more) {
            return Err(Refusal::TooManyCosts);
        }
        *schemes = more;
        Ok(())
    }

    async fn write(&mut self) -> Result<Vec<Refused>, FlowError> {
        let waiting = std::mem::take(&mut self.waiting);
        let who: Vec<_> = waiting.iter().map(|(place, brought)| (*place, brought.user.username.clone())).collect();
        let begun = Instant::now();
        let outcomes = match self.mode {
            Import::Real => self.core.users.bring(waiting.into_iter().map(|(_, user)| user).collect()).await?,
            Import::Dry => {
                let taken = self.core.users.taken(who.iter().map(|(_, name)| name.clone()).collect()).await?;
                taken.into_iter().map(|taken| if taken { Brought::UsernameTaken } else { Brought::Created }).collect()
            }
        };
        if self.mode == Import::Real {
            // As long as it took, so that the server beside it comes to write half of the time.
            tokio::time::sleep(begun.elapsed()).await;
        }
        let mut refused = Vec::new();
        for (((line, number), username), outcome) in who.into_iter().zip(outcomes) {
            match outcome {
                Brought::Created => self.imported += 1,
                Brought::UsernameTaken => self.skipped += 1,
                Brought::IdTaken => {
                    refused.push(Refused { line, number, username: Some(username), why: Refusal::IdTaken });
                }
            }
        }
        Ok(refused)
    }
}

/// A hash that we verify. Django's `!` stands for nobody's password.
fn hash(text: &str) -> Result<(Scheme, StoredHash), Refusal> {
    if text.is_empty() || text.starts_with('!') {
        return Err(Refusal::NoPassword);
    }
    let scheme = Scheme::detect(text).ok_or(Refusal::UnknownHash)?;
    Ok((scheme, StoredHash { scheme: scheme.to_string(), text: text.to_owned() }))
}

/// As databases write it; nobody may log in whose file is unclear about it.
fn is_enabled(text: &str) -> Result<bool, Refusal> {
    match text.to_ascii_lowercase().as_str() {
        "" | "1" | "t" | "true" | "y" | "yes" | "\u{1}" => Ok(true),
        "0" | "f" | "false" | "n" | "no" | "\0" => Ok(false),
        _ => Err(Refusal::Enabled),
    }
}

/// RFC 3339, or as MySQL writes it, which is then taken for UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let in_utc = || Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let at = text.parse::<jiff::Timestamp>().ok().or_else(in_utc)?;
    Some(Timestamp::from_millis(at.as_millisecond())).filter(|at| *at >= Timestamp::from_millis(0))
}
