//! Quorums for reads and for writes.

#[path = "support/subsets.rs"]
mod subsets;

use quickcheck::quickcheck;
use surmise_quorum::{ReadWriteError, ReadWriteQuorum, ReadWriteSizes, ThresholdError};

use self::subsets::{fewest_in_common, quorums, size};

/// How many nodes there are at most.
const MAX_NODES: usize = 9;

/// Every size of every cluster: what is made meets, and what is refused would not, or could not be had.
#[test]
fn quorums_are_made_if_and_only_if_all_of_them_meet() {
    for nodes in 1..=MAX_NODES {
        for read in 0..=nodes + 1 {
            for write in 0..=nodes + 1 {
                let quorum = ReadWriteQuorum::new(nodes, ReadWriteSizes { read, write });
                let cannot_be_had = |size| !(1..=nodes).contains(&size);
                if cannot_be_had(read) || cannot_be_had(write) {
                    assert!(matches!(
                        quorum,
                        Err(ReadWriteError::Read(_) | ReadWriteError::Write(_))
                    ));
                    continue;
                }
                let reads = quorums(nodes, |set| size(set) >= read);
                let writes = quorums(nodes, |set| size(set) >= write);
                let expected = if fewest_in_common(&reads, &writes) == 0 {
                    Err(ReadWriteError::ReadMissesWrite { read, write, total: nodes })
                } else if fewest_in_common(&writes, &writes) == 0 {
                    Err(ReadWriteError::WriteMissesWrite { write, total: nodes })
                } else {
                    Ok([reads, writes])
                };
                let made = quorum.map(|quorum| {
                    [quorum.read(), quorum.write()]
                        .map(|needed| quorums(nodes, |set| needed.is_reached(size(set))))
                });
                assert_eq!(made, expected, "{nodes} nodes, R = {read}, W = {write}");
            }
        }
    }
}

quickcheck! {
    /// By the rules as they are written, in numbers that do not overflow.
    fn the_rules_hold_for_any_numbers(nodes: usize, read: usize, write: usize) -> bool {
        let quorum = ReadWriteQuorum::new(nodes, ReadWriteSizes { read, write });
        let [n, r, w] = [nodes, read, write].map(|number| number as u128);
        let expected = r + w > n && w + w > n && r > 0 && r <= n && w <= n;
        quorum.is_ok() == expected
            && quorum.is_ok_and(|quorum| {
                (quorum.read().size(), quorum.write().size()) == (read, write)
                    && quorum.read().tolerates() == nodes - read
                    && quorum.write().tolerates() == nodes - write
            }) == expected
    }
}

#[test]
fn errors_say_which_sum_falls_short() {
    let new = |nodes, read, write| ReadWriteQuorum::new(nodes, ReadWriteSizes { read, write });
    let cases = [
        (new(0, 0, 0), ReadWriteError::Read(ThresholdError::NoVotes)),
        (new(3, 0, 3), ReadWriteError::Read(ThresholdError::ZeroSize { total: 3 })),
        (new(3, 3, 0), ReadWriteError::Write(ThresholdError::ZeroSize { total: 3 })),
        (new(3, 4, 2), ReadWriteError::Read(ThresholdError::TooLarge { size: 4, total: 3 })),
        (new(3, 2, 4), ReadWriteError::Write(ThresholdError::TooLarge { size: 4, total: 3 })),
        (new(5, 2, 3), ReadWriteError::ReadMissesWrite { read: 2, write: 3, total: 5 }),
        (new(4, 3, 2), ReadWriteError::WriteMissesWrite { write: 2, total: 4 }),
    ];
    for (quorum, error) in cases {
        assert_eq!(quorum, Err(error));
    }
    let max = usize::MAX;
    assert!(new(max, 1, max).is_ok() && new(max, max, max).is_ok());
    let half = max / 2;
    let disjoint = ReadWriteError::ReadMissesWrite { read: half, write: half + 1, total: max };
    assert_eq!(new(max, half, half + 1), Err(disjoint));
}
