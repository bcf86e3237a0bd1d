//! A ballot that remembers all that it was told, and counts anew each time.

use core::time::Duration;

use surmise_quorum::{ElectorateError, Opinion, Outcome, Receipt};

/// How many votes suspect, trust, are missing and are discounted.
pub(crate) type Counts = [usize; 4];

pub(crate) struct Naive {
    freshness: u64,
    needed: usize,
    observers: Vec<u8>,
    discounted: Vec<u8>,
    /// What was recorded, of all observers that have not left since, in this order.
    recorded: Vec<Recorded>,
    latest: u64,
}

struct Recorded {
    observer: u8,
    opinion: Opinion,
    sequence: u64,
    arrived: u64,
    is_withdrawn: bool,
}

impl Naive {
    pub(crate) fn new(observers: &[u8], needed: usize, freshness: Duration) -> Self {
        Self {
            freshness: u64::try_from(freshness.as_nanos()).unwrap_or(u64::MAX),
            needed,
            observers: sorted(observers),
            discounted: Vec::new(),
            recorded: Vec::new(),
            latest: 0,
        }
    }

    pub(crate) fn vote(
        &mut self,
        observer: u8,
        opinion: Opinion,
        sequence: u64,
        now: u64,
    ) -> Option<Receipt> {
        self.latest = self.latest.max(now);
        if !self.knows(observer) {
            return None;
        }
        let newest = self.of(observer).map(|vote| vote.sequence).max();
        if let Some(newest) = newest
            && newest >= sequence
        {
            return Some(Receipt::Stale { offered: sequence, newest });
        }
        let arrived = self.latest;
        self.recorded.push(Recorded { observer, opinion, sequence, arrived, is_withdrawn: false });
        Some(Receipt::Recorded)
    }

    pub(crate) fn withdraw(&mut self, observer: u8) {
        for vote in self.recorded.iter_mut().filter(|vote| vote.observer == observer) {
            vote.is_withdrawn = true;
        }
    }

    pub(crate) fn set_discounted(&mut self, observer: u8, is_discounted: bool) {
        self.discounted.retain(|&other| other != observer);
        if is_discounted && self.knows(observer) {
            self.discounted.push(observer);
        }
    }

    pub(crate) fn change(
        &mut self,
        observers: &[u8],
        needed: usize,
        votes: usize,
    ) -> Result<(), ElectorateError<u8>> {
        if observers.len() != votes {
            let observers = observers.len().min(votes.saturating_add(1));
            return Err(ElectorateError::OtherSize { observers, votes });
        }
        let observers = sorted(observers);
        let mut pairs = observers.iter().zip(observers.iter().skip(1));
        if let Some((&observer, _)) = pairs.find(|(first, second)| first == second) {
            return Err(ElectorateError::Duplicate { observer });
        }
        self.recorded.retain(|vote| observers.contains(&vote.observer));
        self.discounted.retain(|observer| observers.contains(observer));
        (self.observers, self.needed) = (observers, needed);
        Ok(())
    }

    pub(crate) fn outcome(&mut self, now: u64) -> (Outcomes, Counts) {
        self.latest = self.latest.max(now);
        let said = |opinion| {
            let counts = |&&observer: &&u8| {
                !self.is_discounted(observer) && self.opinion(observer, now) == opinion
            };
            self.observers.iter().filter(counts).count()
        };
        let [suspecting, trusting, missing] =
            [Opinion::Suspect, Opinion::Trust, Opinion::Unknown].map(said);
        let counts = [suspecting, trusting, missing, self.discounted.len()];
        // What there could be if all who have not said anything that counts were to suspect.
        let at_most = suspecting + missing + self.discounted.len();
        match () {
            () if suspecting >= self.needed => (Outcomes::Convicted, counts),
            () if at_most < self.needed => (Outcomes::Acquitted, counts),
            () => (Outcomes::Open, counts),
        }
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        let counted = self.observers.iter().filter(|&&observer| {
            !self.is_discounted(observer) && self.opinion(observer, 0) != Opinion::Unknown
        });
        counted.filter_map(|&observer| self.of(observer).last().map(|vote| self.end(vote))).min()
    }

    pub(crate) fn opinion(&self, observer: u8, now: u64) -> Opinion {
        let now = now.max(self.latest);
        let newest = self.of(observer).last().filter(|vote| !vote.is_withdrawn);
        newest.filter(|vote| self.end(vote) > now).map_or(Opinion::Unknown, |vote| vote.opinion)
    }

    pub(crate) fn is_discounted(&self, observer: u8) -> bool {
        self.discounted.contains(&observer)
    }

    pub(crate) fn knows(&self, observer: u8) -> bool {
        self.observers.contains(&observer)
    }

    pub(crate) fn observers(&self) -> &[u8] {
        &self.observers
    }

    pub(crate) const fn needed(&self) -> usize {
        self.needed
    }

    fn of(&self, observer: u8) -> impl Iterator<Item = &Recorded> {
        self.recorded.iter().filter(move |vote| vote.observer == observer)
    }

    const fn end(&self, vote: &Recorded) -> u64 {
        vote.arrived.saturating_add(self.freshness)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcomes {
    Convicted,
    Acquitted,
    Open,
}

impl From<Outcome> for Outcomes {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Convicted(_) => Self::Convicted,
            Outcome::Acquitted(_) => Self::Acquitted,
            Outcome::Open(_) => Self::Open,
        }
    }
}

fn sorted(observers: &[u8]) -> Vec<u8> {
    let mut observers = observers.to_vec();
    observers.sort_unstable();
    observers
}
