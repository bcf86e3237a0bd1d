use core::{fmt, time::Duration};

use surmise_time::WallTime;

use super::{KernelClock, RawTimex};
use crate::source::{SourceError, Unsynchronized};

/// What `adjtimex` says of the system clock, with its units made plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timex {
    /// What the system clock showed, rounded down to a microsecond unless [`StatusFlags::NANO`] is
    /// set.
    pub time: WallTime,
    /// The state that the call returned.
    pub state: ClockState,
    /// The status bits.
    pub status: StatusFlags,
    /// How far the clock may be off, as its daemon stated it and the kernel let it grow.
    pub max_error: Duration,
    /// How far the clock is off, as its daemon estimates.
    pub est_error: Duration,
    /// What the kernel has yet to correct, in nanoseconds.
    pub offset: i64,
    /// How much faster the clock is made to run, in parts per billion, rounded away from zero.
    pub frequency: i64,
    /// By which power of two [`offset`](Self::offset) is divided for what is corrected of it in a
    /// second, less 2. The kernel keeps it between 0 and 10.
    pub time_constant: i64,
    /// How much the frequency may be corrected at most, in parts per billion, rounded away from
    /// zero.
    pub tolerance: i64,
    /// How much the clock is made to count in a hundredth of a second: 10 ms, unless it is slewed.
    pub tick: Duration,
    /// International atomic time less this clock's, in seconds; zero if nobody stated it.
    pub tai_offset: i64,
}

impl Timex {
    /// What [`max_error`](Self::max_error) may lack: the kernel adds 500 ppm of a second, once a
    /// second.
    const GROWTH: Duration = Duration::from_micros(500);

    /// A hundredth of a second, in nanoseconds: the kernel's `USER_HZ` is 100.
    const NOMINAL_TICK: i64 = 10_000_000;

    /// The kernel's `MAXTC`.
    const MAX_TIME_CONSTANT: i64 = 10;

    /// The kernel's `NTP_PHASE_LIMIT`: at this it declares the clock unsynchronised.
    const LIMIT: Duration = Duration::from_secs(16);

    /// Makes sense of what `adjtimex` returned.
    ///
    /// # Errors
    ///
    /// If a number is none that it can be: a state that there is not, a negative time or error.
    pub fn decode(raw: &RawTimex) -> Result<Self, SourceError> {
        let status = StatusFlags(raw.status);
        let fraction = if status.contains(StatusFlags::NANO) { 1 } else { 1000 };
        Ok(Self {
            time: decode_time(raw.tv_sec, raw.tv_usec, fraction)?,
            state: ClockState::decode(raw.state)?,
            status,
            max_error: micros("maximum error", raw.maxerror)?,
            est_error: micros("estimated error", raw.esterror)?,
            offset: raw.offset.saturating_mul(fraction),
            frequency: scaled_ppm(raw.freq),
            time_constant: raw.constant,
            tolerance: scaled_ppm(raw.tolerance),
            tick: micros("tick", raw.tick)?,
            tai_offset: raw.tai.into(),
        })
    }

    /// Returns how far the system clock can be from the truth.
    ///
    /// That is the stated error, 500 µs for what it grew by since the last second began, what is
    /// yet to be corrected (some daemons count that in, others do not), and what was rounded off
    /// the time.
    ///
    /// # Errors
    ///
    /// If the kernel says that the clock is not synchronised, in any of the three ways it has: a
    /// state of `TIME_ERROR`, a status of `STA_UNSYNC`, an error of 16 s. Also during an inserted
    /// leap second, in which the clock counts a second that it has counted before.
    pub fn bound(&self) -> Result<Duration, SourceError> {
        let unsynchronized = self.status.contains(StatusFlags::UNSYNC);
        if unsynchronized || matches!(self.state, ClockState::Error | ClockState::LeapSecond) {
            let Self { state, status, .. } = *self;
            return Err(Unsynchronized::Kernel { state, status }.into());
        }
        if self.max_error >= Self::LIMIT {
            return Err(Unsynchronized::Unbounded(self.max_error).into());
        }
        let rounding = if self.status.contains(StatusFlags::NANO) { 0 } else { 1 };
        let offset = Duration::from_nanos(self.offset.unsigned_abs());
        Ok((self.max_error + Self::GROWTH + Duration::from_micros(rounding)).saturating_add(offset))
    }

    /// Returns whether [`max_error`](Self::max_error) is only what the kernel let it grow to, since a
    /// daemon stated zero or next to nothing.
    ///
    /// That is so if it is a whole number of seconds' growth, and the daemon's estimate is zero, or
    /// exceeds it and so is somebody else's. systemd-timesyncd states zero for both, and phc2sys
    /// states zero for the bound alone, to keep the kernel from declaring the clock unsynchronised.
    /// Neither knows how far it is wrong.
    ///
    /// `chronyd` and ntpd state half of the root delay and the root dispersion in microseconds,
    /// `chronyd` with what it has yet to correct, and estimates of their own. One time in 500 that
    /// is such a number, until the next update, and even then only with an estimate of zero. A
    /// `chronyd` that is within a microsecond of its reference states zero for both, though. In
    /// these numbers that is the same as to know nothing.
    #[must_use]
    pub fn is_unstated(&self) -> bool {
        let grown = self.max_error.as_nanos() % Self::GROWTH.as_nanos() == 0;
        grown && (self.est_error.is_zero() || self.est_error > self.max_error)
    }

    /// Returns by how much the kernel corrects the rate of the clock, in parts per billion and
    /// rounded up.
    ///
    /// That is what [`frequency`](Self::frequency) and [`tick`](Self::tick) add up to, as
    /// `chronyd` uses them: it often sets the one a whole microsecond too far and takes that back
    /// by the other. On top of it comes what may be corrected of the [`offset`](Self::offset) in
    /// this second, as ntpd and systemd-timesyncd have it corrected: 500 ppm, and more if the
    /// offset is large. With a time constant of 0, a quarter of it is.
    ///
    /// # Limits
    ///
    /// A correction by `adjtime` of the C library does not show, and is up to 500 ppm. Nor does an
    /// offset of which nothing is left, as that of a pulse-per-second signal, which the kernel
    /// corrects wholly within a second.
    #[must_use]
    pub fn rate_correction(&self) -> u64 {
        let tick = i64::try_from(self.tick.as_nanos()).unwrap_or(i64::MAX);
        // A nanosecond in a hundredth of a second is a hundred parts per billion.
        let tick = tick.saturating_sub(Self::NOMINAL_TICK).saturating_mul(100);
        // Of two numbers one of which was rounded, the sum may be too small.
        let rounding = u64::from(self.frequency != 0 && tick != 0);
        let rate = self.frequency.saturating_add(tick).unsigned_abs();
        rate.saturating_add(rounding).saturating_add(self.phase_correction())
    }

    /// Returns how many nanoseconds of the offset may be corrected in this second.
    fn phase_correction(&self) -> u64 {
        let left = self.offset.unsigned_abs();
        if left == 0 {
            return 0;
        }
        // When the second began, the kernel took away one part in so many of what was there, so
        // that what is left is all the others.
        let parts = 4_u64 << self.time_constant.clamp(0, Self::MAX_TIME_CONSTANT);
        let by_pulses = self.status.contains(StatusFlags(libc::STA_PPSTIME | libc::STA_PPSSIGNAL));
        let corrected = if by_pulses { left } else { left.div_ceil(parts - 1) };
        // The rest of the second may still go by an offset from before the last update.
        corrected.max(KernelClock::DRIFT.as_ppb().into())
    }
}

/// All of it on one line, in the kernel's own words.
impl fmt::Display for Timex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, status, max_error, est_error, offset, .. } = self;
        let Self { frequency, tick, tai_offset, .. } = self;
        write!(
            f,
            "{state}, {status}, maxerror {max_error:?}, esterror {est_error:?}, offset {offset} ns, \
             frequency {frequency} ppb, tick {tick:?}, TAI offset {tai_offset} s"
        )
    }
}

/// What `adjtimex` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are the states of RFC 1589")]
pub enum ClockState {
    /// `TIME_OK`: synchronised, no leap second in sight.
    Ok,
    /// `TIME_INS`: a second will be inserted at the end of the day.
    Insert,
    /// `TIME_DEL`: a second will be left out at the end of the day.
    Delete,
    /// `TIME_OOP`: the inserted second is now.
    LeapSecond,
    /// `TIME_WAIT`: a leap second is over.
    Wait,
    /// `TIME_ERROR`: not synchronised.
    Error,
}

impl ClockState {
    fn decode(state: i32) -> Result<Self, SourceError> {
        Ok(match state {
            libc::TIME_OK => Self::Ok,
            libc::TIME_INS => Self::Insert,
            libc::TIME_DEL => Self::Delete,
            libc::TIME_OOP => Self::LeapSecond,
            libc::TIME_WAIT => Self::Wait,
            libc::TIME_ERROR => Self::Error,
            _ => return Err(malformed("clock state", state.into())),
        })
    }
}

/// The kernel's name of it.
impl fmt::Display for ClockState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "TIME_OK",
            Self::Insert => "TIME_INS",
            Self::Delete => "TIME_DEL",
            Self::LeapSecond => "TIME_OOP",
            Self::Wait => "TIME_WAIT",
            Self::Error => "TIME_ERROR",
        })
    }
}

/// The kernel's status bits, `STA_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatusFlags(i32);

impl StatusFlags {
    /// `STA_INS`: insert a leap second at the end of the day.
    pub const INS: Self = Self(libc::STA_INS);
    /// `STA_DEL`: leave out the last second of the day.
    pub const DEL: Self = Self(libc::STA_DEL);
    /// `STA_UNSYNC`: the clock is not synchronised.
    pub const UNSYNC: Self = Self(libc::STA_UNSYNC);
    /// `STA_NANO`: offset and time count nanoseconds, not microseconds. Both errors count
    /// microseconds always.
    pub const NANO: Self = Self(libc::STA_NANO);

    /// Each bit by its name, lowest first.
    const NAMES: [(i32, &str); 16] = [
        (libc::STA_PLL, "STA_PLL"),
        (libc::STA_PPSFREQ, "STA_PPSFREQ"),
        (libc::STA_PPSTIME, "STA_PPSTIME"),
        (libc::STA_FLL, "STA_FLL"),
        (libc::STA_INS, "STA_INS"),
        (libc::STA_DEL, "STA_DEL"),
        (libc::STA_UNSYNC, "STA_UNSYNC"),
        (libc::STA_FREQHOLD, "STA_FREQHOLD"),
        (libc::STA_PPSSIGNAL, "STA_PPSSIGNAL"),
        (libc::STA_PPSJITTER, "STA_PPSJITTER"),
        (libc::STA_PPSWANDER, "STA_PPSWANDER"),
        (libc::STA_PPSERROR, "STA_PPSERROR"),
        (libc::STA_CLOCKERR, "STA_CLOCKERR"),
        (libc::STA_NANO, "STA_NANO"),
        (libc::STA_MODE, "STA_MODE"),
        (libc::STA_CLK, "STA_CLK"),
    ];

    /// Returns the bits as the kernel has them.
    #[must_use]
    pub const fn bits(self) -> i32 {
        self.0
    }

    /// Returns whether all of these bits are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

/// The names of the bits that are set, or "no status".
impl fmt::Display for StatusFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.pad("no status");
        }
        let set = Self::NAMES.iter().filter(|(bit, _)| self.0 & bit != 0);
        for (nth, (_, name)) in set.enumerate() {
            write!(f, "{}{name}", if nth == 0 { "" } else { " | " })?;
        }
        Ok(())
    }
}

/// Puts together what the kernel has in seconds and a fraction of so many nanoseconds.
fn decode_time(seconds: i64, fraction: i64, nanos: i64) -> Result<WallTime, SourceError> {
    let whole = u64::try_from(seconds).map_err(|_| malformed("time", seconds))?;
    let part = fraction.checked_mul(nanos).filter(|part| (0..1_000_000_000).contains(part));
    let part = part.and_then(|part| u32::try_from(part).ok());
    let part = part.ok_or_else(|| malformed("fraction of the time", fraction))?;
    WallTime::UNIX_EPOCH
        .checked_add(Duration::new(whole, part))
        .ok_or_else(|| malformed("time", seconds))
}

fn micros(what: &'static str, micros: i64) -> Result<Duration, SourceError> {
    u64::try_from(micros).map(Duration::from_micros).map_err(|_| malformed(what, micros))
}

/// Converts parts per million, of which the kernel has 2¹⁶ to one, into parts per billion, rounded
/// away from zero.
fn scaled_ppm(scaled: i64) -> i64 {
    let magnitude = (u128::from(scaled.unsigned_abs()) * 1000).div_ceil(1 << 16);
    i64::try_from(magnitude).unwrap_or(i64::MAX) * scaled.signum()
}
fn malformed(what: &'static str, value: i64) -> SourceError {
    SourceError::Malformed { what, value: u64::from_ne_bytes(value.to_ne_bytes()) }
}
