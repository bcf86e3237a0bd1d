//! What every [`IdempotencyStore`] has to do.
//!
//! [`run`] asks for it, one named [`Case`] after another; a [`Drill`] has many callers at it while things go wrong.
//!
//! ```
//! use surmise_store::{
//!     conformance::idempotency,
//!     memory::{MemoryConfig, MemoryStore},
//! };
//! use surmise_time::ManualClock;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::default();
//! let store = MemoryStore::new(MemoryConfig::default(), &clock)?;
//! idempotency::run(&store, &clock).await?;
//! # Ok(())
//! # }
//! ```

mod drill;
mod races;
mod records;
mod trial;

pub use self::drill::{Drill, Tally};
use super::{Case, Timer, Violations};
use crate::IdempotencyStore;

/// Runs all cases against a store, and goes on after those that fail.
///
/// Leases and retentions of a second or so are waited for, which takes some ten seconds in all.
///
/// # Errors
///
/// What the store does otherwise than it has to.
pub async fn run<S: IdempotencyStore, T: Timer>(store: &S, timer: &T) -> Result<(), Violations> {
    let mut violations = Vec::new();
    for case in cases() {
        violations.extend(case.run(store, timer).await.err());
    }
    if violations.is_empty() { Ok(()) } else { Err(Violations(violations)) }
}

/// Returns all cases, to be run one by one.
#[must_use]
pub fn cases<S: IdempotencyStore, T: Timer>() -> Vec<Case<S, T>> {
    let mut cases = records::cases();
    cases.extend(races::cases());
    cases
}
