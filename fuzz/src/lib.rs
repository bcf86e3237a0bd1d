//! What targets share: each of them takes durations.

use core::time::Duration;

use arbitrary::Arbitrary;

/// A duration: any there is, of any magnitude, or one that others are near to.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Span {
    Any(Duration),
    Magnitude { nanos: u64, shift: u8 },
    Nanos(u16),
    Millis(u16),
}

impl Span {
    pub fn duration(self) -> Duration {
        match self {
            Self::Any(duration) => duration,
            Self::Magnitude { nanos, shift } => Duration::from_nanos(nanos >> (shift % 64)),
            Self::Nanos(nanos) => Duration::from_nanos(nanos.into()),
            Self::Millis(millis) => Duration::from_millis(millis.into()),
        }
    }

    /// Returns it in nanoseconds, and as many as there can be if it is longer.
    pub fn nanos(self) -> u64 {
        u64::try_from(self.duration().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.duration()
    }
}
