mod resumption;

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use std::fs;

use quickcheck::quickcheck;
use surmise_time::{BootClock, ManualClock};

use super::*;
use crate::Interval;

/// A segment of version 2 as the daemon of ClockBound 2 writes it on a little-endian machine.
const V2: &str = "\
    4e5a4d41 00024243 50000000 0200 0200 \
    0300000000000000 2a00000000000000 eb03000000000000 2a00000000000000 \
    1027000000000000 c80d000000000000 50c30000 01000000 01 00000000000000";

/// A segment of version 3: a counter of 1 GHz, which was at 10⁹, and whose period is known to 1 ppm.
const V3: &str = "\
    4e5a4d41 00024243 68000000 0303 0400 00ca9a3b00000000 \
    8556016b00000000 2a00000000000000 6d5a016b00000000 2a00000000000000 \
    00a8b436415f7089 00686caf05bd3786 f401000000000000 5901000000000000 \
    983a0000 02000000 01 1d 13 0000000000";

fn image(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let bytes = digits
        .chunks(2)
        .map(|byte| u8::from_str_radix(core::str::from_utf8(byte).unwrap(), 16).unwrap());
    bytes.collect()
}

fn decode(image: &[u8]) -> Result<Segment, String> {
    Segment::decode(image).map_err(|error| error.to_string())
}

/// Overwrites a part of the image.
fn with(hex: &str, offset: usize, part: &[u8]) -> Vec<u8> {
    let mut image = image(hex);
    image[offset..offset + part.len()].copy_from_slice(part);
    image
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[cfg(target_endian = "little")]
mod little_endian {
    use surmise_time::WallTime;

    use super::*;

    #[test]
    fn version_2_is_read_as_published() {
        let expected = Segment {
            generation: 2,
            status: Status::Synchronized,
            bound: Duration::from_micros(10),
            drift: Drift::QUARTZ,
            disruption_marker: Some(3528),
            basis: Basis::SystemClock {
                as_of: Duration::new(3, 42),
                void_after: Duration::new(1003, 42),
            },
        };
        assert_eq!(decode(&image(V2)), Ok(expected));
        assert_eq!(image(V2).len(), 80);
        assert_eq!(image(V2).first_chunk().map(Segment::generation), Some(2));
    }

    #[test]
    fn version_3_is_read_as_published() {
        let segment = decode(&image(V3)).unwrap();
        assert_eq!(image(V3).len(), Segment::MAX_SIZE);
        assert_eq!(segment.generation, 4);
        assert_eq!(segment.status, Status::FreeRunning);
        assert_eq!(segment.bound, Duration::from_nanos(500));
        assert_eq!(segment.disruption_marker, Some(345));
        // 15 ppm of the oscillator and 1 ppm of the period.
        assert_eq!(segment.drift.as_ppb(), 16_000);
        let Basis::Counter { as_of, void_after, counter, period } = segment.basis else {
            panic!("version 3 bounds a clock of its own: {segment:?}")
        };
        assert_eq!(as_of, WallTime::from_nanos(1_795_249_797_000_000_042));
        assert_eq!(void_after - as_of, seconds(1000));
        assert_eq!(counter, 1_000_000_000);
        assert_eq!(period.times(1_000_000_000), seconds(1));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let cases: &[(Vec<u8>, &str)] = &[
            (with(V2, 0, b"ZMNA"), "magic number 1095650650 makes no sense"),
            (with(V2, 4, &[1]), "magic number 1128399361 makes no sense"),
            (with(V2, 8, &[79]), "segment size 79 makes no sense"),
            (with(V3, 8, &[103]), "segment size 103 makes no sense"),
            (with(V2, 12, &[1]), "version 1 is not supported"),
            (with(V2, 12, &[3]), "version 3 is not supported"),
            (with(V2, 12, &[2, 2]), "version 514 is not supported"),
            (with(V3, 12, &[2, 3]), "version 770 is not supported"),
            (with(V3, 12, &[3, 2]), "version 515 is not supported"),
            (with(V3, 12, &[4, 4]), "version 1028 is not supported"),
            (with(V2, 14, &[0]), "not synchronised: it never had a reference"),
            (with(V2, 14, &[3]), "generation 3 makes no sense"),
            (with(V2, 23, &[0x80]), "as-of timestamp 9223372036854775811 makes no sense"),
            (with(V2, 31, &[0xff]), "as-of timestamp 18374686479671623722 makes no sense"),
            (
                with(V2, 40, &1_000_000_000_u64.to_ne_bytes()),
                "void-after timestamp 1000000000 makes no sense",
            ),
            (with(V3, 31, &[1]), "as-of timestamp 72057595833177733 makes no sense"),
            (with(V2, 48, &[0xff; 8]), "bound 18446744073709551615 makes no sense"),
            (with(V2, 64, &100_000_001_u32.to_ne_bytes()), "drift 100000001 makes no sense"),
            (with(V3, 88, &99_999_001_u32.to_ne_bytes()), "drift 100000001 makes no sense"),
            (with(V3, 88, &[0xff; 4]), "drift 4294968295 makes no sense"),
            (with(V2, 68, &[4]), "clock status 4 makes no sense"),
            (with(V2, 71, &[0x80]), "clock status 2147483649 makes no sense"),
            (with(V2, 72, &[2]), "disruption support 2 makes no sense"),
            (with(V3, 97, &[64]), "period shift 64 makes no sense"),
            (with(V3, 98, &[255]), "period error shift 255 makes no sense"),
            (with(V3, 56, &[0; 8]), "period 0 makes no sense"),
        ];
        for (image, message) in cases {
            assert_eq!(decode(image).unwrap_err(), *message);
        }
    }

    #[test]
    fn what_is_at_the_limit_makes_sense() {
        let cases: &[Vec<u8>] = &[
            with(V2, 8, &[0xff; 4]),
            with(V3, 12, &[4]),
            with(V2, 14, &[0xfe, 0xff]),
            with(V2, 64, &100_000_000_u32.to_ne_bytes()),
            with(V3, 88, &99_999_000_u32.to_ne_bytes()),
            with(V2, 73, &[0xff; 7]),
            with(V3, 97, &[63]),
            [image(V2), Vec::from([0xff; 4096])].concat(),
        ];
        for image in cases {
            assert!(decode(image).is_ok(), "{image:x?}: {:?}", decode(image));
        }
        let unsupported = decode(&with(V2, 72, &[0])).unwrap();
        assert_eq!(unsupported.disruption_marker, None);
    }

    #[test]
    fn each_byte_of_version_2_says_something_but_its_padding() {
        let whole = decode(&image(V2)).unwrap();
        for (offset, byte) in image(V2).into_iter().enumerate() {
            let other = decode(&with(V2, offset, &[byte ^ 1]));
            // A segment may be larger than what is understood of it.
            let means_nothing = matches!(offset, 8..12 | 73..80);
            assert_eq!(other == Ok(whole), means_nothing, "{offset}: {other:?}");
        }
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for whole in [image(V2), image(V3)] {
            for length in 0..whole.len() {
                let message = decode(&whole[..length]).unwrap_err();
                assert_eq!(message, alloc::format!("length {length} makes no sense"));
            }
        }
    }
}

/// The segment that the tests of ClockBound's own clients use.
const PUBLISHED: Segment = Segment {
    generation: 10,
    status: Status::Synchronized,
    bound: Duration::from_micros(10),
    drift: match Drift::from_ppm(1) {
        Ok(drift) => drift,
        Err(_) => unreachable!(),
    },
    disruption_marker: None,
    basis: Basis::SystemClock { as_of: Duration::ZERO, void_after: seconds(10) },
};

fn at(segment: &Segment, wall: u64, monotonic: Duration) -> Result<Interval, String> {
    let wall = surmise_time::WallTime::UNIX_EPOCH + seconds(wall);
    let reading = Reading { wall, monotonic, counter: None };
    segment.interval_at(&reading).map_err(|error| error.to_string())
}

#[test]
fn the_bound_grows_as_in_the_daemons_own_clients() {
    // Two seconds: 2 µs more than 10, and a nanosecond that the clients round off.
    for (wall, monotonic, bound) in
        [(2, 2, 12_001), (20, 4, 14_001), (8, 8, 18_001), (5, 0, 10_000)]
    {
        let interval = at(&PUBLISHED, wall, seconds(monotonic)).unwrap();
        assert_eq!(interval.middle().as_nanos(), wall * 1_000_000_000);
        assert_eq!(interval.uncertainty(), Duration::from_nanos(bound));
    }
}

#[test]
fn nothing_is_known_from_void_after_on() {
    let last = seconds(10) - Duration::from_nanos(1);
    assert!(at(&PUBLISHED, 5, last).is_ok());
    assert_eq!(at(&PUBLISHED, 5, seconds(10)), Err("10s old, which exceeds 10s".into()));
    assert_eq!(at(&PUBLISHED, 5, seconds(70)), Err("70s old, which exceeds 10s".into()));
}

#[test]
fn only_a_microsecond_of_the_future_is_believed() {
    let basis = Basis::SystemClock { as_of: seconds(5), void_after: seconds(10) };
    let segment = Segment { basis, ..PUBLISHED };
    let interval = at(&segment, 7, seconds(5) - Duration::from_micros(1)).unwrap();
    assert_eq!(interval.uncertainty(), PUBLISHED.bound);
    let sooner = seconds(5) - Duration::from_nanos(1001);
    assert_eq!(at(&segment, 7, sooner), Err("as-of timestamp 5 makes no sense".into()));
}

#[test]
fn the_daemons_status_decides() {
    let with = |status| at(&Segment { status, ..PUBLISHED }, 2, seconds(2));
    assert!(with(Status::FreeRunning).is_ok());
    assert_eq!(with(Status::Unknown), Err("not synchronised: its status is unknown".into()));
    assert_eq!(with(Status::Disrupted), Err("not synchronised: the machine was disrupted".into()));
}

#[cfg(target_endian = "little")]
#[test]
fn version_3_counts_on_from_its_counter() {
    let segment = decode(&image(V3)).unwrap();
    let Basis::Counter { as_of, counter, .. } = segment.basis else { panic!() };
    let at = |counter| {
        let wall = surmise_time::WallTime::UNIX_EPOCH; // which does not matter
        let reading = Reading { wall, monotonic: Duration::ZERO, counter };
        segment.interval_at(&reading).map_err(|error| error.to_string())
    };
    // 3 ns are for the tick that was not over, and for rounding.
    let interval = at(Some(counter)).unwrap();
    assert_eq!((interval.middle(), interval.uncertainty().as_nanos()), (as_of, 503));
    // 10 s at 16 ppm; the division by 1 − ρ makes 3 ns.
    let interval = at(Some(counter + 10_000_000_000)).unwrap();
    assert_eq!(
        (interval.middle(), interval.uncertainty().as_nanos()),
        (as_of + seconds(10), 160_506)
    );

    assert_eq!(at(Some(counter - 1)), Err("as-of counter 1000000000 makes no sense".into()));
    assert_eq!(at(None), Err("counter of this CPU 0 is not supported".into()));
    assert!(at(Some(counter + 999_999_999_999)).is_ok());
    let void = at(Some(counter + 1_000_000_000_000));
    assert_eq!(void, Err("1000s old, which exceeds 1000s".into()));
}

/// What the counter's arithmetic must come to, by long division.
fn naive_nanos(ticks: u64, numerator: u64, shift: u8) -> u128 {
    let mut seconds_and_rest = (u128::from(ticks) * u128::from(numerator), 0);
    let one = 1_u128 << (64 + shift);
    seconds_and_rest = (seconds_and_rest.0 / one, seconds_and_rest.0 % one);
    let (seconds, mut rest) = seconds_and_rest;
    let mut nanos = 0;
    // Nine decimal digits, each by doubling and adding so that nothing overflows.
    for _ in 0..9 {
        let mut digit = 0;
        let (mut left, mut carry) = (0_u128, 0);
        for _ in 0..10 {
            left += rest;
            if left >= one {
                left -= one;
                carry += 1;
            }
        }
        digit += carry;
        rest = left;
        nanos = nanos * 10 + digit;
    }
    seconds * 1_000_000_000 + nanos
}

quickcheck! {
    fn a_counter_counts_exactly(ticks: u64, numerator: u64, shift: u8) -> bool {
        // One less than can be decoded, so that the reference does not overflow.
        let shift = shift % 63;
        let mut image = image(V3);
        image[56..64].copy_from_slice(&numerator.max(1).to_ne_bytes());
        image[97] = shift;
        let Ok(Segment { basis: Basis::Counter { period, .. }, .. }) = decode(&image) else {
            return cfg!(target_endian = "big");
        };
        let nanos = period.times(ticks).as_nanos();
        let naive = naive_nanos(ticks, numerator.max(1), shift);
        // Bits below 2⁻⁶⁴ s are dropped, which can cost one.
        nanos == naive || nanos + 1 == naive
    }

    fn any_bytes_give_an_error_or_a_wider_interval(bytes: Vec<u8>, monotonic: u64) -> bool {
        let mut image = image(V2);
        let length = image.len();
        for (nth, byte) in bytes.iter().enumerate() {
            image[16 + nth % (length - 16)] ^= byte;
        }
        let Ok(segment) = decode(&image) else { return true };
        match at(&segment, 1_795_230_725, Duration::from_nanos(monotonic)) {
            Ok(interval) => interval.uncertainty() >= segment.bound.min(seconds(1_795_230_725) / 2),
            Err(_) => true,
        }
    }
}

#[test]
fn the_wall_clock_is_read_first_of_all_that_the_bound_rests_on() {
    let clock = ManualClock::new(Instant::from_nanos(7));
    let tick = || {
        let now = clock.now();
        clock.advance(Duration::from_nanos(1));
        now.as_nanos()
    };
    let (before, reading, after) = read_clocks(
        &clock,
        || WallTime::from_nanos(tick()),
        || (Some(tick()), Duration::from_nanos(tick())),
    );
    assert_eq!((before.as_nanos(), reading.wall.as_nanos()), (7, 7));
    assert_eq!((reading.counter, reading.monotonic.as_nanos()), (Some(8), 9));
    assert_eq!(after.as_nanos(), 10);
}

#[cfg(target_endian = "little")]
#[test]
fn version_2_is_slewed_alike_and_what_was_before_a_suspension_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shm0");
    let publish = |generation: u16| {
        let as_of = suspension::monotonic();
        let mut image = with(V2, 14, &generation.to_ne_bytes());
        for (offset, seconds) in [(16, as_of.as_secs()), (32, as_of.as_secs() + 1000)] {
            image[offset..offset + 8].copy_from_slice(&seconds.to_ne_bytes());
            let nanos = u64::from(as_of.subsec_nanos());
            image[offset + 8..offset + 16].copy_from_slice(&nanos.to_ne_bytes());
        }
        image[72] = 0;
        fs::write(&path, image).unwrap();
    };
    publish(2);
    let mut source = ClockBound {
        suspension: Suspension::of_the_past(),
        slewing: Slewing::by(|| Ok(30_000)),
        ..ClockBound::new(&path, Drift::SPANNER)
    };
    let mut sampled = || source.sample(&BootClock).map_err(|error| error.to_string());
    let suspended = "not synchronised: the machine was suspended, and nothing stated since";
    assert_eq!(sampled(), Err(suspended.into()), "which may have been after it was published");
    assert_eq!(sampled(), Err(suspended.into()));
    publish(4);
    let sample = sampled().unwrap();
    assert_eq!(sample.drift(), Drift::SPANNER, "the bound has in it what is slewed");
}

#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
#[test]
fn version_3_is_sampled_by_this_machines_counter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shm1");
    let now = OsWallClock.now().as_nanos();
    let (as_of, nanos) = (now / 1_000_000_000, now % 1_000_000_000);
    let mut image = image(V3);
    image[16..24].copy_from_slice(&sys::counter().unwrap().to_ne_bytes());
    for (offset, seconds) in [(24, as_of), (40, as_of + 1000)] {
        image[offset..offset + 8].copy_from_slice(&seconds.to_ne_bytes());
        image[offset + 8..offset + 16].copy_from_slice(&nanos.to_ne_bytes());
    }
    // A second. This machine's counter need not be of 1 GHz.
    image[72..80].copy_from_slice(&1_000_000_000_u64.to_ne_bytes());
    image[96] = 0;
    fs::write(&path, image).unwrap();
    let mut source = ClockBound {
        suspension: Suspension::never(),
        slewing: Slewing::by(|| Ok(30_000)),
        ..ClockBound::new(&path, Drift::SPANNER)
    };
    let before = OsWallClock.now();
    let sample = source.sample(&BootClock).unwrap();
    assert!(sample.interval().contains(before));
    assert!(sample.interval().uncertainty() >= seconds(1));
    assert_eq!(sample.drift().as_ppb(), Drift::SPANNER.as_ppb() + 30_000);
}
