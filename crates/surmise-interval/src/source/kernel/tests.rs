mod rate;
mod trust;

use alloc::string::ToString;

use super::*;

/// What a daemon leaves there.
const RAW: RawTimex = RawTimex {
    state: libc::TIME_OK,
    status: libc::STA_PLL | libc::STA_NANO,
    maxerror: 1_234,
    esterror: 56,
    offset: 0,
    freq: 0,
    constant: 2,
    tolerance: 32_768_000,
    tick: 10_000,
    tv_sec: 1_795_230_725,
    tv_usec: 126_147_368,
    tai: 37,
};

/// What the kernel shows from boot until a daemon takes over.
const BOOT: RawTimex = RawTimex {
    state: 5,
    status: 0x40,
    maxerror: 16_000_000,
    esterror: 16_000_000,
    tv_usec: 126_147,
    tai: 0,
    ..RAW
};

fn decode(raw: RawTimex) -> Result<Timex, SourceError> {
    Timex::decode(&raw)
}

fn bound(raw: RawTimex) -> Result<Duration, SourceError> {
    decode(raw)?.bound()
}

fn unsynchronized<T>(result: Result<T, SourceError>) -> Option<Unsynchronized> {
    match result {
        Err(SourceError::Unsynchronized { reason }) => Some(reason),
        _ => None,
    }
}

#[test]
fn from_boot_on_nothing_is_known() {
    let timex = decode(BOOT).unwrap();
    assert_eq!(timex.max_error, Duration::from_secs(16));
    assert_eq!(timex.est_error, Duration::from_secs(16));
    let (state, status) = (ClockState::Error, StatusFlags::UNSYNC);
    assert_eq!(unsynchronized(timex.bound()), Some(Unsynchronized::Kernel { state, status }));
    let error = timex.bound().unwrap_err().to_string();
    assert_eq!(error, "not synchronised: TIME_ERROR, STA_UNSYNC");
    assert_eq!(
        timex.to_string(),
        "TIME_ERROR, STA_UNSYNC, maxerror 16s, esterror 16s, offset 0 ns, frequency 0 ppb, \
         tick 10ms, TAI offset 0 s"
    );
}

#[test]
fn each_way_to_be_unsynchronised_suffices() {
    let status = |raw: RawTimex| {
        let Timex { state, status, .. } = decode(raw).unwrap();
        Some(Unsynchronized::Kernel { state, status })
    };
    let error = RawTimex { state: libc::TIME_ERROR, ..RAW };
    let unsync = RawTimex { status: RAW.status | libc::STA_UNSYNC, ..RAW };
    let leap = RawTimex { state: libc::TIME_OOP, ..RAW };
    for raw in [error, unsync, leap] {
        assert_eq!(unsynchronized(bound(raw)), status(raw));
    }
    let unbounded = RawTimex { maxerror: 16_000_000, ..RAW };
    let sixteen = Some(Unsynchronized::Unbounded(Duration::from_secs(16)));
    assert_eq!(unsynchronized(bound(unbounded)), sixteen);
    let error = bound(unbounded).unwrap_err().to_string();
    assert_eq!(error, "not synchronised: its error is no longer bounded: 16s");
    let bounded = RawTimex { maxerror: 15_999_999, ..RAW };
    assert_eq!(bound(bounded).unwrap(), Duration::from_micros(16_000_499));
}

/// What the kernel does each second: 500 µs more, and past 16 s it gives up.
#[test]
fn the_bound_holds_as_the_kernel_lets_it_grow_and_until_it_gives_up() {
    let stated = 15_900_321;
    let mut raw = RawTimex { maxerror: stated, ..RAW };
    let mut bounds = 0;
    for second in 0..300 {
        for tenth in 0..10 {
            // It was stated just before a second began.
            let grown = Duration::from_millis(1000 * second + 100 * tenth) / 2000;
            let stated = Duration::from_micros(stated.unsigned_abs());
            match bound(raw) {
                Ok(bound) => {
                    bounds += 1;
                    assert!(bound >= stated + grown, "{second} {tenth}");
                    assert!(bound <= stated + grown + Duration::from_millis(1), "{second} {tenth}");
                }
                Err(error) => {
                    assert!(stated + grown > Duration::from_millis(15_999), "{second} {tenth}");
                    let expected = "not synchronised: TIME_ERROR, STA_PLL | STA_UNSYNC | STA_NANO";
                    assert_eq!(error.to_string(), expected);
                }
            }
        }
        raw.maxerror += 500;
        if raw.maxerror > 16_000_000 {
            (raw.maxerror, raw.status, raw.state) = (16_000_000, raw.status | 0x40, 5);
        }
    }
    assert_eq!(bounds, 2_000, "199 seconds' growth, and the one that it began with");
}

#[test]
fn other_states_are_synchronised() {
    for state in [libc::TIME_OK, libc::TIME_INS, libc::TIME_DEL, libc::TIME_WAIT] {
        assert_eq!(bound(RawTimex { state, ..RAW }).unwrap(), Duration::from_micros(1_734));
    }
}

#[test]
fn nano_is_the_unit_of_time_and_offset_alone() {
    let nano = RawTimex { offset: -7, ..RAW };
    let timex = decode(nano).unwrap();
    assert_eq!(timex.time.as_nanos(), 1_795_230_725_126_147_368);
    assert_eq!((timex.offset, timex.max_error.as_micros()), (-7, 1_234));
    assert_eq!(timex.bound().unwrap(), Duration::from_nanos(1_734_007));

    let micro = RawTimex { status: libc::STA_PLL, tv_usec: 126_147, ..nano };
    let timex = decode(micro).unwrap();
    assert_eq!(timex.time.as_nanos(), 1_795_230_725_126_147_000);
    assert_eq!((timex.offset, timex.max_error.as_micros()), (-7_000, 1_234));
    // A microsecond more, because the time was rounded down to one.
    assert_eq!(timex.bound().unwrap(), Duration::from_micros(1_742));
}

#[test]
fn rates_come_in_two_to_the_minus_16_ppm() {
    let timex = decode(RawTimex { freq: -65_536 * 3 / 2, ..RAW }).unwrap();
    assert_eq!((timex.frequency, timex.tolerance, timex.tai_offset), (-1_500, 500_000, 37));
}

#[test]
fn each_number_comes_from_its_field() {
    let (_, mut timex) = sys::adjtimex().unwrap();
    (timex.status, timex.tai, timex.time.tv_sec, timex.time.tv_usec) = (1, 2, 3, 4);
    (timex.maxerror, timex.esterror, timex.offset, timex.freq) = (5, 6, 7, 8);
    (timex.constant, timex.tolerance, timex.tick) = (9, 10, 11);
    let expected = RawTimex {
        state: 12,
        status: 1,
        tai: 2,
        tv_sec: 3,
        tv_usec: 4,
        maxerror: 5,
        esterror: 6,
        offset: 7,
        freq: 8,
        constant: 9,
        tolerance: 10,
        tick: 11,
    };
    assert_eq!(RawTimex::new(12, &timex), expected);
}

#[test]
fn nonsense_is_named() {
    let cases = [
        (RawTimex { state: 6, ..RAW }, "clock state 6 makes no sense"),
        (RawTimex { maxerror: -1, ..RAW }, "maximum error 18446744073709551615 makes no sense"),
        (RawTimex { esterror: -2, ..RAW }, "estimated error 18446744073709551614 makes no sense"),
        (RawTimex { tick: -1, ..RAW }, "tick 18446744073709551615 makes no sense"),
        (RawTimex { tv_sec: -1, ..RAW }, "time 18446744073709551615 makes no sense"),
        (
            RawTimex { tv_usec: -1, ..RAW },
            "fraction of the time 18446744073709551615 makes no sense",
        ),
        (
            RawTimex { tv_usec: 1_000_000_000, ..RAW },
            "fraction of the time 1000000000 makes no sense",
        ),
        (
            RawTimex { tv_usec: 1_000_000, status: 0, ..RAW },
            "fraction of the time 1000000 makes no sense",
        ),
    ];
    for (raw, message) in cases {
        assert_eq!(decode(raw).unwrap_err().to_string(), message);
    }
    assert!(decode(RawTimex { tv_usec: 999_999, status: 0, ..RAW }).is_ok());
}

#[test]
fn a_sample_is_as_wide_as_the_bound_and_the_call() {
    let before = Instant::ORIGIN + Duration::from_secs(9);
    let after = before + Duration::from_micros(2);
    let timex = decode(RAW).unwrap();
    let kernel = KernelClock::new();
    let sample = kernel.sample_of(&timex, before, after).unwrap();
    assert_eq!((sample.at(), sample.drift().as_ppb()), (before, 500_000));
    let interval = sample.interval();
    assert_eq!(interval.latest() - timex.time, Duration::from_micros(1_734));
    // By a clock that may count 500 ppm too few, the call took up to 2 ns more than 2 µs.
    assert_eq!(timex.time - interval.earliest(), Duration::from_nanos(1_736_002));
    assert!(kernel.sample_of(&decode(BOOT).unwrap(), before, after).is_err());
}

#[test]
fn an_error_that_grew_from_zero_is_believed_only_if_told_to() {
    let [wary, trusting] = [KernelClock::new(), KernelClock::new().trusting_zero()];
    let sample = |kernel: &KernelClock, (esterror, maxerror)| {
        let timex = decode(RawTimex { esterror, maxerror, ..RAW }).unwrap();
        let sampled = kernel.sample_of(&timex, Instant::ORIGIN, Instant::ORIGIN);
        (timex, sampled.map(|sample| sample.interval().latest() - timex.time))
    };
    let unstated = [
        // systemd-timesyncd, when it has just spoken and some seconds later.
        (0, 0),
        (0, 500),
        (0, 1_000),
        (0, 15_999_500),
        // phc2sys leaves the estimate alone, which is 16 s from boot on.
        (16_000_000, 0),
        (16_000_000, 32_000),
        (501, 500),
    ];
    for numbers in unstated {
        let (timex, sampled) = sample(&wary, numbers);
        let reason = Some(Unsynchronized::Unstated(timex.max_error));
        assert_eq!(unsynchronized(sampled), reason, "{numbers:?}");
        let bound = timex.max_error + Duration::from_micros(500);
        assert_eq!(sample(&trusting, numbers).1.unwrap(), bound, "{numbers:?}");
    }
    let stated = [
        (0, 1),
        (0, 499),
        (0, 501),
        (0, 1_001),
        (1, 500),
        (500, 500),
        (1, 15_999_500),
        // More than the bound, which is odd, but somebody stated that one.
        (16_000_000, 1_234),
        // As chronyd and ntpd have it.
        (12, 5_611),
        (954, 7_987),
    ];
    for numbers in stated {
        assert!(sample(&wary, numbers).1.is_ok(), "{numbers:?}");
    }
}

#[test]
fn no_trust_in_zero_makes_a_clock_synchronised() {
    let kernel = KernelClock::new().trusting_zero();
    // As systemd-timesyncd leaves it where the hardware clock shows local time.
    let unsync =
        RawTimex { status: RAW.status | libc::STA_UNSYNC, maxerror: 0, esterror: 0, ..RAW };
    for raw in [BOOT, unsync] {
        let timex = decode(raw).unwrap();
        for kernel in [&kernel, &KernelClock::new()] {
            let sampled = kernel.sample_of(&timex, Instant::ORIGIN, Instant::ORIGIN);
            let Timex { state, status, .. } = timex;
            let reason = Unsynchronized::Kernel { state, status };
            assert_eq!(unsynchronized(sampled), Some(reason));
        }
    }
}

#[test]
fn status_bits_have_names() {
    let named = |status| decode(RawTimex { status, tv_usec: 0, ..RAW }).unwrap().status.to_string();
    assert_eq!(named(0), "no status");
    assert_eq!(named(0x2041), "STA_PLL | STA_UNSYNC | STA_NANO");
    assert_eq!(named(0xffff).matches("STA_").count(), 16);
}

#[test]
fn a_leap_second_that_is_due_extends_the_interval() {
    let interval = |state| {
        let timex = decode(RawTimex { state, ..RAW }).unwrap();
        let at = Instant::ORIGIN;
        KernelClock::new().sample_of(&timex, at, at).unwrap().interval()
    };
    let second = Duration::from_secs(1);
    let [known, insert, delete] = [libc::TIME_OK, libc::TIME_INS, libc::TIME_DEL].map(interval);
    assert_eq!((insert.earliest() + second, insert.latest()), (known.earliest(), known.latest()));
    assert_eq!((delete.earliest(), delete.latest()), (known.earliest(), known.latest() + second));
}
