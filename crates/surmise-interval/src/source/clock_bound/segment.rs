use core::time::Duration;

use surmise_time::WallTime;

use super::fields::Fields;
use crate::{
    Drift, Interval,
    source::{SourceError, Unsynchronized, shared_file::HEADER},
};

/// What the daemon published, as of one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// Which publication it is. Even, and never zero: after 65534 comes 2.
    pub generation: u16,
    /// What the daemon says of its clock.
    pub status: Status,
    /// How far the clock could be from the truth, as of the time in [`basis`](Self::basis).
    pub bound: Duration,
    /// What the bound grows by since then. In version 3 it includes the error of the counter's
    /// period.
    pub drift: Drift,
    /// The last disruption that the daemon knows of, or `None` if it does not watch out for any.
    pub disruption_marker: Option<u64>,
    /// Which clock it is that can be off so far.
    pub basis: Basis,
}

/// Which clock a segment bounds, and as of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads one must know what it bounds")]
pub enum Basis {
    /// The system clock: version 2 of the protocol.
    SystemClock {
        /// What `CLOCK_MONOTONIC` showed when it was bounded.
        as_of: Duration,
        /// What `CLOCK_MONOTONIC` shows when this holds no longer.
        void_after: Duration,
    },
    /// A clock that counts on from `as_of` as the CPU's counter does from `counter`: version 3.
    Counter {
        /// What time it was when it was bounded.
        as_of: WallTime,
        /// The time from which this holds no longer.
        void_after: WallTime,
        /// What the counter showed as of then.
        counter: u64,
        /// How long the counter takes for one.
        period: CounterPeriod,
    },
}

/// What a segment's daemon says of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are the values of the protocol")]
pub enum Status {
    /// It has not found out yet.
    Unknown,
    /// It is kept in time.
    Synchronized,
    /// It runs freely; the bound holds, and grows.
    FreeRunning,
    /// It was disrupted, and no bound holds.
    Disrupted,
}

/// What this machine's clocks showed, all at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by whoever reads the clocks")]
pub struct Reading {
    /// The system clock, which must be read first.
    pub wall: WallTime,
    /// `CLOCK_MONOTONIC`.
    pub monotonic: Duration,
    /// The CPU's counter, on platforms where ClockBound knows one.
    pub counter: Option<u64>,
}

impl Segment {
    /// How long the longest segment is that is understood.
    pub const MAX_SIZE: usize = 104;

    /// How much version 2 takes.
    const V2_SIZE: usize = 80;

    /// Two 32-bit words, in the byte order of the machine.
    const MAGIC: [u32; 2] = [0x414d_5a4e, 0x4342_0200];

    /// How far the time of the segment may be ahead. The daemon's own clients grant a microsecond,
    /// too.
    const LEAD: Duration = Duration::from_micros(1);

    /// Decodes version 2 or 3 of the protocol. What follows it is left alone.
    ///
    /// # Errors
    ///
    /// If the segment was not written yet, is being written, belongs to another version of the
    /// protocol, is cut short, or says something that makes no sense.
    pub fn decode(bytes: &[u8]) -> Result<Self, SourceError> {
        let mut fields = Fields::new(bytes);
        for word in Self::MAGIC {
            let value = fields.u32()?;
            if value != word {
                return Err(SourceError::Malformed { what: "magic number", value: value.into() });
            }
        }
        let (size, version, generation) = (fields.u32()?, fields.u16()?, fields.u16()?);
        if generation == 0 {
            return Err(Unsynchronized::NoReference.into());
        }
        if generation % 2 == 1 {
            return Err(SourceError::Malformed { what: "generation", value: generation.into() });
        }
        // Version 2 has one number; version 3 has the least that a reader must know, and the
        // latest.
        let (needed, decode): (_, fn(_, _) -> _) = match version.to_be_bytes() {
            [0, 2] => (Self::V2_SIZE, decode_v2),
            [3, 3..=u8::MAX] => (Self::MAX_SIZE, decode_v3),
            _ => {
                return Err(SourceError::Unsupported { what: "version", value: version.into() });
            }
        };
        if usize::try_from(size).is_ok_and(|size| size < needed) {
            return Err(SourceError::Malformed { what: "segment size", value: size.into() });
        }
        decode(generation, fields)
    }

    /// Returns the generation, which is odd while somebody writes.
    pub(super) const fn generation(header: &[u8; HEADER]) -> u16 {
        let [.., first, second] = *header;
        u16::from_ne_bytes([first, second])
    }

    /// Returns what time it is, at least and at most, where this was read before the clocks were.
    ///
    /// # Errors
    ///
    /// If the daemon does not know, if what it said is void, if it was said after the clocks were
    /// read, or if it needs the CPU's counter and there is none.
    pub fn interval_at(&self, reading: &Reading) -> Result<Interval, SourceError> {
        match self.status {
            Status::Synchronized | Status::FreeRunning => {}
            Status::Unknown => return Err(Unsynchronized::Unknown.into()),
            Status::Disrupted => return Err(Unsynchronized::Disrupted.into()),
        }
        match self.basis {
            Basis::SystemClock { as_of, void_after } => {
                let elapsed = match reading.monotonic.checked_sub(as_of) {
                    Some(elapsed) => elapsed,
                    None if as_of - reading.monotonic <= Self::LEAD => Duration::ZERO,
                    None => return Err(ahead("as-of timestamp", as_of.as_secs())),
                };
                if reading.monotonic >= void_after {
                    let max = void_after.saturating_sub(as_of);
                    return Err(SourceError::Stale { age: elapsed, max });
                }
                Ok(self.around(reading.wall, elapsed, Duration::ZERO))
            }
            Basis::Counter { as_of, void_after, counter, period } => {
                let none = SourceError::Unsupported { what: "counter of this CPU", value: 0 };
                let now = reading.counter.ok_or(none)?;
                let ticks =
                    now.checked_sub(counter).ok_or_else(|| ahead("as-of counter", counter))?;
                let elapsed = period.times(ticks);
                let wall = as_of + elapsed;
                if wall >= void_after {
                    return Err(SourceError::Stale { age: elapsed, max: void_after - as_of });
                }
                // The counter may have been about to count on. That time was rounded down by up to
                // a nanosecond and a little, and so was the time that it counted.
                let rounding = period.times(1) + Duration::from_nanos(3);
                Ok(self.around(wall, elapsed, rounding))
            }
        }
    }

    /// Returns the interval around `middle` so long after the time of the segment.
    fn around(&self, middle: WallTime, elapsed: Duration, rounding: Duration) -> Interval {
        let bound = self.bound.saturating_add(self.drift.over(elapsed));
        Interval::around(middle, bound.saturating_add(rounding))
    }
}

impl Status {
    fn decode(value: u32) -> Result<Self, SourceError> {
        Ok(match value {
            0 => Self::Unknown,
            1 => Self::Synchronized,
            2 => Self::FreeRunning,
            3 => Self::Disrupted,
            _ => {
                return Err(SourceError::Malformed { what: "clock status", value: value.into() });
            }
        })
    }
}

/// How long the CPU's counter takes for one, as a binary fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterPeriod(Fraction);

impl CounterPeriod {
    /// Returns how long it takes for so many, rounded down.
    #[must_use]
    pub fn times(self, ticks: u64) -> Duration {
        let Fraction { numerator, shift } = self.0;
        let product = u128::from(ticks) * u128::from(numerator);
        // Below 2⁶⁴ by how far the product is shifted. The fraction of a second keeps 64 bits.
        let seconds = product >> (64 + shift);
        let fraction = (product >> shift) & u128::from(u64::MAX);
        let nanos = (fraction * 1_000_000_000) >> 64;
        Duration::new(
            u64::try_from(seconds).unwrap_or(u64::MAX),
            u32::try_from(nanos).unwrap_or_default(),
        )
    }
}

/// A number below one: `numerator / 2^(64 + shift)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fraction {
    numerator: u64,
    shift: u8,
}

impl Fraction {
    /// Below that the numerator has all the digits there are.
    const MAX_SHIFT: u8 = 63;

    fn new(what: &'static str, numerator: u64, [shift]: [u8; 1]) -> Result<Self, SourceError> {
        if shift > Self::MAX_SHIFT {
            return Err(SourceError::Malformed { what, value: shift.into() });
        }
        Ok(Self { numerator, shift })
    }

    /// Returns it in parts per billion, rounded up.
    fn as_ppb(self) -> u64 {
        let product = u128::from(self.numerator) * 1_000_000_000;
        let ppb = product.div_ceil(1 << (64 + self.shift));
        u64::try_from(ppb).unwrap_or(u64::MAX)
    }
}

fn decode_v2(generation: u16, mut fields: Fields<'_>) -> Result<Segment, SourceError> {
    let as_of = fields.timespec("as-of timestamp")?;
    let void_after = fields.timespec("void-after timestamp")?;
    let bound = fields.nanos("bound")?;
    let marker = fields.u64()?;
    let drift = drift(fields.u32()?.into())?;
    let status = Status::decode(fields.u32()?)?;
    let disruption_marker = fields.bool("disruption support")?.then_some(marker);
    fields.take::<7>()?; // padding
    let basis = Basis::SystemClock { as_of, void_after };
    Ok(Segment { generation, status, bound, drift, disruption_marker, basis })
}

fn decode_v3(generation: u16, mut fields: Fields<'_>) -> Result<Segment, SourceError> {
    let counter = fields.u64()?;
    let as_of = fields.wall_time("as-of timestamp")?;
    let void_after = fields.wall_time("void-after timestamp")?;
    let (period, period_error) = (fields.u64()?, fields.u64()?);
    let bound = fields.nanos("bound")?;
    let marker = fields.u64()?;
    let max_drift = u64::from(fields.u32()?);
    let status = Status::decode(fields.u32()?)?;
    let disruption_marker = fields.bool("disruption support")?.then_some(marker);
    let period = Fraction::new("period shift", period, fields.take()?)?;
    let period_error = Fraction::new("period error shift", period_error, fields.take()?)?;
    fields.take::<5>()?; // padding
    let drift = drift(max_drift + period_error.as_ppb())?;
    let usable = matches!(status, Status::Synchronized | Status::FreeRunning);
    if usable && period.numerator == 0 {
        return Err(SourceError::Malformed { what: "period", value: 0 });
    }
    let basis = Basis::Counter { as_of, void_after, counter, period: CounterPeriod(period) };
    Ok(Segment { generation, status, bound, drift, disruption_marker, basis })
}

fn drift(ppb: u64) -> Result<Drift, SourceError> {
    let too_large = SourceError::Malformed { what: "drift", value: ppb };
    let ppb = u32::try_from(ppb).ok().and_then(|ppb| Drift::from_ppb(ppb).ok());
    ppb.ok_or(too_large)
}

fn ahead(what: &'static str, value: u64) -> SourceError {
    SourceError::Malformed { what, value }
}
