//! Any bytes from a server's port: an error, or a measurement that is no narrower than its parts
//! say.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use surmise_interval::source::{
    Leap, SourceError, Unsynchronized,
    ntp::{Measurement, NtpConfig, PACKET_LENGTH, Reply, ReplyError, decode_reply},
};
use surmise_time::Instant;

fuzz_target!(|bytes: &[u8]| {
    // What follows the packet says how long it took, so that a saved packet is one as it stands.
    let (packet, rest) = bytes.split_at(bytes.len().min(PACKET_LENGTH));
    let round_trip =
        Duration::from_nanos(rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    match decode_reply(packet, NONCE) {
        Ok(reply) => check(packet, reply, round_trip),
        Err(ReplyError::Foreign) => {
            let mut ours = packet.to_vec();
            if ours.len() == PACKET_LENGTH {
                ours[0] = ours[0] & 0xc0 | 0x24;
                ours[24..32].copy_from_slice(&NONCE.to_be_bytes());
                if let Ok(reply) = decode_reply(&ours, NONCE) {
                    check(&ours, reply, round_trip);
                }
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if bytes.len() > PACKET_LENGTH {
        assert!(decode_reply(bytes, NONCE).is_err(), "longer than a packet");
    }
});

fn check(packet: &[u8], reply: Reply, round_trip: Duration) {
    assert_eq!(packet.len(), PACKET_LENGTH);
    assert!(reply.leap != Leap::Unsynchronized && (1..=15).contains(&reply.stratum));
    let (sent, config) = (Instant::from_nanos(1), NtpConfig::default());
    let received = sent + round_trip;
    // The longest round trips end with the clock.
    let round_trip = received - sent;
    let measured = match Measurement::new(reply, sent, received, config) {
        Ok(measured) => measured,
        Err(error) => {
            assert!(matches!(error, ReplyError::Malformed { .. }) && reply.held() > round_trip);
            return;
        }
    };
    let bound = measured.uncertainty();
    let parts = [
        round_trip.saturating_sub(reply.held()) / 2,
        reply.root_delay / 2,
        reply.root_dispersion,
        reply.clock_precision(),
        round_trip / 1_000_000 * 15,
    ];
    let sum = parts.into_iter().fold(Duration::ZERO, Duration::saturating_add);
    assert!(bound >= sum, "{bound:?} is less than {parts:?}");

    let interval = measured.interval();
    let transmitted = reply.transmit.wall_time();
    assert!(interval.contains(transmitted) && interval.contains(transmitted + measured.delay()));
    let width = interval.latest() - interval.earliest();
    // A bound that is too large to be told is cut off at the ends of time.
    let cut = transmitted.checked_sub(bound.saturating_mul(2)).is_none()
        || transmitted.checked_add(bound.saturating_mul(2)).is_none();
    assert!(
        cut || width + Duration::from_nanos(4) >= bound.saturating_mul(2),
        "{interval} of {bound:?}"
    );
    match measured.sample() {
        Ok(sample) => {
            assert!(bound <= config.max_uncertainty);
            assert!(!reply.is_local_reference());
            assert!(reply.reference_age().is_none_or(|age| age <= config.max_reference_age));
            assert_eq!((sample.interval(), sample.at()), (interval, received));
        }
        Err(error) => {
            let is_due = match error {
                SourceError::Uncertain { .. } => bound > config.max_uncertainty,
                SourceError::Stale { age, max } => reply.reference_age() == Some(age) && age > max,
                SourceError::Unsynchronized { reason } => {
                    reason == Unsynchronized::LocalReference && reply.is_local_reference()
                }
                _ => false,
            };
            assert!(is_due, "{error}");
        }
    }
}

/// That of the seeds.
const NONCE: u64 = 0x0102_0304_0506_0708;
