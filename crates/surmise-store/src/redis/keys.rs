//! How the keys are called.

use surmise_idempotency::Key;

use crate::{Resource, StoreError};

/// The names of the keys of a store. No two of them are the same, whatever the resources and keys.
///
/// All begin with the prefix between braces: a cluster puts keys with the same text between the first braces into the same
/// slot, and a script's keys have to be in one. The epoch is read by every grant, so that all keys of a store are
/// in its slot. Braces in what follows are of no account.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: Vec<u8>,
}

impl Keys {
    pub(super) fn new(store: &str, prefix: &str) -> Result<Self, StoreError> {
        if (1..=MAX_PREFIX_BYTES).contains(&prefix.len()) && !prefix.contains(['{', '}']) {
            return Ok(Self { prefix: format!("{{{prefix}}}").into_bytes() });
        }
        Err(StoreError::Unusable {
            store: store.to_owned(),
            problem: format!("its `prefix` is {prefix:?}"),
            remedy: "choose one of 1 to 255 bytes without braces, such as \"surmise/1\"",
        })
    }

    /// The version of the layout.
    pub(super) fn format(&self) -> Vec<u8> {
        [&self.prefix, &b"format"[..]].concat()
    }

    pub(super) fn epoch(&self) -> Vec<u8> {
        [&self.prefix, &b"epoch"[..]].concat()
    }

    /// Which store it is, and which process had it last.
    pub(super) fn process(&self) -> Vec<u8> {
        [&self.prefix, &b"process"[..]].concat()
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

    /// The number of the last change of an execution.
    pub(super) fn executions(&self) -> Vec<u8> {
        [&self.prefix, &b"executions"[..]].concat()
    }
}

const MAX_PREFIX_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_keys_are_the_same() {
        let keys = Keys::new("it", "p").unwrap();
        let mut all =
            HashSet::from([keys.format(), keys.epoch(), keys.process(), keys.executions()]);
        let mut expected = 4;
        for resource in ["a", "ab", "a/b", "b", "epoch", "value/a", "{a}", "}{"] {
            let resource = Resource::new(resource).unwrap();
            all.extend([keys.lease(resource), keys.floor(resource)]);
            all.insert(keys.execution(&Key::new("", "", resource.as_str()).unwrap()));
            expected += 3;
            for key in [&b"a"[..], b"ab", b"b", b"\0", b"\0b", b"b\0b", b"{epoch}"] {
                all.insert(keys.value(resource, key));
                expected += 1;
            }
        }
        assert_eq!(all.len(), expected);
        assert!(all.iter().all(|key| key.starts_with(b"{p}")));
    }

    #[test]
    fn a_prefix_has_bounds() {
        for prefix in [String::new(), "x".repeat(256), "a{".into(), "}".into()] {
            assert!(matches!(Keys::new("it", &prefix), Err(StoreError::Unusable { .. })));
        }
    }
}
