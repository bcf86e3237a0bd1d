//! Keys: the parts come back, no two keys have the same bytes, and only a key's bytes are read.

extern crate alloc;

use alloc::collections::BTreeMap;
use core::{
    error::Error,
    hash::{BuildHasher as _, BuildHasherDefault},
    ops::Bound::{Excluded, Included},
};
use std::collections::{HashMap, hash_map::DefaultHasher};

use quickcheck::quickcheck;
use surmise_idempotency::{
    Begin, CacheConfig, Fingerprint, IdempotencyCache, Key, KeyBytesError, KeyError, KeyPart,
};
use surmise_time::Instant;

type Parts = (Vec<u8>, Vec<u8>, Vec<u8>);

fn key((tenant, operation, key): &Parts) -> Result<Key, KeyError> {
    Key::new(tenant, operation, key)
}

/// Returns the bytes of a key as the documentation says that they are.
fn bytes((tenant, operation, key): &Parts) -> Vec<u8> {
    let with_length =
        |part: &Vec<u8>| [&[part.len().try_into().expect("it is short")], &part[..]].concat();
    [tenant, operation, key].map(with_length).concat()
}

quickcheck! {
    fn a_key_has_its_parts_and_its_bytes(parts: Parts) -> bool {
        let Ok(key) = key(&parts) else { return parts.2.is_empty() };
        key.as_bytes() == bytes(&parts)
            && (key.tenant(), key.operation(), key.key()) == (&parts.0, &parts.1, &parts.2)
            && Key::from_bytes(key.as_bytes()) == Ok(key)
    }

    fn keys_are_equal_if_their_parts_are(one: Parts, moved: u8) -> bool {
        // The same bytes, divided elsewhere.
        let all = [&one.0[..], &one.1, &one.2].concat();
        let (first, rest) = all.split_at(usize::from(moved) % (all.len() + 1));
        let (second, third) = rest.split_at(rest.len() / 2);
        let other = (first.to_vec(), second.to_vec(), third.to_vec());
        let (Ok(a), Ok(b)) = (key(&one), key(&other)) else { return true };
        (a == b) == (one == other) && (a.as_bytes() == b.as_bytes()) == (one == other)
    }

    fn bytes_are_read_only_if_they_are_those_of_a_key(bytes: Vec<u8>) -> bool {
        // Small lengths, so that parts fit.
        let bytes: Vec<u8> = bytes.iter().map(|byte| byte % 4).collect();
        match Key::from_bytes(&bytes) {
            Ok(read) => {
                let parts = (read.tenant().into(), read.operation().into(), read.key().into());
                read.as_bytes() == bytes && key(&parts) == Ok(read)
            }
            Err(KeyBytesError::TrailingBytes { count }) => {
                Key::from_bytes(&bytes[..bytes.len() - count]).is_ok()
            }
            Err(KeyBytesError::Truncated { missing, .. }) => {
                let longer = [&bytes[..], &vec![1; missing]].concat();
                !matches!(Key::from_bytes(&longer), Err(KeyBytesError::TrailingBytes { .. }))
            }
            Err(error) => error == KeyBytesError::Empty,
        }
    }
}

#[test]
fn the_longest_parts_fit_and_longer_ones_do_not() {
    let (longest, longer) = ("x".repeat(Key::MAX_PART), "x".repeat(Key::MAX_PART + 1));
    let key = Key::new(&longest, &longest, &longest).expect("they fit");
    assert_eq!((key.as_bytes().len(), key.key()), (768, longest.as_bytes()));
    assert_eq!(Key::from_bytes(key.as_bytes()), Ok(key));

    let too_long = |part| Err(KeyError::TooLong { part, length: 256 });
    assert_eq!(Key::new(&longer, "", "k"), too_long(KeyPart::Tenant));
    assert_eq!(Key::new("", &longer, "k"), too_long(KeyPart::Operation));
    assert_eq!(Key::new("", "", &longer), too_long(KeyPart::Key));
    let error = Key::new("", &longer, "").unwrap_err();
    assert_eq!(error.to_string(), "the operation has 256 bytes, and can have 255");
}

#[test]
fn only_the_key_may_not_be_empty() {
    assert_eq!(Key::new("acme", "pay", ""), Err(KeyError::Empty));
    assert_eq!(Key::new("", "", "k").as_ref().map(Key::as_bytes), Ok(&b"\0\0\x01k"[..]));
    assert_eq!(Key::from_bytes(b"\0\0\0"), Err(KeyBytesError::Empty));
}

#[test]
fn bytes_that_end_early_or_late_are_no_key() {
    let truncated = |part, missing| Err(KeyBytesError::Truncated { part, missing });
    assert_eq!(Key::from_bytes(b""), truncated(KeyPart::Tenant, 1));
    assert_eq!(Key::from_bytes(b"\x04ac"), truncated(KeyPart::Tenant, 2));
    assert_eq!(Key::from_bytes(b"\x02ac"), truncated(KeyPart::Operation, 1));
    assert_eq!(Key::from_bytes(b"\x02ac\0\xff"), truncated(KeyPart::Key, 255));
    assert_eq!(Key::from_bytes(b"\0\0\x01kk"), Err(KeyBytesError::TrailingBytes { count: 1 }));
    let error = Key::from_bytes(b"\x04ac").unwrap_err();
    assert_eq!(error.to_string(), "not a key: the tenant lacks 2 bytes or more");
}

#[test]
fn keys_of_a_tenant_lie_together() -> Result<(), KeyError> {
    let keys = [
        ("a", "pay", "1"),
        ("a", "pay", "2"),
        ("a", "refund", "1"),
        ("b", "pay", "1"),
        ("ab", "", "1"),
    ];
    let keys = keys.map(|(tenant, operation, key)| Key::new(tenant, operation, key));
    let map: BTreeMap<Key, usize> =
        keys.into_iter().zip(0..).map(|(key, nth)| Ok((key?, nth))).collect::<Result<_, _>>()?;
    let of_a = map.range::<[u8], _>((Included(&b"\x01a"[..]), Excluded(&b"\x01b"[..])));
    assert_eq!(of_a.map(|(_, &nth)| nth).collect::<Vec<_>>(), [0, 1, 2]);
    Ok(())
}

#[test]
fn maps_can_be_asked_with_bytes() -> Result<(), KeyError> {
    let key = Key::new("acme", "pay", "17")?;
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    assert_eq!(hasher.hash_one(&key), hasher.hash_one(key.as_bytes()));
    let map = HashMap::from([(key.clone(), 1)]);
    assert_eq!((map.get(key.as_bytes()), map.get(&b"\0\0\x0217"[..])), (Some(&1), None));
    Ok(())
}

#[test]
fn one_key_of_two_tenants_is_two() -> Result<(), Box<dyn Error>> {
    let mut cache = IdempotencyCache::<Key, u64>::new(CacheConfig::default())?;
    let now = Instant::ORIGIN;
    let (ours, theirs) = (Key::new("acme", "pay", "17")?, Key::new("other", "pay", "17")?);
    let Begin::Execute(ticket) = cache.begin(&ours, Fingerprint::NONE, now) else { panic!() };
    cache.complete(ticket, 100, now)?;
    assert!(matches!(cache.begin(&theirs, Fingerprint::NONE, now), Begin::Execute(_)));
    assert_eq!(cache.begin(&ours, Fingerprint::NONE, now), Begin::Replay(100));
    Ok(())
}

#[test]
fn a_key_is_shown_as_text() -> Result<(), KeyError> {
    let key = Key::new("acme", "POST \"/\"", [0xff, b'1', 0])?;
    let expected = r#"Key { tenant: "acme", operation: "POST \"/\"", key: "\xff1\x00" }"#;
    assert_eq!(format!("{key:?}"), expected);
    assert_eq!(size_of::<Key>(), 2 * size_of::<usize>());
    Ok(())
}

#[cfg(feature = "serde")]
#[test]
fn what_is_read_is_checked() -> Result<(), Box<dyn Error>> {
    let key = Key::new("a", "b", "c")?;
    assert_eq!(serde_json::to_string(&key)?, "[1,97,1,98,1,99]");
    assert_eq!(serde_json::from_str::<Key>("[1,97,1,98,1,99]")?, key);
    let error = serde_json::from_str::<Key>("[1,97,1,98,2,99]").unwrap_err();
    assert!(error.to_string().contains("the key lacks 1 bytes"), "{error}");
    assert!(serde_json::from_str::<Key>("[1,97,1,98,0]").is_err());
    Ok(())
}
