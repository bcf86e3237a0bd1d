use core::time::Duration;

use surmise_quorum::{Ballot, Majority, Opinion, Receipt};
use surmise_time::Instant;

use crate::{Made, Origin};

/// A ballot of observers that are numbered from 0, in which a majority convicts: ours or a peer's.
pub trait BallotContender {
    /// Who wrote it.
    const ORIGIN: Origin;

    /// Takes a vote, and returns whether it is newer than the observer's last.
    fn vote(&mut self, observer: u32, suspects: bool, sequence: u64, now: Instant) -> bool;

    /// Returns whether a majority suspects.
    fn is_convicted(&mut self, now: Instant) -> bool;
}

/// Does something with every ballot, whatever its type.
pub trait BallotVisitor {
    /// Visits a ballot of so many observers.
    ///
    /// # Errors
    ///
    /// If `make` fails.
    fn visit<C: BallotContender>(
        &mut self,
        name: &str,
        observers: u32,
        make: impl Fn() -> Made<C>,
    ) -> Made<()>;
}

/// Shows ballots of 3, 5, 9 and 101 observers to a visitor, ours before the peer's.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here, or the visitor fails.
pub fn visit_all(visitor: &mut impl BallotVisitor) -> Made<()> {
    for observers in [3, 5, 9, 101] {
        visitor.visit(&format!("ballot-{observers}"), observers, || {
            let majority = Majority::new(usize::try_from(observers)?)?;
            Ok(Ballot::new(0..observers, majority, FRESHNESS)?)
        })?;
        visitor.visit(&format!("list-{observers}"), observers, || Ok(List::new(observers)))?;
    }
    Ok(())
}

/// For how long a vote counts.
pub(super) const FRESHNESS: Duration = Duration::from_secs(10);

impl BallotContender for Ballot<u32> {
    const ORIGIN: Origin = Origin::Ours;

    #[inline]
    fn vote(&mut self, observer: u32, suspects: bool, sequence: u64, now: Instant) -> bool {
        let opinion = if suspects { Opinion::Suspect } else { Opinion::Trust };
        Self::vote(self, &observer, opinion, sequence, now) == Ok(Receipt::Recorded)
    }

    #[inline]
    fn is_convicted(&mut self, now: Instant) -> bool {
        self.outcome(now).is_convicted()
    }
}

/// The latest vote of each observer, in the order in which they first voted.
struct List {
    votes: Vec<Vote>,
    majority: usize,
}

struct Vote {
    observer: u32,
    suspects: bool,
    sequence: u64,
    expires: Instant,
}

impl List {
    fn new(observers: u32) -> Self {
        let observers = usize::try_from(observers).expect("there are few");
        Self { votes: Vec::with_capacity(observers), majority: observers / 2 + 1 }
    }
}

impl BallotContender for List {
    const ORIGIN: Origin = Origin::Peer;

    #[inline]
    fn vote(&mut self, observer: u32, suspects: bool, sequence: u64, now: Instant) -> bool {
        let vote = Vote { observer, suspects, sequence, expires: now + FRESHNESS };
        match self.votes.iter_mut().find(|vote| vote.observer == observer) {
            Some(last) if sequence <= last.sequence => return false,
            Some(last) => *last = vote,
            None => self.votes.push(vote),
        }
        true
    }

    #[inline]
    fn is_convicted(&mut self, now: Instant) -> bool {
        let counts = |vote: &&Vote| vote.suspects && now < vote.expires;
        self.votes.iter().filter(counts).count() >= self.majority
    }
}
