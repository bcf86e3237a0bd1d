use core::time::Duration;

use crate::nanos::nanosecond_time;

/// A point in time on one node's monotonic clock: nanoseconds since an arbitrary origin.
///
/// The origin is the clock's: instants of two clocks, or of two nodes, cannot be compared. The
/// operators saturate, and `checked_*` methods stand beside them; where a clock has stepped back,
/// `now - earlier` is zero.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_time::Instant;
///
/// let sent = Instant::from_nanos(1_000_000);
/// let deadline = sent + Duration::from_millis(5);
/// assert_eq!(deadline.as_nanos(), 6_000_000);
/// assert_eq!(deadline - sent, Duration::from_millis(5));
/// assert_eq!(sent - deadline, Duration::ZERO);
/// assert_eq!(sent.checked_duration_since(deadline), None);
/// assert_eq!(deadline.to_string(), "0.006000000s");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin.
    pub const ORIGIN: Self = Self(0);
}

nanosecond_time!(Instant);

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn addition_saturates_exactly_where_it_overflows(nanos: u64, delta: u64) -> bool {
            let instant = Instant::from_nanos(nanos);
            let duration = Duration::from_nanos(delta);
            let exact = nanos.checked_add(delta).map(Instant::from_nanos);
            instant.checked_add(duration) == exact
                && instant + duration == exact.unwrap_or(Instant::MAX)
        }

        fn subtraction_saturates_exactly_where_it_underflows(nanos: u64, delta: u64) -> bool {
            let instant = Instant::from_nanos(nanos);
            let duration = Duration::from_nanos(delta);
            let exact = nanos.checked_sub(delta).map(Instant::from_nanos);
            instant.checked_sub(duration) == exact
                && instant - duration == exact.unwrap_or(Instant::ORIGIN)
        }

        fn difference_undoes_addition(nanos: u32, delta: u64) -> bool {
            let instant = Instant::from_nanos(nanos.into());
            let duration = Duration::from_nanos(delta >> 1);
            let later = instant + duration;
            later - instant == duration
                && instant.checked_duration_since(later).is_none() == (delta > 1)
        }
    }

    #[test]
    fn durations_beyond_64_bits_of_nanoseconds_saturate() {
        assert_eq!(Instant::ORIGIN + Duration::MAX, Instant::MAX);
        assert_eq!(Instant::MAX - Duration::MAX, Instant::ORIGIN);
        assert_eq!(Instant::ORIGIN.checked_add(Duration::MAX), None);
        assert_eq!(Instant::MAX.checked_sub(Duration::MAX), None);
        let largest = Duration::from_nanos(u64::MAX);
        assert_eq!(Instant::ORIGIN.checked_add(largest), Some(Instant::MAX));
        assert_eq!(Instant::ORIGIN.checked_add(largest + Duration::from_nanos(1)), None);
    }
}
