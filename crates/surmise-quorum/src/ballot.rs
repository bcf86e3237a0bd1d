mod electorate;
mod error;
mod opinion;
mod outcome;

use core::time::Duration;

use surmise_time::Instant;

use self::electorate::{Electorate, Vote};
pub use self::{
    error::{BallotError, ElectorateError, UnknownObserver},
    opinion::Opinion,
    outcome::{Outcome, Receipt, Tally},
};
use crate::Threshold;

/// What observers say of one subject, and whether enough of them suspect it.
///
/// One observer that suspects a peer may itself be slow, overloaded or cut off. A ballot convicts the subject when
/// a threshold of its *electorate* suspects it: of all observers that may vote, not of those that did. If it were
/// of the votes that are fresh, then one vote would convict as soon as all others had expired, which is just what
/// happens to whoever is cut off. So what is missing never helps to convict:
///
/// * A vote counts while it is *fresh*: for a time after it arrived. Then its observer has to repeat it.
/// * The vote of an observer that is [discounted](Self::discount), since it is itself suspected, does not count. The
///   observer stays in the electorate.
/// * The electorate changes only [explicitly](Self::change_electorate), as the membership does. It bounds what is
///   kept: one vote an observer.
///
/// The [`Outcome`] is [`Convicted`](Outcome::Convicted) if the threshold is reached by votes that suspect, and
/// [`Acquitted`](Outcome::Acquitted) if so many trust that it cannot be reached unless one of them changes its mind.
/// Else it is [`Open`](Outcome::Open). It is what the votes say now, and nothing is remembered of an earlier outcome: a
/// conviction lapses when votes expire. What has to last, the caller writes down.
///
/// # Which observers
///
/// Count the *subject* among the observers, though it will never suspect itself, if it matters that two sides of a
/// partition do not convict each other's nodes. Of four nodes in two halves, each half has two of the three observers
/// that are not the subject, and so a majority of these; but not a majority of four.
///
/// A threshold below a majority convicts sooner and lets both sides convict. With f observers that may lie, f + 1
/// votes contain an honest one.
///
/// # Sequences
///
/// Each observer numbers its votes, and a vote counts only if its number is above all that it sent before: gossip
/// delivers late, twice and in any order, and a vote that is delivered again must not stay fresh by that. An observer
/// that restarts must go on above its old numbers, by having its incarnation in their upper bits for example. Numbers
/// outlast the votes, until the observer leaves the electorate.
///
/// Nothing here is authenticated: whoever can forge a vote can silence its observer, by the greatest number there is.
///
/// Clocks of different nodes are not compared: a vote is fresh from when it arrived here, and may be older by the time
/// that it took.
///
/// # Time
///
/// Time is an argument, and never goes back: a `now` before the latest that the ballot saw counts as that one.
///
/// A vote takes O(log n), and an outcome O(n) with n observers.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_quorum::{Ballot, Majority, Opinion, Outcome};
/// use surmise_time::Instant;
///
/// // What we and four others say of one of us, the node `e`.
/// let mut ballot =
///     Ballot::new(["a", "b", "c", "d", "e"], Majority::new(5)?, Duration::from_secs(10))?;
/// let now = Instant::from_nanos(0);
/// for observer in ["a", "b", "c"] {
///     ballot.vote(&observer, Opinion::Suspect, 1, now)?;
/// }
/// assert!(matches!(ballot.outcome(now), Outcome::Convicted(_)));
///
/// // We suspect `c` too: what it says counts no more.
/// ballot.discount(&"c")?;
/// let Outcome::Open(tally) = ballot.outcome(now) else { panic!("two of five are no majority") };
/// assert_eq!((tally.suspecting, tally.discounted, tally.missing), (2, 1, 2));
///
/// // Nothing changes by itself before the first vote expires.
/// assert_eq!(ballot.deadline(), Some(now + Duration::from_secs(10)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ballot<O> {
    electorate: Electorate<O>,
    threshold: Threshold,
    freshness: Duration,
    latest: Instant,
}

impl<O: Ord + Clone> Ballot<O> {
    /// Creates a ballot without votes.
    ///
    /// A vote counts for `freshness`, from 1 ns. Observers should repeat their votes a few times within it. Longer
    /// means that fewer votes expire for being lost on the way, and that what observers said before they were
    /// themselves cut off counts for longer.
    ///
    /// # Errors
    ///
    /// If votes were never fresh, if an observer is named twice, or if the threshold is of another number of votes
    /// than there are observers.
    pub fn new(
        observers: impl IntoIterator<Item = O>,
        threshold: impl Into<Threshold>,
        freshness: Duration,
    ) -> Result<Self, BallotError<O>> {
        if freshness.is_zero() {
            return Err(BallotError::ZeroFreshness);
        }
        let threshold = threshold.into();
        let electorate = Electorate::new(observers, threshold).map_err(BallotError::Electorate)?;
        Ok(Self { electorate, threshold, freshness, latest: Instant::ORIGIN })
    }

    /// Takes an observer's vote. It replaces the one before, if its number is greater.
    ///
    /// [`Opinion::Unknown`] is a vote as well: the observer takes back what it said before.
    ///
    /// # Errors
    ///
    /// If there is no such observer in the electorate. Only time has passed then.
    pub fn vote(
        &mut self,
        observer: &O,
        opinion: Opinion,
        sequence: u64,
        now: Instant,
    ) -> Result<Receipt, UnknownObserver<O>> {
        let now = self.advance(now);
        let seat = self.electorate.seat_mut(observer)?;
        if let Some(newest) = seat.sequence.filter(|&newest| sequence <= newest) {
            return Ok(Receipt::Stale { offered: sequence, newest });
        }
        seat.sequence = Some(sequence);
        seat.vote = Some(Vote { opinion, expires: now + self.freshness });
        Ok(Receipt::Recorded)
    }

    /// Forgets an observer's vote, as if it had expired. Late votes are told by their numbers as before.
    ///
    /// # Errors
    ///
    /// If there is no such observer in the electorate.
    pub fn withdraw(&mut self, observer: &O) -> Result<(), UnknownObserver<O>> {
        self.electorate.seat_mut(observer)?.vote = None;
        Ok(())
    }

    /// Lets an observer's votes not count, until it is [reinstated](Self::reinstate): for it is itself suspected.
    ///
    /// Its votes are still taken. Discount those that *you* suspect: a ballot is one node's view, and observers that
    /// suspect each other are no contradiction. If you are the one that is cut off, you will discount all others and
    /// convict nobody.
    ///
    /// # Errors
    ///
    /// If there is no such observer in the electorate.
    pub fn discount(&mut self, observer: &O) -> Result<(), UnknownObserver<O>> {
        self.electorate.seat_mut(observer)?.is_discounted = true;
        Ok(())
    }

    /// Lets an observer's votes count again, the last one included while it is fresh.
    ///
    /// # Errors
    ///
    /// If there is no such observer in the electorate.
    pub fn reinstate(&mut self, observer: &O) -> Result<(), UnknownObserver<O>> {
        self.electorate.seat_mut(observer)?.is_discounted = false;
        Ok(())
    }

    /// Changes who may vote, and how many votes convict.
    ///
    /// Observers that stay keep their votes, their numbers, and whether they are discounted; of those that leave,
    /// nothing is kept. An observer that comes back should be a new one to all: what it sent before it left could
    /// still arrive.
    ///
    /// # Errors
    ///
    /// If an observer is named twice, or if the threshold is of another number of votes than there are observers.
    /// Nothing is changed then.
    pub fn change_electorate(
        &mut self,
        observers: impl IntoIterator<Item = O>,
        threshold: impl Into<Threshold>,
    ) -> Result<(), ElectorateError<O>> {
        let threshold = threshold.into();
        let mut electorate = Electorate::new(observers, threshold)?;
        electorate.inherit(&self.electorate);
        (self.electorate, self.threshold) = (electorate, threshold);
        Ok(())
    }

    /// Returns what the votes say.
    pub fn outcome(&mut self, now: Instant) -> Outcome {
        let now = self.advance(now);
        let tally = self.electorate.tally(now);
        // So many would have to say otherwise for the threshold to be out of reach.
        let blocking = self.threshold.tolerates() + 1;
        if self.threshold.is_reached(tally.suspecting) {
            Outcome::Convicted(tally)
        } else if tally.trusting >= blocking {
            Outcome::Acquitted(tally)
        } else {
            Outcome::Open(tally)
        }
    }

    /// Returns the first instant at which the next vote that counts does so no more, or `None` if there is none.
    ///
    /// Until then the outcome changes only if something is done to the ballot.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.electorate.counted(self.latest).map(|vote| vote.expires).min()
    }

    /// Returns what an observer said last, if that is fresh, whether it counts or not.
    ///
    /// # Errors
    ///
    /// If there is no such observer in the electorate.
    pub fn opinion(&self, observer: &O, now: Instant) -> Result<Opinion, UnknownObserver<O>> {
        let vote = self.electorate.seat(observer)?.fresh(now.max(self.latest));
        Ok(vote.map_or(Opinion::Unknown, |vote| vote.opinion))
    }

    /// Returns whether an observer is [discounted](Self::discount).
    ///
    /// # Errors
    ///
    /// If there is no such observer in the electorate.
    pub fn is_discounted(&self, observer: &O) -> Result<bool, UnknownObserver<O>> {
        Ok(self.electorate.seat(observer)?.is_discounted)
    }

    /// Returns the observers, in their order.
    #[must_use]
    pub fn observers(&self) -> impl ExactSizeIterator<Item = &O> {
        self.electorate.observers()
    }

    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}

impl<O> Ballot<O> {
    /// Returns how many votes convict, and of how many.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Returns for how long a vote counts.
    #[must_use]
    pub const fn freshness(&self) -> Duration {
        self.freshness
    }
}
