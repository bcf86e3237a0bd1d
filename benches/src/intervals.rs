//! The interval clocks to be measured, and the peer they are measured beside.
//!
//! `now given` and `remaining` take a reading of the monotonic clock that somebody made before, as a
//! server does that reads it once for many questions. `now` reads the clock itself, which is most of
//! it: `read` is that alone. Of these only the time is measured, because a clock reads otherwise under
//! callgrind, if at all. The peer cannot be asked but with readings of its own, of two clocks.

mod check;
#[cfg(target_os = "linux")]
mod clock_bound;
mod contender;
mod operations;
#[cfg(target_os = "linux")]
mod reading;

#[cfg(target_os = "linux")]
pub use self::clock_bound::ClockBound;
pub use self::{
    check::check,
    contender::{IntervalContender, Visitor, sample, visit_all},
    operations::measure,
};
