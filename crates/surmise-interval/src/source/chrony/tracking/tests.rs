use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::*;

/// The number nearest to `value`, as chrony would send it.
pub(in crate::source::chrony) fn float(value: f64) -> Float {
    let mut exponent = 0;
    let mut coefficient = value;
    while coefficient != 0.0 && coefficient.abs() < f64::from(1 << 23) {
        coefficient *= 2.0;
        exponent -= 1;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is less than 2²⁴")]
    let coefficient = coefficient.round() as i32;
    let bits = (exponent + 25) << 25 | coefficient & 0x01ff_ffff;
    Float::from_bits(u32::from_ne_bytes(i32::to_ne_bytes(bits)))
}

/// A report as `chronyc -c tracking` prints it.
fn tracking(line: &str) -> Tracking {
    let fields: Vec<&str> = line.split(',').collect();
    let number = |field: usize| float(fields[field].parse().unwrap());
    let (seconds, nanos) = fields[3].split_once('.').unwrap();
    Tracking {
        reference_id: u32::from_str_radix(fields[0], 16).unwrap(),
        reference_address: fields[1].parse().ok(),
        stratum: fields[2].parse().unwrap(),
        leap: match fields[13] {
            "Normal" => Leap::None,
            "Not synchronised" => Leap::Unsynchronized,
            other => panic!("{other}"),
        },
        reference_time: WallTime::UNIX_EPOCH
            + Duration::new(seconds.parse().unwrap(), nanos.parse().unwrap()),
        system_time: number(4),
        last_offset: number(5),
        rms_offset: number(6),
        frequency: number(7),
        residual_frequency: number(8),
        skew: number(9),
        root_delay: number(10),
        root_dispersion: number(11),
        update_interval: number(12),
    }
}

const LINE: &str = "7F000001,127.0.0.1,9,1795230725.126147368,-0.000001171,-0.000000005,\
    0.000000014,-0.000,-0.000,0.002,0.000004870,0.000002005,2.0,Normal";

fn reported() -> Tracking {
    tracking(LINE)
}

fn config() -> ChronyConfig {
    ChronyConfig::default()
}

#[test]
fn the_bound_of_clock_bounds_own_cases() {
    for (system_time, root_delay, root_dispersion, bound) in
        [(1.0, 3.0, 2.0, 4500), (-1.0, 3.0, 2.0, 4500), (0.0, 3.0, 2.0, 3500), (0.0, 0.0, 0.0, 0)]
    {
        let tracking = Tracking {
            system_time: float(system_time),
            root_delay: float(root_delay),
            root_dispersion: float(root_dispersion),
            ..reported()
        };
        assert_eq!(tracking.bound(), Duration::from_millis(bound));
    }
}

#[test]
fn the_bound_of_a_line_that_chronyc_printed() {
    assert_eq!(reported().reference_address, Some(Ipv4Addr::LOCALHOST.into()));
    let nanos = reported().bound().as_nanos();
    // Each of the three numbers is rounded up, and none was printed to less than a nanosecond.
    assert!((5611..=5614).contains(&nanos), "{nanos}");
}

#[test]
fn the_bound_saturates() {
    let greatest = Float::from_bits(0x7eff_ffff);
    let tracking = Tracking { system_time: greatest, root_delay: greatest, ..reported() };
    assert!(tracking.bound() >= Duration::from_nanos(u64::MAX));
}

#[test]
fn the_age_is_that_of_the_reference_in_ntp_time() {
    let wall = reported().reference_time + Duration::from_secs(10);
    for (system_time, age) in [(0.0, 10), (2.0, 12), (-3.0, 7), (-25.0, 15)] {
        let tracking = Tracking { system_time: float(system_time), ..reported() };
        assert_eq!(tracking.age(wall), Duration::from_secs(age), "{system_time}");
    }
}

#[test]
fn a_report_is_stale_by_its_reference_however_normal_it_says_it_is() {
    let config = ChronyConfig {
        stale_after_updates: 8,
        min_stale_after: Duration::from_secs(20),
        max_stale_after: Duration::from_secs(100),
        ..config()
    };
    for (update_interval, max) in [(0.0, 20), (2.5, 20), (4.0, 32), (-4.0, 32), (4096.0, 100)] {
        let tracking = Tracking {
            update_interval: float(update_interval),
            system_time: float(0.0),
            ..reported()
        };
        let max = Duration::from_secs(max);
        assert_eq!(tracking.max_age(&config), max);
        let last = tracking.reference_time + max;
        tracking.check(last, &config).unwrap();
        let age = max + Duration::from_nanos(1);
        let checked = tracking.check(tracking.reference_time + age, &config);
        assert!(
            matches!(checked, Err(SourceError::Stale { age: a, max: m }) if (a, m) == (age, max))
        );
        // A reference from the future is no better.
        let checked = tracking.check(tracking.reference_time - age, &config);
        assert!(
            matches!(checked, Err(SourceError::Stale { age: a, max: m }) if (a, m) == (age, max))
        );
    }
}

#[test]
fn the_greatest_age_takes_precedence() {
    let [min_stale_after, max_stale_after] = [200, 100].map(Duration::from_secs);
    let config = ChronyConfig { min_stale_after, max_stale_after, ..config() };
    assert_eq!(reported().max_age(&config), max_stale_after);
}

#[test]
fn a_clock_that_is_not_synchronised_is_an_error() {
    let config = config();
    let wall = reported().reference_time;
    let reason = |tracking: Tracking| match tracking.check(wall, &config) {
        Err(SourceError::Unsynchronized { reason }) => Some(reason),
        Err(error) => panic!("{error}"),
        Ok(()) => None,
    };
    assert_eq!(reason(reported()), None);
    assert_eq!(reason(Tracking { leap: Leap::Insert, ..reported() }), None);
    let unsynchronized = Tracking { leap: Leap::Unsynchronized, ..reported() };
    assert_eq!(reason(unsynchronized), Some(Unsynchronized::LeapStatus));
    for stratum in [0, 16, u16::MAX] {
        let tracking = Tracking { stratum, ..reported() };
        assert_eq!(reason(tracking), Some(Unsynchronized::Stratum(stratum)));
    }
    for stratum in [1, 15] {
        assert_eq!(reason(Tracking { stratum, ..reported() }), None);
    }
    let never = Tracking { reference_time: WallTime::UNIX_EPOCH, ..reported() };
    assert_eq!(reason(never), Some(Unsynchronized::NoReference));
}

#[test]
fn a_clock_that_is_its_own_reference_is_believed_if_told_to() {
    let local = Tracking { reference_id: 0x7f7f_0101, ..reported() };
    let wall = local.reference_time;
    let reason = Unsynchronized::LocalReference;
    let checked = local.check(wall, &config());
    assert!(matches!(checked, Err(SourceError::Unsynchronized { reason: r }) if r == reason));
    local.check(wall, &ChronyConfig { trust_local_reference: true, ..config() }).unwrap();
}

#[test]
fn the_drift_is_what_is_assumed_and_what_is_measured() {
    let tracking = Tracking { skew: float(0.25), residual_frequency: float(-0.5), ..reported() };
    assert_eq!(tracking.drift(Drift::QUARTZ).unwrap(), Drift::from_ppb(50_750).unwrap());
    let reason = |skew: f64| {
        let tracking = Tracking { skew: float(skew), residual_frequency: float(0.0), ..reported() };
        match tracking.drift(Drift::QUARTZ) {
            Err(SourceError::Unsynchronized { reason }) => reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason(500_000.0), Unsynchronized::Rate(500_050_000));
    // What chrony says after the first measurement.
    assert_eq!(reason(1_000_000.0), Unsynchronized::NoRate);
    let absurd = Tracking { skew: Float::from_bits(0x7eff_ffff), ..reported() };
    assert!(absurd.drift(Drift::MAX).is_err());
}
