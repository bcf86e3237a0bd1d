//! How the keys are called.

use surmise_idempotency::Key;

use crate::{Resource, StoreError};

/// The names of the keys under a prefix. No two of them are the same, whatever the resources and keys.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: Vec<u8>,
}

impl Keys {
    pub(super) fn new(store: &str, prefix: &str) -> Result<Self, StoreError> {
        if (1..=MAX_PREFIX_BYTES).contains(&prefix.len()) {
            return Ok(Self { prefix: prefix.as_bytes().to_vec() });
        }
        Err(StoreError::Unusable {
            store: store.to_owned(),
            problem: format!("its `prefix` has {} bytes", prefix.len()),
            remedy: "choose one of 1 to 255 bytes, such as \"surmise/1/\"",
        })
    }

    /// Returns the first key and the one after the last.
    pub(super) fn range(&self) -> (Vec<u8>, Vec<u8>) {
        let mut end = self.prefix.clone();
        // The prefix is text, in which no byte is the last one.
        if let Some(last) = end.last_mut() {
            *last = last.saturating_add(1);
        }
        (self.prefix.clone(), end)
    }

    /// The version of the layout.
    pub(super) fn format(&self) -> Vec<u8> {
        [&self.prefix, &b"format"[..]].concat()
    }

    pub(super) fn epoch(&self) -> Vec<u8> {
        [&self.prefix, &b"epoch"[..]].concat()
    }

    pub(super) fn lease(&self, resource: Resource<'_>) -> Vec<u8> {
        [&self.prefix, &b"lease/"[..], resource.as_str().as_bytes()].concat()
    }

    pub(super) fn floor(&self, resource: Resource<'_>) -> Vec<u8> {
        [&self.prefix, &b"floor/"[..], resource.as_str().as_bytes()].concat()
    }

    /// A resource has no NUL.
    pub(super) fn value(&self, resource: Resource<'_>, key: &[u8]) -> Vec<u8> {
        [&self.prefix, &b"value/"[..], resource.as_str().as_bytes(), b"\0", key].concat()
    }

    pub(super) fn execution(&self, key: &Key) -> Vec<u8> {
        [&self.prefix, &b"execution/"[..], key.as_bytes()].concat()
    }
}

const MAX_PREFIX_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_keys_are_the_same() {
        let keys = Keys::new("it", "p/").unwrap();
        let mut all = HashSet::from([keys.format(), keys.epoch()]);
        let mut expected = 2;
        for resource in ["a", "ab", "a/b", "b", "epoch", "value/a"] {
            let resource = Resource::new(resource).unwrap();
            all.extend([keys.lease(resource), keys.floor(resource)]);
            expected += 2;
            for key in [&b"a"[..], b"ab", b"b", b"\0", b"\0b", b"b\0b", b"epoch"] {
                all.insert(keys.value(resource, key));
                expected += 1;
            }
        }
        for parts in [["", "", "a"], ["a", "", "b"], ["", "a", "b"], ["lease/", "a", "b"]] {
            let [tenant, operation, key] = parts;
            all.insert(keys.execution(&Key::new(tenant, operation, key).unwrap()));
            expected += 1;
        }
        assert_eq!(all.len(), expected);
        let (first, end) = keys.range();
        assert!(all.iter().all(|key| first < *key && *key < end));
    }

    #[test]
    fn a_prefix_has_bounds() {
        for prefix in [String::new(), "x".repeat(256)] {
            assert!(matches!(Keys::new("it", &prefix), Err(StoreError::Unusable { .. })));
        }
    }
}
