use surmise_time::ManualClock;

use super::*;
use crate::source::datagram::tests::Echo;

/// What a server replies whose clock shows 2026-11-21 09:26:04.
fn reply_to(request: &[u8]) -> [u8; PACKET_LENGTH] {
    let mut reply = [0; PACKET_LENGTH];
    reply[..4].copy_from_slice(&[0x24, 1, 6, 0xe8]);
    reply[12..16].copy_from_slice(b"GPS\0");
    reply[24..32].copy_from_slice(&request[40..]);
    for offset in [16, 32, 40] {
        reply[offset..offset + 4].copy_from_slice(&0xeeab_e22c_u32.to_be_bytes());
    }
    reply
}

#[test]
fn a_sample_grows_by_what_our_clock_is_slewed_by() {
    let clock = ManualClock::default();
    let echo = Echo::new(&clock, |request| reply_to(request).into());
    let mut source = NtpSource::new(([192, 0, 2, 1], 123).into(), NtpConfig::default());
    source.slewing = Slewing::by(|| Ok(30_000));
    let sample = source.measure_over(&echo, &clock).unwrap().sample().unwrap();
    assert_eq!(sample.drift().as_ppb(), Drift::SPANNER.as_ppb() + 30_000);
    assert_eq!(sample.at(), clock.now());
}
