use alloc::string::ToString;

use surmise_time::{BootClock, ManualClock};

use super::*;

const fn shown(tv_sec: i64, tv_nsec: i64) -> Timespec {
    Timespec { tv_sec, tv_nsec }
}

/// What a hypervisor might promise of its virtual machines' clock.
const CONFIG: PhcConfig = PhcConfig::new(Duration::from_millis(1), Timescale::Utc);

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

#[test]
fn the_reading_that_took_least_counts() {
    let clock = ManualClock::default();
    let mut gaps = [3, 1, 2, 1].into_iter();
    let mut reads = 0;
    let best = read_best(&clock, 4, || {
        clock.advance(micros(gaps.next().unwrap()));
        reads += 1;
        Ok(reads)
    });
    let (before, value, after) = best.unwrap();
    assert_eq!((value, reads), (2, 4), "of two equals the first");
    assert_eq!((before - Instant::ORIGIN, after - Instant::ORIGIN), (micros(3), micros(4)));
}

#[test]
fn a_device_is_read_at_least_once() {
    for tries in [0, 1] {
        let mut reads = 0;
        let best = read_best(&ManualClock::default(), tries, || {
            reads += 1;
            Ok(())
        });
        assert!(best.is_ok());
        assert_eq!(reads, 1);
    }
}

#[test]
fn a_device_that_fails_once_has_failed() {
    let mut reads = 0;
    let best = read_best(&ManualClock::default(), 5, || {
        reads += 1;
        if reads == 3 { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    });
    assert_eq!(best.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[test]
fn atomic_time_is_ahead() {
    let tai = Timescale::Tai { ahead: Duration::from_secs(37) };
    let time = shown(1_795_230_762, 5);
    assert_eq!(tai.to_utc(time).unwrap().as_nanos(), 1_795_230_725_000_000_005);
    assert_eq!(Timescale::Utc.to_utc(time).unwrap().as_nanos(), 1_795_230_762_000_000_005);
}

#[test]
fn what_a_device_shows_that_was_never_set_is_no_time() {
    for seconds in [i64::MIN, -1, 0, 12_345, 1_483_228_799] {
        let error = Timescale::Utc.to_utc(shown(seconds, 0)).unwrap_err();
        assert_eq!(error.to_string(), "not synchronised: it never had a reference");
    }
    assert!(Timescale::Utc.to_utc(shown(1_483_228_800, 0)).is_ok());
}

#[test]
fn nonsense_is_an_error() {
    let far = Timescale::Tai { ahead: Duration::MAX };
    let cases = [
        (Timescale::Utc, shown(1_795_230_725, -1)),
        (Timescale::Utc, shown(1_795_230_725, 1_000_000_000)),
        (far, shown(1_795_230_725, 0)),
    ];
    for (timescale, time) in cases {
        let error = timescale.to_utc(time).unwrap_err();
        assert_eq!(error.to_string(), "time of the hardware clock 1795230725 makes no sense");
    }
    assert!(Timescale::Utc.to_utc(shown(i64::MAX, 0)).is_err(), "after the year 2554");
}

#[test]
fn a_sample_is_as_wide_as_stated_and_as_the_reading_took() {
    let time = WallTime::from_nanos(1_795_230_725_000_000_000);
    let before = Instant::ORIGIN + Duration::from_secs(9);
    let reading = PhcReading { time, before, after: before + micros(3), drift: Drift::SPANNER };
    let sample = reading.to_sample(micros(20));
    assert_eq!((sample.at(), sample.drift()), (before, Drift::SPANNER));
    let interval = sample.interval();
    assert_eq!(interval.latest() - time, Duration::from_nanos(20_001));
    // The reading is at most 3 µs later than the instant, by a clock that may count 200 ppm too
    // few.
    assert_eq!(time - interval.earliest(), Duration::from_nanos(23_002));
}

#[test]
fn a_reading_says_what_our_clock_is_slewed_by() {
    let mut phc = Phc::open("/dev/null", CONFIG).unwrap();
    phc.slewing = Slewing::by(|| Ok(30_000));
    let clock = ManualClock::default();
    let reading = phc.read_by(&clock, || Ok(shown(1_795_230_725, 7))).unwrap();
    assert_eq!(reading.drift.as_ppb(), Drift::SPANNER.as_ppb() + 30_000);
    assert_eq!(reading.time.as_nanos(), 1_795_230_725_000_000_007);
    assert_eq!(reading.to_sample(CONFIG.accuracy).drift(), reading.drift);
}

#[test]
fn what_is_no_clock_cannot_be_read() {
    let error = Phc::open("/dev/ptp-nonexistent", CONFIG).unwrap_err();
    assert_eq!(error.to_string(), "could not open /dev/ptp-nonexistent");

    let null = Phc::open("/dev/null", CONFIG).unwrap();
    assert_eq!((null.name(), null.path()), ("phc /dev/null", Path::new("/dev/null")));
    let error = null.read(&BootClock).unwrap_err();
    assert_eq!(error.to_string(), "could not read the clock of /dev/null");
}

#[test]
fn a_device_is_read_where_there_is_one() {
    let Ok(mut phc) = Phc::open("/dev/ptp0", CONFIG) else { return };
    match phc.sample(&BootClock) {
        Ok(sample) => assert!(sample.interval().uncertainty() >= Duration::from_millis(1)),
        Err(error) => assert!(!matches!(error, SourceError::Malformed { .. }), "{error}"),
    }
}
