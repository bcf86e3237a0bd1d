//! Cases from the test suites of other hybrid clocks, as data.
//!
//! Where they count wall time in units of their own with a counter beside it, a unit is 1000 ns here, and
//! the counter is in the nanoseconds below. Left out is what has no counterpart: CockroachDB's algebra of
//! the two parts (§1.7: `FloorPrev`, `WallNext`, …), because there is one part; its negative times, which
//! are not representable; uhlc's text form of node ids; Mongo's limit on how far a cluster's time moves at
//! once, which here is `max_offset`.

#![expect(clippy::unwrap_used, reason = "a case that fails fails the test")]

use core::time::Duration;

use surmise_clock::{
    DurableHybridClock, HybridClock, HybridTimestamp, StampRefused, WallLogical,
    sync::AtomicHybridClock,
};
use surmise_time::WallTime;

const ANY_OFFSET: Duration = Duration::from_secs(1 << 20);

fn stamp(nanos: u64) -> HybridTimestamp {
    HybridTimestamp::from_nanos(nanos).unwrap()
}

fn at(nanos: u64) -> WallTime {
    WallTime::from_nanos(nanos)
}

/// A wall time in units of 1000 ns, with a counter.
fn pair(wall: u64, counter: u64) -> u64 {
    wall * 1000 + counter
}

/// CockroachDB's `TestHLCClock`: the wall time, what is received if anything, and the stamp that follows.
///
/// It receives in three steps: a tick, the update, and another tick.
#[test]
fn cockroachdb_clock() {
    let cases = [
        (5, None, (5, 0)),
        (6, None, (6, 0)),
        (10, Some((10, 5)), (10, 6)),
        (7, None, (10, 7)),
        (8, Some((10, 4)), (10, 9)),
        (10, Some((10, 99)), (10, 100)),
        (11, Some((10, 31)), (11, 1)),
        (11, None, (11, 2)),
    ];
    let mut clock = HybridClock::new(Duration::from_nanos(1000));
    let shared = AtomicHybridClock::new(Duration::from_nanos(1000));
    for (wall, received, expected) in cases {
        let physical = at(pair(wall, 0));
        if let Some((remote_wall, counter)) = received {
            let remote = stamp(pair(remote_wall, counter));
            clock.tick(physical);
            clock.observe(remote, physical).unwrap();
            shared.tick(physical);
            shared.observe(remote, physical).unwrap();
        }
        let expected = pair(expected.0, expected.1);
        assert_eq!(clock.tick(physical).as_nanos(), expected, "at {wall}");
        assert_eq!(shared.tick(physical).as_nanos(), expected, "at {wall}, shared");
    }
}

/// The crate hlc's `it_works`, whose receiving is one step as in the paper.
#[test]
fn hlc_it_works() {
    let cases = [
        (10, None, (10, 0)),
        (10, None, (10, 1)),
        (9, None, (10, 2)),
        (20, None, (20, 0)),
        (30, Some((12, 3)), (30, 0)),
        (30, Some((12, 3)), (30, 1)),
        (30, Some((30, 1)), (30, 2)),
        (30, Some((30, 99)), (30, 100)),
        (35, Some((44, 100)), (44, 101)),
        (50, Some((45, 0)), (50, 0)),
        (49, Some((50, 99)), (50, 100)),
        (0, Some((50, 50)), (50, 101)),
    ];
    let mut clock = HybridClock::new(ANY_OFFSET);
    let shared = AtomicHybridClock::new(ANY_OFFSET);
    for (wall, received, expected) in cases {
        let physical = at(pair(wall, 0));
        let (ours, theirs) = match received {
            None => (clock.tick(physical), shared.tick(physical)),
            Some((remote_wall, counter)) => {
                let remote = stamp(pair(remote_wall, counter));
                (
                    clock.witness(remote, physical).unwrap(),
                    shared.witness(remote, physical).unwrap(),
                )
            }
        };
        assert_eq!(ours.as_nanos(), pair(expected.0, expected.1), "at {wall}");
        assert_eq!(theirs, ours, "at {wall}, shared");
    }
}

/// CockroachDB's "untrustworthy" remote times, and uhlc's: how far ahead in ms, `max_offset` in ms, and
/// whether it is taken in.
#[test]
fn remote_stamps_are_taken_in_up_to_the_offset() {
    let now = at(1_795_230_725_000_000_000);
    for (ahead, max_offset, taken_in) in
        [(499, 500, true), (500, 500, true), (501, 500, false), (1000, 500, false), (0, 0, true)]
    {
        let mut clock = HybridClock::new(Duration::from_millis(max_offset));
        let before = clock.tick(now);
        let remote = stamp((now + Duration::from_millis(ahead)).as_nanos());
        let outcome = clock.witness(remote, now);
        assert_eq!(outcome.is_ok(), taken_in, "{ahead} of {max_offset}");
        if let Err(error) = outcome {
            assert_eq!((error.stamp, error.physical), (remote, now));
            assert_eq!(error.ahead(), Duration::from_millis(ahead));
            assert_eq!(error.max_offset(), Duration::from_millis(max_offset));
            assert_eq!(clock.latest(), Some(before), "nothing was changed");
        }
    }
}

/// Stamps that no node can have sent in earnest, and what is left of the clock afterwards.
#[test]
fn wild_stamps_are_refused_and_change_nothing() {
    let now = at(1_795_230_725_000_000_000);
    let mut clock = HybridClock::new(Duration::from_millis(500));
    let shared = AtomicHybridClock::new(Duration::from_millis(500));
    let (ours, theirs) = (clock.tick(now), shared.tick(now));
    let in_2262 = i64::MAX.unsigned_abs();
    for wild in [now.as_nanos() + 500_000_001, in_2262, in_2262 + 1, u64::MAX - 1, u64::MAX] {
        assert!(clock.observe(stamp(wild), now).is_err());
        assert!(clock.witness(stamp(wild), now).is_err());
        assert!(shared.observe(stamp(wild), now).is_err());
        assert!(shared.witness(stamp(wild), now).is_err());
        assert_eq!((clock.latest(), shared.latest()), (Some(ours), Some(theirs)));
    }
    // The first nanosecond of 1970 is old, not wrong.
    assert_eq!(clock.observe(HybridTimestamp::MIN, now), Ok(()));
    assert_eq!(clock.tick(now), ours.next().unwrap());
}

/// uhlc's: 42 ticks at one physical time advance by 41, past what its counter has of bits; and the
/// crate hlc went back at the 65 537th.
#[test]
fn ticks_at_one_physical_time_never_run_out() {
    let now = at(1_795_230_725_000_000_000);
    let mut clock = HybridClock::new(ANY_OFFSET);
    let mut last = clock.tick(now);
    for call in 1..70_000 {
        let next = clock.tick(now);
        assert_eq!(next.as_nanos(), now.as_nanos() + call);
        assert!(next > last);
        last = next;
    }
}

/// uhlc's: four clocks that update each other give 40 000 stamps, each once.
#[test]
fn four_clocks_that_update_each_other_ascend() {
    let mut clocks = [const { HybridClock::new(ANY_OFFSET) }; 4];
    let mut last = [None; 4];
    for round in 0..10_000_u64 {
        // The clocks run at four speeds, and the first stands still.
        for node in 0..4 {
            let now = at(1_000_000 + round * [0, 1, 3, 7][node]);
            let next = clocks[node].tick(now);
            assert!(Some(next) > last[node]);
            last[node] = Some(next);
            clocks[(node + 1) % 4].observe(next, now).unwrap();
        }
    }
}

/// hlc-rs's: what is received from far ahead, with a counter, must be less than what follows. hlc-gen's:
/// dates after 2110 are dates.
#[test]
fn defects_of_others() {
    let mut clock = HybridClock::new(ANY_OFFSET);
    let remote = stamp(1_000_000 + 5_000_000_000 + 9);
    assert!(clock.witness(remote, at(1_000_000)).unwrap() > remote);

    let in_2110 = at(4_417_977_600_000_000_000);
    assert_eq!(clock.tick(in_2110).wall_time(), in_2110);
    assert_eq!(
        clock.witness(stamp(in_2110.as_nanos() + 7), in_2110).unwrap(),
        stamp(in_2110.as_nanos() + 8)
    );
}

/// CockroachDB's upper bound of the wall time: no stamp above it, and none at all without one.
#[test]
fn no_stamp_is_above_the_durable_ceiling() {
    let now = at(1000);
    for (ceiling, given) in [(100, false), (999, false), (1000, true), (1010, true)] {
        let mut clock = DurableHybridClock::new(Duration::ZERO, Duration::from_nanos(10));
        assert_eq!(clock.tick(now).unwrap_err().ceiling, None);
        clock.raise_ceiling(stamp(ceiling));
        let outcome = clock.tick(now);
        assert_eq!(outcome.is_ok(), given, "{ceiling}");
        if let Err(error) = outcome {
            assert_eq!((error.stamp, error.ceiling), (stamp(1000), Some(stamp(ceiling))));
            assert_eq!(clock.latest(), None, "nothing was changed");
        }
    }
    let mut clock = DurableHybridClock::new(Duration::from_nanos(50), Duration::from_nanos(10));
    clock.raise_ceiling(stamp(1020));
    clock.raise_ceiling(stamp(1010));
    assert_eq!(clock.observe(stamp(1020), now), Ok(()), "the ceiling never sinks");
    assert!(matches!(clock.observe(stamp(1021), now), Err(StampRefused::CeilingReached(_))));
    assert!(matches!(clock.witness(stamp(1020), now), Err(StampRefused::CeilingReached(_))));
    assert!(matches!(clock.observe(stamp(1051), now), Err(StampRefused::DriftExceeded(_))));
    assert_eq!(clock.latest(), Some(stamp(1020)));
}

/// CockroachDB's decimal form (§1.7) and what it rejects.
#[test]
fn cockroachdb_decimals() {
    for (text, wall, logical) in [
        ("123456789", 123_456_789, 0),
        ("123456789.0", 123_456_789, 0),
        (".0000000123", 0, 123),
        ("1234567890.0000000001", 1_234_567_890, 1),
        ("9223372036854775807.2147483647", i64::MAX.unsigned_abs(), 2_147_483_647),
    ] {
        assert_eq!(text.parse(), Ok(WallLogical::new(at(wall), logical).unwrap()), "{text}");
    }
    for text in [
        "18446744073709551616",
        "9223372036854775808",
        "-1",
        "1.9999999999",
        "1.00000000001",
        "1.2.3",
        "asdf",
        "",
        ".",
    ] {
        assert!(text.parse::<WallLogical>().is_err(), "{text}");
    }
}

/// Of CockroachDB's lenient parsing, what concerns the part in seconds.
#[test]
fn seconds_are_parsed() {
    for (text, nanos) in [
        ("99", 99_000_000_000),
        ("0.000000001", 1),
        ("1.1", 1_100_000_000),
        ("1234567890.000000000", 1_234_567_890_000_000_000),
        ("6661.234567890", 6_661_234_567_890),
    ] {
        assert_eq!(text.parse(), Ok(stamp(nanos)), "{text}");
    }
    for text in ["asdf", "-1.-1", "9999999999999999999", "1.9999999999999999999", "0,123[?]", "0"] {
        assert!(text.parse::<HybridTimestamp>().is_err(), "{text}");
    }
}

/// uhlc's `NTP64` (§1.8).
#[test]
fn uhlc_ntp64() {
    let ntp64 = stamp(42_000_000_084).to_ntp64().unwrap();
    assert_eq!(HybridTimestamp::from_ntp64(ntp64).unwrap().as_nanos(), 42_000_000_084);
    assert_eq!(HybridTimestamp::from_ntp64(1 << 32).unwrap().as_nanos(), 1_000_000_000);
    assert_eq!(stamp(1_000_000_000).to_ntp64(), Ok(1 << 32));
    // Fifteen units are less than 3.5 ns.
    assert_eq!(HybridTimestamp::from_ntp64(15).unwrap().as_nanos(), 3);
    assert_eq!(HybridTimestamp::from_ntp64(4).unwrap_err().min, 5);
    let shown = HybridTimestamp::from_ntp64(7_386_690_599_959_157_260).unwrap();
    assert_eq!(shown.to_string(), "1719847926.860479000");
}
