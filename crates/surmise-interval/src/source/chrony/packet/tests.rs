use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::*;

/// What `chronyd` 4.3 replied when it followed a server on the same machine.
const SYNCHRONIZED: &str = "\
    06020000002100050000000000000000010203040000000000000000\
    7f0000017f000001000000000000000000000000000100000009000000000000\
    6b0163aa34f1fb25dd5e639bd16f7ee2d6869e5ff50bb008eb5d865cfab41842\
    e0c2617edabeb987008088ef";

/// What it replied before it had heard of the server.
const UNSYNCHRONIZED: &str = "\
    06020000002100050000000000000000010203040000000000000000\
    0000000000000000000000000000000000000000000000000000000300000000\
    0000000000000000000000000000000000000000000000000000000000000000\
    048000000480000000000000";

/// What that server's `chronyd` replied, which was configured with `local stratum 8`.
const LOCAL: &str = "\
    06020000002100050000000000000000010203040000000000000000\
    7f7f010100000000000000000000000000000000000000000008000000000000\
    6b0163a31727768f000000000000000000000000000000000000000000000000\
    000000000000000000000000";

const SEQUENCE_NUMBER: u32 = 0x0102_0304;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Replaces some bytes of a reply.
fn patched(hex: &str, offset: usize, patch: &[u8]) -> Vec<u8> {
    let mut bytes = bytes(hex);
    bytes[offset..offset + patch.len()].copy_from_slice(patch);
    bytes
}

fn decode(reply: &[u8]) -> Result<Tracking, ReplyError> {
    decode_reply(reply, SEQUENCE_NUMBER)
}

#[test]
fn a_request_is_what_chronyc_sends() {
    let mut expected = [0; PACKET_LENGTH];
    expected[..12].copy_from_slice(&[6, 1, 0, 0, 0, 33, 0, 0, 1, 2, 3, 4]);
    assert_eq!(encode_request(SEQUENCE_NUMBER), expected);
}

#[test]
fn the_report_of_a_synchronised_clock() {
    let tracking = decode(&bytes(SYNCHRONIZED)).unwrap();
    assert_eq!(tracking.reference_id, 0x7f00_0001);
    assert_eq!(tracking.reference_address, Some(Ipv4Addr::LOCALHOST.into()));
    assert_eq!(tracking.stratum, 9);
    assert_eq!(tracking.leap, Leap::None);
    assert_eq!(tracking.reference_time.to_string(), "1795253162.888273701s");
    // As `chronyc -c tracking` printed them.
    let floats = [
        (tracking.system_time, "-0.000001204"),
        (tracking.last_offset, "-0.000000017"),
        (tracking.rms_offset, "0.000000125"),
        (tracking.frequency, "-0.007455822"),
        (tracking.residual_frequency, "-0.000154948"),
        (tracking.skew, "0.043968447"),
        (tracking.root_delay, "0.000005793"),
        (tracking.root_dispersion, "0.000000711"),
        (tracking.update_interval, "0.251044720"),
    ];
    for (float, printed) in floats {
        assert_eq!(format!("{float:.9}"), printed);
    }
}

#[test]
fn the_report_of_a_clock_that_is_not_synchronised() {
    let tracking = decode(&bytes(UNSYNCHRONIZED)).unwrap();
    assert_eq!(tracking.leap, Leap::Unsynchronized);
    assert_eq!((tracking.reference_id, tracking.stratum), (0, 0));
    assert_eq!(tracking.reference_address, None);
    assert_eq!(tracking.reference_time, WallTime::UNIX_EPOCH);
    assert_eq!(tracking.root_delay.as_f64(), 1.0);
}

#[test]
fn the_report_of_a_clock_that_is_its_own_reference() {
    let tracking = decode(&bytes(LOCAL)).unwrap();
    assert_eq!((tracking.reference_id, tracking.stratum), (0x7f7f_0101, 8));
    assert_eq!(tracking.root_dispersion, Float::default());
}

#[test]
fn addresses_of_every_family() {
    let mut address = [0; 20];
    let decoded =
        |address: &[u8; 20]| decode(&patched(SYNCHRONIZED, 32, address)).unwrap().reference_address;
    address[..16].copy_from_slice(&Ipv6Addr::LOCALHOST.octets());
    address[17] = 2;
    assert_eq!(decoded(&address), Some(Ipv6Addr::LOCALHOST.into()));
    // An identifier of chrony's own, and a family of the future.
    for family in [3, 4] {
        address[17] = family;
        assert_eq!(decoded(&address), None);
    }
}

#[test]
fn seconds_of_32_bits() {
    let time = [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1];
    let tracking = decode(&patched(SYNCHRONIZED, 56, &time)).unwrap();
    assert_eq!(tracking.reference_time.to_string(), "4294967295.000000001s");
}

#[test]
fn what_is_not_the_reply_is_foreign() {
    let others = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 34), (16, 0), (17, 0), (18, 0), (19, 0)];
    for (offset, byte) in others {
        let reply = patched(SYNCHRONIZED, offset, &[byte]);
        assert_eq!(decode(&reply), Err(ReplyError::Foreign), "byte {offset}");
    }
    for length in 0..20 {
        assert_eq!(decode(&bytes(SYNCHRONIZED)[..length]), Err(ReplyError::Foreign));
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_what_was_found() {
    let seconds = (u64::from(u32::MAX) << 32) | 0x6b01_63aa;
    let cases: [(usize, &[u8], &str, u64); 6] = [
        (54, &[0, 4], "leap status", 4),
        (54, &[1, 0], "leap status", 256),
        (56, &[0xff; 4], "seconds of the reference time", seconds),
        (64, &[0x3b, 0x9a, 0xca, 0], "nanoseconds of the reference time", 1_000_000_000),
        (92, &[0xe1, 0, 0, 0], "root delay", 0xe100_0000),
        (96, &[0x05, 0xff, 0xff, 0xff], "root dispersion", 0x05ff_ffff),
    ];
    for (offset, patch, what, value) in cases {
        let decoded = decode(&patched(SYNCHRONIZED, offset, patch));
        assert_eq!(decoded, Err(ReplyError::Malformed { what, value }));
    }
    // The greatest number of nanoseconds that there is.
    assert!(decode(&patched(SYNCHRONIZED, 64, &[0x3b, 0x9a, 0xc9, 0xff])).is_ok());
}

#[test]
fn a_reply_has_one_length() {
    let mut reply = bytes(SYNCHRONIZED);
    let wrong = |value| Err(ReplyError::Malformed { what: "length", value });
    for length in 20..104 {
        assert_eq!(decode(&reply[..length]), wrong(length.try_into().unwrap()));
    }
    reply.push(0);
    assert_eq!(decode(&reply), wrong(105));
}

/// What `chronyd` replied to requests of another version, to one that was too short, and to one
/// that it does not allow on a UDP port. The last one's command has been made ours.
#[test]
fn refusals() {
    let version = "06020000002100010012000000000000010203040000000000000000";
    let unsupported = |what, value| Err(ReplyError::Unsupported { what, value });
    assert_eq!(decode(&bytes(version)), unsupported("protocol version", 6));
    let short = "06020000002100010013000000000000010203040000000000000000";
    assert_eq!(decode(&bytes(short)), Err(ReplyError::Refused { status: 19 }));
    let denied = "06020000002100010002000000000000010203040000000000000000";
    assert_eq!(decode(&bytes(denied)), Err(ReplyError::Refused { status: 2 }));
    assert_eq!(decode(&patched(SYNCHRONIZED, 0, &[5])), unsupported("protocol version", 5));
    assert_eq!(decode(&patched(SYNCHRONIZED, 7, &[22])), unsupported("reply format", 22));
}
