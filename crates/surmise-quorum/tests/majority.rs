//! Majorities, and thresholds.

#[path = "support/subsets.rs"]
mod subsets;

use quickcheck::quickcheck;
use surmise_quorum::{Majority, Threshold, ThresholdError};

use self::subsets::{fewest_in_common, quorums, size};

/// How many nodes there are at most.
const MAX_NODES: usize = 9;

#[test]
fn any_two_majorities_have_a_node_in_common_and_smaller_sets_need_not() {
    for nodes in 1..=MAX_NODES {
        let majority = Majority::new(nodes).unwrap();
        let majorities = quorums(nodes, |set| majority.is_reached(size(set)));
        assert!(fewest_in_common(&majorities, &majorities) >= 1, "{nodes} nodes");
        let smaller = quorums(nodes, |set| size(set) + 1 >= majority.size());
        assert_eq!(fewest_in_common(&smaller, &smaller), 0, "{nodes} nodes");
        assert!(majority.is_reached(nodes - majority.tolerates()));
        assert!(!majority.is_reached(nodes - majority.tolerates() - 1));
    }
}

/// The table of "Failure Tolerance" in etcd's frequently asked questions, as far as it goes.
#[test]
fn majorities_are_those_of_the_table_that_operators_know() {
    for (nodes, size, tolerates) in [
        (1, 1, 0),
        (2, 2, 0),
        (3, 2, 1),
        (4, 3, 1),
        (5, 3, 2),
        (6, 4, 2),
        (7, 4, 3),
        (8, 5, 3),
        (9, 5, 4),
    ] {
        let majority = Majority::new(nodes).unwrap();
        assert_eq!((majority.size(), majority.tolerates()), (size, tolerates), "{nodes} nodes");
        assert_eq!(majority.nodes(), nodes);
        let threshold = Threshold::from(majority);
        assert_eq!((threshold.size(), threshold.total()), (size, nodes));
    }
}

quickcheck! {
    fn a_majority_is_the_smallest_that_is_more_than_half(nodes: usize) -> bool {
        let Ok(majority) = Majority::new(nodes) else { return nodes == 0 };
        let (total, size) = (nodes as u128, majority.size() as u128);
        2 * size > total && 2 * (size - 1) <= total && majority.tolerates() == nodes - majority.size()
    }

    fn a_threshold_is_within_its_total(size: usize, total: usize) -> bool {
        match Threshold::new(size, total) {
            Ok(threshold) => {
                (threshold.size(), threshold.total()) == (size, total)
                    && (1..=total).contains(&size)
                    && threshold.tolerates() == total - size
                    && threshold.is_reached(size)
                    && !threshold.is_reached(size - 1)
            }
            Err(ThresholdError::NoVotes) => total == 0,
            Err(ThresholdError::ZeroSize { total: zero }) => size == 0 && zero == total,
            Err(error) => error == ThresholdError::TooLarge { size, total } && size > total,
        }
    }
}

#[test]
fn sizes_at_the_limits_are_right_or_refused() {
    let error = Majority::new(0).unwrap_err();
    assert_eq!(error.to_string(), "a cluster of no nodes has no quorum");
    assert_eq!(Majority::new(usize::MAX).map(Majority::size), Ok(usize::MAX / 2 + 1));
    assert_eq!(Threshold::new(0, 0), Err(ThresholdError::NoVotes));
    assert_eq!(Threshold::new(0, 3), Err(ThresholdError::ZeroSize { total: 3 }));
    assert_eq!(Threshold::new(4, 3), Err(ThresholdError::TooLarge { size: 4, total: 3 }));
    assert_eq!(Threshold::new(usize::MAX, usize::MAX).map(Threshold::tolerates), Ok(0));
}
