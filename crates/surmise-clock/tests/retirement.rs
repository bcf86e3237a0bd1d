//! Retirement: what is left out of clocks, and what is refused.
//!
//! Random executions are in `retirement_executions.rs`.

#![cfg(feature = "alloc")]

use surmise_clock::{
    CausalOrder, Dot, LearnError, RetireError, Retirements, Tombstone, VectorClock,
};

type Clock = VectorClock<&'static str>;
type Entries<'a> = &'a [(&'static str, u64)];

fn clock(entries: Entries<'_>) -> Clock {
    entries.iter().copied().collect()
}

fn tombstone(
    replica: &'static str,
    last: u64,
    by: &'static str,
    counter: u64,
) -> Tombstone<&'static str> {
    Tombstone { by: Dot { replica: by, counter }, replica, last }
}

fn knowing(tombstones: &[Tombstone<&'static str>]) -> Retirements<&'static str> {
    let mut retirements = Retirements::new();
    for tombstone in tombstones {
        assert_eq!(retirements.learn(*tombstone), Ok(true));
    }
    retirements
}

fn compacted(retirements: &Retirements<&'static str>, entries: Entries<'_>) -> Clock {
    let mut clock = clock(entries);
    retirements.compact(&mut clock);
    clock
}

fn restored(retirements: &Retirements<&'static str>, entries: Entries<'_>) -> Clock {
    let mut clock = clock(entries);
    retirements.restore(&mut clock);
    clock
}

#[test]
fn only_what_is_implied_is_left_out() {
    let known = knowing(&[tombstone("a", 3, "b", 5)]);
    let cases: [(Entries<'_>, Entries<'_>); 5] = [
        (&[("a", 3), ("b", 5), ("c", 1)], &[("b", 5), ("c", 1)]),
        (&[("a", 3), ("b", 9)], &[("b", 9)]),
        // These have not seen the retirement.
        (&[("a", 3), ("b", 4)], &[("a", 3), ("b", 4)]),
        (&[("a", 2)], &[("a", 2)]),
        // The replica had not departed after all.
        (&[("a", 4), ("b", 5)], &[("a", 4), ("b", 5)]),
    ];
    for (full, compact) in cases {
        assert_eq!(compacted(&known, full), clock(compact));
        assert_eq!(compacted(&known, compact), clock(compact));
        assert_eq!(restored(&known, compact), clock(full));
    }
    let full = [("a", 3), ("b", 5)];
    assert_eq!(compacted(&Retirements::new(), &full), clock(&full));
}

#[test]
fn survivors_retire_in_their_turn() {
    let mut known = Retirements::new();
    let mut at_b = clock(&[("a", 3), ("b", 4), ("c", 2)]);
    assert_eq!(known.retire(&mut at_b, &"a", &"b"), Ok(tombstone("a", 3, "b", 5)));
    let mut at_c = at_b;
    known.compact(&mut at_c);
    assert_eq!(known.retire(&mut at_c, &"b", &"c"), Ok(tombstone("b", 5, "c", 3)));
    known.compact(&mut at_c);
    assert_eq!(at_c, clock(&[("c", 3)]));
    at_c.increment(&"d").unwrap();
    assert_eq!(known.retire(&mut at_c, &"c", &"d"), Ok(tombstone("c", 3, "d", 2)));
    known.compact(&mut at_c);
    assert_eq!(at_c, clock(&[("d", 2)]));
    assert_eq!(restored(&known, &[("d", 2)]), clock(&[("a", 3), ("b", 5), ("c", 3), ("d", 2)]));
    assert_eq!(restored(&known, &[("d", 1)]), clock(&[("d", 1)]));
    assert_eq!((known.len(), known.is_empty()), (3, false));

    // The replicas' names say nothing about who retired first.
    let reversed = knowing(&[tombstone("c", 3, "b", 2), tombstone("d", 3, "c", 3)]);
    assert_eq!(restored(&reversed, &[("b", 2)]), clock(&[("b", 2), ("c", 3), ("d", 3)]));
}

/// Riak would prune the entry of `a` by its age; here it is left out because `b` has retired `a`.
#[test]
fn descent_survives_where_pruning_breaks_it() {
    let mut known = Retirements::new();
    let value = clock(&[("a", 1)]);
    let mut replacement = clock(&[("a", 1), ("b", 1)]);
    known.retire(&mut replacement, &"a", &"b").unwrap();
    known.compact(&mut replacement);
    assert_eq!(replacement, clock(&[("b", 2)]));
    assert_eq!(known.causal_order(&value, &replacement), CausalOrder::Before);
    assert_eq!(known.causal_order(&replacement, &value), CausalOrder::After);
    assert_eq!(known.causal_order(&clock(&[("a", 1), ("b", 2)]), &replacement), CausalOrder::Equal);
    assert_eq!(known.causal_order(&clock(&[("c", 1)]), &replacement), CausalOrder::Concurrent);

    // Once the tombstone is forgotten, the old value is back.
    let by = Dot { replica: "b", counter: 2 };
    assert_eq!(known.forget(&Dot { counter: 1, ..by }), None);
    assert_eq!(known.forget(&by), Some(tombstone("a", 1, "b", 2)));
    assert_eq!(known, Retirements::default());
    assert_eq!(known.causal_order(&value, &replacement), CausalOrder::Concurrent);
}

#[test]
fn nobody_is_retired_without_need() {
    let known = knowing(&[tombstone("a", 3, "b", 5), tombstone("x", 1, "b", 6)]);
    let full = [("a", 3), ("b", 6), ("c", 1), ("x", 1), ("y", u64::MAX)];
    let overflow = clock(&full).increment(&"y").unwrap_err();
    let cases: [(&str, &str, RetireError<&str>, &str); 6] = [
        ("c", "c", RetireError::BySelf { replica: "c" }, "replica \"c\" cannot retire itself"),
        (
            "c",
            "a",
            RetireError::ByRetired { tombstone: tombstone("a", 3, "b", 5) },
            "replica \"a\" was retired by \"b\" and cannot retire another",
        ),
        (
            "d",
            "c",
            RetireError::NothingSeen { replica: "d" },
            "no event of replica \"d\" has been seen",
        ),
        (
            "a",
            "c",
            RetireError::AlreadyRetired { tombstone: tombstone("a", 3, "b", 5) },
            "replica \"a\" was retired by \"b\" after its event 3",
        ),
        (
            "x",
            "c",
            RetireError::AlreadyRetired { tombstone: tombstone("x", 1, "b", 6) },
            "replica \"x\" was retired by \"b\" after its event 1",
        ),
        ("c", "y", RetireError::Overflow(overflow), "the counter of replica \"y\" is at its limit"),
    ];
    for entries in [clock(&full), compacted(&known, &full)] {
        for (departed, by, error, message) in &cases {
            let (mut retirements, mut after) = (known.clone(), entries.clone());
            assert_eq!(retirements.retire(&mut after, departed, by), Err(error.clone()));
            assert_eq!((&retirements, &after), (&known, &entries));
            assert_eq!(error.to_string(), *message);
        }
    }
    // Who retired the replica had seen more of it.
    let mut fewer = clock(&[("a", 2), ("c", 1)]);
    let error = RetireError::AlreadyRetired { tombstone: tombstone("a", 3, "b", 5) };
    assert_eq!(known.clone().retire(&mut fewer, &"a", &"c"), Err(error));
    // Events after the retirement are worth another one.
    let mut more = clock(&[("a", 4), ("b", 5), ("c", 1)]);
    let again = known.clone().retire(&mut more, &"a", &"c");
    assert_eq!(again, Ok(tombstone("a", 4, "c", 2)));
    assert_eq!(more, clock(&[("a", 4), ("b", 5), ("c", 2)]));
}

#[test]
fn contradictions_are_not_learned() {
    let mut known = knowing(&[tombstone("a", 3, "b", 5), tombstone("b", 7, "c", 2)]);
    let before = known.clone();
    assert_eq!(known.learn(tombstone("a", 3, "b", 5)), Ok(false));
    let conflict = |learned| LearnError::Conflict { known: tombstone("a", 3, "b", 5), learned };
    let circular = |learned| LearnError::Circular { learned };
    let cases = [
        (tombstone("a", 4, "b", 5), conflict(tombstone("a", 4, "b", 5))),
        (tombstone("d", 3, "b", 5), conflict(tombstone("d", 3, "b", 5))),
        // The retirement by `c` went before it retired `b`, whose events imply it.
        (tombstone("c", 2, "a", 3), circular(tombstone("c", 2, "a", 3))),
        (tombstone("b", 5, "a", 1), circular(tombstone("b", 5, "a", 1))),
        (tombstone("d", 1, "d", 9), circular(tombstone("d", 1, "d", 9))),
        (tombstone("d", 1, "e", 0), circular(tombstone("d", 1, "e", 0))),
    ];
    for (learned, error) in cases {
        assert_eq!(known.learn(learned), Err(error));
        assert_eq!(known, before);
    }
    // Events that went before are no contradiction.
    assert_eq!(known.learn(tombstone("b", 4, "a", 1)), Ok(true));
    assert_eq!(known.learn(tombstone("c", 1, "a", 3)), Ok(true));

    let conflict = conflict(tombstone("d", 4, "b", 5));
    assert_eq!(
        conflict.to_string(),
        "event 5 of replica \"b\" retired \"a\" after its event 3, not \"d\" after 4"
    );
    assert_eq!(
        circular(tombstone("b", 5, "a", 1)).to_string(),
        "event 1 of replica \"a\" cannot have retired \"b\", whose event 5 came after it"
    );
    // A survivor that lost its state would retire another replica by an event that is taken.
    let (mut known, mut stale) = (before.clone(), clock(&[("d", 4), ("b", 4)]));
    let known_not_retired = known.forget(&Dot { replica: "c", counter: 2 });
    assert!(known_not_retired.is_some());
    let before = known.clone();
    let error = known.retire(&mut stale, &"d", &"b").unwrap_err();
    assert_eq!(error, RetireError::Contradicted(conflict.clone()));
    assert_eq!(error.to_string(), format!("the clock is not the newest: {conflict}"));
    assert_eq!((known, stale), (before, clock(&[("d", 4), ("b", 4)])));
}

#[test]
fn tombstones_are_kept_in_order() {
    let tombstones = [tombstone("z", 1, "b", 6), tombstone("y", 1, "c", 1)];
    let ascending = knowing(&tombstones);
    let mut descending = knowing(&[tombstones[1], tombstones[0]]);
    assert_eq!(ascending, descending);
    assert!(descending.iter().eq(&tombstones));
    assert!(tombstones.iter().all(|tombstone| descending.learn(*tombstone) == Ok(false)));
}

#[cfg(feature = "serde")]
#[test]
fn serde_checks_what_it_reads() {
    type Owned = Retirements<String>;
    let json = r#"[{"by":{"replica":"b","counter":5},"replica":"a","last":3}]"#;
    let known: Owned = serde_json::from_str(json).unwrap();
    assert_eq!(known.iter().next().map(|tombstone| tombstone.last), Some(3));
    assert_eq!(serde_json::to_string(&known).unwrap(), json);
    let nothing = json.replace('5', "0");
    assert!(serde_json::from_str::<Owned>(&nothing).is_err());
}

/// A chain of survivors, each retired by the next, told in the order in which it is not followed.
#[test]
fn a_long_chain_is_followed_link_by_link() {
    const LENGTH: u64 = 500;
    let mut retirements = Retirements::new();
    for k in 1..=LENGTH {
        let by = Dot { replica: k, counter: 1 };
        assert_eq!(retirements.learn(Tombstone { by, replica: k - 1, last: 1 }), Ok(true));
    }
    let mut clock: VectorClock<u64> = [(LENGTH, 1)].into_iter().collect();
    retirements.restore(&mut clock);
    assert_eq!(clock, (0..=LENGTH).map(|replica| (replica, 1)).collect());
    retirements.compact(&mut clock);
    assert_eq!(clock, [(LENGTH, 1)].into_iter().collect());
}
