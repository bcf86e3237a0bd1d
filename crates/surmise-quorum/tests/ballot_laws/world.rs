//! A ballot, and a naive one beside it.

use core::time::Duration;

use surmise_quorum::{Ballot, Opinion, Threshold, UnknownObserver};
use surmise_time::Instant;

use crate::naive::{Naive, Outcomes};

/// How many observers there are, in the electorate or not.
pub(crate) const OBSERVERS: u8 = 6;

/// What can happen to a ballot.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Vote { observer: u8, opinion: Opinion, sequence: u64 },
    Withdraw { observer: u8 },
    Discount { observer: u8 },
    Reinstate { observer: u8 },
    Change { observers: Vec<u8>, needed: usize, votes: usize },
    Count,
}

pub(crate) struct World {
    ballot: Ballot<u8>,
    naive: Naive,
    now: u64,
    /// How often the ballot convicted, acquitted, and was open.
    pub(crate) found: [u64; 3],
}

impl World {
    /// Creates a ballot of all observers but the last one.
    pub(crate) fn new(threshold: Threshold, freshness: Duration) -> Self {
        let observers: Vec<u8> = (0..OBSERVERS - 1).collect();
        let naive = Naive::new(&observers, threshold.size(), freshness);
        let ballot = Ballot::new(observers, threshold, freshness).expect("they are different");
        Self { ballot, naive, now: 0, found: [0; 3] }
    }

    /// Lets time pass, then step back, and then something happen.
    pub(crate) fn step(&mut self, forth: u64, back: u64, action: Action) {
        self.now = self.now.saturating_add(forth).saturating_sub(back);
        let now = Instant::from_nanos(self.now);
        let Self { ballot, naive, .. } = self;
        match action {
            Action::Vote { observer, opinion, sequence } => {
                let receipt = ballot.vote(&observer, opinion, sequence, now);
                let expected = naive.vote(observer, opinion, sequence, self.now);
                let receipt = receipt.map_err(|UnknownObserver { observer, .. }| observer);
                assert_eq!(receipt, expected.ok_or(observer));
            }
            Action::Withdraw { observer } => {
                assert_eq!(ballot.withdraw(&observer).is_ok(), naive.knows(observer));
                naive.withdraw(observer);
            }
            Action::Discount { observer } => {
                assert_eq!(ballot.discount(&observer).is_ok(), naive.knows(observer));
                naive.set_discounted(observer, true);
            }
            Action::Reinstate { observer } => {
                assert_eq!(ballot.reinstate(&observer).is_ok(), naive.knows(observer));
                naive.set_discounted(observer, false);
            }
            Action::Change { observers, needed, votes } => {
                let Ok(threshold) = Threshold::new(needed, votes) else { return };
                let expected = naive.change(&observers, needed, votes);
                assert_eq!(ballot.change_electorate(observers, threshold), expected);
            }
            Action::Count => self.count(),
        }
        self.compare();
    }

    fn count(&mut self) {
        let outcome = self.ballot.outcome(Instant::from_nanos(self.now));
        let tally = outcome.tally();
        let counts = [tally.suspecting, tally.trusting, tally.missing, tally.discounted];
        assert_eq!((Outcomes::from(outcome), counts), self.naive.outcome(self.now));
        assert_eq!(counts.iter().sum::<usize>(), self.naive.observers().len());
        let [convicted, acquitted, open] = &mut self.found;
        *match outcome.into() {
            Outcomes::Convicted => convicted,
            Outcomes::Acquitted => acquitted,
            Outcomes::Open => open,
        } += 1;
        self.wait();
    }

    /// Checks that nothing changes by itself before the deadline, and that a vote has expired by then.
    fn wait(&self) {
        let Some(deadline) = self.ballot.deadline() else { return };
        let before = self.ballot.clone().outcome(Instant::from_nanos(self.now)).tally();
        let just_before = Instant::from_nanos(deadline.as_nanos() - 1);
        assert_eq!(self.ballot.clone().outcome(just_before).tally(), before);
        let after = self.ballot.clone().outcome(deadline).tally();
        assert!(after.missing > before.missing, "{before:?} is {after:?} at the deadline");
    }

    /// Compares all that can be asked without time passing.
    fn compare(&self) {
        let Self { ballot, naive, .. } = self;
        assert_eq!(ballot.deadline().map(Instant::as_nanos), naive.deadline());
        assert_eq!(ballot.observers().copied().collect::<Vec<_>>(), naive.observers());
        assert_eq!(ballot.threshold().size(), naive.needed());
        let now = Instant::from_nanos(self.now);
        for observer in 0..OBSERVERS {
            let known = naive.knows(observer);
            let opinion = ballot.opinion(&observer, now).ok();
            assert_eq!(opinion, known.then(|| naive.opinion(observer, self.now)));
            let is_discounted = ballot.is_discounted(&observer).ok();
            assert_eq!(is_discounted, known.then(|| naive.is_discounted(observer)));
        }
    }
}
