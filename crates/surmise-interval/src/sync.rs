//! An interval clock that many threads read without locks.
//!
//! Whoever feeds it takes a short lock; those who ask it read a published copy.

mod loom;
mod published;
mod shared;

pub use self::shared::SharedIntervalClock;
