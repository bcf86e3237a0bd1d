//! A replicated register in a network that is partitioned now and then.

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{Binomial, DiscreteCDF};
use surmise_quorum::{ReadWriteError, ReadWriteQuorum, ReadWriteSizes, Threshold};

use super::story::{Figure, Source, Story, Value};

const SOURCES: &[Source] = &[
    Source {
        title: "Gifford, Weighted voting for replicated data, SOSP 1979",
        url: "https://doi.org/10.1145/800215.806583",
    },
    Source {
        title: "Gilbert and Lynch, Brewer's conjecture and the feasibility of consistent, \
                available, partition-tolerant web services, 2002",
        url: "https://doi.org/10.1145/564585.564601",
    },
];

const NODES: usize = 5;

/// How many reads and writes there are, half of each on average.
const OPERATIONS: u32 = 20_000;

const LESSON: &str = "Where R + W is not more than N, a read may ask only nodes that the last \
                      write did not reach, and is stale. Where W + W is not more than N, two \
                      writes may get the same version, and one of them was acknowledged for \
                      nothing. Where both are more, any two have a node in common that knows, \
                      and nothing goes wrong in any partition here, where one write follows \
                      the other and none stops half-way. The price is that whoever is on the \
                      smaller side is refused, and it is paid by whichever of reads and writes \
                      takes more nodes: to write all five, so that one is enough to read, is \
                      less available than a single node is. A majority for both stands the \
                      most failures.";

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let outcomes = SIZES.map(|sizes| Outcome::of(sizes, seed));
    let row = |outcome: &Outcome| {
        let ReadWriteSizes { read, write } = outcome.sizes;
        let verdict = match ReadWriteQuorum::new(NODES, outcome.sizes) {
            Ok(_) => "accepts it",
            Err(ReadWriteError::ReadMissesWrite { .. }) => "refuses it: reads miss writes",
            Err(_) => "refuses it: writes miss writes",
        };
        let share = |count: u32, of: u32| Value::Share(f64::from(count) / f64::from(of.max(1)));
        [
            read.into(),
            write.into(),
            verdict.into(),
            share(outcome.stale, outcome.reads),
            share(outcome.overwritten, outcome.writes),
            share(outcome.refused_reads, outcome.refused_reads + outcome.reads),
            share(outcome.refused_writes, outcome.refused_writes + outcome.writes),
        ]
    };
    let columns = [
        "R",
        "W",
        "ReadWriteQuorum",
        "stale\nreads",
        "writes that missed\nthe one before",
        "refused\nreads",
        "refused\nwrites",
    ];
    let availability = FAILED.map(|failed| {
        let a_year =
            SIZES_OF_QUORUMS.map(|size| Value::Seconds(unavailable(size, failed) * SECONDS_A_YEAR));
        [&[Value::Share(failed)], a_year.as_slice()].concat()
    });
    Story {
        setting: format!(
            "A value is kept on {NODES} nodes. A write asks W of them for their version, and \
             gives the same W the value with the next version. A read asks R of them and \
             believes the greatest version. Each time the network has fallen apart in two with a \
             chance of one half, the client is on either side, and whichever nodes there are \
             fastest answer. If they are too few, it is refused. A read is stale if it does not \
             return the last write that was acknowledged."
        ),
        figures: vec![
            Figure::table("Reads of R and writes of W nodes:", &columns, outcomes.iter().map(row)),
            Figure::table(
                "For how long a year so many of the five cannot be had, if each node is down for \
                 this share of the time, independently of the others:",
                &["node down", "1 of 5", "2 of 5", "3 of 5", "4 of 5", "5 of 5"],
                availability,
            ),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}

const SIZES: [ReadWriteSizes; 7] = [
    ReadWriteSizes { read: 1, write: 1 },
    ReadWriteSizes { read: 1, write: 3 },
    ReadWriteSizes { read: 2, write: 3 },
    ReadWriteSizes { read: 4, write: 2 },
    ReadWriteSizes { read: 3, write: 3 },
    ReadWriteSizes { read: 2, write: 4 },
    ReadWriteSizes { read: 1, write: 5 },
];

/// For which share of the time a node is down.
const FAILED: [f64; 4] = [0.001, 0.01, 0.05, 0.2];

const SECONDS_A_YEAR: f64 = 365.25 * 24.0 * 3600.0;

const SIZES_OF_QUORUMS: [usize; NODES] = [1, 2, 3, 4, 5];

/// Returns the chance that fewer than `size` nodes are up.
fn unavailable(size: usize, failed: f64) -> f64 {
    let [size, nodes] = [size, NODES].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    let up = Binomial::new(1.0 - failed, nodes).expect("it is a probability");
    size.checked_sub(1).map_or(0.0, |fewer| up.cdf(fewer))
}

/// What became of the same reads and writes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Outcome {
    sizes: ReadWriteSizes,
    reads: u32,
    writes: u32,
    /// How many reads returned another write than the last one that was acknowledged.
    stale: u32,
    /// How many writes got no higher version than one that had been acknowledged before they began.
    overwritten: u32,
    /// How many could not reach as many nodes as they needed.
    refused_reads: u32,
    refused_writes: u32,
}

impl Outcome {
    fn of(sizes: ReadWriteSizes, seed: u64) -> Self {
        let (read, write) = thresholds(sizes);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut outcome = Self {
            sizes,
            reads: 0,
            writes: 0,
            stale: 0,
            overwritten: 0,
            refused_reads: 0,
            refused_writes: 0,
        };
        let mut replicas = [Version::default(); NODES];
        let (mut highest, mut last) = (0, 0);
        for operation in 1..=OPERATIONS {
            let reached = reached(&mut rng);
            let is_write = rng.random();
            let quorum = if is_write { write } else { read };
            if !quorum.is_reached(reached.len()) {
                outcome.refused_reads += u32::from(!is_write);
                outcome.refused_writes += u32::from(is_write);
                continue;
            }
            let asked = reached.get(..quorum.size()).unwrap_or_default();
            let newest = asked.iter().filter_map(|&node| replicas.get(node)).max();
            let newest = newest.copied().unwrap_or_default();
            if !is_write {
                outcome.reads += 1;
                outcome.stale += u32::from(newest.write != last);
                continue;
            }
            let version = Version { number: newest.number + 1, write: operation };
            for &node in asked {
                if let Some(replica) = replicas.get_mut(node) {
                    *replica = version;
                }
            }
            outcome.writes += 1;
            outcome.overwritten += u32::from(version.number <= highest);
            (highest, last) = (highest.max(version.number), operation);
        }
        outcome
    }
}

/// What a node holds: versions are compared by their number, and then by what they were written by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    number: u32,
    write: u32,
}

/// Returns how many nodes a read and a write take: those of the crate where it accepts them.
fn thresholds(sizes: ReadWriteSizes) -> (Threshold, Threshold) {
    if let Ok(quorum) = ReadWriteQuorum::new(NODES, sizes) {
        return (quorum.read(), quorum.write());
    }
    let [read, write] = [sizes.read, sizes.write]
        .map(|size| Threshold::new(size, NODES).expect("it is one to all of the nodes"));
    (read, write)
}

/// Returns the nodes that a client reaches, the fastest first.
fn reached(rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut nodes: Vec<usize> = (0..NODES).collect();
    if rng.random() {
        // Each node is on either side, and so is the client.
        nodes.retain(|_| rng.random());
    }
    nodes.shuffle(rng);
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_stale_unless_the_quorums_meet_and_then_never() {
        for seed in 0..10 {
            for sizes in SIZES {
                let outcome = Outcome::of(sizes, seed);
                let Outcome { reads, writes, stale, overwritten, .. } = outcome;
                let refused = outcome.refused_reads + outcome.refused_writes;
                assert_eq!(reads + writes + refused, OPERATIONS);
                match ReadWriteQuorum::new(NODES, sizes) {
                    Ok(_) => assert_eq!((stale, overwritten), (0, 0), "seed {seed}: {outcome:?}"),
                    Err(ReadWriteError::ReadMissesWrite { .. }) => {
                        assert!(stale > reads / 20, "seed {seed}: {outcome:?}");
                    }
                    Err(_) => assert!(overwritten > writes / 5, "seed {seed}: {outcome:?}"),
                }
            }
        }
    }

    #[test]
    fn of_what_is_never_stale_a_majority_is_refused_least_at_worst() {
        let accepted = SIZES.iter().filter(|&&sizes| ReadWriteQuorum::new(NODES, sizes).is_ok());
        let worst = |&&sizes: &&ReadWriteSizes| {
            let outcome = Outcome::of(sizes, 1);
            outcome.refused_reads.max(outcome.refused_writes)
        };
        let least = accepted.min_by_key(worst).unwrap();
        assert_eq!(*least, ReadWriteSizes { read: 3, write: 3 });
        // All that the nodes hold is in vain if nobody can write.
        let all = Outcome::of(ReadWriteSizes { read: 1, write: NODES }, 1);
        assert!(all.refused_writes > all.writes * 9 / 10, "{all:?}");
    }

    /// All five are up with 0.99⁵, and at least one is with 1 − 0.01⁵.
    #[test]
    fn availability_is_that_of_the_binomial_distribution() {
        let close = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-6;
        assert!(close(unavailable(5, 0.01), 1.0 - 0.99_f64.powi(5)));
        assert!(close(unavailable(1, 0.01), 0.01_f64.powi(5)));
        let (up, down) = (0.99_f64, 0.01_f64);
        let two_or_fewer =
            10.0 * up.powi(2) * down.powi(3) + 5.0 * up * down.powi(4) + down.powi(5);
        assert!(close(unavailable(3, 0.01), two_or_fewer));
    }
}
