//! What `munjigi doctor` asks a running server by its public URL: what it sees of the question.
//!
//! Only whoever has the installation's secret can ask: a call is signed with a key derived from it, for a minute. To anybody else
//! there is nothing there. An answer tells of the request that asks, and of nobody else's.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use munjigi_gate::jws::Refused;
use munjigi_rules::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::derived_keys::DerivedKeys;
use crate::random;
use crate::secret::Secrets;

const TYP: &str = "doctor+jwt";
const PURPOSE: &str = "munjigi doctor calls v1";
/// A call is good for so long before and after it was signed, in milliseconds: the clocks of two machines may differ.
const GOOD_FOR: u64 = 60_000;

/// The header that a call is in. Not `Authorization`: a proxy may want its own password there.
pub const CALL: &str = "x-munjigi-doctor";
/// Below `server.base_path`, so that it goes the way of the pages.
pub const PATH: &str = "/doctor";
/// Headers of the question that are told as they came: what a proxy adds, replaces or loses.
pub const TOLD: [&str; 7] =
    ["host", "x-forwarded-for", "x-forwarded-proto", "forwarded", "cookie", "origin", "sec-fetch-site"];

/// A call that was signed here.
#[derive(Debug, Serialize, Deserialize)]
pub struct Call {
    /// When, in milliseconds since 1970.
    at: i64,
    /// Comes back in the answer, so that one out of a cache is noticed.
    pub nonce: String,
}

/// Signs and verifies calls.
pub struct DoctorCalls(DerivedKeys);

impl DoctorCalls {
    /// With the keys of all secrets; the present one signs.
    ///
    /// # Errors
    /// Never with derived keys, which are long enough.
    pub fn new(secrets: Secrets) -> anyhow::Result<Self> {
        Ok(Self(DerivedKeys::new(secrets, PURPOSE, TYP)?))
    }

    /// A call, and the nonce of its answer.
    ///
    /// # Errors
    /// If signing fails, which it has no reason to.
    pub fn sign(&self, now: Timestamp) -> anyhow::Result<(String, String)> {
        let nonce = format!("{:032x}", u128::from_be_bytes(random::bytes()));
        Ok((self.0.sign(&Call { at: now.as_millis(), nonce: nonce.clone() })?, nonce))
    }

    /// The call, if one of our keys has signed it a moment ago.
    ///
    /// # Errors
    /// [`Refused`]: it is not ours, or not of now.
    pub fn open(&self, shown: &str, now: Timestamp) -> Result<Call, Refused> {
        let call: Call = self.0.open(shown, now)?;
        let off = now.millis_since(Timestamp::from_millis(call.at)).unsigned_abs();
        if off > GOOD_FOR { Err(Refused::Claims) } else { Ok(call) }
    }
}

/// What a server sees of a call.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sight {
    /// Of the call.
    pub nonce: String,
    /// The server's clock, in milliseconds since 1970.
    pub now: i64,
    /// Of the program that runs.
    pub version: String,
    /// `server.public_url` as the running server has it.
    pub public_url: String,
    /// The other end of the connection.
    #[schema(value_type = Option<String>, required)]
    pub peer: Option<SocketAddr>,
    /// Whether that is in `server.trusted_proxies`.
    pub trusted: bool,
    /// The visitor's address, as limits know it.
    #[schema(value_type = Option<String>, required)]
    pub address: Option<IpAddr>,
    /// Headers of the question, as they came.
    pub headers: BTreeMap<String, Vec<String>>,
}

impl Sight {
    /// All values of a header, in their order.
    #[must_use]
    pub fn header(&self, name: &str) -> &[String] {
        self.headers.get(name).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn calls(secret: &str) -> DoctorCalls {
        DoctorCalls::new(Secrets::configured(secret.to_owned().into(), vec![])).unwrap()
    }

    #[test]
    fn a_call_is_good_for_a_minute_and_with_the_same_secret_only() {
        let ours = calls("one secret of thirty-two bytes....");
        let (call, nonce) = ours.sign(NOW).unwrap();
        for (seconds, good) in [(0, true), (60, true), (61, false), (3_600, false)] {
            let span = Duration::from_secs(seconds);
            assert_eq!(ours.open(&call, NOW.plus(span)).is_ok(), good, "{seconds} s after");
            assert_eq!(ours.open(&call, NOW.minus(span)).is_ok(), good, "{seconds} s before");
        }
        assert_eq!(ours.open(&call, NOW).unwrap().nonce, nonce);
        assert!(calls("another secret of thirty-two bytes").open(&call, NOW).is_err());
    }
}
