//! Munjigi's decisions.
//!
//! Everything in this crate is a plain function or a plain value: facts, the time and randomness go in, a decision comes
//! out. There is no `async`, no I/O, no clock and no random number here, so each rule can be read on one page, tested
//! without a server, and explored by a model checker (see `tests/`).
//!
//! | module | decides |
//! | --- | --- |
//! | [`ids`], [`time`] | the vocabulary: who, which session, when |
//! | [`username`], [`name`], [`password`] | what may be typed in |
//! | [`strength`] | what is said of a password while it is typed |
//! | [`register`], [`log_in`] | who gets in |
//! | [`session`] | how long a session lives and how it begins |
//! | [`refresh`] | what happens to a refresh token that is shown: the heart |
//! | [`revocation`] | what it means that something has ended |
//! | [`throttle`] | how often somebody may try |
//! | [`return_to`] | where a visitor may be sent afterwards |

pub mod ids;
pub mod log_in;
pub mod name;
pub mod password;
pub mod refresh;
pub mod register;
pub mod return_to;
pub mod revocation;
pub mod session;
pub mod strength;
pub mod throttle;
pub mod time;
pub mod username;

pub use ids::{Epoch, Generation, Nonce, SessionId, UserId};
pub use name::DisplayName;
pub use time::Timestamp;
pub use username::Username;
