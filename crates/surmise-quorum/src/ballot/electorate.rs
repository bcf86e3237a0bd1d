use alloc::vec::Vec;

use surmise_time::Instant;

use super::{ElectorateError, Opinion, Tally, UnknownObserver};
use crate::Threshold;

/// All observers that may vote, and what they said last.
#[derive(Clone, Debug)]
pub(super) struct Electorate<O> {
    /// In strictly ascending order of the observers.
    seats: Vec<Seat<O>>,
}

#[derive(Clone, Debug)]
pub(super) struct Seat<O> {
    observer: O,
    /// The greatest number of a vote that was recorded. It outlasts the vote.
    pub(super) sequence: Option<u64>,
    pub(super) vote: Option<Vote>,
    pub(super) is_discounted: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Vote {
    pub(super) opinion: Opinion,
    pub(super) expires: Instant,
}

/// For how many observers room is made before they come.
const MOST_AT_ONCE: usize = 1 << 12;

impl<O: Ord + Clone> Electorate<O> {
    pub(super) fn new(
        observers: impl IntoIterator<Item = O>,
        threshold: Threshold,
    ) -> Result<Self, ElectorateError<O>> {
        let votes = threshold.total();
        // One more than there may be tells that there are too many, however many there are.
        let observers = observers.into_iter().take(votes.saturating_add(1));
        // What an iterator says of its length need not be so, nor fit the memory.
        let mut seats = Vec::with_capacity(observers.size_hint().0.min(MOST_AT_ONCE));
        for observer in observers {
            seats.push(Seat::new(observer));
        }
        if seats.len() != votes {
            return Err(ElectorateError::OtherSize { observers: seats.len(), votes });
        }
        seats.sort_unstable_by(|a, b| a.observer.cmp(&b.observer));
        match seats.windows(2).position(|pair| matches!(pair, [a, b] if a.observer == b.observer)) {
            Some(twice) => {
                let observer = seats.swap_remove(twice).observer;
                Err(ElectorateError::Duplicate { observer })
            }
            None => Ok(Self { seats }),
        }
    }

    /// Takes over what is known of those observers that were in an earlier electorate too.
    pub(super) fn inherit(&mut self, earlier: &Self) {
        for seat in &mut self.seats {
            let index = earlier.index(&seat.observer);
            if let Some(known) = index.and_then(|index| earlier.seats.get(index)) {
                let Seat { sequence, vote, is_discounted, .. } = *known;
                (seat.sequence, seat.vote, seat.is_discounted) = (sequence, vote, is_discounted);
            }
        }
    }

    pub(super) fn seat(&self, observer: &O) -> Result<&Seat<O>, UnknownObserver<O>> {
        let seat = self.index(observer).and_then(|index| self.seats.get(index));
        seat.ok_or_else(|| UnknownObserver { observer: observer.clone() })
    }

    pub(super) fn seat_mut(&mut self, observer: &O) -> Result<&mut Seat<O>, UnknownObserver<O>> {
        let seat = self.index(observer).and_then(|index| self.seats.get_mut(index));
        seat.ok_or_else(|| UnknownObserver { observer: observer.clone() })
    }

    pub(super) fn observers(&self) -> impl ExactSizeIterator<Item = &O> {
        self.seats.iter().map(|seat| &seat.observer)
    }

    /// Returns the fresh votes that count and are no abstentions.
    pub(super) fn counted(&self, now: Instant) -> impl Iterator<Item = Vote> {
        let seats = self.seats.iter().filter(|seat| !seat.is_discounted);
        seats
            .filter_map(move |seat| seat.fresh(now))
            .filter(|vote| vote.opinion != Opinion::Unknown)
    }

    pub(super) fn tally(&self, now: Instant) -> Tally {
        let mut tally = Tally {
            discounted: self.seats.iter().filter(|seat| seat.is_discounted).count(),
            ..Tally::default()
        };
        for vote in self.counted(now) {
            match vote.opinion {
                Opinion::Suspect => tally.suspecting += 1,
                Opinion::Trust => tally.trusting += 1,
                Opinion::Unknown => {}
            }
        }
        tally.missing = self.seats.len() - tally.suspecting - tally.trusting - tally.discounted;
        tally
    }

    fn index(&self, observer: &O) -> Option<usize> {
        self.seats.binary_search_by(|seat| seat.observer.cmp(observer)).ok()
    }
}

impl<O> Seat<O> {
    const fn new(observer: O) -> Self {
        Self { observer, sequence: None, vote: None, is_discounted: false }
    }

    /// Returns the vote, unless it has expired.
    pub(super) fn fresh(&self, now: Instant) -> Option<Vote> {
        self.vote.filter(|vote| now < vote.expires)
    }
}
