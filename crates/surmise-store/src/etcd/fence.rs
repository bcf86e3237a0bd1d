//! The transactions that check a pass and write in one step.

use surmise_fence::{Pass, Refusal};

use super::{
    record,
    wire::{Compare, Is, Op, RangeAnswer, Txn, TxnAnswer},
};
use crate::Change;

/// Returns the transaction that makes a change, if its pass allows.
///
/// There is one put, since a value at its limit does not fit into a request twice, and so it is what remains
/// after all reasons to refuse.
pub(super) fn write(floor_key: &[u8], value_key: &[u8], change: Change<'_>) -> Txn {
    let value = record::entry_to_bytes(change.value(), change.pass());
    let put = Op::Put { key: value_key.to_vec(), value, lease: 0 };
    let floor = refusals(floor_key, change.pass().with_sequence(0));
    unless(floor.into_iter().chain(refusals(value_key, change.pass())), put)
}

/// Returns the transaction that raises a floor, if the pass allows.
pub(super) fn raise(floor_key: &[u8], pass: Pass) -> Txn {
    let put = Op::Put { key: floor_key.to_vec(), value: record::floor_to_bytes(pass), lease: 0 };
    unless(refusals(floor_key, pass.with_sequence(0)), put)
}

/// What a transaction of these came to.
#[derive(Debug)]
pub(super) enum Written {
    Done,
    /// What stands in the way.
    Refused(RangeAnswer),
    /// It is not an answer to what was asked.
    Unknown,
}

pub(super) fn written(mut answer: TxnAnswer) -> Written {
    while let Some(step) = answer.responses.pop() {
        if let Some(next) = step.response_txn {
            answer = next;
        } else if let Some(found) = step.response_range {
            return Written::Refused(found);
        } else if step.response_put.is_some() {
            return Written::Done;
        }
    }
    Written::Unknown
}

/// Says what a pass lacks, by what stands in the way; `None` if nothing does, which etcd's compares and the rule then
/// see otherwise.
pub(super) fn refusal(pass: Pass, floor_key: &[u8], found: &RangeAnswer) -> Option<Refusal> {
    let [found] = found.kvs.as_slice() else { return None };
    let checked = if found.key == floor_key {
        pass.check_floor(Some(record::floor_from_bytes(&found.value)?))
    } else {
        pass.check(Some(record::entry_from_bytes(&found.value)?.pass))
    };
    checked.err()
}

/// Returns what a key's value must not be for a pass to be allowed: the negation of [`Pass::check`], as ranges of bytes.
///
/// The first is of passes with a greater token or, within the token, a greater nonce, and of those of the same grant
/// whose sequence is not less; only where neither has a sequence is an equal one no refusal. The second is of
/// passes with the token and a lesser nonce. A value is longer than its pass, and so is greater than the bytes of
/// the same pass.
fn refusals(key: &[u8], pass: Pass) -> Vec<Refuse> {
    let bytes = |pass: Pass| pass.to_bytes().to_vec();
    let not_less = pass.with_sequence(pass.sequence.max(1));
    let mut refusals = vec![Refuse {
        key: key.to_vec(),
        compares: vec![Compare::new(key, Is::Greater(bytes(not_less)))],
    }];
    if pass.nonce > 0 {
        let no_nonce = Pass::from(pass.token);
        refusals.push(Refuse {
            key: key.to_vec(),
            compares: vec![
                Compare::new(key, Is::Greater(bytes(no_nonce))),
                Compare::new(key, Is::Less(bytes(pass.with_sequence(0)))),
            ],
        });
    }
    refusals
}

/// What to refuse, and the key that says why.
#[derive(Debug)]
struct Refuse {
    key: Vec<u8>,
    compares: Vec<Compare>,
}

/// Returns a transaction that reads the key of the first refusal that holds, or else does something.
fn unless(
    refusals: impl IntoIterator<Item = Refuse, IntoIter: DoubleEndedIterator>,
    op: Op,
) -> Txn {
    let last = refusals.into_iter().rev().fold(op, |otherwise, Refuse { key, compares }| {
        Op::Txn(Txn { compares, then: vec![Op::Get(key)], otherwise: vec![otherwise] })
    });
    match last {
        Op::Txn(txn) => txn,
        op => Txn { then: vec![op], ..Txn::default() },
    }
}

#[cfg(test)]
mod tests;
