//! What is random in a run: all of it from one seed, and no two parts of it from the same numbers.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The faults of a run.
    Faults,
    /// What its network does.
    Network,
    /// What becomes of the datagrams of one process.
    Link,
    /// What the client does, and for how long it waits.
    Client,
    /// What happens in a simulation.
    #[cfg(test)]
    World,
}

/// Returns random numbers that are for the run as a whole.
pub(super) fn of_run(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    of_process(seed, purpose, 0, 0)
}

/// Returns random numbers that are for one process, of which one comes after the other in the same place.
///
/// The four are the key of the cipher that makes the numbers, so that runs of neighbouring seeds have nothing in common.
pub(super) fn of_process(seed: u64, purpose: Purpose, place: u64, incarnation: u64) -> ChaCha8Rng {
    let purpose = match purpose {
        Purpose::Faults => 0,
        Purpose::Network => 1,
        Purpose::Link => 2,
        Purpose::Client => 3,
        #[cfg(test)]
        Purpose::World => 4,
    };
    let mut key = [0; 32];
    let words = [seed, place, incarnation, purpose];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::RngExt as _;

    use super::*;

    #[test]
    fn nothing_is_drawn_twice() {
        let purposes =
            [Purpose::Faults, Purpose::Network, Purpose::Link, Purpose::Client, Purpose::World];
        let mut drawn = BTreeSet::new();
        let mut count = 0;
        for seed in 0..8 {
            for purpose in purposes {
                for (place, incarnation) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 9)] {
                    let draw = || -> u64 { of_process(seed, purpose, place, incarnation).random() };
                    assert_eq!(draw(), draw());
                    drawn.insert(draw());
                    count += 1;
                }
            }
        }
        assert_eq!(drawn.len(), count);
    }
}
