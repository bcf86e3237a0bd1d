use core::num::NonZeroU64;
use std::collections::HashMap;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_fence::FencingToken;

use super::*;
use crate::etcd::wire::{KeyValue, OpAnswer, PutAnswer};

/// What etcd does with these transactions: all compares are on what was there before.
#[derive(Debug, Default)]
struct Etcd(HashMap<Vec<u8>, Vec<u8>>);

impl Etcd {
    fn run(&mut self, txn: &Txn) -> TxnAnswer {
        let succeeded = txn.compares.iter().all(|compare| self.holds(compare));
        let operations = if succeeded { &txn.then } else { &txn.otherwise };
        let responses = operations.iter().map(|op| self.step(op)).collect();
        TxnAnswer { succeeded, responses, ..TxnAnswer::default() }
    }

    fn holds(&self, compare: &Compare) -> bool {
        let Some(value) = self.0.get(&compare.key) else { return false };
        match &compare.is {
            Is::Greater(bound) => value > bound,
            Is::Less(bound) => value < bound,
            other => panic!("{other:?} is not expected"),
        }
    }

    fn step(&mut self, op: &Op) -> OpAnswer {
        match op {
            Op::Put { key, value, lease: 0 } => {
                self.0.insert(key.clone(), value.clone());
                OpAnswer { response_put: Some(PutAnswer {}), ..OpAnswer::default() }
            }
            Op::Get(key) => {
                let value = self.0.get(key).cloned();
                let kv = |value| KeyValue { key: key.clone(), value, ..KeyValue::default() };
                let answer = RangeAnswer { kvs: value.map(kv).into_iter().collect() };
                OpAnswer { response_range: Some(answer), ..OpAnswer::default() }
            }
            Op::Txn(txn) => OpAnswer { response_txn: Some(self.run(txn)), ..OpAnswer::default() },
            other => panic!("{other:?} is not expected"),
        }
    }
}

/// A pass such that any two of them are close.
#[derive(Clone, Copy, Debug)]
struct Close(Pass);

impl Arbitrary for Close {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut few = |numbers: &[u64]| *g.choose(numbers).unwrap();
        let counter = NonZeroU64::new(few(&[1, 2, u64::MAX - 1, u64::MAX])).unwrap();
        Self(Pass {
            token: FencingToken::new(few(&[0, 1, u64::MAX]), counter),
            nonce: few(&[0, 0, 1, 2, u64::MAX - 1, u64::MAX]),
            sequence: few(&[0, 0, 1, 2, u64::MAX - 1, u64::MAX]),
        })
    }
}

const FLOOR: &[u8] = b"floor";
const VALUE: &[u8] = b"value";

fn change(pass: Pass, value: Option<&[u8]>) -> Change<'_> {
    Change::new("r", b"k", value, pass).unwrap()
}

fn agrees(floor: Option<Close>, last: Option<Close>, offered: Close, mutate: fn(&mut Txn)) -> bool {
    let [floor, last] = [floor, last].map(|pass| pass.map(|Close(pass)| pass));
    let Close(pass) = offered;
    let mut etcd = Etcd::default();
    if let Some(floor) = floor {
        etcd.0.insert(FLOOR.to_vec(), record::floor_to_bytes(floor));
    }
    if let Some(last) = last {
        etcd.0.insert(VALUE.to_vec(), record::entry_to_bytes(Some(b"last"), last));
    }
    let mut write = write(FLOOR, VALUE, change(pass, Some(b"next")));
    mutate(&mut write);
    let rule = pass.check_floor(floor).and_then(|()| pass.check(last));
    let found = match written(etcd.run(&write)) {
        Written::Done => Ok(()),
        Written::Refused(found) => Err(refusal(pass, FLOOR, &found)),
        Written::Unknown => return false,
    };
    let kept = etcd.0.get(VALUE).and_then(|bytes| record::entry_from_bytes(bytes));
    let expected = if rule.is_ok() { Some(pass) } else { last };
    found == rule.map_err(Some) && kept.map(|entry| entry.pass) == expected
}

quickcheck! {
    fn a_write_is_judged_by_the_rule(floor: Option<Close>, last: Option<Close>, offered: Close) -> bool {
        agrees(floor, last, offered, |_| {}) && agrees(None, Some(offered), offered, |_| {})
            && agrees(Some(offered), Some(offered), offered, |_| {})
    }

    fn a_raise_is_judged_by_the_rule(floor: Option<Close>, offered: Close) -> bool {
        let (floor, Close(pass)) = (floor.map(|Close(floor)| floor), offered);
        let mut etcd = Etcd::default();
        if let Some(floor) = floor {
            etcd.0.insert(FLOOR.to_vec(), record::floor_to_bytes(floor));
        }
        let found = match written(etcd.run(&raise(FLOOR, pass))) {
            Written::Done => Ok(()),
            Written::Refused(found) => Err(refusal(pass, FLOOR, &found)),
            Written::Unknown => return false,
        };
        let rule = pass.check_floor(floor);
        let kept = etcd.0.get(FLOOR).and_then(|bytes| record::floor_from_bytes(bytes));
        let expected = if rule.is_ok() { Some(pass) } else { floor };
        found == rule.map_err(Some) && kept == expected.map(|floor| floor.with_sequence(0))
    }
}

/// Applies a change to every compare of a transaction.
fn each_compare(txn: &mut Txn, change: fn(&mut Is)) {
    txn.compares.iter_mut().for_each(|compare| change(&mut compare.is));
    for op in &mut txn.otherwise {
        if let Op::Txn(next) = op {
            each_compare(next, change);
        }
    }
}

fn all_cases_agree(mutate: fn(&mut Txn)) -> bool {
    let mut g = Gen::new(8);
    (0..5_000).all(|_| {
        let [floor, last] = [Option::arbitrary(&mut g), Option::arbitrary(&mut g)];
        agrees(floor, last, Close::arbitrary(&mut g), mutate)
    })
}

/// Equal tokens refused; lesser ones let through; nothing about nonces; the floor forgotten.
#[test]
fn wrong_compares_are_told_from_the_rule() {
    assert!(all_cases_agree(|_| {}));
    let refuses_equals: fn(&mut Txn) = |txn| {
        each_compare(txn, |is| {
            if let Is::Greater(bound) = is {
                *bound = Pass::from_bytes(bound.as_slice().try_into().unwrap())
                    .unwrap()
                    .with_sequence(0)
                    .to_bytes()
                    .to_vec();
            }
        });
    };
    let accepts_all: fn(&mut Txn) = |txn| each_compare(txn, |is| *is = Is::Greater(vec![0xff; 40]));
    let ignores_lesser_nonces: fn(&mut Txn) = |txn| {
        each_compare(txn, |is| {
            if let Is::Less(bound) = is {
                bound.clear();
            }
        });
    };
    let forgets_the_floor: fn(&mut Txn) = |txn| {
        while txn.compares.iter().all(|compare| compare.key == FLOOR) {
            let Some(Op::Txn(next)) = txn.otherwise.pop() else { return };
            *txn = next;
        }
    };
    for mutant in [refuses_equals, accepts_all, ignores_lesser_nonces, forgets_the_floor] {
        assert!(!all_cases_agree(mutant));
    }
}

#[test]
fn a_value_is_sent_once() {
    let pass = Pass::from(FencingToken::first(1)).with_nonce(7);
    let value = vec![1; 3_000];
    let txn = write(FLOOR, VALUE, change(pass, Some(&value)));
    let text = serde_json::to_string(&txn).unwrap();
    assert!(text.len() < 2 * value.len(), "{}", text.len());
    assert_eq!(text.matches("request_put").count(), 1);
}
