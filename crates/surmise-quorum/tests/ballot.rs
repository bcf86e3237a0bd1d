//! Ballots: what convicts, and what must not.

#![cfg(feature = "alloc")]

use core::time::Duration;

use surmise_quorum::{
    Ballot, BallotError, ByzantineQuorum, ElectorateError, Majority, Opinion, Outcome, Receipt,
    Threshold,
};
use surmise_time::Instant;

const FRESHNESS: Duration = Duration::from_secs(10);
const START: Instant = Instant::from_nanos(1_000_000_000_000);

fn majority_of(nodes: u8) -> Ballot<u8> {
    let majority = Majority::new(nodes.into()).expect("there are nodes");
    Ballot::new(0..nodes, majority, FRESHNESS).expect("no node is named twice")
}

fn suspect(ballot: &mut Ballot<u8>, observer: u8, sequence: u64, now: Instant) {
    let receipt = ballot.vote(&observer, Opinion::Suspect, sequence, now);
    assert_eq!(receipt, Ok(Receipt::Recorded));
}

/// An iterator that promises more than it has, and than any memory holds.
struct Boaster;

impl Iterator for Boaster {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

#[test]
fn memory_is_made_for_observers_that_there_are() {
    let threshold = Threshold::new(1, usize::MAX / 2).expect("it is in range");
    let error = Ballot::new(Boaster, threshold, FRESHNESS).expect_err("there are none");
    let expected = ElectorateError::OtherSize { observers: 0, votes: usize::MAX / 2 };
    assert_eq!(error, BallotError::Electorate(expected));
}

#[test]
fn one_fresh_vote_convicts_nobody_when_all_others_have_expired() {
    let mut ballot = majority_of(5);
    for observer in 0..5 {
        suspect(&mut ballot, observer, 1, START);
    }
    assert!(ballot.outcome(START).is_convicted());
    let later = START + FRESHNESS;
    suspect(&mut ballot, 0, 2, later);
    let Outcome::Open(tally) = ballot.outcome(later) else { panic!("{:?}", ballot.outcome(later)) };
    assert_eq!((tally.suspecting, tally.missing), (1, 4));
}

/// Nor if it is the only one that does not suspect all others of being dead.
#[test]
fn whoever_is_cut_off_discounts_all_others_and_convicts_nobody() {
    for nodes in 2..=9 {
        let mut ballot = majority_of(nodes);
        suspect(&mut ballot, 0, 1, START);
        for other in 1..nodes {
            suspect(&mut ballot, other, 1, START);
            ballot.discount(&other).unwrap();
        }
        let tally = ballot.outcome(START).tally();
        assert_eq!((tally.suspecting, tally.discounted), (1, usize::from(nodes) - 1));
        assert!(!ballot.outcome(START).is_convicted(), "{nodes} nodes");
    }
}

/// All ways to cut up to nine nodes in two: each half suspects all of the other, and hears only of its own votes.
#[test]
fn a_partition_convicts_on_one_side_at_most_if_the_subject_is_counted() {
    let convicts = |side: u32, nodes: u8, subject: u8, with_subject: bool| {
        let observers = (0..nodes).filter(|&observer| with_subject || observer != subject);
        let majority = Majority::new(observers.clone().count()).unwrap();
        let mut ballot = Ballot::new(observers, majority, FRESHNESS).unwrap();
        for observer in (0..nodes).filter(|observer| side >> observer & 1 == 1) {
            suspect(&mut ballot, observer, 1, START);
        }
        ballot.outcome(START).is_convicted()
    };
    let any = |side: u32, nodes: u8, with_subject: bool| {
        let mut others = (0..nodes).filter(|subject| side >> subject & 1 == 0);
        others.any(|subject| convicts(side, nodes, subject, with_subject))
    };
    for nodes in 2..=9 {
        let (mut with, mut without) = (false, false);
        for side in 1..(1_u32 << nodes) - 1 {
            let other = !side & ((1 << nodes) - 1);
            with |= any(side, nodes, true) && any(other, nodes, true);
            without |= any(side, nodes, false) && any(other, nodes, false);
        }
        assert!(!with, "of {nodes} nodes, two halves convict each other's");
        // Which they do if the subject is left out, and the halves are equal.
        assert_eq!(without, nodes % 2 == 0, "{nodes} nodes");
    }
}

#[test]
fn a_vote_is_fresh_until_its_deadline_and_not_at_it() {
    let mut ballot = majority_of(1);
    suspect(&mut ballot, 0, 1, START);
    assert_eq!(ballot.deadline(), Some(START + FRESHNESS));
    let last = START + FRESHNESS - Duration::from_nanos(1);
    assert!(ballot.outcome(last).is_convicted());
    assert!(!ballot.outcome(START + FRESHNESS).is_convicted());
    assert_eq!(ballot.deadline(), None);
}

#[test]
fn a_clock_that_steps_back_brings_no_vote_back() {
    let mut ballot = majority_of(1);
    suspect(&mut ballot, 0, 1, START);
    assert!(!ballot.outcome(START + FRESHNESS).is_convicted());
    assert!(!ballot.outcome(START).is_convicted());
    assert_eq!(ballot.opinion(&0, START), Ok(Opinion::Unknown));
    // A new one counts from where time had come to.
    suspect(&mut ballot, 0, 2, START);
    assert_eq!(ballot.deadline(), Some(START + FRESHNESS + FRESHNESS));
}

#[test]
fn gossip_that_comes_late_or_twice_changes_nothing() {
    let mut ballot = majority_of(1);
    suspect(&mut ballot, 0, 7, START);
    let later = START + FRESHNESS / 2;
    for offered in [7, 6, 0] {
        let receipt = ballot.vote(&0, Opinion::Trust, offered, later);
        assert_eq!(receipt, Ok(Receipt::Stale { offered, newest: 7 }));
    }
    assert_eq!(ballot.deadline(), Some(START + FRESHNESS));
    // Neither after it has expired, nor after it was withdrawn.
    let expired = START + FRESHNESS;
    assert!(matches!(ballot.vote(&0, Opinion::Suspect, 7, expired), Ok(Receipt::Stale { .. })));
    suspect(&mut ballot, 0, 8, expired);
    ballot.withdraw(&0).unwrap();
    assert!(matches!(ballot.vote(&0, Opinion::Suspect, 8, expired), Ok(Receipt::Stale { .. })));
    assert_eq!(ballot.outcome(expired).tally().missing, 1);
}

#[test]
fn an_abstention_takes_back_what_was_said() {
    let mut ballot = majority_of(1);
    suspect(&mut ballot, 0, 1, START);
    assert_eq!(ballot.vote(&0, Opinion::Unknown, 2, START), Ok(Receipt::Recorded));
    assert_eq!((ballot.outcome(START).tally().missing, ballot.deadline()), (1, None));
}

#[test]
fn an_observer_that_is_trusted_again_counts_with_what_it_said_last() {
    let mut ballot = majority_of(1);
    ballot.discount(&0).unwrap();
    suspect(&mut ballot, 0, 1, START);
    assert_eq!(ballot.deadline(), None);
    let Outcome::Open(tally) = ballot.outcome(START) else { panic!("it does not count") };
    assert_eq!((tally.suspecting, tally.discounted), (0, 1));
    assert_eq!(
        (ballot.opinion(&0, START), ballot.is_discounted(&0)),
        (Ok(Opinion::Suspect), Ok(true))
    );
    ballot.reinstate(&0).unwrap();
    assert!(ballot.outcome(START).is_convicted());
}

#[test]
fn an_acquittal_cannot_become_a_conviction_by_votes_that_are_missing() {
    for (needed, nodes) in [(1, 1), (1, 4), (2, 4), (3, 4), (4, 4), (3, 5)] {
        let threshold = Threshold::new(needed, nodes.into()).unwrap();
        let mut ballot = Ballot::new(0..nodes, threshold, FRESHNESS).unwrap();
        for observer in 0..nodes {
            let before = ballot.outcome(START);
            let mut others = ballot.clone();
            (observer..nodes).for_each(|other| suspect(&mut others, other, 1, START));
            let is_possible = others.outcome(START).is_convicted();
            assert_eq!(
                matches!(before, Outcome::Acquitted(_)),
                !is_possible,
                "{needed} of {nodes}"
            );
            let _ = ballot.vote(&observer, Opinion::Trust, 1, START).unwrap();
        }
        assert!(matches!(ballot.outcome(START), Outcome::Acquitted(_)));
    }
}

#[test]
fn who_stays_in_the_electorate_keeps_its_vote_and_who_leaves_does_not() {
    let mut ballot = majority_of(3);
    (0..3).for_each(|observer| suspect(&mut ballot, observer, 5, START));
    ballot.discount(&1).unwrap();
    ballot.change_electorate([1, 2, 3, 4], Majority::new(4).unwrap()).unwrap();
    let tally = ballot.outcome(START).tally();
    assert_eq!((tally.suspecting, tally.missing, tally.discounted), (1, 2, 1));
    assert!(matches!(ballot.vote(&2, Opinion::Trust, 5, START), Ok(Receipt::Stale { .. })));
    let unknown = ballot.vote(&0, Opinion::Suspect, 6, START).unwrap_err();
    assert_eq!(unknown.observer, 0);
    assert_eq!(ballot.observers().copied().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn electorates_that_are_none_are_refused_and_change_nothing() {
    let three = Majority::new(3).unwrap();
    let cases = [
        (vec![1, 2], ElectorateError::OtherSize { observers: 2, votes: 3 }),
        (vec![], ElectorateError::OtherSize { observers: 0, votes: 3 }),
        (vec![1, 2, 3, 4], ElectorateError::OtherSize { observers: 4, votes: 3 }),
        (vec![2, 1, 2], ElectorateError::Duplicate { observer: 2 }),
    ];
    let mut ballot = majority_of(3);
    suspect(&mut ballot, 0, 1, START);
    for (observers, error) in cases {
        let made = Ballot::new(observers.clone(), three, FRESHNESS).unwrap_err();
        assert_eq!(made, BallotError::Electorate(error.clone()));
        assert_eq!(ballot.change_electorate(observers, three), Err(error));
        assert_eq!(ballot.outcome(START).tally().suspecting, 1);
        assert_eq!(ballot.threshold(), three.into());
    }
    let endless = Ballot::new(0_u64.., three, FRESHNESS).unwrap_err();
    let too_many = ElectorateError::OtherSize { observers: 4, votes: 3 };
    assert_eq!(endless, BallotError::Electorate(too_many));
    let never = Ballot::new([1, 2, 3], three, Duration::ZERO).unwrap_err();
    assert_eq!(never, BallotError::ZeroFreshness);
}

#[test]
fn observers_that_lie_take_more_votes() {
    let quorum = ByzantineQuorum::tolerating(1).unwrap();
    let mut ballot = Ballot::new(0..4, quorum, Duration::MAX).unwrap();
    (0..2).for_each(|observer| suspect(&mut ballot, observer, 0, START));
    assert!(!ballot.outcome(START).is_convicted());
    suspect(&mut ballot, 2, 0, START);
    assert!(ballot.outcome(START).is_convicted());
    assert_eq!(ballot.deadline(), Some(Instant::MAX));
}
