//! Any bytes as the value of an `Idempotency-Key` header: the same is a key as for the crate `sfv`, and bare keys are as
//! they are written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sfv::{BareItem, Item, Parser};
use surmise_tower::idempotency::{IdempotencyKey, IdempotencyKeyError, KeyForm};

fuzz_target!(|value: &[u8]| {
    let quoted = IdempotencyKey::parse(value, KeyForm::Quoted);
    match (&quoted, sfv_string(value)) {
        (Ok(key), Some(string)) => assert_eq!(key.as_str(), string),
        (Err(IdempotencyKeyError::Empty), Some(string)) => assert_eq!(string, ""),
        (Err(IdempotencyKeyError::TooLong { length }), Some(string)) => {
            assert!(*length > IdempotencyKey::MAX_BYTES && *length == string.len());
        }
        (Err(IdempotencyKeyError::Malformed { at }), None) => assert!(*at <= value.len()),
        // `sfv` decodes byte sequences, which need not be.
        (_, None) => assert!(value.contains(&b':'), "{quoted:?}"),
        (_, string) => panic!("{quoted:?} and {string:?}"),
    }

    let any = IdempotencyKey::parse(value, KeyForm::QuotedOrBare);
    let text = value.trim_ascii();
    let is_bare = text.iter().all(|&byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte));
    match &any {
        _ if !matches!(quoted, Err(IdempotencyKeyError::Malformed { .. })) => {
            assert_eq!(any, quoted)
        }
        Ok(key) => assert!(is_bare && key.as_str().as_bytes() == text),
        Err(IdempotencyKeyError::Empty) => assert!(text.is_empty()),
        Err(IdempotencyKeyError::TooLong { length }) => {
            assert!(is_bare && *length == text.len() && *length > IdempotencyKey::MAX_BYTES);
        }
        Err(IdempotencyKeyError::Malformed { at }) => assert!(!is_bare && *at <= value.len()),
        Err(error) => panic!("{error}"),
    }
});

fn sfv_string(value: &[u8]) -> Option<String> {
    match Parser::new(value).parse::<Item>().ok()?.bare_item {
        BareItem::String(string) => Some(string.into()),
        _ => None,
    }
}
