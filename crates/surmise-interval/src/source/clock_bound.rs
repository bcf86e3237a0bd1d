//! What AWS ClockBound publishes in shared memory.

mod fields;
mod segment;

use alloc::{format, string::String};
use core::time::Duration;
use std::path::{Path, PathBuf};

use surmise_time::{Instant, MonotonicClock, OsWallClock, WallClock, WallTime};

pub use self::segment::{Basis, CounterPeriod, Reading, Segment, Status};
use super::{
    Source, SourceError, Unsynchronized,
    shared_file::{self, failed_to},
    slewing::Slewing,
    suspension::{self, Suspension},
    sys,
    vmclock::VmClock,
};
use crate::{Drift, Sample};

/// A segment of shared memory in which the ClockBound daemon says how far the clock can be off.
///
/// Version 2 of its protocol ([`V2_PATH`](Self::V2_PATH)) bounds the system clock; version 3
/// ([`V3_PATH`](Self::V3_PATH)) makes a clock of its own of the CPU's counter, and bounds that.
/// Which of them a segment holds is read from it.
///
/// # How it is read
///
/// By `pread`, not mapped, so that there is nothing unsafe about a file that shrinks or is
/// replaced. Three calls see a consistent segment, or the writer at work and try again: no lock,
/// and no value that is half of one and half of another. All clocks are read while the segment
/// stands. With opening and closing, so that a daemon that was restarted is found again, a sample
/// takes ten microseconds or so: work for a sampler that publishes to readers, not for each reader.
///
/// # Suspension
///
/// The daemon counts in `CLOCK_MONOTONIC`, which stops while the machine is suspended; its own
/// clients believe afterwards that no time has passed. Here a segment is refused, as
/// [`Unsynchronized::Suspended`], until the daemon has published one that is wholly from after the
/// suspension. On a machine that was ever suspended that includes the first one that is read, since
/// nobody can tell when that was.
///
/// # Disruption
///
/// If the daemon watches `/dev/vmclock0` for migrations, so does this: markers that differ mean
/// that the daemon has not noticed yet, and its bound is refused, as [`Unsynchronized::Disrupted`].
/// After [`disrupted`](Source::disrupted) it is refused so whatever the marker, until the daemon has
/// published a segment that is wholly from after that.
///
/// # Examples
///
/// ```no_run
/// use surmise_interval::{Drift, source::{Source, SourceError, clock_bound::ClockBound}};
/// use surmise_time::BootClock;
///
/// let mut clock_bound = ClockBound::new(ClockBound::V2_PATH, Drift::QUARTZ);
/// println!("{:?}", clock_bound.read()?);
/// println!("{}", clock_bound.sample(&BootClock)?.interval());
/// # Ok::<(), SourceError>(())
/// ```
#[derive(Debug)]
pub struct ClockBound {
    path: PathBuf,
    name: String,
    vmclock: VmClock,
    drift: Drift,
    slewing: Slewing,
    suspension: Suspension,
    resumption: Option<Resumption>,
}

/// When it was noticed that the machine had been suspended or disrupted.
#[derive(Debug)]
struct Resumption {
    reason: Unsynchronized,
    /// Which segment there was, unless that could not be read.
    generation: Option<u16>,
    monotonic: Duration,
    counter: Option<u64>,
}

impl ClockBound {
    /// Where the daemon publishes version 2.
    pub const V2_PATH: &str = "/var/run/clockbound/shm0";

    /// Where the daemon publishes version 3, from its own version 3 on.
    pub const V3_PATH: &str = "/var/run/clockbound/shm1";

    /// Creates a source that reads the segment at `path` whenever it is asked.
    ///
    /// `drift` is how far the rate of this machine's monotonic clock may be from the true one.
    /// Samples grow by it or by what the segment says of the drift, whichever is more. Version 3
    /// says nothing of that clock, so that with it comes on top what the kernel is told to correct
    /// its rate by; what it is told later must be covered by `drift`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, drift: Drift) -> Self {
        let path = path.into();
        Self {
            name: format!("clock-bound {}", path.display()),
            path,
            vmclock: VmClock::new(VmClock::PATH),
            drift,
            slewing: Slewing::new(),
            suspension: Suspension::default(),
            resumption: None,
        }
    }

    /// Looks for the disruption marker in another device or file than [`VmClock::PATH`].
    #[must_use]
    pub fn with_vmclock(self, vmclock: VmClock) -> Self {
        Self { vmclock, ..self }
    }

    /// Reads the segment, whether or not it makes a sample.
    ///
    /// # Errors
    ///
    /// If there is none, if it makes no sense, if it was not written yet, or if the daemon died
    /// while it wrote.
    pub fn read(&self) -> Result<Segment, SourceError> {
        let ((), segment) = self.read_and(|| ())?;
        Ok(segment)
    }

    /// Reads the segment, and asks something else while it stands.
    fn read_and<T>(&self, meanwhile: impl FnMut() -> T) -> Result<(T, Segment), SourceError> {
        let file = shared_file::open(&self.path)?;
        let is_settled = |header: &_| Segment::generation(header) % 2 == 0;
        let snapshot = shared_file::read::<{ Segment::MAX_SIZE }, _>(&file, is_settled, meanwhile);
        let snapshot = snapshot.map_err(failed_to("read", &self.path))?.map_err(|header| {
            let value = Segment::generation(&header).into();
            SourceError::Malformed { what: "generation", value }
        })?;
        let segment = Segment::decode(snapshot.bytes())?;
        Ok((snapshot.meanwhile, segment))
    }

    /// Checks that the machine was neither suspended nor disrupted since what the segment says was
    /// so.
    fn check_resumption(&mut self, segment: &Segment, slept: bool) -> Result<(), SourceError> {
        if slept {
            let generation = Some(segment.generation);
            self.resumption = Some(Resumption::now(Unsynchronized::Suspended, generation));
        }
        let Some(resumption) = &mut self.resumption else { return Ok(()) };
        if !resumption.precedes(segment) {
            // The first that is read after all counts as published before.
            resumption.generation.get_or_insert(segment.generation);
            return Err(resumption.reason.into());
        }
        self.resumption = None;
        Ok(())
    }

    /// Checks that the daemon knows of the last disruption, if it watches out for any.
    fn check_marker(&self, segment: &Segment) -> Result<(), SourceError> {
        if let Some(marker) = segment.disruption_marker {
            if self.vmclock.read()?.disruption_marker != marker {
                return Err(Unsynchronized::Disrupted.into());
            }
        }
        Ok(())
    }

    /// Returns the path of the segment.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for ClockBound {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        let slewed = self.slewing.observe();
        let ((before, reading, after), segment) = self.read_and(|| {
            read_clocks(clock, || OsWallClock.now(), || (sys::counter(), suspension::monotonic()))
        })?;
        let slept = self.suspension.occurred();
        self.check_resumption(&segment, slept)?;
        self.check_marker(&segment)?;
        let interval = segment.interval_at(&reading)?;
        let drift = match segment.basis {
            // It bounds the correction that is under way, and is slewed alike.
            Basis::SystemClock { .. } => self.drift,
            Basis::Counter { .. } => slewed?.drift(self.drift)?,
        };
        let drift = drift.max(segment.drift);
        Ok(Sample::asked_between(interval, before, after, drift))
    }

    fn disrupted(&mut self, _: Instant) {
        let generation = self.read().ok().map(|segment| segment.generation);
        self.resumption = Some(Resumption::now(Unsynchronized::Disrupted, generation));
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Resumption {
    fn now(reason: Unsynchronized, generation: Option<u16>) -> Self {
        let (monotonic, counter) = (suspension::monotonic(), sys::counter());
        Self { reason, generation, monotonic, counter }
    }

    /// Returns whether all that the segment says was found out after this.
    fn precedes(&self, segment: &Segment) -> bool {
        let later = match segment.basis {
            Basis::SystemClock { as_of, .. } => as_of > self.monotonic,
            Basis::Counter { counter, .. } => self.counter.is_some_and(|then| counter > then),
        };
        // The counter may have started again from zero, so that an old segment looks new: a dead
        // daemon's.
        let is_another = |generation| generation != segment.generation;
        later && self.generation.is_some_and(is_another)
    }
}

/// Reads all clocks between two readings of one.
///
/// The wall clock first: if time passes until the others are read, the bound grows by it.
fn read_clocks(
    clock: &dyn MonotonicClock,
    wall: impl FnOnce() -> WallTime,
    others: impl FnOnce() -> (Option<u64>, Duration),
) -> (Instant, Reading, Instant) {
    let before = clock.now();
    let wall = wall();
    let (counter, monotonic) = others();
    (before, Reading { wall, monotonic, counter }, clock.now())
}

#[cfg(test)]
mod tests;
