//! What the scripts answer.

use core::time::Duration;

use redis::Value;
use surmise_fence::{FencingToken, Pass};
use surmise_time::Instant;

use super::{
    failed::{Failed, REPLICA},
    record::{self, Holder},
};
use crate::StoreError;

/// An answer of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// Nobody holds the lease, or not with this token.
    Free,
    /// The caller's, for so much longer.
    Granted(Holder, Duration),
    /// Somebody's, for so much longer.
    Held(Holder, Duration),
    /// What the floor has that stands in the way.
    Floor(Pass),
    /// What was written last that stands in the way.
    Last(Pass),
    Epoch(u64),
    /// What a key has.
    Has(Vec<u8>),
    /// What is kept of an execution, empty if nothing is, and the server's time.
    Kept(Vec<u8>, Instant),
    /// What is kept of an execution was changed, which has this token.
    Changed(FencingToken),
    /// What the keys of the format and the process have.
    Found {
        format: Vec<u8>,
        process: Vec<u8>,
    },
}

impl Answer {
    /// Reads an answer. One that is not understood may be to anything.
    pub(super) fn new(store: &str, value: Value) -> Result<Self, Failed> {
        let strange = || Failed::Lost("what it answered is not understood".into());
        let words = words(value).ok_or_else(strange)?;
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let refused = |error| Err(Failed::Refused(error));
        let answer = match words.as_slice() {
            [b"done"] => Some(Self::Done),
            [b"free"] => Some(Self::Free),
            [b"granted", record, left] => {
                holder(record, left).map(|(who, time)| Self::Granted(who, time))
            }
            [b"held", record, left] => {
                holder(record, left).map(|(who, time)| Self::Held(who, time))
            }
            [b"floor", floor] => record::floor_from_bytes(floor).map(Self::Floor),
            [b"value", last] => record::entry_pass_from_bytes(last).map(Self::Last),
            [b"epoch", epoch] => record::number_from_bytes(epoch).map(Self::Epoch),
            [b"has", value] => Some(Self::Has(value.to_vec())),
            [b"kept", kept, now] => record::number_from_bytes(now)
                .map(|micros| Self::Kept(kept.to_vec(), record::time(micros))),
            [b"changed", token] => record::token_from_digits(token)
                .filter(|(_, rest)| rest.is_empty())
                .map(|(token, _)| Self::Changed(token)),
            [b"found", format, process] => {
                Some(Self::Found { format: format.to_vec(), process: process.to_vec() })
            }
            [b"replica"] => return Err(Failed::Anew(replica(store))),
            [b"anew"] => return Err(Failed::Anew(anew(store))),
            [b"lost"] => return refused(lost(store)),
            [b"foreign", key] => return refused(foreign(store, key)),
            [b"exhausted", epoch] => match record::number_from_bytes(epoch) {
                Some(epoch) => return refused(StoreError::TokensExhausted { epoch }),
                None => None,
            },
            _ => None,
        };
        // Nothing was done where something stands in the way, be it of another shape.
        if let ([b"held" | b"floor" | b"value", kept, ..], None) = (words.as_slice(), &answer) {
            let problem =
                format!("it keeps {}, which is no lease and no pass", kept.escape_ascii());
            return refused(StoreError::Corrupt { store: store.to_owned(), problem });
        }
        answer.ok_or_else(strange)
    }
}

fn replica(store: &str) -> StoreError {
    let problem = "it was made a replica".to_owned();
    StoreError::Unusable { store: store.to_owned(), problem, remedy: REPLICA }
}

fn anew(store: &str) -> StoreError {
    let source = "its process or its data changed; nothing was done".into();
    StoreError::Unavailable { store: store.to_owned(), source }
}

/// Says that the data are gone.
pub(super) fn lost(store: &str) -> StoreError {
    StoreError::Unusable {
        store: store.to_owned(),
        problem:
            "what this store was connected to is not there any more, which only a loss of data can \
                  explain"
                .to_owned(),
        remedy: "restore a backup and call advance_epoch, or connect anew to begin with nothing",
    }
}

/// Says that a key has what is not ours.
pub(super) fn foreign(store: &str, key: &[u8]) -> StoreError {
    let problem = format!("the key {} is not what it should be", key.escape_ascii());
    StoreError::Corrupt { store: store.to_owned(), problem }
}

fn holder(record: &[u8], left: &[u8]) -> Option<(Holder, Duration)> {
    let left = Duration::from_micros(record::number_from_bytes(left)?);
    Some((Holder::from_bytes(record)?, left))
}

fn words(value: Value) -> Option<Vec<Vec<u8>>> {
    let Value::Array(values) = value else { return None };
    let word = |value| match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    };
    values.into_iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(words: &[&str]) -> Result<Answer, Failed> {
        let word = |word: &&str| Value::BulkString(word.as_bytes().to_vec());
        Answer::new("it", Value::Array(words.iter().map(word).collect()))
    }

    #[test]
    fn what_is_not_understood_may_have_been_done() {
        let number = "0".repeat(19) + "1";
        for words in [
            &[][..],
            &["granted"],
            &["granted", "record", &number],
            &["epoch", "1"],
            &["exhausted", "1"],
            &["kept", "record"],
            &["kept", "record", "1"],
            &["changed", &number],
            &["changed", &"1".repeat(41)],
            &["done", "done"],
        ] {
            assert!(matches!(answer(words), Err(Failed::Lost(_))), "{words:?}");
        }
        for value in [Value::Nil, Value::Okay, Value::Int(1), Value::Array(vec![Value::Int(1)])] {
            assert!(matches!(Answer::new("it", value), Err(Failed::Lost(_))));
        }
        assert_eq!(answer(&["epoch", &number]).unwrap(), Answer::Epoch(1));
        let kept = Answer::Kept(Vec::new(), Instant::from_nanos(1_000));
        assert_eq!(answer(&["kept", "", &number]).unwrap(), kept);
        let changed = Answer::Changed(FencingToken::first(1));
        assert_eq!(answer(&["changed", &number.repeat(2)]).unwrap(), changed);
        for words in [&["floor", "foreign"][..], &["value", &number], &["held", "foreign", &number]]
        {
            let Err(Failed::Refused(error)) = answer(words) else { panic!("{words:?}") };
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        }
        let Err(Failed::Refused(error)) = answer(&["foreign", "a\0"]) else { panic!() };
        assert!(error.to_string().contains("a\\x00"), "{error}");
        let Err(Failed::Refused(error)) = answer(&["exhausted", &number]) else { panic!() };
        assert!(matches!(error, StoreError::TokensExhausted { epoch: 1 }), "{error}");
    }
}
