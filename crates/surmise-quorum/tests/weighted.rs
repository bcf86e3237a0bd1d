//! Quorums among nodes with different numbers of votes.

#[path = "support/subsets.rs"]
mod subsets;

use quickcheck::quickcheck;
use surmise_quorum::{
    Majority, ReadWriteError, ReadWriteSizes, ThresholdError, WeightedQuorum, Weights, WeightsError,
};

use self::subsets::{fewest_in_common, quorums, size, subsets};

/// Returns all ways to give so many nodes from 1 to `most` votes each.
fn all_weights(nodes: usize, most: usize) -> Vec<Vec<usize>> {
    (0..nodes).fold(vec![vec![]], |shorter, _| {
        let longer = |weights: &Vec<usize>, weight| [weights.as_slice(), &[weight]].concat();
        shorter
            .iter()
            .flat_map(|weights| (1..=most).map(move |next| longer(weights, next)))
            .collect()
    })
}

fn voted(set: u32, nodes: usize) -> Vec<bool> {
    (0..nodes).map(|node| set >> node & 1 == 1).collect()
}

fn sum(weights: &[usize], set: u32) -> usize {
    let voters = (0..).zip(weights).filter(|&(node, _): &(u32, _)| set >> node & 1 == 1);
    voters.map(|(_, weight)| weight).sum()
}

/// Returns the sets of nodes that a quorum takes for one.
fn sets(quorum: WeightedQuorum<'_>) -> Vec<u32> {
    let weights = quorum.weights();
    let nodes = weights.nodes();
    quorums(nodes, |set| quorum.is_reached(weights.votes_of(&voted(set, nodes))))
}

#[test]
fn quorums_of_small_weights_are_made_if_their_votes_meet_and_then_have_a_node_in_common() {
    for weights in (1..=4).flat_map(|nodes| all_weights(nodes, 3)) {
        let given = Weights::new(&weights).unwrap();
        let total = weights.iter().sum();
        assert_eq!(given.total(), total);
        for read in 0..=total + 1 {
            for write in 0..=total + 1 {
                let made = given.read_write(ReadWriteSizes { read, write });
                let can_be_had = (1..=total).contains(&read) && (1..=total).contains(&write);
                let must_meet = read + write > total && write + write > total;
                assert_eq!(made.is_ok(), can_be_had && must_meet, "{weights:?}: {read}, {write}");
                let Ok(quorum) = made else { continue };
                let [reads, writes] = [quorum.read(), quorum.write()].map(sets);
                assert!(fewest_in_common(&reads, &writes) >= 1, "{weights:?}: {read}, {write}");
                assert!(fewest_in_common(&writes, &writes) >= 1, "{weights:?}: {read}, {write}");
            }
        }
        let majorities = sets(given.majority());
        assert!(fewest_in_common(&majorities, &majorities) >= 1, "{weights:?}");
        assert_eq!(Ok(given.majority().size()), Majority::new(total).map(Majority::size));
    }
}

#[test]
fn as_many_nodes_may_fail_as_leave_a_quorum_whichever_they_are() {
    for weights in (1..=5).flat_map(|nodes| all_weights(nodes, 3)) {
        let (given, nodes) = (Weights::new(&weights).unwrap(), weights.len());
        for needed in 1..=given.total() {
            let quorum = given.quorum(needed).unwrap();
            let survives = |failed: u32| sum(&weights, !failed & ((1 << nodes) - 1)) >= needed;
            let tolerated = (0..=nodes)
                .take_while(|&count| subsets(nodes).filter(|&set| size(set) == count).all(survives))
                .last();
            assert_eq!(Some(quorum.tolerates()), tolerated, "{weights:?}, {needed} votes");
        }
    }
}

/// The examples of Gifford's paper whose representatives all have votes.
#[test]
fn the_published_examples_are_quorums() {
    for (weights, read, write, tolerated) in
        [(vec![2, 1, 1], 2, 3, [1, 0]), (vec![1, 1, 1], 1, 3, [2, 0])]
    {
        let weights = Weights::new(&weights).unwrap();
        let quorum = weights.read_write(ReadWriteSizes { read, write }).unwrap();
        assert_eq!([quorum.read().size(), quorum.write().size()], [read, write]);
        assert_eq!([quorum.read().tolerates(), quorum.write().tolerates()], tolerated);
    }
}

quickcheck! {
    fn equal_weights_are_no_weights(nodes: u8, weight: u16, needed: u8) -> bool {
        let (nodes, weight) = (usize::from(nodes % 40), usize::from(weight) + 1);
        let weights = vec![weight; nodes];
        let Ok(weighted) = Weights::new(&weights) else { return nodes == 0 };
        let needed = usize::from(needed) % nodes + 1;
        let quorum = weighted.quorum(needed * weight).expect("so many votes are there");
        quorum.tolerates() == nodes - needed
            && weighted.majority().tolerates() == Majority::new(nodes).map_or(0, Majority::tolerates)
    }

    fn votes_are_those_of_the_nodes_that_voted(votes: Vec<(u16, bool)>, more: Vec<bool>) -> bool {
        let weights: Vec<usize> = votes.iter().map(|&(weight, _)| usize::from(weight) + 1).collect();
        let Ok(given) = Weights::new(&weights) else { return votes.is_empty() };
        let mut voted: Vec<bool> = votes.iter().map(|&(_, has_voted)| has_voted).collect();
        let exact: usize = weights.iter().zip(&voted).filter(|pair| *pair.1).map(|pair| *pair.0).sum();
        let before = given.votes_of(&voted);
        voted.extend(more);
        before == exact && given.votes_of(&voted) == exact && given.votes_of(&[]) == 0
    }
}

#[test]
fn weights_that_are_none_or_too_many_are_refused() {
    assert_eq!(Weights::new(&[]), Err(WeightsError::NoNodes));
    assert_eq!(Weights::new(&[1, 0]), Err(WeightsError::ZeroWeight { node: 1 }));
    let max = usize::MAX;
    let overflow = WeightsError::Overflow { node: 2, weight: 1, sum: max };
    assert_eq!(Weights::new(&[max - 1, 1, 1]), Err(overflow));
    let all = [max - 1, 1];
    let weights = Weights::new(&all).unwrap();
    assert_eq!((weights.total(), weights.votes_of(&[true, true])), (max, max));
    assert_eq!((weights.majority().size(), weights.majority().tolerates()), (max / 2 + 1, 0));
    assert_eq!(weights.quorum(0), Err(ThresholdError::ZeroSize { total: max }));
    let small = Weights::new(&[1, 2]).unwrap();
    assert_eq!(small.quorum(4), Err(ThresholdError::TooLarge { size: 4, total: 3 }));
    let short = small.read_write(ReadWriteSizes { read: 1, write: 2 });
    assert_eq!(short, Err(ReadWriteError::ReadMissesWrite { read: 1, write: 2, total: 3 }));
}
