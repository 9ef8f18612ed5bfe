//! The gate: a [`tower_layer::Layer`] and axum extractors that turn a request into *anonymous*, *signed in* or *renewed*
//! (section 3 of the specification).
//!
//! ```text
//!                       ┌────────────── gate ──────────────┐
//!  request ── cookies ──┤ verify ─ cache     revoked set   ├── inner service ── response ── cookies ──►
//!             or bearer │    │ expired                     │    Visitor                    CookieOrder
//!                       │    └── renew (a trait) ──────────┤
//!                       └──────────────────────────────────┘
//! ```
//!
//! While an access token is good, a request costs one look into a cache and no I/O. Everything else is behind a small
//! trait: where keys come from ([`KeySource`]), who renews ([`Renew`]), what time it is ([`Clock`]). What has ended comes
//! in through [`RevokedSet::apply`].
//!
//! | module | holds |
//! | --- | --- |
//! | [`jws`] | keys, and signed tokens in their strict form |
//! | [`claims`], [`verify`], [`cache`] | from a token to who it is |
//! | [`revoked`], [`feed`] | what has ended before its time, and how it travels |
//! | [`cookies`], [`order`] | how tokens travel, and what becomes of them on the way back |
//! | [`renew`] | the seam to whoever keeps the sessions |
//! | `remote` (feature) | a gate in another service than the server |
//! | [`visitor`], [`extract`] | what the inner service gets to see |
//! | [`layer`], [`demand`] | the gate itself, and what a route demands beyond it |
//! | [`outcomes`] | how often it came to which verdict |
//!
//! Signatures are made and checked by aws-lc-rs directly, behind our own JWS layer. A JWT library between the two would
//! parse everything a second time and more leniently, so that the strict layer had to do all the work in any case.

pub mod cache;
pub mod claims;
pub mod clock;
pub mod cookies;
mod decide;
pub mod demand;
#[cfg(feature = "axum")]
pub mod extract;
pub mod feed;
pub mod jws;
pub mod layer;
pub mod order;
pub mod outcomes;
mod problem;
#[cfg(feature = "remote")]
pub mod remote;
pub mod renew;
pub mod revoked;
mod ring;
mod service;
pub mod verify;
pub mod visitor;

pub use claims::AccessClaims;
#[cfg(feature = "clock")]
pub use clock::AnchoredClock;
pub use clock::Clock;
pub use cookies::{CookieSettings, SameSite};
pub use demand::DemandLayer;
#[cfg(feature = "axum")]
pub use extract::SignedIn;
pub use jws::{Algorithm, Refused, SigningKey, VerifyingKey};
pub use layer::{Gate, GateLayer, GateParts, Refusal, WhenStale};
pub use order::{CookieOrder, DeviceToken, Issued, Persistence};
pub use outcomes::{Outcome, Outcomes};
pub use renew::{NoRenewal, Renew, Renewal};
pub use revoked::RevokedSet;
pub use service::GateService;
pub use verify::{BoxError, KeySource, Verified, Verifier};
pub use visitor::{Identity, Presented, Reason, Via, Visitor};
