//! The monitor of a wall clock's jumps.

use core::time::Duration;

use surmise_clock::{Jump, JumpMonitor};
use surmise_time::{Instant, WallTime};

/// Checks what the monitor makes of readings of a wall clock and a monotonic one.
pub(crate) fn check(max_offset: Duration, readings: &[[u64; 2]]) {
    let mut monitor = JumpMonitor::new(max_offset);
    let (mut forward, mut backward) = (0, 0);
    for (index, &[wall, now]) in readings.iter().enumerate() {
        let jump = monitor.observe(WallTime::from_nanos(wall), Instant::from_nanos(now));
        let before = index.checked_sub(1).and_then(|before| readings.get(before));
        let Some(&[last_wall, last_now]) = before else {
            assert_eq!(jump, Jump::None, "there is nothing before it");
            continue;
        };
        let moved = i128::from(wall) - i128::from(last_wall);
        // A monotonic clock that steps back has stood still.
        let gained = moved - i128::from(now.saturating_sub(last_now));
        let offset = i128::try_from(max_offset.as_nanos()).expect("it is less than 2^94");
        let by = duration(gained.unsigned_abs());
        let expected = if gained > 0 && 2 * gained >= offset {
            forward += 1;
            Jump::Forward(by)
        } else if gained < 0 && -10 * gained > offset {
            backward += 1;
            Jump::Backward(by)
        } else {
            Jump::None
        };
        assert_eq!(jump, expected);
    }
    let statistics = monitor.statistics();
    assert_eq!((statistics.forward, statistics.backward), (forward, backward));
}

fn duration(nanos: u128) -> Duration {
    let (seconds, rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    Duration::new(seconds.try_into().expect("u64"), rest.try_into().expect("u32"))
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;
