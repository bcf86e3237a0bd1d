//! An interval clock: what time is it at least, at most, and when is that not known?
//!
//! A clock that shows one number is wrong, and does not say by how much. This one shows two, and the truth
//! lies in between, as far as its time source and the stated drift of the machine's oscillator are right.
//! It is TrueTime (Corbett et al., "Spanner: Google's Globally-Distributed Database", OSDI 2012) for
//! whoever has no atomic clock, but a time service that says how well it is synchronised.
//!
//! ```
//! use core::time::Duration;
//! use surmise_interval::{CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
//! use surmise_time::{Instant, WallTime};
//!
//! let mut clock = IntervalClock::new(IntervalClockConfig::default());
//! # let (wall, boot) = (WallTime::from_nanos(1 << 60), Instant::ORIGIN);
//! # let interval = Interval::around(wall, Duration::from_millis(2));
//! clock.synchronize(Sample::new(interval, boot, Drift::QUARTZ)); // what a time source said
//!
//! let now = clock.now(boot)?; // earliest and latest, or an error
//! let last = WallTime::UNIX_EPOCH; // the timestamp of this node's last event: they ascend
//! let commit = CommitWait::following(last, &now);
//! let wait = commit.remaining(&clock, boot)?; // then that timestamp is past, in true time
//! assert!(!wait.is_zero());
//! # Ok::<(), surmise_interval::ClockError>(())
//! ```
//!
//! # What is in it
//!
//! * [`Interval`], and what can be said of two: which was certainly before the other ([`order`]).
//! * [`IntervalClock`]: fed with [`Sample`]s, asked with readings of the monotonic clock. Its interval grows
//!   with the stated [`Drift`]. Without a sample it tells no time: there is no default to fall back to.
//!   `sync::SharedIntervalClock` is read by many threads without locks.
//! * [`CommitWait`]: hold back what a timestamp stamps until it is past for certain, and timestamps agree
//!   with real time on all nodes.
//! * [`select`]: which of several sources to believe, by majority, by Marzullo's algorithm or by NTP's.
//! * `source` (feature `std`): the kernel, chrony, ClockBound, NTP servers, PTP hardware clocks, whether the
//!   machine was disrupted, and `sampler`, which asks sources in the background.
//!
//! # What it rests on
//!
//! * The monotonic clock goes on while the machine sleeps, or somebody says that it slept. `BootClock` of
//!   `surmise-time` goes on, on Linux and Android, as well as the machine knows: where nothing but the real-time
//!   clock runs meanwhile, it can be wrong by a second afterwards. So a `Sampler` drops what it knew when the
//!   machine was suspended, and who feeds a clock himself should [disrupt](IntervalClock::disrupt) it then.
//!   Elsewhere take `OsClock`, which may stand still meanwhile, as on macOS.
//! * Its rate is within the stated drift. A quartz crystal keeps 50 ppm, and with what the kernel knows of its
//!   frequency it is rather 200 ppm that an undisciplined clock keeps. But a daemon that
//!   slews the system clock slews the boot clock with it, chronyd by up to a twelfth. Sources that bound the
//!   system clock cover the correction that is under way. Samples of other sources, NTP servers and hardware
//!   clocks, state a larger drift while the kernel is told to correct the rate, as it says when they are taken.
//!   A slew that begins after that is not covered, nor one by `adjtime`, nor any on other systems than Linux:
//!   ask often, or configure a larger drift.
//! * The source's bound is right. NTP's rests on delays that are no more asymmetric than they are long.
//! * After a virtual machine was moved or restored, somebody says so, and soon: [`IntervalClock::disrupt`]. A
//!   `Sampler` does if there is a `DisruptionWatch`.
//!
//! # What this crate does not do
//!
//! It sets no clock and disciplines none. It does not smear leap seconds, and refuses to compare sources
//! that do with sources that do not.
//!
//! # Features
//!
//! * `std` (default): sources, the background sampler, shared clocks, waiting.
//! * `alloc`: selection among sources, the order of many events.
//! * `serde`: intervals, drifts, configurations, statuses.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod clock;
mod commit_wait;
mod drift;
mod interval;
pub mod order;
mod sample;
#[cfg(feature = "std")]
pub mod sampler;
#[cfg(feature = "alloc")]
pub mod select;
#[cfg(feature = "std")]
pub mod source;
#[cfg(feature = "std")]
pub mod sync;

#[cfg(feature = "std")]
pub use self::commit_wait::WhenUnsynchronized;
pub use self::{
    clock::{ClockError, ClockStatus, IntervalClock, IntervalClockConfig, Synchronization},
    commit_wait::CommitWait,
    drift::{Drift, DriftTooLarge},
    interval::{Interval, InvertedInterval},
    sample::Sample,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
