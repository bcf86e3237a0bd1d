//! What knows the time, more or less: each source is asked in its own way and answers with a
//! sample.

pub mod chrony;
#[cfg(target_os = "linux")]
pub mod clock_bound;
mod datagram;
mod error;
#[cfg(target_os = "linux")]
pub mod kernel;
mod leap;
pub mod ntp;
#[cfg(target_os = "linux")]
pub mod phc;
#[cfg(target_os = "linux")]
mod shared_file;
mod slewing;
pub(crate) mod suspension;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
pub mod vmclock;

use surmise_time::{Instant, MonotonicClock};

pub use self::{
    error::{Refusal, SourceError, Unsynchronized},
    leap::Leap,
};
use crate::Sample;

/// Something that knows the time, more or less.
///
/// Each source stands alone, and has a report of its own that says more than a [`Sample`] does.
pub trait Source {
    /// Asks the source, and relates its answer to the monotonic clock.
    ///
    /// The clock must count the time that the machine spends suspended, as `BootClock` of
    /// `surmise-time` does. The call blocks for as long as the source is configured to be waited
    /// for.
    ///
    /// # Errors
    ///
    /// If there is no answer, if the answer makes no sense, or if it says that the time is not
    /// known. An error says nothing of an earlier sample, which goes on to hold and to grow by
    /// itself, but for [`Unsynchronized::Disrupted`]: then nothing holds that any source said
    /// before.
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError>;

    /// Tells the source that the machine was moved or slept before `at`, by the clock with which
    /// it is asked.
    ///
    /// What the source knew from before then must not come back in a sample: a daemon goes on to
    /// state it until it has measured anew. By default this does nothing, which is right for a
    /// source that asks something outside of the machine whenever it is asked, as those for NTP
    /// servers and hardware clocks do.
    fn disrupted(&mut self, at: Instant) {
        let _ = at;
    }

    /// Returns what the source is called in reports, such as "kernel" or "phc /dev/ptp0": two that
    /// are asked side by side should have two names.
    fn name(&self) -> &str;
}
