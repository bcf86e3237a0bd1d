//! Dotted version vector sets: the reference's cases, what is refused, and siblings that do not explode.
//!
//! The laws, and the comparison with whole causal histories, are in `siblings_laws.rs`.

#![cfg(feature = "alloc")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use surmise_clock::{CausalOrder, Dot, DottedVersionVectorSet, EntriesError, VectorClock};

type Siblings = DottedVersionVectorSet<&'static str, &'static str>;
type Entry = (&'static str, u64, &'static [&'static str]);

fn clock(entries: &[(&'static str, u64)]) -> VectorClock<&'static str> {
    entries.iter().copied().collect()
}

/// Makes a set of the reference's notation, which lists the newest value first.
fn set(entries: &[Entry]) -> Siblings {
    let oldest_first = |values: &[&'static str]| values.iter().rev().copied().collect();
    let entries = entries.iter().map(|&(id, counter, values)| (id, counter, oldest_first(values)));
    entries.collect::<Vec<_>>().try_into().unwrap()
}

fn put(
    set: &Siblings,
    context: &[(&'static str, u64)],
    replica: &'static str,
    value: &'static str,
) -> Siblings {
    let mut set = set.clone();
    set.put(&clock(context), &replica, value).unwrap();
    set
}

fn synced(a: &Siblings, b: &Siblings) -> Siblings {
    let mut a = a.clone();
    a.sync(b);
    a
}

/// The cases of dvvset.erl's `update_test`, `sync_update_test`, `event_test` and `join_test`.
///
/// What the reference calls `update(new(context, value), set, replica)` is `put` here. Its anonymous
/// values are those of a client that has not written yet; they have no dot, so a set holds none, and
/// the value is an argument of `put` instead. Its `lww` and `reconcile` choose a value for the reader;
/// here the reader chooses and puts, see `a_reader_resolves_by_putting`.
#[test]
fn reference_updates() {
    let new = Siblings::new();
    let a0 = set(&[("a", 1, &["v1"])]);
    let a1 = set(&[("a", 2, &["v2"])]);
    type Case<'a> =
        (&'a str, &'a Siblings, &'a [(&'static str, u64)], &'static str, &'static str, &'a [Entry]);
    let cases: [Case<'_>; 9] = [
        ("A0", &new, &[], "a", "v1", &[("a", 1, &["v1"])]),
        ("A1", &a0, &[("a", 1)], "a", "v2", &[("a", 2, &["v2"])]),
        ("A2", &a1, &[("a", 2)], "b", "v3", &[("a", 2, &[]), ("b", 1, &["v3"])]),
        ("A3", &a1, &[("a", 1)], "b", "v4", &[("a", 2, &["v2"]), ("b", 1, &["v4"])]),
        ("A4", &a1, &[("a", 1)], "a", "v5", &[("a", 3, &["v5", "v2"])]),
        ("blind, same replica", &a0, &[], "a", "v2", &[("a", 2, &["v2", "v1"])]),
        ("blind, another", &a0, &[], "b", "v2", &[("a", 1, &["v1"]), ("b", 1, &["v2"])]),
        ("blind, a lesser one", &a1, &[], "0", "v3", &[("0", 1, &["v3"]), ("a", 2, &["v2"])]),
        ("never synced", &new, &[("a", 1)], "b", "v2", &[("a", 1, &[]), ("b", 1, &["v2"])]),
    ];
    for (name, before, context, replica, value, after) in cases {
        assert_eq!(put(before, context, replica, value), set(after), "{name}");
    }
    // Mary writes v1 and v2 without having read, and Peter, who has read v1, writes v3.
    let mary = put(&a0, &[], "a", "v2");
    assert_eq!(put(&mary, &[("a", 1)], "a", "v3"), set(&[("a", 3, &["v3", "v2"])]));
    assert_eq!(new.context(), &clock(&[]));
    assert_eq!(put(&a0, &[("a", 1)], "b", "v2").context(), &clock(&[("a", 1), ("b", 1)]));
}

/// The cases of `sync_test`, and columns of every overlap, each in both orders.
#[test]
fn reference_syncs() {
    let cases: [[&[Entry]; 3]; 9] = [
        [&[("a", 1, &[])], &[("a", 2, &["v2", "v1"])], &[("a", 2, &["v2"])]],
        [&[("a", 1, &["v1"])], &[("a", 2, &["v2"])], &[("a", 2, &["v2"])]],
        [
            &[("a", 2, &[]), ("c", 1, &["v3"])],
            &[("a", 2, &[]), ("b", 1, &["v3"])],
            &[("a", 2, &[]), ("b", 1, &["v3"]), ("c", 1, &["v3"])],
        ],
        [&[("x", 1, &[])], &[("a", 1, &["v1"])], &[("a", 1, &["v1"]), ("x", 1, &[])]],
        [&[("a", 1, &["v1"])], &[("b", 1, &["v2"])], &[("a", 1, &["v1"]), ("b", 1, &["v2"])]],
        [
            &[("a", 3, &["v3", "v2", "v1"])],
            &[("a", 5, &["v5", "v4", "v3"])],
            &[("a", 5, &["v5", "v4", "v3"])],
        ],
        [
            &[("a", 3, &["v3"])],
            &[("a", 5, &["v5", "v4", "v3", "v2"])],
            &[("a", 5, &["v5", "v4", "v3"])],
        ],
        [&[("a", 2, &["v2", "v1"])], &[("a", 9, &["v9"])], &[("a", 9, &["v9"])]],
        [&[("a", 3, &["v3", "v2"])], &[("a", 3, &["v3", "v2", "v1"])], &[("a", 3, &["v3", "v2"])]],
    ];
    for [a, b, both] in cases {
        assert_eq!(synced(&set(a), &set(b)), set(both));
        assert_eq!(synced(&set(b), &set(a)), set(both));
    }
}

/// The cases of `less_test`: a set is older than another if its context is.
#[test]
fn reference_order() {
    let new = Siblings::new();
    let a = put(&new, &[], "l", "v1");
    let b = put(&new, &[("l", 1)], "l", "v2");
    let b2 = put(&new, &[("l", 1)], "m", "v2");
    let b3 = put(&new, &[("l", 1)], "z", "v2");
    let c = put(&a, &[("l", 2)], "c", "v3");
    let d = put(&b2, &[("l", 2), ("c", 1)], "d", "v4");
    let less =
        |a: &Siblings, b: &Siblings| a.context().causal_order(b.context()) == CausalOrder::Before;
    for (older, newer) in [(&a, &b), (&a, &c), (&b, &c), (&b, &d), (&b2, &d), (&a, &d)] {
        assert!(less(older, newer));
    }
    let not = [(&b2, &c), (&b, &b2), (&b2, &b), (&a, &a), (&c, &c), (&d, &b2), (&b3, &d)];
    for (a, b) in not {
        assert!(!less(a, b));
    }
}

/// The cases of `size_test` and `values_test`, less the anonymous values and the entries of zero
/// events, which a set does not have. Unlike the reference's `equal`, `==` compares the values too.
#[test]
fn reference_values() {
    let full = set(&[("a", 4, &["v5", "v0"]), ("b", 1, &[]), ("c", 1, &["v3"])]);
    assert_eq!(full.len(), 3);
    assert!(!full.is_empty());
    assert_eq!(full.values().collect::<Vec<_>>(), [&"v5", &"v0", &"v3"]);
    assert_eq!(full.values().rev().collect::<Vec<_>>(), [&"v3", &"v0", &"v5"]);
    let dots = full.iter().map(|(dot, value)| (*dot.replica, dot.counter, *value));
    assert_eq!(dots.collect::<Vec<_>>(), [("a", 4, "v5"), ("a", 3, "v0"), ("c", 1, "v3")]);
    assert_ne!(full, set(&[("a", 4, &["v555", "v0"]), ("b", 1, &[]), ("c", 1, &["v3"])]));
    assert_ne!(full, set(&[("a", 4, &["v5"]), ("b", 1, &[]), ("c", 1, &["v3"])]));

    let none = set(&[("a", 4, &[])]);
    assert!(none.is_empty());
    assert_eq!(none.len(), 0);
    assert_eq!(Siblings::default(), Siblings::new());
}

#[test]
fn a_reader_resolves_by_putting() {
    let mut basket = set(&[("a", 4, &["5", "2"]), ("b", 1, &[]), ("c", 1, &["3"])]);
    let sum: u32 = basket.values().map(|value| value.parse::<u32>().unwrap()).sum();
    assert_eq!(sum, 10);
    let read = basket.context().clone();
    let dot = basket.put(&read, &"b", "10").unwrap();
    assert_eq!(dot, Dot { replica: "b", counter: 2 });
    assert_eq!(basket, set(&[("a", 4, &[]), ("b", 2, &["10"]), ("c", 1, &[])]));
}

#[test]
fn what_was_discarded_stays_away() {
    let a = put(&Siblings::new(), &[], "a", "v1");
    let mut b = Siblings::new();
    // The reader found the value at `a`, and deletes it at `b`, which has never seen it.
    b.discard(a.context());
    b.sync(&a);
    assert_eq!(b, set(&[("a", 1, &[])]));
    // What the reader had not seen is not deleted.
    b.sync(&put(&a, &[], "a", "v2"));
    assert_eq!(b, set(&[("a", 2, &["v2"])]));
}

#[test]
fn a_counter_at_its_limit_hands_the_value_back() {
    let full = set(&[("a", u64::MAX, &["v"])]);
    for (context, mut set) in [(&[][..], full.clone()), (&[("a", u64::MAX)], Siblings::new())] {
        let before = set.clone();
        let error = set.put(&clock(context), &"a", "new").unwrap_err();
        assert_eq!((error.value, error.overflow.replica), ("new", "a"));
        assert_eq!(error.to_string(), "the counter of replica \"a\" is at its limit");
        assert!(!format!("{error:?}").contains("new"));
        assert_eq!(set, before);
    }
    // Another replica can still write, and the last event can still be counted.
    let after = put(&full, &[("a", u64::MAX)], "b", "w");
    assert_eq!(after, set(&[("a", u64::MAX, &[]), ("b", 1, &["w"])]));
    let last = put(&set(&[("a", u64::MAX - 1, &["u"])]), &[], "a", "v");
    assert_eq!(last, set(&[("a", u64::MAX, &["v", "u"])]));
}

/// A value whose clone may panic.
#[derive(Debug, PartialEq)]
struct Fragile(bool);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(!self.0, "broken");
        Self(false)
    }
}

#[test]
fn a_panic_while_cloning_changes_nothing() {
    type Entries = Vec<(u8, u64, Vec<Fragile>)>;
    let entries: Entries = vec![(1, 1, vec![Fragile(false)]), (3, 1, vec![Fragile(false)])];
    let mut set = DottedVersionVectorSet::try_from(entries).unwrap();
    let before = set.clone();
    let entries: Entries =
        vec![(1, 2, vec![Fragile(false)]), (2, 1, vec![]), (3, 2, vec![Fragile(true)])];
    let other = DottedVersionVectorSet::try_from(entries).unwrap();
    let sync = core::panic::AssertUnwindSafe(|| set.sync(&other));
    assert!(std::panic::catch_unwind(sync).is_err());
    assert_eq!(set, before);
}

#[test]
fn entries_are_checked() {
    type Entries = Vec<(&'static str, u64, Vec<u8>)>;
    let twice = vec![("a", 1, vec![]), ("a", 2, vec![])];
    let unsorted = vec![("b", 1, vec![]), ("c", 1, vec![]), ("a", 2, vec![])];
    let no_events = vec![("a", 1, vec![]), ("b", 0, vec![])];
    let crowded = vec![("a", 1, vec![1]), ("b", 2, vec![1, 2, 3])];
    let cases: [(Entries, EntriesError, &str); 4] = [
        (
            twice,
            EntriesError::NotAscending { index: 1 },
            "the replica of entry 1 is not greater than the one before it",
        ),
        (
            unsorted,
            EntriesError::NotAscending { index: 2 },
            "the replica of entry 2 is not greater than the one before it",
        ),
        (no_events, EntriesError::NoEvents { index: 1 }, "the counter of entry 1 is zero"),
        (
            crowded,
            EntriesError::TooManyValues { index: 1, counter: 2, values: 3 },
            "entry 1 has 3 values, but only 2 events",
        ),
    ];
    for (entries, error, message) in cases {
        assert_eq!(DottedVersionVectorSet::try_from(entries), Err(error));
        assert_eq!(error.to_string(), message);
    }
    let entries: Entries = vec![("a", 2, vec![1, 2]), ("b", 1, vec![])];
    let set = DottedVersionVectorSet::try_from(entries.clone()).unwrap();
    let back: Entries = set.entries().map(|(id, n, values)| (*id, n, values.to_vec())).collect();
    assert_eq!(back, entries);
}

#[cfg(feature = "serde")]
#[test]
fn serde_checks_what_it_reads() {
    type Owned = DottedVersionVectorSet<String, String>;
    let json = r#"[["a",2,["flour","milk"]],["b",1,[]]]"#;
    let set: Owned = serde_json::from_str(json).unwrap();
    assert_eq!(set.values().collect::<Vec<_>>(), ["milk", "flour"]);
    assert_eq!(serde_json::to_string(&set).unwrap(), json);
    for bad in [r#"[["a",1,[]],["a",2,[]]]"#, r#"[["a",0,[]]]"#, r#"[["a",1,["v","w"]]]"#] {
        assert!(serde_json::from_str::<Owned>(bad).is_err(), "{bad}");
    }
}

/// Clients take turns, each having read before the others' last writes.
///
/// A store with one version vector a key keeps every value: none is known to descend from another.
#[test]
fn siblings_do_not_explode() {
    for clients in 2..6 {
        let mut dotted = DottedVersionVectorSet::new();
        let mut contexts = vec![VectorClock::new(); clients];
        let mut plain = (VectorClock::<&str>::new(), Vec::new());
        let mut plain_contexts = vec![VectorClock::new(); clients];
        for round in 0..100 {
            let client = round % clients;
            dotted.put(&contexts[client], &"a", round).unwrap();
            contexts[client].clone_from(dotted.context());
            assert!(dotted.len() <= clients, "{} siblings of {clients} clients", dotted.len());

            if plain_contexts[client] >= plain.0 {
                plain.1.clear();
            }
            plain.0.increment(&"a").unwrap();
            plain.1.push(round);
            plain_contexts[client].clone_from(&plain.0);
        }
        assert_eq!(dotted.len(), clients);
        assert_eq!(plain.1.len(), 100);
    }
}
