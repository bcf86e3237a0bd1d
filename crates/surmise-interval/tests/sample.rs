//! Samples at any instant beside numbers that never overflow.

use quickcheck::quickcheck;
use surmise_interval::{Drift, Interval, Sample};
use surmise_time::{Instant, WallTime};

/// Any number, but often near the ends of all that a clock can show.
fn anywhere(number: u64, scale: u8) -> u64 {
    let small = number >> (scale % 64);
    if scale < 128 { small } else { u64::MAX - small }
}

fn drift(ppb: u32) -> Drift {
    Drift::from_ppb(ppb % (Drift::MAX.as_ppb() + 1)).expect("it is at most the maximum")
}

/// Returns ρ / (1 − ρ) of a time, rounded up.
fn growth(drift: Drift, nanos: u64) -> i128 {
    let ppb = i128::from(drift.as_ppb());
    (i128::from(nanos) * ppb + 999_999_999 - ppb) / (1_000_000_000 - ppb)
}

fn clamp(end: i128) -> u64 {
    u64::try_from(end.max(0)).unwrap_or(u64::MAX)
}

quickcheck! {
    /// As wide as it must be, and no more than a nanosecond wider on each side.
    fn the_interval_at_an_instant(
        middle: (u64, u8), width: (u64, u8), at: (u64, u8), now: (u64, u8), ppb: u32
    ) -> bool {
        let earliest = anywhere(middle.0, middle.1);
        let latest = earliest.saturating_add(width.0 >> (width.1 % 64));
        let ends = [earliest, latest].map(WallTime::from_nanos);
        let (at, now, drift) = (anywhere(at.0, at.1), anywhere(now.0, now.1), drift(ppb));
        let interval = Interval::new(ends[0], ends[1]).expect("it begins before it ends");
        let sample = Sample::new(interval, Instant::from_nanos(at), drift);

        let then = sample.interval_at(Instant::from_nanos(now));
        let elapsed = i128::from(now) - i128::from(at);
        let growth = growth(drift, now.abs_diff(at));
        let least = |spare| clamp(i128::from(earliest) + elapsed - growth - spare);
        let most = |spare| clamp(i128::from(latest) + elapsed + growth + spare);
        let (earliest, latest) = (then.earliest().as_nanos(), then.latest().as_nanos());
        (least(1)..=least(0)).contains(&earliest) && (most(0)..=most(1)).contains(&latest)
    }

    fn the_read_gap_is_taken_off(gap: (u64, u8), width: u32, ppb: u32) -> bool {
        let (earliest, before, drift) = (u64::MAX / 3, 1_000, drift(ppb));
        let ends = [earliest, earliest + u64::from(width)].map(WallTime::from_nanos);
        let interval = Interval::new(ends[0], ends[1]).expect("it begins before it ends");
        let gap = gap.0 >> (gap.1 % 62 + 2);
        let between = [before, before + gap].map(Instant::from_nanos);
        let sample = Sample::asked_between(interval, between[0], between[1], drift);
        let widest = i128::from(earliest) - i128::from(gap) - growth(drift, gap);
        let widened = sample.interval().earliest().as_nanos();
        (clamp(widest - 1)..=clamp(widest)).contains(&widened)
            && sample.interval().latest() == ends[1]
            && (sample.at(), sample.drift()) == (between[0], drift)
    }

    /// Neither end steps back while the monotonic clock goes forward.
    fn both_ends_go_forward(at: (u64, u8), now: (u64, u8), step: (u64, u8), ppb: u32) -> bool {
        let middle = WallTime::from_nanos(1 << 63);
        let interval = Interval::around(middle, core::time::Duration::from_millis(1));
        let at = Instant::from_nanos(anywhere(at.0, at.1));
        let sample = Sample::new(interval, at, drift(ppb));
        let now = anywhere(now.0, now.1);
        let then = now.saturating_add(step.0 >> (step.1 % 64));
        let [now, then] = [now, then].map(|now| sample.interval_at(Instant::from_nanos(now)));
        now.earliest() <= then.earliest() && now.latest() <= then.latest()
    }
}

#[test]
fn a_source_that_answers_before_it_was_asked_answers_at_once() {
    let interval = Interval::around(WallTime::from_nanos(100), core::time::Duration::from_nanos(5));
    let between = [20, 10].map(Instant::from_nanos);
    let sample = Sample::asked_between(interval, between[0], between[1], Drift::QUARTZ);
    assert_eq!(sample, Sample::new(interval, between[0], Drift::QUARTZ));
}
