//! A clock in hardware that PTP or the hypervisor keeps: `/dev/ptp0`.

use alloc::{format, string::String};
use core::time::Duration;
use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use rustix::time::{DynamicClockId, Timespec, clock_gettime_dynamic};
use surmise_time::{Instant, MonotonicClock, WallTime};

use super::{
    Source, SourceError, Unsynchronized,
    shared_file::{self, failed_to},
    slewing::Slewing,
};
use crate::{Drift, Interval, Sample};

/// A PTP hardware clock.
///
/// It is read between two readings of the monotonic clock, several times, and the reading that took
/// the least time counts: across a PCI bus one takes a microsecond or more. The device does not say
/// how far it is from the truth, nor which time it counts: both are configured.
///
/// # Examples
///
/// ```no_run
/// use core::time::Duration;
/// use surmise_interval::{Drift, source::{Source, SourceError, phc::{Phc, PhcConfig, Timescale}}};
/// use surmise_time::BootClock;
///
/// let timescale = Timescale::Tai { ahead: Duration::from_secs(37) };
/// let config = PhcConfig::new(Duration::from_micros(20), timescale);
/// let mut phc = Phc::open("/dev/ptp0", PhcConfig { drift: Drift::QUARTZ, ..config })?;
/// println!("{}", phc.sample(&BootClock)?.interval());
/// # Ok::<(), SourceError>(())
/// ```
#[derive(Debug)]
pub struct Phc {
    device: File,
    path: PathBuf,
    name: String,
    config: PhcConfig,
    slewing: Slewing,
}

/// What a [`Phc`] does not say itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct PhcConfig {
    /// How far the device can be from the truth: what whoever disciplines it promises. There is no
    /// default, since a device that nobody disciplines runs as well.
    pub accuracy: Duration,
    /// Which time it counts. There is no default, since a wrong one is wrong by 37 s.
    pub timescale: Timescale,
    /// How far the rate of this machine's monotonic clock may be from the true one: what the sample
    /// grows by. By default [`Drift::SPANNER`].
    ///
    /// What the kernel is told to correct it by when the device is read comes on top. What begins
    /// later, and what `adjtime` of the C library does, must be covered by this.
    pub drift: Drift,
    /// How often it is read for one sample; 0 counts as 1. By default 5: the first finds cold
    /// caches.
    pub tries: u32,
}

/// Which time a hardware clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a device counts one or the other")]
pub enum Timescale {
    /// Coordinated universal time, as virtual machines' clocks do.
    Utc,
    /// International atomic time, as PTP does unless it is configured otherwise.
    ///
    /// It knows no leap seconds, and what is configured here goes stale with the next: from then on
    /// samples are wrong by a second, and nothing shows it but other sources. Whoever has a device
    /// in use then must open it anew; this crate reads no table of leap seconds, and PTP's own
    /// announcement of the offset does not come through the device.
    Tai {
        /// How far it is ahead of coordinated universal time: 37 s since 2017.
        ahead: Duration,
    },
}

/// What a device showed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhcReading {
    /// What it showed, in coordinated universal time.
    pub time: WallTime,
    /// The monotonic clock before it was read.
    pub before: Instant,
    /// The monotonic clock after it was read.
    pub after: Instant,
    /// How far the rate of the monotonic clock can have been from the true one: what is configured,
    /// and what the kernel was told to correct it by.
    pub drift: Drift,
}

impl Phc {
    /// Opens the device at `path`.
    ///
    /// # Errors
    ///
    /// If there is none, or if this user may not read it.
    pub fn open(path: impl Into<PathBuf>, config: PhcConfig) -> Result<Self, SourceError> {
        let path = path.into();
        let device = shared_file::open(&path)?;
        let (name, slewing) = (format!("phc {}", path.display()), Slewing::new());
        Ok(Self { device, path, name, config, slewing })
    }

    /// Reads the device, as often as configured, and returns the reading that took the least time.
    ///
    /// # Errors
    ///
    /// If it is no clock, if it was never set, or if the monotonic clock is slewed by more than
    /// [`Drift::MAX`] allows for.
    pub fn read(&self, clock: &dyn MonotonicClock) -> Result<PhcReading, SourceError> {
        let id = DynamicClockId::Dynamic(self.device.as_fd());
        self.read_by(clock, || clock_gettime_dynamic(id).map_err(io::Error::from))
    }

    fn read_by(
        &self,
        clock: &dyn MonotonicClock,
        read: impl FnMut() -> io::Result<Timespec>,
    ) -> Result<PhcReading, SourceError> {
        let slewed = self.slewing.observe()?;
        let reading = read_best(clock, self.config.tries, read);
        let failed = failed_to("read the clock of", &self.path);
        let (before, time, after) = reading.map_err(failed)?;
        let drift = slewed.drift(self.config.drift)?;
        Ok(PhcReading { time: self.config.timescale.to_utc(time)?, before, after, drift })
    }

    /// Returns the path of the device.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for Phc {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        let reading = self.read(clock)?;
        Ok(reading.to_sample(self.config.accuracy))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl PhcReading {
    fn to_sample(self, accuracy: Duration) -> Sample {
        // What it shows is rounded down to a nanosecond.
        let accuracy = accuracy.saturating_add(Duration::from_nanos(1));
        let interval = Interval::around(self.time, accuracy);
        Sample::asked_between(interval, self.before, self.after, self.drift)
    }
}

impl PhcConfig {
    /// Creates a configuration of what only its user can know, with defaults for the rest.
    #[must_use]
    pub const fn new(accuracy: Duration, timescale: Timescale) -> Self {
        Self { accuracy, timescale, drift: Drift::SPANNER, tries: 5 }
    }
}

impl Timescale {
    /// When the last leap second was: 2017-01-01, in seconds since the Unix epoch.
    ///
    /// A clock that shows an earlier time was never set: such a device begins at zero.
    const LEAST: i64 = 1_483_228_800;

    fn to_utc(self, time: Timespec) -> Result<WallTime, SourceError> {
        if time.tv_sec < Self::LEAST {
            return Err(Unsynchronized::NoReference.into());
        }
        let shown = u64::try_from(time.tv_sec).ok().zip(u32::try_from(time.tv_nsec).ok());
        let shown = shown.filter(|&(_, nanos)| nanos < 1_000_000_000);
        let shown = shown.map(|(seconds, nanos)| Duration::new(seconds, nanos));
        let since_epoch = match self {
            Self::Utc => shown,
            Self::Tai { ahead } => shown.and_then(|shown| shown.checked_sub(ahead)),
        };
        let utc = since_epoch.and_then(|since_epoch| WallTime::UNIX_EPOCH.checked_add(since_epoch));
        let value = u64::from_ne_bytes(time.tv_sec.to_ne_bytes());
        utc.ok_or(SourceError::Malformed { what: "time of the hardware clock", value })
    }
}

/// Reads something several times, each between two readings of the clock, and returns what took
/// least.
///
/// If one fails, then so does all: a device that fails now and then is not to be relied on.
fn read_best<T>(
    clock: &dyn MonotonicClock,
    tries: u32,
    mut read: impl FnMut() -> io::Result<T>,
) -> io::Result<(Instant, T, Instant)> {
    let mut read_once = || {
        let before = clock.now();
        let value = read()?;
        io::Result::Ok((before, value, clock.now()))
    };
    let mut best = read_once()?;
    for _ in 1..tries {
        let reading = read_once()?;
        if reading.2 - reading.0 < best.2 - best.0 {
            best = reading;
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests;
