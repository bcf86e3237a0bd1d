use core::time::Duration;

/// Returns a duration in nanoseconds; it saturates.
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    // A product of so few seconds and a billion has fewer than 64 bits, as nearly always.
    if duration.as_secs() >> 34 == 0 {
        duration.as_secs() * 1_000_000_000 + u64::from(duration.subsec_nanos())
    } else {
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Returns a duration in nanoseconds, and no more than so many seconds, of which there are less than 2³⁴.
///
/// It costs half of what it does to saturate at 2⁶⁴ ns.
#[inline]
pub(crate) const fn nanos_up_to(duration: Duration, seconds: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    if duration.as_secs() >= seconds {
        return seconds * SECOND;
    }
    duration.as_secs() * SECOND + duration.subsec_nanos() as u64
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn no_more_seconds_than_that(seconds: u32, fewer: u8, nanos_more: u32, limit: u32) -> bool {
            let near = u64::from(limit).saturating_sub(u64::from(fewer % 4));
            let limited = Duration::from_secs(limit.into());
            [u64::from(seconds), near].map(|s| Duration::new(s, nanos_more)).iter().all(|&duration| {
                nanos_up_to(duration, limit.into()) == nanos(duration.min(limited))
            })
        }
    }

    #[test]
    fn long_durations_saturate() {
        assert_eq!(nanos_up_to(Duration::MAX, 3), 3_000_000_000);
    }
}
