//! What the next epoch is.

use surmise_time::WallTime;

/// Returns the epoch to begin after another one, or none if that is the last there can be.
///
/// It is the number of seconds since 1970, if that is greater than the next number: so it is new even to a store that was
/// restored from a backup, which does not remember the last ones. That takes a clock which is not behind that of
/// those who began them, and less than one epoch a second.
pub(crate) fn after(last: u64, now: WallTime) -> Option<u64> {
    let seconds = (now - WallTime::UNIX_EPOCH).as_secs();
    Some(last.checked_add(1)?.max(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_above_the_last_and_not_below_the_clock() {
        let now = WallTime::from_nanos(1_800_000_000_999_999_999);
        for (last, next) in [
            (0, 1_800_000_000),
            (1_799_999_999, 1_800_000_000),
            (1_800_000_000, 1_800_000_001),
            (u64::MAX - 1, u64::MAX),
        ] {
            assert_eq!(after(last, now), Some(next));
        }
        assert_eq!(after(u64::MAX, now), None);
        assert_eq!(after(1, WallTime::UNIX_EPOCH), Some(2));
    }
}
