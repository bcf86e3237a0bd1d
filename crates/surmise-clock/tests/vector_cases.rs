//! Vector clocks by example: the cases of other systems' tests, and what each form refuses.
//!
//! Some cases of those systems do not apply. Riak's timestamps break ties and choose what to prune, and
//! pruning by age or size forgets what was seen, so that a clock stops being after the clocks that it came
//! from: departed replicas are retired instead. The reset, the greatest lower bound and the validation of
//! operations in crdts serve the types that it builds on its clock.

#![cfg(feature = "alloc")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use core::cmp::Ordering;

use surmise_clock::{
    BoundedIncrementError, BoundedVectorClock, CausalOrder,
    CausalOrder::{After, Before, Concurrent, Equal},
    DenseIncrementError, DenseVectorClock, Dot, VectorClock,
};

use self::forms::Form;

#[path = "vector/forms.rs"]
mod forms;

type Entries = &'static [(u8, u64)];

const A: u8 = 1;
const B: u8 = 2;
const C: u8 = 3;

/// Two clocks, and the order of the first to the second.
const ORDERS: &[(Entries, Entries, CausalOrder)] = &[
    // Riak, vclock.erl, `example_test`.
    (&[(A, 1)], &[], After),
    (&[(A, 1)], &[(B, 1)], Concurrent),
    (&[(A, 2), (B, 1), (C, 1)], &[(A, 2)], After),
    (&[(A, 2), (B, 1), (C, 1)], &[(B, 1)], After),
    (&[(B, 1)], &[(A, 2), (B, 1), (C, 1)], Before),
    // Riak, `dominates`.
    (&[(A, 2), (B, 2)], &[(A, 2), (B, 1)], After),
    (&[(A, 2), (B, 2)], &[(A, 2), (B, 2)], Equal),
    // crdts, test/vclock.rs.
    (&[(A, 2)], &[(A, 1)], After),
    (&[(A, 2)], &[(A, 3)], Before),
    (&[(A, 2), (B, 1)], &[(A, 3)], Concurrent),
    (&[(A, 3), (B, 1)], &[(A, 3)], After),
    (&[(A, 3), (B, 1)], &[(A, 3), (B, 2)], Before),
    (&[(A, 3), (B, 2)], &[(A, 3), (B, 2)], Equal),
    // crdts 7.3.2 calls each the greater of these.
    (&[(A, 0)], &[], Equal),
    (&[], &[(A, 0)], Equal),
    (&[(A, 0), (B, 1)], &[(B, 1)], Equal),
    (&[(A, 0), (B, 1)], &[(A, 1), (B, 0)], Concurrent),
    // Replicas in one only, before, between and after those of the other.
    (&[(2, 1), (4, 1), (6, 1)], &[(4, 1)], After),
    (&[(2, 1), (4, 1), (6, 1)], &[(2, 1), (6, 1)], After),
    (&[(2, 1), (4, 1), (6, 1)], &[(2, 1), (5, 1)], Concurrent),
    (&[(2, 1), (4, 1), (6, 1)], &[(2, 2)], Concurrent),
    (&[(2, 1), (4, 1), (6, 1)], &[(2, 1), (7, 1)], Concurrent),
    (&[(2, 1), (4, 1), (6, 1)], &[(1, 1), (4, 1)], Concurrent),
    (&[(2, 1), (4, 1)], &[(4, 1), (6, 1)], Concurrent),
];

fn orders<F: Form>() {
    for (first, second, order) in ORDERS {
        let (a, b) = (F::of(first), F::of(second));
        assert_eq!(a.causal_order(&b), *order, "{first:?} to {second:?}");
        assert_eq!(b.causal_order(&a), order.reverse(), "{second:?} to {first:?}");
        assert_eq!(a == b, *order == Equal, "{first:?} and {second:?}");
        assert_eq!(a.partial_cmp(&b), (*order).into());
    }
}

#[test]
fn clocks_are_ordered() {
    orders::<VectorClock<u8>>();
    orders::<VectorClock<u8, 0>>();
    orders::<VectorClock<u8, 2>>();
    orders::<BoundedVectorClock<u8, 3>>();
    orders::<DenseVectorClock<8>>();
    assert_eq!(Option::<Ordering>::from(Concurrent), None);
}

/// Two clocks, and what comes of merging them in either order.
const MERGES: &[(Entries, Entries, Entries)] = &[
    // Riak, vclock.erl, `merge_test` and `merge_less_left_test`, without the timestamps.
    (&[(1, 1), (2, 2), (4, 4)], &[(3, 3), (4, 3)], &[(1, 1), (2, 2), (3, 3), (4, 4)]),
    (&[(5, 5)], &[(6, 6), (7, 7)], &[(5, 5), (6, 6), (7, 7)]),
    (&[(6, 6), (7, 7)], &[(5, 5)], &[(5, 5), (6, 6), (7, 7)]),
    (&[(1, 1), (2, 1)], &[(1, 1), (3, 1)], &[(1, 1), (2, 1), (3, 1)]),
    (&[], &[], &[]),
    (&[(1, 1)], &[], &[(1, 1)]),
    // New replicas before, between and after the known ones, beside counters that are raised.
    (
        &[(2, 2), (5, 5)],
        &[(1, 1), (2, 9), (3, 3), (4, 4)],
        &[(1, 1), (2, 9), (3, 3), (4, 4), (5, 5)],
    ),
    (&[(2, 2), (5, 5)], &[(2, 1), (5, 6), (7, 7)], &[(2, 2), (5, 6), (7, 7)]),
    (&[(2, 2), (5, 5)], &[(5, u64::MAX)], &[(2, 2), (5, u64::MAX)]),
];

fn merges<F: Form>() {
    for (first, second, merged) in MERGES {
        let (a, b) = (F::of(first), F::of(second));
        assert_eq!(a.merged(&b).entries(), *merged, "{first:?} and {second:?}");
        assert_eq!(b.merged(&a).entries(), *merged, "{second:?} and {first:?}");
    }
}

#[test]
fn clocks_are_merged() {
    merges::<VectorClock<u8>>();
    merges::<VectorClock<u8, 0>>();
    merges::<VectorClock<u8, 3>>();
    merges::<BoundedVectorClock<u8, 5>>();
    merges::<DenseVectorClock<8>>();
}

fn counts<F: Form>() {
    // Riak, vclock.erl, `accessor_test`, and what an event does in crdts.
    let mut clock = F::default();
    assert_eq!(clock.get(A), 0);
    for (replica, counter) in [(A, 1), (B, 1), (C, 1), (A, 2)] {
        assert_eq!(clock.increment(replica), Some(counter));
        assert!(clock.contains(replica, counter) && !clock.contains(replica, counter + 1));
    }
    assert_eq!(clock.entries(), [(A, 2), (B, 1), (C, 1)]);
    let before = clock.clone();
    assert!(!clock.record(A, 0) && !clock.record(A, 1) && !clock.record(A, 2));
    assert!(!clock.record(7, 0));
    assert_eq!(clock, before);
    assert!(clock.record(A, 4));
    assert_eq!(clock.entries(), [(A, 4), (B, 1), (C, 1)]);
    assert!(clock.contains(A, 3), "an event is recorded with all before it");
    assert!(clock.record(7, 2) && clock.contains(7, 1));

    let mut limit = F::of(&[(A, u64::MAX - 1), (B, 3)]);
    assert_eq!(limit.increment(A), Some(u64::MAX));
    let before = limit.clone();
    assert_eq!(limit.increment(A), None);
    assert_eq!(limit, before);
    assert_eq!(limit.increment(B), Some(4));
}

#[test]
fn clocks_count() {
    counts::<VectorClock<u8>>();
    counts::<VectorClock<u8, 0>>();
    counts::<VectorClock<u8, 1>>();
    counts::<BoundedVectorClock<u8, 4>>();
    counts::<DenseVectorClock<8>>();
}

#[test]
fn a_full_clock_refuses_new_replicas_and_stays_as_it_was() {
    type Clock = BoundedVectorClock<u8, 2>;
    let mut clock = Clock::try_from_iter([(A, 1), (B, u64::MAX)]).unwrap();
    let full = clock.clone();

    let error = clock.increment(&C).unwrap_err();
    let BoundedIncrementError::CapacityExceeded(exceeded) = error else { panic!("{error}") };
    assert_eq!((exceeded.needed, exceeded.capacity), (3, 2));
    assert_eq!(clock.record(&Dot { replica: C, counter: 1 }), Err(exceeded));
    assert_eq!(clock.record(&Dot { replica: C, counter: 0 }), Ok(false));
    assert_eq!(clock.try_merge(&Clock::try_from_iter([(C, 1)]).unwrap()), Err(exceeded));
    // Nothing of the other is merged, not even what would fit.
    let other = Clock::try_from_iter([(A, 9), (C, 1)]).unwrap();
    assert_eq!(clock.try_merge(&other), Err(exceeded));
    let strangers = Clock::try_from_iter([(C, 1), (4, 1)]).unwrap();
    assert_eq!(clock.try_merge(&strangers).unwrap_err().needed, 4);
    assert_eq!(clock, full);

    let error = clock.increment(&B).unwrap_err();
    assert_eq!(error.to_string(), "the counter of replica 2 is at its limit");
    assert_eq!(clock, full);
    assert_eq!(clock.increment(&A), Ok(2));
    assert_eq!(clock.record(&Dot { replica: A, counter: 5 }), Ok(true));
    assert_eq!(clock.try_merge(&Clock::try_from_iter([(A, 9), (B, 1)]).unwrap()), Ok(()));
    assert_eq!(clock.try_merge(&Clock::try_from_iter([(B, 1)]).unwrap()), Ok(()));
    assert_eq!(clock.iter().collect::<Vec<_>>(), [(&A, 9), (&B, u64::MAX)]);

    assert_eq!(Clock::try_from_iter([(A, 1), (B, 1), (A, 2), (C, 1)]), Err(exceeded));
    assert!(Clock::try_from_iter([(A, 1), (B, 1), (A, 2), (C, 0)]).is_ok());
    let mut none = BoundedVectorClock::<u8, 0>::new();
    assert_eq!(
        none.increment(&A).unwrap_err().to_string(),
        "1 replicas do not fit into a clock of at most 0"
    );
    assert!(none.is_empty());
}

#[test]
fn a_clock_of_fixed_members_refuses_strangers() {
    let mut clock = DenseVectorClock::from([1, u64::MAX]);
    let before = clock.clone();
    let error = clock.increment(2).unwrap_err();
    assert_eq!(error.to_string(), "there is no replica 2 among 2");
    let DenseIncrementError::UnknownReplica(unknown) = error else { panic!("{error}") };
    assert_eq!(clock.record(&Dot { replica: 2, counter: 1 }), Err(unknown));
    let unknown = clock.record(&Dot { replica: 7, counter: 1 }).unwrap_err();
    assert_eq!((unknown.replica, unknown.members), (7, 2));
    assert_eq!(clock.record(&Dot { replica: 2, counter: 0 }), Ok(false));
    assert_eq!(clock.get(2), 0);
    assert!(!clock.contains(&Dot { replica: 2, counter: 1 }));
    let error = clock.increment(1).unwrap_err();
    assert_eq!(error.to_string(), "the counter of replica 1 is at its limit");
    assert_eq!(clock, before);
    assert_eq!(clock.increment(0), Ok(2));
    assert_eq!(clock.counters(), &[2, u64::MAX]);
}

#[test]
fn an_overflow_names_the_replica() {
    let mut clock = VectorClock::<&str>::from_iter([("a", u64::MAX)]);
    let error = clock.increment(&"a").unwrap_err();
    assert_eq!(error.replica, "a");
    assert_eq!(error.to_string(), "the counter of replica \"a\" is at its limit");
    assert_eq!(clock.get(&"a"), u64::MAX);
}

/// An id that counts how often it was cloned.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Counted<'a>(u8, &'a core::cell::Cell<u32>);

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        self.1.set(self.1.get() + 1);
        Self(self.0, self.1)
    }
}

#[test]
fn only_ids_of_new_replicas_are_cloned() {
    let clones = core::cell::Cell::new(0);
    let id = |replica| Counted(replica, &clones);
    let mut clock = VectorClock::<Counted<'_>, 2>::default();
    clock.increment(&id(1)).unwrap();
    clock.increment(&id(1)).unwrap();
    clock.record(&Dot { replica: id(1), counter: 7 });
    clock.record(&Dot { replica: id(2), counter: 0 });
    assert_eq!(clones.get(), 1);
    let other: VectorClock<_, 2> =
        [(id(3), 1), (id(1), 9), (id(0), 1), (id(3), 2)].into_iter().collect();
    assert_eq!(clones.get(), 1);
    clock.merge(&other);
    assert_eq!(clones.get(), 3);
    clock.merge(&other);
    assert_eq!(clones.get(), 3);
    assert_eq!(
        clock.iter().map(|(id, counter)| (id.0, counter)).collect::<Vec<_>>(),
        [(0, 1), (1, 9), (3, 2)]
    );

    let mut full = BoundedVectorClock::<Counted<'_>, 0>::new();
    assert!(full.increment(&id(1)).is_err());
    assert!(full.record(&Dot { replica: id(1), counter: 1 }).is_err());
    assert_eq!(clones.get(), 3, "a refused id is not cloned");
}

#[test]
fn repeated_entries_are_one() {
    for entries in [&[(A, 1), (A, 2), (B, 1)], &[(A, 2), (A, 1), (B, 1)], &[(B, 1), (A, 1), (A, 2)]]
    {
        let clock: VectorClock<u8> = entries.iter().copied().collect();
        assert_eq!(clock.iter().collect::<Vec<_>>(), [(&A, 2), (&B, 1)]);
        assert_eq!(clock.len(), 2);
    }
}

#[test]
fn clocks_are_shown_as_maps() {
    let entries = [("b", 2), ("a", 1)];
    assert_eq!(format!("{:?}", VectorClock::<&str>::from_iter(entries)), r#"{"a": 1, "b": 2}"#);
    let bounded = BoundedVectorClock::<&str, 2>::try_from_iter(entries).unwrap();
    assert_eq!(format!("{bounded:?}"), r#"{"a": 1, "b": 2}"#);
    assert_eq!(VectorClock::<u8>::default(), VectorClock::new());
    assert_eq!(VectorClock::<u8>::from_iter([(A, 1), (C, 3)]).iter().next_back(), Some((&C, 3)));
}

#[test]
fn clocks_are_as_small_as_they_say() {
    assert_eq!(size_of::<VectorClock<u64>>(), 8 * (8 + 8) + 24);
    assert_eq!(size_of::<VectorClock<u64, 16>>(), 16 * (8 + 8) + 24);
    assert_eq!(size_of::<BoundedVectorClock<u64, 8>>(), 8 * (8 + 8) + 16);
    assert_eq!(size_of::<DenseVectorClock<8>>(), 64);
}
