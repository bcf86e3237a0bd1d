//! Any bytes as keys and as requests: what is read is the only form of a key, and no two keys or requests are taken for
//! one another.

#![no_main]

#[path = "../../crates/surmise-idempotency/tests/support/siphash.rs"]
mod siphash;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_idempotency::{Fingerprint, FingerprintKey, Key, KeyBytesError, KeyError, KeyPart};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    keys: [[&'a [u8]; 3]; 2],
    secret: [u8; 16],
    requests: [Vec<&'a [u8]>; 2],
    bytes: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let keys = input.keys.map(make);
    if let [Some(one), Some(other)] = &keys {
        let (bytes, parts) = ((one.as_bytes(), other.as_bytes()), input.keys);
        assert_eq!(one == other, parts[0] == parts[1]);
        assert_eq!(one.cmp(other), bytes.0.cmp(bytes.1));
        assert!(one == other || !bytes.0.starts_with(bytes.1));
    }

    let key = FingerprintKey::new(input.secret);
    let [one, other] = input.requests.each_ref().map(|fields| {
        let fingerprint = key.of(fields);
        let bytes =
            fields.iter().flat_map(|field| [&(field.len() as u64).to_le_bytes(), *field].concat());
        let expected = siphash::siphash_128((1, 3), input.secret, &bytes.collect::<Vec<_>>());
        assert_eq!(fingerprint, Fingerprint::from_bytes(expected));
        fingerprint
    });
    assert_eq!(one == other, input.requests[0] == input.requests[1]);

    read(input.bytes);
    if let Ok(key) = serde_json::from_slice::<Key>(input.bytes) {
        let text = serde_json::to_vec(&key).expect("it is plain");
        assert_eq!(serde_json::from_slice::<Key>(&text).ok(), Some(key));
    }
});

/// Makes a key of its parts, if there is one, and checks that they come back.
fn make(parts: [&[u8]; 3]) -> Option<Key> {
    let [tenant, operation, key] = parts;
    let all = [KeyPart::Tenant, KeyPart::Operation, KeyPart::Key];
    let too_long = all.into_iter().zip(parts).find(|(_, part)| part.len() > Key::MAX_PART);
    match Key::new(tenant, operation, key) {
        Ok(made) => {
            assert_eq!([made.tenant(), made.operation(), made.key()], parts);
            assert_eq!(Key::from_bytes(made.as_bytes()), Ok(made.clone()));
            assert!(too_long.is_none() && !key.is_empty() && !format!("{made:?}").is_empty());
            Some(made)
        }
        Err(KeyError::TooLong { part, length }) => {
            assert_eq!(Some((part, length)), too_long.map(|(part, bytes)| (part, bytes.len())));
            None
        }
        Err(error) => {
            assert_eq!((error, too_long), (KeyError::Empty, None));
            assert!(key.is_empty());
            None
        }
    }
}

/// Reads bytes as a key, whose only form they must be.
fn read(bytes: &[u8]) {
    match Key::from_bytes(bytes) {
        Ok(key) => {
            assert_eq!(key.as_bytes(), bytes);
            assert_eq!(make([key.tenant(), key.operation(), key.key()]), Some(key));
        }
        Err(KeyBytesError::TrailingBytes { count }) => {
            assert!(Key::from_bytes(&bytes[..bytes.len() - count]).is_ok());
        }
        Err(KeyBytesError::Truncated { missing, .. }) => {
            let longer = [bytes, &vec![1; missing]].concat();
            let longer = Key::from_bytes(&longer);
            assert!(!matches!(longer, Err(KeyBytesError::TrailingBytes { .. })), "{longer:?}");
        }
        Err(error) => assert_eq!(error, KeyBytesError::Empty),
    }
}
