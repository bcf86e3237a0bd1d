//! What every store has to do, as tests that can be run against any: also against one of your own.
//!
//! [`run`] asks a store for all that the documentation of [`LeaseStore`] and [`FencedStore`] promises, one named
//! [`Case`] after another, and says what it does otherwise. It wants a store that works: an error, and an outcome
//! that is indeterminate, are violations too. The names of all resources begin with `conformance-` and a random
//! number, so that it can be run on a store that is in use; only the epoch goes on for everybody.
//!
//! [`faults`] has holders that are paused and replies that are lost, and [`history`] judges what came of it.
//!
//! ```
//! use surmise_store::{
//!     conformance,
//!     memory::{MemoryConfig, MemoryStore},
//! };
//! use surmise_time::ManualClock;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::default();
//! let store = MemoryStore::new(MemoryConfig::default(), &clock)?;
//! conformance::run(&store, &clock).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A store on a server or in a file goes by real time, and so does its timer:
//!
//! ```
//! use core::time::Duration;
//! use surmise_store::{LeaseClock, conformance::Timer};
//! use surmise_time::{Instant, MonotonicClock};
//!
//! struct RealTime;
//!
//! impl MonotonicClock for RealTime {
//!     fn now(&self) -> Instant {
//!         LeaseClock.now()
//!     }
//! }
//!
//! impl Timer for RealTime {
//!     async fn sleep(&self, time: Duration) {
//!         tokio::time::sleep(time).await;
//!     }
//! }
//! ```
//!
//! # What it does not find out
//!
//! Whether what was acknowledged is still there after a crash, since it cannot crash a store; and what a store does
//! only now and then.

mod draws;
pub mod faults;
mod fences;
pub mod history;
pub mod idempotency;
mod join;
mod leases;
mod limits;
mod model;
mod names;
mod races;
mod takeover;
mod trial;

use core::{error::Error, fmt, pin::Pin, time::Duration};

use surmise_time::{ManualClock, MonotonicClock};

use self::trial::Trial;
use crate::{FencedStore, LeaseStore};

/// Runs all cases against a store, and goes on after those that fail.
///
/// Leases of a second or so are waited for, which takes some ten seconds in all, and longer with a store that only
/// grants longer ones.
///
/// # Errors
///
/// What the store does otherwise than it has to.
pub async fn run<S, T>(store: &S, timer: &T) -> Result<(), Violations>
where
    S: LeaseStore + FencedStore,
    T: Timer,
{
    let mut violations = Vec::new();
    for case in cases() {
        violations.extend(case.run(store, timer).await.err());
    }
    if violations.is_empty() { Ok(()) } else { Err(Violations(violations)) }
}

/// Returns all cases, to be run one by one.
#[must_use]
pub fn cases<S, T>() -> Vec<Case<S, T>>
where
    S: LeaseStore + FencedStore,
    T: Timer,
{
    let mut cases = leases::cases();
    cases.extend(takeover::cases());
    cases.extend(fences::cases());
    cases.extend(model::cases());
    cases.extend(limits::cases());
    cases.extend(names::cases());
    cases.extend(races::cases());
    cases
}

/// Lets time pass for the cases that wait until a lease is over.
///
/// Its clock goes at the pace of the store's, as two clocks of one machine do.
pub trait Timer: MonotonicClock + Send + Sync {
    /// Waits for so long.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// Moves the clock, for a store that goes by the same one.
impl Timer for ManualClock {
    async fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}

/// One thing that a store has to do.
pub struct Case<S, T> {
    name: &'static str,
    run: CaseFn<S, T>,
}

type CaseFn<S, T> =
    for<'a> fn(&'a Trial<'a, S, T>) -> Pin<Box<dyn Future<Output = Result<(), Flaw>> + Send + 'a>>;

impl<S, T> Case<S, T> {
    const fn new(name: &'static str, run: CaseFn<S, T>) -> Self {
        Self { name, run }
    }

    /// Returns what the store has to do, in words with hyphens.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Finds out whether a store does it.
    ///
    /// # Errors
    ///
    /// What the store does instead.
    pub async fn run(&self, store: &S, timer: &T) -> Result<(), Violation> {
        let outcome = match Trial::new(store, timer, self.name) {
            Ok(trial) => (self.run)(&trial).await,
            Err(flaw) => Err(flaw),
        };
        outcome.map_err(|flaw| Violation { case: self.name, found: flaw.0 })
    }
}

impl<S, T> fmt::Debug for Case<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a store did, and what it should have done.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flaw(String);

/// A store does not do what it has to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// What the store has to do, as [`Case::name`] has it.
    pub case: &'static str,
    /// What it did, and what it should have done.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.found)
    }
}

impl Error for Violation {}

/// A store does not do all that it has to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Returns the violations in the order in which they were found.
    #[must_use]
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }
}

/// One line for each.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, violation) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for Violations {}
