//! What every [`IdempotencyStore`] has to do: to lose none of the races.
//!
//! | race | cases |
//! |---|---|
//! | concurrent duplicates | `of-many-who-claim-one-executes`, `of-many-who-wait-all-have-one-result` |
//! | a crash, or a panic, half-way | `who-died-is-recovered-from`, `who-recovers-may-die-as-well`, `checkpoints-are-handed-on` |
//! | an error | `a-released-key-is-executed-again`, `a-brief-retention-is-brief`, `a-result-is-replayed` |
//! | another payload | `another-request-is-no-match-in-flight`, `nor-while-nobody-knows`, `nor-once-it-is-done` |
//! | expiry while running | `a-zombie-settles-nothing` and its like, `who-is-late-and-alone-completes` |
//! | many who are hot | `what-is-new-is-kept-among-what-is-hot` |
//! | a reply that is lost | `a-claim-whose-reply-was-lost-is-the-same` and its like |
//!
//! What a store does that has no more room, and when its clock steps back, is for its own tests: here it has both room
//! and a clock that is right.
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
mod executors;
mod races;
mod records;
mod retentions;
mod trial;

pub use self::drill::{Drill, Tally};
use super::{Case, Timer, Violations};
use crate::IdempotencyStore;

/// Runs all cases against a store, and goes on after those that fail.
///
/// Leases and retentions of a second or so are waited for, which takes some forty seconds in all.
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
    cases.extend(executors::cases());
    cases.extend(retentions::cases());
    cases
}
