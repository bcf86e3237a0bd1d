use alloc::string::ToString;

use quickcheck::{TestResult, quickcheck};
use surmise_time::WallTime;

use super::{super::NtpTimestamp, *};
use crate::source::Leap;

/// 2026-11-21 09:26:04.
const SECOND: u64 = 1_795_253_164;

fn timestamp(nanos: u64) -> NtpTimestamp {
    let fraction = (u128::from(nanos) << 32) / 1_000_000_000;
    NtpTimestamp::from_bits(u64::try_from(fraction).unwrap().wrapping_add(2_208_988_800 << 32))
}

fn reply(receive: u64, transmit: u64) -> Reply {
    Reply {
        leap: Leap::None,
        stratum: 2,
        poll: 6,
        precision: -20,
        root_delay: Duration::from_millis(8),
        root_dispersion: Duration::from_millis(3),
        reference_id: [192, 0, 2, 1],
        reference: timestamp(receive - 1_000_000_000),
        receive: timestamp(receive),
        transmit: timestamp(transmit),
    }
}

fn measure(reply: Reply, sent: u64, received: u64) -> Result<Measurement, ReplyError> {
    let [sent, received] = [sent, received].map(Instant::from_nanos);
    Measurement::new(reply, sent, received, NtpConfig::default())
}

const MS: u64 = 1_000_000;

/// θ, δ and ε by their formulas.
#[test]
fn the_formulas_of_rfc_5905() {
    let start = SECOND * 1000 * MS;
    // (T₁, T₂, T₃, T₄) in ms, θ = ((T₂ − T₁) + (T₃ − T₄))/2 and δ = (T₄ − T₁) − (T₃ − T₂).
    for (t1, t2, t3, t4, theta_us, delta_us) in [
        (1000, 1020, 1021, 1041, 0_i64, 40_000),
        (1000, 1520, 1530, 1050, 500_000, 40_000),
        (1000, 401, 402, 1100, -648_500, 99_000),
        (1000, 1000, 1000, 1000, 0, 0),
        (1000, 1001, 1031, 1030, 1000, 0),
    ] {
        let reply = reply(start + t2 * MS, start + t3 * MS);
        let measurement = measure(reply, t1 * MS, t4 * MS).unwrap();
        assert_eq!(measurement.delay().as_micros(), delta_us);
        // 2⁻²⁰ s, and 200 ppm that our clock's rate may be off, and 15 ppm that the server's may be.
        let drift_ns = 200 * (t4 - t1) + 15 * (t3 - t2);
        let epsilon_ns = u64::try_from(delta_us).unwrap() * 1000 / 2 + 7 * MS + 954 + drift_ns;
        let uncertainty = measurement.uncertainty().as_nanos();
        assert!(uncertainty.abs_diff(epsilon_ns.into()) < 20, "{uncertainty} {epsilon_ns}");
        let middle = (start + t4 * MS).checked_add_signed(theta_us * 1000).unwrap();
        let interval = measurement.interval();
        assert!(interval.middle().as_nanos().abs_diff(middle) < 3, "{interval}");
        assert!(interval.uncertainty().as_nanos().abs_diff(uncertainty) < 2);
        let sample = measurement.sample().unwrap();
        assert_eq!(sample.at(), Instant::from_nanos(t4 * MS));
        assert_eq!((sample.interval(), sample.drift()), (interval, Drift::SPANNER));
    }
}

#[test]
fn during_the_exchange_no_clock_is_better_than_ntp_assumes() {
    let start = SECOND * 1000 * MS;
    let config = NtpConfig { drift: Drift::from_ppb(0).unwrap(), ..NtpConfig::default() };
    let [sent, received] = [0, 1000 * MS].map(Instant::from_nanos);
    let perfect = Measurement::new(reply(start, start), sent, received, config).unwrap();
    // 15 ppm of a second.
    let without_drift = Duration::from_nanos(507 * MS + 954);
    assert!(perfect.uncertainty() - without_drift >= Duration::from_nanos(15_000));
    assert!(perfect.uncertainty() - without_drift < Duration::from_nanos(15_010));
}

#[test]
fn a_negative_delay_widens_and_beyond_reason_is_refused() {
    let start = SECOND * 1000 * MS;
    let zero = measure(reply(start, start + 10 * MS), 0, 10 * MS).unwrap();
    let negative = measure(reply(start, start + 10 * MS), 0, 9 * MS).unwrap();
    assert_eq!(negative.delay(), Duration::ZERO);
    assert_eq!(negative.interval().latest() + Duration::from_nanos(201), zero.interval().latest());
    let earlier = zero.interval().earliest() - negative.interval().earliest();
    assert!(earlier.as_nanos().abs_diff(u128::from(MS)) < 210, "{earlier:?}");
    assert!(negative.uncertainty() > zero.uncertainty());
    // The error is 7 ms and a little: of 8 ms too little, nothing can make sense.
    let refused = measure(reply(start, start + 10 * MS), 0, 2 * MS);
    let value = 8 * MS;
    match refused {
        Err(ReplyError::Malformed { value: v, .. }) => assert!(v.abs_diff(value) <= 1, "{v}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_monotonic_clock_that_steps_back_is_not_believed() {
    let start = SECOND * 1000 * MS;
    assert!(measure(reply(start, start + 10 * MS), 20 * MS, 10 * MS).is_err());
}

#[test]
fn what_is_too_uncertain_is_refused() {
    let start = SECOND * 1000 * MS;
    let far = Reply { root_delay: Duration::from_secs(3), ..reply(start, start) };
    let measurement = measure(far, 0, 0).unwrap();
    let bound = measurement.uncertainty();
    assert!(bound > Duration::from_millis(1500));
    let max = Duration::from_millis(1500);
    let refused = measurement.sample().unwrap_err();
    assert!(
        matches!(refused, SourceError::Uncertain { bound: b, max: m } if (b, m) == (bound, max))
    );
    let [sent, received] = [0, 0].map(Instant::from_nanos);
    let config = NtpConfig { max_uncertainty: bound, ..NtpConfig::default() };
    assert!(Measurement::new(far, sent, received, config).unwrap().sample().is_ok());
}

#[test]
fn the_most_absurd_reply_overflows_nothing() {
    let absurd = Reply {
        precision: 127,
        root_delay: Duration::MAX,
        root_dispersion: Duration::MAX,
        leap: Leap::Delete,
        ..reply(SECOND * 1000 * MS, SECOND * 1000 * MS)
    };
    let measurement = measure(absurd, 0, u64::MAX).unwrap();
    assert_eq!(measurement.uncertainty(), Duration::MAX);
    assert_eq!(measurement.interval().earliest(), WallTime::UNIX_EPOCH);
    assert_eq!(measurement.interval().latest(), WallTime::MAX);
}

#[test]
fn a_leap_second_that_is_due_extends_the_interval() {
    let start = SECOND * 1000 * MS;
    let known = measure(reply(start, start), 0, MS).unwrap().interval();
    let insert = Reply { leap: Leap::Insert, ..reply(start, start) };
    let extended = measure(insert, 0, MS).unwrap().interval();
    assert_eq!(extended.earliest() + Duration::from_secs(1), known.earliest());
    assert_eq!(extended.latest(), known.latest());
}

#[test]
fn a_server_that_is_its_own_reference_is_believed_if_told_to() {
    let local = Err(Unsynchronized::LocalReference);
    for (stratum, reference_id, expected) in [
        (1, *b"LOCL", local),
        // An address like any other.
        (2, *b"LOCL", Ok(())),
        (1, [127, 127, 1, 1], local),
        (8, [127, 127, 1, 1], local),
        (15, [127, 127, 255, 0], local),
        (2, [127, 0, 0, 1], Ok(())),
        (2, [1, 127, 127, 1], Ok(())),
        (1, *b"LOCA", Ok(())),
        (1, *b"GPS\0", Ok(())),
    ] {
        let start = SECOND * 1000 * MS;
        let reply = Reply { stratum, reference_id, ..reply(start, start) };
        let sampled = measure(reply, 0, 0).unwrap().sample();
        let found = sampled.map(|_| ()).map_err(|error| error.to_string());
        let expected = expected.map_err(|reason| SourceError::from(reason).to_string());
        assert_eq!(found, expected, "{stratum} {reference_id:?}");
        let config = NtpConfig { trust_local_reference: true, ..NtpConfig::default() };
        let [sent, received] = [Instant::ORIGIN; 2];
        assert!(Measurement::new(reply, sent, received, config).unwrap().sample().is_ok());
    }
}

#[test]
fn a_server_whose_reference_is_too_old_is_refused() {
    let start = SECOND * 1000 * MS;
    let max = Duration::from_secs(8192);
    let sampled = |reference| {
        let reply = Reply { reference, ..reply(start, start) };
        measure(reply, 0, 0).unwrap().sample()
    };
    let oldest = NtpTimestamp::from_bits(timestamp(start).to_bits() - (8192 << 32));
    assert!(sampled(oldest).is_ok());
    let older = NtpTimestamp::from_bits(oldest.to_bits() - (1 << 32));
    let age = max + Duration::from_secs(1);
    let refused = sampled(older).unwrap_err();
    assert!(matches!(refused, SourceError::Stale { age: a, max: m } if (a, m) == (age, max)));
    assert!(sampled(NtpTimestamp::from_bits(0)).is_ok(), "it does not tell");
}

quickcheck! {
    /// Whatever the delays there and back, if the server's clock is as right as it says and ours
    /// runs as true as is assumed, the truth is inside when the reply comes.
    fn the_truth_is_inside(delays: (u32, u32, u32), errors: (i32, i32)) -> TestResult {
        let ((there, held, back), (server_error, rate_ppb)) = (delays, errors);
        let [there, held, back] = [there, held, back].map(|nanos| u64::from(nanos) / 16);
        let reply_of = |receive, transmit| Reply { precision: -29, ..reply(receive, transmit) };
        let allowed = i64::try_from(MS * 7).unwrap();
        let error = i64::from(server_error) % allowed;
        let start = SECOND * 1000 * MS;
        let receive = (start + there).checked_add_signed(error).unwrap();
        let arrival = start + there + held + back;
        let elapsed = there + held + back;
        // The monotonic clock counts a little more or less than what passes.
        let rate = i64::from(rate_ppb) % 200_000;
        let counted = i128::from(elapsed) * i128::from(1_000_000_000 + rate) / 1_000_000_000;
        let received = 1000 + u64::try_from(counted).unwrap();
        match measure(reply_of(receive, receive + held), 1000, received) {
            Ok(measured) => {
                let truth = WallTime::from_nanos(arrival);
                TestResult::from_bool(measured.interval().contains(truth))
            }
            Err(error) => TestResult::error(error.to_string()),
        }
    }
}
