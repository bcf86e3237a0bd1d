use alloc::{string::ToString, vec::Vec};

use super::*;

/// What `chronyd` 4.3 replied, which was configured with `local stratum 8`, on the same machine.
const REPLY: [u8; PACKET_LENGTH] = [
    0x24, 0x08, 0x00, 0xe6, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7f, 0x7f, 0x01, 0x01,
    0xee, 0xab, 0xe2, 0x23, 0x63, 0x72, 0x42, 0x9f, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
    0xee, 0xab, 0xe2, 0x2c, 0x74, 0x98, 0xd1, 0x11, 0xee, 0xab, 0xe2, 0x2c, 0x74, 0x9b, 0x03, 0x92,
];

const NONCE: u64 = 0x0102_0304_0506_0708;

fn patched(offset: usize, patch: &[u8]) -> [u8; PACKET_LENGTH] {
    let mut reply = REPLY;
    reply[offset..offset + patch.len()].copy_from_slice(patch);
    reply
}

fn decode(reply: &[u8]) -> Result<Reply, ReplyError> {
    decode_reply(reply, NONCE)
}

#[test]
fn a_request_says_nothing_but_its_number() {
    let mut expected = [0; PACKET_LENGTH];
    expected[0] = 0x23;
    expected[40..].copy_from_slice(&NONCE.to_be_bytes());
    assert_eq!(encode_request(NONCE), expected);
}

#[test]
fn the_reply_of_a_real_server() {
    let reply = decode(&REPLY).unwrap();
    assert_eq!(reply.leap, Leap::None);
    assert_eq!((reply.stratum, reply.poll, reply.precision), (8, 0, -26));
    assert_eq!(reply.clock_precision(), Duration::from_nanos(15));
    assert_eq!((reply.root_delay, reply.root_dispersion), (Duration::ZERO, Duration::ZERO));
    assert_eq!(reply.reference_id, [127, 127, 1, 1]);
    assert_eq!(reply.reference.to_string(), "1795253155.388462222s");
    assert_eq!(reply.receive.to_string(), "1795253164.455456797s");
    assert_eq!(reply.transmit.to_string(), "1795253164.455490325s");
    assert_eq!(reply.held(), Duration::from_nanos(33_527));
}

#[test]
fn root_delay_and_dispersion_are_rounded_up() {
    let reply = decode(&patched(4, &[0, 0, 0x80, 0, 0xff, 0xff, 0xff, 0xff])).unwrap();
    assert_eq!(reply.root_delay, Duration::from_millis(500));
    assert_eq!(reply.root_dispersion, Duration::new(65_535, 999_984_742));
    let least = decode(&patched(4, &[0, 0, 0, 1])).unwrap();
    assert_eq!(least.root_delay, Duration::from_nanos(15_259));
}

#[test]
fn any_precision_is_a_duration() {
    for (precision, nanos) in [(-128, 1), (-64, 1), (-30, 1), (-29, 2), (-1, 500_000_000)] {
        let reply = Reply { precision, ..decode(&REPLY).unwrap() };
        assert_eq!(reply.clock_precision(), Duration::from_nanos(nanos), "{precision}");
    }
    for (precision, seconds) in [(0, 1), (4, 16), (63, 1 << 63), (64, u64::MAX), (127, u64::MAX)] {
        let reply = Reply { precision, ..decode(&REPLY).unwrap() };
        assert_eq!(reply.clock_precision(), Duration::from_secs(seconds), "{precision}");
    }
}

#[test]
fn what_does_not_repeat_our_number_is_foreign() {
    for offset in 24..32 {
        assert_eq!(decode(&patched(offset, &[0])), Err(ReplyError::Foreign));
    }
    for length in 0..32 {
        assert_eq!(decode(&REPLY[..length]), Err(ReplyError::Foreign));
    }
}

#[test]
fn a_reply_has_one_length() {
    let wrong = |value| Err(ReplyError::Malformed { what: "length", value });
    for length in 32..48 {
        assert_eq!(decode(&REPLY[..length]), wrong(length.try_into().unwrap()));
    }
    let longer: Vec<u8> = REPLY.into_iter().chain([0; 20]).collect();
    assert_eq!(decode(&longer), wrong(68));
}

#[test]
fn modes_and_versions() {
    for mode in (0..8).filter(|mode| *mode != 4) {
        let decoded = decode(&patched(0, &[0x20 | mode]));
        assert_eq!(decoded, Err(ReplyError::Malformed { what: "mode", value: mode.into() }));
    }
    for version in (0..8).filter(|version| *version != 4) {
        let decoded = decode(&patched(0, &[version << 3 | 4]));
        let value = version.into();
        assert_eq!(decoded, Err(ReplyError::Unsupported { what: "version", value }));
    }
}

#[test]
fn a_server_that_does_not_know_the_time_says_so() {
    for (flags, leap) in [(0x64, Leap::Insert), (0xa4, Leap::Delete)] {
        assert_eq!(decode(&patched(0, &[flags])).unwrap().leap, leap);
    }
    let unsynchronized = |reason| Err(ReplyError::Unsynchronized(reason));
    assert_eq!(decode(&patched(0, &[0xe4])), unsynchronized(Unsynchronized::LeapStatus));
    for stratum in [0, 16, 17, 255] {
        let reason = Unsynchronized::Stratum(stratum.into());
        assert_eq!(decode(&patched(1, &[stratum])), unsynchronized(reason));
    }
    for stratum in [1, 15] {
        assert_eq!(decode(&patched(1, &[stratum])).unwrap().stratum, stratum);
    }
}

/// What `chronyd` 4.3 replied that had no server and was not configured with `local`.
#[test]
fn a_real_server_that_is_not_synchronised() {
    let mut reply = patched(0, &[0xe4, 0, 0, 0xe6, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    reply[16..24].fill(0);
    let reason = Unsynchronized::LeapStatus;
    assert_eq!(decode(&reply), Err(ReplyError::Unsynchronized(reason)));
}

#[test]
fn kisses_of_death() {
    for (code, expected, is_final) in [
        (b"DENY", KissCode::Deny, true),
        (b"RSTR", KissCode::Restrict, true),
        (b"RATE", KissCode::Rate, false),
        (b"INIT", KissCode::Other(*b"INIT"), false),
        (b"X~!0", KissCode::Other(*b"X~!0"), false),
    ] {
        let mut kiss = patched(12, code);
        // The leap indicator of such a packet usually says that the clock is not synchronised.
        kiss[..3].copy_from_slice(&[0xe4, 0, 0xfd]);
        assert_eq!(decode(&kiss), Err(ReplyError::Kiss { code: expected, poll: -3 }));
        assert_eq!(expected.as_bytes(), code);
        assert_eq!(expected.is_final(), is_final);
    }
    assert_eq!(KissCode::from_bytes(*b"\0\xff\n!").to_string(), "\\x00\\xff\\n!");
    assert_eq!(KissCode::Rate.to_string(), "RATE");
}

#[test]
fn timestamps_out_of_order() {
    let malformed = |what, value| Err(ReplyError::Malformed { what, value });
    assert_eq!(decode(&patched(32, &[0; 8])), malformed("receive timestamp", 0));
    assert_eq!(decode(&patched(40, &[0; 8])), malformed("transmit timestamp", 0));
    let (receive, transmit) = (0xeeab_e22c_7498_d111, 0xeeab_e22c_749b_0392_u64);
    let early = decode(&patched(40, &u64::to_be_bytes(receive - 1)));
    assert_eq!(early, malformed("transmit timestamp before the receive timestamp", receive - 1));
    let at_once = decode(&patched(40, &u64::to_be_bytes(receive))).unwrap();
    assert_eq!(at_once.held(), Duration::ZERO);
    let late = decode(&patched(16, &u64::to_be_bytes(transmit + 1)));
    assert_eq!(late, malformed("reference timestamp after the transmit timestamp", transmit + 1));
    // A reference that was set in the same instant, and one that the server does not tell.
    for reference in [transmit, 0] {
        let reply = decode(&patched(16, &reference.to_be_bytes())).unwrap();
        assert_eq!(reply.reference, NtpTimestamp::from_bits(reference));
    }
}

#[test]
fn a_reply_on_the_wrap_of_2036() {
    let mut reply = patched(32, &[0xff; 8]);
    reply[40..].copy_from_slice(&[0, 0, 0, 0, 0x80, 0, 0, 0]);
    let reply = decode(&reply).unwrap();
    assert_eq!(reply.held(), Duration::from_millis(500));
    assert_eq!(reply.transmit.to_string(), "2085978496.500000000s");
}

#[test]
fn an_answer_is_as_old_as_what_the_server_goes_by() {
    let (reply, transmit) = (decode(&REPLY).unwrap(), 0xeeab_e22c_749b_0392_u64);
    let age =
        |reference: u64| decode(&patched(16, &reference.to_be_bytes())).unwrap().reference_age();
    assert_eq!(reply.reference_age(), Some(Duration::from_nanos(9_067_028_102)));
    assert_eq!(age(transmit - (30 << 32)), Some(Duration::from_secs(30)));
    assert_eq!(age(transmit), Some(Duration::ZERO));
    assert_eq!(age(0), None);
    // After the wrap of 2036, zero is not long ago.
    let mut wrapped = patched(16, &[0; 8]);
    wrapped[32..].fill(1);
    assert_eq!(decode(&wrapped).unwrap().reference_age(), None);
}
