//! Quorums among nodes that may lie.

#[path = "support/subsets.rs"]
mod subsets;

use quickcheck::quickcheck;
use surmise_quorum::{ByzantineQuorum, Threshold};

use self::subsets::{fewest_in_common, quorums, size, subsets};

/// How many nodes there are at most.
const MAX_NODES: usize = 9;

/// Safe and live, against every set of liars; and no smaller quorum is safe.
#[test]
fn any_two_quorums_have_a_correct_node_in_common_whoever_lies() {
    for nodes in 1..=MAX_NODES {
        for faults in 0..=(nodes - 1) / 3 {
            let quorum = ByzantineQuorum::with_faults(nodes, faults).unwrap();
            let all = quorums(nodes, |set| quorum.is_reached(size(set)));
            for liars in subsets(nodes).filter(|&set| size(set) == faults) {
                let honest = !liars & ((1 << nodes) - 1);
                assert!(quorum.is_reached(size(honest)), "{quorum:?}: {liars:b} can stop it");
                let all_correct: Vec<u32> = all.iter().map(|set| set & honest).collect();
                assert!(fewest_in_common(&all_correct, &all) >= 1, "{quorum:?}: {liars:b} lie");
            }
            assert!(fewest_in_common(&all, &all) > faults);
            let smaller = quorums(nodes, |set| size(set) + 1 >= quorum.size());
            assert!(fewest_in_common(&smaller, &smaller) <= faults, "{quorum:?} is too large");
        }
    }
}

/// What is refused is impossible: no size is both safe and live with 3f nodes or fewer.
#[test]
fn clusters_that_are_refused_have_no_quorum() {
    for nodes in 0..=MAX_NODES {
        for faults in 0..=nodes {
            let is_possible = (1..=nodes).any(|needed| {
                let all = quorums(nodes, |set| size(set) >= needed);
                fewest_in_common(&all, &all) > faults && nodes - faults >= needed
            });
            let made = ByzantineQuorum::with_faults(nodes, faults);
            assert_eq!(made.is_ok(), is_possible, "{nodes} nodes, {faults} of them lie");
            if let Err(error) = made {
                assert_eq!((error.nodes, error.faults), (nodes, faults));
            }
        }
    }
}

#[test]
fn sizes_are_the_published_ones() {
    // Castro and Liskov: 3f + 1 replicas, certificates of 2f + 1.
    for faults in 0..100 {
        let quorum = ByzantineQuorum::tolerating(faults).unwrap();
        assert_eq!((quorum.nodes(), quorum.size()), (3 * faults + 1, 2 * faults + 1));
        assert_eq!(ByzantineQuorum::new(quorum.nodes()), Ok(quorum));
    }
    // Malkhi and Reiter: ⌈(n + f + 1) / 2⌉.
    for (nodes, faults, size) in [(5, 1, 4), (6, 1, 4), (8, 2, 6), (9, 2, 6), (9, 1, 6), (9, 0, 5)]
    {
        let quorum = ByzantineQuorum::with_faults(nodes, faults).unwrap();
        assert_eq!((quorum.size(), quorum.tolerates()), (size, faults), "{nodes} nodes");
        assert_eq!(Threshold::from(quorum), Threshold::new(size, nodes).unwrap());
    }
}

quickcheck! {
    fn the_formula_holds_for_any_numbers(nodes: usize, faults: usize) -> bool {
        let faults = if nodes % 2 == 0 { faults } else { faults % (nodes / 3 + 1) };
        let (n, f) = (nodes as u128, faults as u128);
        match ByzantineQuorum::with_faults(nodes, faults) {
            Ok(quorum) => {
                n > 3 * f
                    && quorum.size() as u128 == (n + f + 1).div_ceil(2)
                    && quorum.threshold().tolerates() >= faults
            }
            Err(_) => n <= 3 * f,
        }
    }

    fn as_many_faults_are_tolerated_as_can_be(nodes: usize) -> bool {
        let Ok(quorum) = ByzantineQuorum::new(nodes) else { return nodes == 0 };
        let faults = quorum.tolerates();
        ByzantineQuorum::with_faults(nodes, faults) == Ok(quorum)
            && ByzantineQuorum::with_faults(nodes, faults + 1).is_err()
    }
}

#[test]
fn numbers_at_the_limits_are_right_or_refused() {
    assert!(ByzantineQuorum::new(0).is_err());
    let most = (usize::MAX - 1) / 3;
    assert_eq!(ByzantineQuorum::tolerating(most).map(ByzantineQuorum::tolerates), Ok(most));
    for faults in [most + 1, usize::MAX / 2, usize::MAX] {
        assert_eq!(ByzantineQuorum::tolerating(faults).unwrap_err().faults, faults);
        assert!(ByzantineQuorum::with_faults(usize::MAX, faults).is_err());
    }
    let largest = ByzantineQuorum::new(usize::MAX).unwrap();
    assert!(largest.is_reached(largest.nodes() - largest.tolerates()));
}
