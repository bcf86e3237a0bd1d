use core::time::Duration;

use crate::{ConfigError, error, float};

/// A duration of whole microseconds in 4 bytes, up to 71 minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Micros(u32);

impl Micros {
    /// The longest.
    pub(crate) const MAX: Duration = Duration::from_micros(u32::MAX as u64);

    /// Rounds up to a whole microsecond.
    pub(crate) fn new(field: &'static str, value: Duration) -> Result<Self, ConfigError> {
        let nanos = error::duration(field, value, Duration::ZERO, Self::MAX)?;
        Ok(Self(u32::try_from(nanos.div_ceil(1000)).unwrap_or(u32::MAX)))
    }

    /// Returns the duration in nanoseconds.
    #[inline]
    pub(crate) fn as_nanos(self) -> f64 {
        float::from_nanos(u64::from(self.0) * 1000)
    }
}
