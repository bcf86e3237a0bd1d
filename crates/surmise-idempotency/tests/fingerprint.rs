//! Fingerprints are what their definition says, on every platform and for ever, and tell fields apart.

mod support {
    pub(crate) mod siphash;
}

use quickcheck::quickcheck;
use surmise_idempotency::{Fingerprint, FingerprintKey};

use crate::support::siphash::siphash_128;

/// The key of the reference implementation's vectors.
const SECRET: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of(fields: &[&str]) -> String {
    hex(FingerprintKey::new(SECRET).of(fields).to_bytes())
}

/// A store that was written long ago, or elsewhere, must be readable: these never change.
///
/// They were computed by another program, in Python, from the paper's definition of SipHash; with two rounds and four it
/// gave the vectors of the reference implementation.
///
/// ```python
/// M = 2**64 - 1
/// def rotl(x, b): return (x << b | x >> (64 - b)) & M
/// def siphash128(c, d, key, data):
///     k0, k1 = (int.from_bytes(key[i:i + 8], "little") for i in (0, 8))
///     v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee,
///          k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]
///     def rounds(n):
///         for _ in range(n):
///             v[0] = (v[0] + v[1]) & M; v[2] = (v[2] + v[3]) & M
///             v[1] = rotl(v[1], 13) ^ v[0]; v[3] = rotl(v[3], 16) ^ v[2]; v[0] = rotl(v[0], 32)
///             v[2] = (v[2] + v[1]) & M; v[0] = (v[0] + v[3]) & M
///             v[1] = rotl(v[1], 17) ^ v[2]; v[3] = rotl(v[3], 21) ^ v[0]; v[2] = rotl(v[2], 32)
///     whole = len(data) // 8 * 8
///     for at in range(0, whole + 8, 8):
///         m = int.from_bytes(data[at:at + 8], "little")
///         if at == whole: m |= len(data) % 256 << 56
///         v[3] ^= m; rounds(c); v[0] ^= m
///     out = b""
///     for lane, constant in ((2, 0xee), (1, 0xdd)):
///         v[lane] ^= constant; rounds(d)
///         out += (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, "little")
///     return out
/// def fingerprint(key, fields):
///     return siphash128(1, 3, key, b"".join(len(f).to_bytes(8, "little") + f for f in fields))
/// ```
#[test]
fn fingerprints_never_change() {
    for (fields, expected) in [
        (&[][..], "e77ebcb22788a5befd62db6add303001"),
        (&[""], "dfe380971df8b3e211f18f3ee3f3fb25"),
        (&["", ""], "a43f8ea10ee493349fff77193150ede0"),
        (&["abc"], "7f5036663f12fee31dc3646733b4496e"),
        (&["POST", "/payments", r#"{"amount":100}"#], "5f6523147cda86184de30d4bd812fcf7"),
    ] {
        assert_eq!(of(fields), expected, "{fields:?}");
    }
    let bytes: Vec<u8> = (0..1024_u16).map(|n| n.to_le_bytes()[0]).collect();
    let kibibyte = FingerprintKey::new(SECRET).of([bytes]);
    assert_eq!(hex(kibibyte.to_bytes()), "67b6ceddab8414f387d259089b4df95c");
    let of_another_key = FingerprintKey::new([0xff; 16]).of(["abc"]);
    assert_eq!(hex(of_another_key.to_bytes()), "271532baba99bbbdb0dbae7c34b3525e");
}

/// The vectors of the reference implementation (`vectors_sip128` in its `vectors.h`), for messages of 0, 1 and 15 bytes.
#[test]
fn the_definition_beside_which_fingerprints_are_tried_is_that_of_the_reference() {
    for (length, expected) in [
        (0, "a3817f04ba25a8e66df67214c7550293"),
        (1, "da87c1d86b99af44347659119b22fc45"),
        (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    ] {
        assert_eq!(hex(siphash_128((2, 4), SECRET, &SECRET[..length])), expected);
    }
}

#[test]
fn where_a_field_ends_matters() {
    let requests: [&[&str]; 8] =
        [&[], &[""], &["", ""], &["abc"], &["abc", ""], &["", "abc"], &["ab", "c"], &["a", "bc"]];
    for (nth, one) in requests.iter().enumerate() {
        for other in &requests[..nth] {
            assert_ne!(of(one), of(other), "{one:?} and {other:?}");
        }
    }
}

/// A field that has the bytes of a length and of what follows it is still one field.
#[test]
fn a_field_cannot_pass_for_two() {
    let two = [&[1, 0, 0, 0, 0, 0, 0, 0, b'a'][..], &[1, 0, 0, 0, 0, 0, 0, 0, b'b']].concat();
    let key = FingerprintKey::new(SECRET);
    assert_ne!(key.of([two]), key.of(["a", "b"]));
}

#[test]
fn a_key_does_not_show_its_secret() {
    assert_eq!(format!("{:?}", FingerprintKey::new([0xab; 16])), "FingerprintKey(..)");
}

#[test]
fn a_fingerprint_is_shown_as_its_bytes_are() {
    let fingerprint = Fingerprint::from_bytes(SECRET);
    assert_eq!(format!("{fingerprint:?}"), "Fingerprint(000102030405060708090a0b0c0d0e0f)");
    assert_eq!((size_of::<Fingerprint>(), align_of::<Fingerprint>()), (16, 1));
}

quickcheck! {
    fn a_fingerprint_is_the_hash_of_lengths_and_fields(secret: (u64, u64), fields: Vec<Vec<u8>>) -> bool {
        let secret = [secret.0.to_le_bytes(), secret.1.to_le_bytes()].concat();
        let secret = secret.try_into().expect("it has two words");
        let bytes: Vec<u8> = fields
            .iter()
            .flat_map(|field| [&(field.len() as u64).to_le_bytes(), &field[..]].concat())
            .collect();
        let fingerprint = FingerprintKey::new(secret).of(fields);
        fingerprint.to_bytes() == siphash_128((1, 3), secret, &bytes)
            && Fingerprint::from_bytes(fingerprint.to_bytes()) == fingerprint
            && fingerprint != Fingerprint::NONE
    }
}

#[cfg(feature = "serde")]
#[test]
fn fingerprints_are_read_as_they_are_written() {
    let json = serde_json::to_string(&Fingerprint::from_bytes(SECRET)).expect("it is plain");
    assert_eq!(json, "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]");
    assert_eq!(serde_json::from_str(&json).ok(), Some(Fingerprint::from_bytes(SECRET)));
    assert!(serde_json::from_str::<Fingerprint>("[1,2,3]").is_err());
}
