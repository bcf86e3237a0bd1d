//! Any bytes from chronyd's socket: an error, or a report whose bound is no less than its parts
//! say.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use surmise_interval::{
    Drift,
    source::{
        Leap,
        chrony::{ChronyConfig, PACKET_LENGTH, ReplyError, Tracking, decode_reply},
    },
};
use surmise_time::WallTime;

fuzz_target!(|bytes: &[u8]| {
    match decode_reply(bytes, SEQUENCE) {
        Ok(tracking) => check(bytes, &tracking),
        Err(ReplyError::Foreign) => {
            // That must not be all that keeps us from the rest.
            let mut ours = bytes.to_vec();
            if ours.len() >= PACKET_LENGTH {
                ours.truncate(PACKET_LENGTH);
                ours[..12].copy_from_slice(&[6, 2, 0, 0, 0, 33, 0, 5, 0, 0, 0, 0]);
                ours[16..20].copy_from_slice(&SEQUENCE.to_be_bytes());
                match decode_reply(&ours, SEQUENCE) {
                    Ok(tracking) => check(&ours, &tracking),
                    Err(error) => assert!(matches!(error, ReplyError::Malformed { .. }), "{error}"),
                }
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn check(bytes: &[u8], tracking: &Tracking) {
    assert_eq!(bytes.len(), PACKET_LENGTH);
    let seconds = |at: usize| number(bytes, at);
    assert_eq!(tracking.system_time.as_f64(), seconds(68));
    assert!(seconds(92) >= 0.0 && seconds(96) >= 0.0);
    let expected = seconds(68).abs() + seconds(96) + seconds(92) / 2.0;
    let bound = tracking.bound();
    // One that saturated is longer than any time that can be told.
    let longest = Duration::from_nanos(u64::MAX);
    let close = |actual: f64| {
        actual >= expected * (1.0 - 1e-12) && actual <= expected * (1.0 + 1e-12) + 3e-9
    };
    assert!(bound >= longest || close(bound.as_secs_f64()), "{bound:?} {expected}");

    for nanos in [0, 1_795_253_164_455_490_325, u64::MAX] {
        let wall = WallTime::from_nanos(nanos);
        let config = ChronyConfig::default();
        if tracking.check(wall, &config).is_ok() {
            assert!(tracking.leap != Leap::Unsynchronized);
            assert!((1..=15).contains(&tracking.stratum));
            assert!(tracking.age(wall) <= config.max_stale_after);
        }
    }
    if let Ok(drift) = tracking.drift(Drift::NTP) {
        let ppm = tracking.skew.as_f64().abs() + tracking.residual_frequency.as_f64().abs();
        assert!(f64::from(drift.as_ppb()) >= 15_000.0 + ppm * 999.999, "{drift:?} {ppm}");
    }
}

/// Reads one of chrony's numbers, by the definition.
fn number(bytes: &[u8], at: usize) -> f64 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    let bits = i32::from_be_bytes(word);
    f64::from(bits << 7 >> 7) * f64::from((bits >> 25) - 25).exp2()
}

/// That of the seeds.
const SEQUENCE: u32 = 0x0102_0304;
