//! Monotonic and wall-clock time as plain values, and the clocks that tell them.
//!
//! The surmise crates never read a clock: time is an argument. This crate is what that argument is
//! made of.
//!
//! * [`Instant`] is a point on *one node's* monotonic clock, [`WallTime`] a point in civil time. Both
//!   are a `u64` of nanoseconds, and neither converts into the other: only a clock that was
//!   synchronised, and says how well, can relate them.
//! * [`MonotonicClock`] and [`WallClock`] are for the code that drives a core: an event loop, a
//!   middleware, a test.
//! * [`CachedWallClock`] shows a wall clock's last reading in one load.
//! * [`ManualClock`] and [`ManualWallClock`] move only when a test moves them.
//! * With the feature `std`, [`OsClock`] and [`OsWallClock`] read the operating system, and on Linux
//!   [`BootClock`] keeps counting while the machine sleeps.
//!
//! ```
//! use core::time::Duration;
//! use surmise_time::{ManualClock, MonotonicClock};
//!
//! let clock = ManualClock::default();
//! let deadline = clock.now() + Duration::from_secs(3);
//! assert!(clock.now() <= deadline);
//!
//! clock.advance(Duration::from_secs(5));
//! assert_eq!(clock.now() - deadline, Duration::from_secs(2));
//! ```
//!
//! # What this crate does not do
//!
//! It knows no calendars, time zones or leap seconds, and it does not say how far a wall clock is
//! from the truth.
//!
//! # Features
//!
//! * `std` (default): the operating system's clocks.
//! * `serde`: both time types as their nanoseconds.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod cached;
mod clock;
mod instant;
mod manual;
mod nanos;
#[cfg(feature = "std")]
mod os;
mod wall_time;

#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
pub use self::os::BootClock;
#[cfg(feature = "std")]
pub use self::os::{OsClock, OsWallClock};
pub use self::{
    cached::CachedWallClock,
    clock::{MonotonicClock, WallClock},
    instant::Instant,
    manual::{ManualClock, ManualWallClock},
    wall_time::WallTime,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
