use alloc::string::ToString;

use super::*;

/// Every number that is looked at, as the kernel has it.
#[derive(Clone, Copy)]
struct Raw {
    state: i32,
    status: i32,
    maxerror: i32,
    esterror: i32,
    offset: i32,
    freq: i32,
    tolerance: i32,
    tv_sec: i32,
    tv_usec: i32,
    tai: i32,
}

const RAW: Raw = Raw {
    state: libc::TIME_OK,
    status: libc::STA_PLL | libc::STA_NANO,
    maxerror: 1_234,
    esterror: 56,
    offset: 0,
    freq: 0,
    tolerance: 32_768_000,
    tv_sec: 1_795_230_725,
    tv_usec: 126_147_368,
    tai: 37,
};

/// What the kernel shows from boot until a daemon takes over.
const BOOT: Raw = Raw {
    state: libc::TIME_ERROR,
    status: libc::STA_UNSYNC,
    maxerror: 16_000_000,
    esterror: 16_000_000,
    tv_usec: 126_147,
    tai: 0,
    ..RAW
};

impl Raw {
    fn decode(self) -> Result<Timex, SourceError> {
        let (_, mut timex) = sys::adjtimex().unwrap();
        timex.status = self.status;
        timex.maxerror = self.maxerror.into();
        timex.esterror = self.esterror.into();
        timex.offset = self.offset.into();
        timex.freq = self.freq.into();
        timex.tolerance = self.tolerance.into();
        timex.time.tv_sec = self.tv_sec.into();
        timex.time.tv_usec = self.tv_usec.into();
        timex.tai = self.tai;
        Timex::decode(self.state, &timex)
    }

    fn bound(self) -> Result<Duration, SourceError> {
        self.decode()?.bound()
    }
}

fn unsynchronized<T>(result: Result<T, SourceError>) -> Option<Unsynchronized> {
    match result {
        Err(SourceError::Unsynchronized { reason }) => Some(reason),
        _ => None,
    }
}

#[test]
fn from_boot_on_nothing_is_known() {
    let timex = BOOT.decode().unwrap();
    assert_eq!(timex.max_error, Duration::from_secs(16));
    assert_eq!(timex.est_error, Duration::from_secs(16));
    assert_eq!(unsynchronized(timex.bound()), Some(Unsynchronized::Status(0x40)));
    assert_eq!(
        timex.to_string(),
        "TIME_ERROR, STA_UNSYNC, maxerror 16s, esterror 16s, offset 0 ns, frequency 0 ppb, \
         TAI offset 0 s"
    );
}

#[test]
fn each_way_to_be_unsynchronised_suffices() {
    let status = |raw: Raw| Some(Unsynchronized::Status(raw.status.into()));
    let error = Raw { state: libc::TIME_ERROR, ..RAW };
    let unsync = Raw { status: RAW.status | libc::STA_UNSYNC, ..RAW };
    let leap = Raw { state: libc::TIME_OOP, ..RAW };
    for raw in [error, unsync, leap] {
        assert_eq!(unsynchronized(raw.bound()), status(raw));
    }
    let unbounded = Raw { maxerror: 16_000_000, ..RAW };
    let sixteen = Some(Unsynchronized::Unbounded(Duration::from_secs(16)));
    assert_eq!(unsynchronized(unbounded.bound()), sixteen);
    let bounded = Raw { maxerror: 15_999_999, ..RAW };
    assert_eq!(bounded.bound().unwrap(), Duration::from_micros(16_000_499));
}

#[test]
fn other_states_are_synchronised() {
    for state in [libc::TIME_OK, libc::TIME_INS, libc::TIME_DEL, libc::TIME_WAIT] {
        assert_eq!(Raw { state, ..RAW }.bound().unwrap(), Duration::from_micros(1_734));
    }
}

#[test]
fn nano_is_the_unit_of_time_and_offset_alone() {
    let nano = Raw { offset: -7, ..RAW };
    let timex = nano.decode().unwrap();
    assert_eq!(timex.time.as_nanos(), 1_795_230_725_126_147_368);
    assert_eq!((timex.offset, timex.max_error.as_micros()), (-7, 1_234));
    assert_eq!(timex.bound().unwrap(), Duration::from_nanos(1_734_007));

    let micro = Raw { status: libc::STA_PLL, tv_usec: 126_147, ..nano };
    let timex = micro.decode().unwrap();
    assert_eq!(timex.time.as_nanos(), 1_795_230_725_126_147_000);
    assert_eq!((timex.offset, timex.max_error.as_micros()), (-7_000, 1_234));
    // A microsecond more, because the time was rounded down to one.
    assert_eq!(timex.bound().unwrap(), Duration::from_micros(1_742));
}

#[test]
fn rates_come_in_two_to_the_minus_16_ppm() {
    let timex = Raw { freq: -65_536 * 3 / 2, ..RAW }.decode().unwrap();
    assert_eq!((timex.frequency, timex.tolerance, timex.tai_offset), (-1_500, 500_000, 37));
}

#[test]
fn nonsense_is_named() {
    let cases = [
        (Raw { state: 6, ..RAW }, "clock state 6 makes no sense"),
        (Raw { maxerror: -1, ..RAW }, "maximum error 18446744073709551615 makes no sense"),
        (Raw { esterror: -2, ..RAW }, "estimated error 18446744073709551614 makes no sense"),
        (Raw { tv_sec: -1, ..RAW }, "time 18446744073709551615 makes no sense"),
        (Raw { tv_usec: -1, ..RAW }, "fraction of the time 18446744073709551615 makes no sense"),
        (Raw { tv_usec: 1_000_000_000, ..RAW }, "fraction of the time 1000000000 makes no sense"),
        (
            Raw { tv_usec: 1_000_000, status: 0, ..RAW },
            "fraction of the time 1000000 makes no sense",
        ),
    ];
    for (raw, message) in cases {
        assert_eq!(raw.decode().unwrap_err().to_string(), message);
    }
    assert!(Raw { tv_usec: 999_999, status: 0, ..RAW }.decode().is_ok());
}

#[test]
fn a_sample_is_as_wide_as_the_bound_and_the_call() {
    let before = Instant::ORIGIN + Duration::from_secs(9);
    let after = before + Duration::from_micros(2);
    let timex = RAW.decode().unwrap();
    let sample = sample_of(&timex, before, after).unwrap();
    assert_eq!((sample.at(), sample.drift().as_ppb()), (before, 500_000));
    let interval = sample.interval();
    assert_eq!(interval.latest() - timex.time, Duration::from_micros(1_734));
    // By a clock that may count 500 ppm too few, the call took up to 2 ns more than 2 µs.
    assert_eq!(timex.time - interval.earliest(), Duration::from_nanos(1_736_002));
    assert!(sample_of(&BOOT.decode().unwrap(), before, after).is_err());
}

#[test]
fn status_bits_have_names() {
    let named = |status| Raw { status, tv_usec: 0, ..RAW }.decode().unwrap().status.to_string();
    assert_eq!(named(0), "no status");
    assert_eq!(named(0x2041), "STA_PLL | STA_UNSYNC | STA_NANO");
    assert_eq!(named(0xffff).matches("STA_").count(), 16);
}

#[test]
fn after_a_suspension_the_daemon_must_state_its_bound_anew() {
    let mut kernel = KernelClock::new();
    let mut admit = |slept, maxerror| {
        let timex = Raw { maxerror, ..RAW }.decode().unwrap();
        kernel.admit(slept, &timex).is_ok()
    };
    assert!(admit(true, 900), "to have slept before the first reading says nothing");
    assert!(admit(false, 1_000));
    assert!(!admit(true, 500), "stated before, for all that is known");
    assert!(!admit(false, 500));
    assert!(!admit(false, 1_000));
    assert!(admit(false, 999), "it does not shrink by itself");
    assert!(admit(false, 1_500));
    assert!(!admit(true, 2_000));
    assert!(!admit(true, 1_000), "and again");
    assert!(admit(false, 800));
}
