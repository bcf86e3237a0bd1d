use core::time::Duration;

use surmise_time::Instant;

use super::{BallotContender, BallotVisitor, visit_all};
use crate::{Made, Meter, Operation, Subject, footprint};

/// Shows every operation of every ballot to a meter.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn measure(meter: &mut impl Meter) -> Made<()> {
    visit_all(&mut Ballots(meter))
}

struct Ballots<'a, M>(&'a mut M);

impl<M: Meter> BallotVisitor for Ballots<'_, M> {
    fn visit<C: BallotContender>(
        &mut self,
        name: &str,
        observers: u32,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let table = format!("ballots of {observers}");
        let subject = Subject { table: &table, name, origin: C::ORIGIN };
        let (ballot, bytes) = footprint(&make)?;
        self.0.bytes(subject, bytes);
        self.0.operation(subject, "vote", Votes::new(ballot, observers));
        self.0.operation(subject, "outcome", Outcomes(Votes::new(make()?, observers)));
        Ok(())
    }
}

/// A ballot in which all have voted.
struct Votes<C> {
    ballot: C,
    observers: u32,
    sequence: u64,
}

/// Who votes, whether to suspect, the number of the vote, and when it arrives.
type Vote = (u32, bool, u64, Instant);

impl<C: BallotContender> Votes<C> {
    fn new(ballot: C, observers: u32) -> Self {
        let mut votes = Self { ballot, observers, sequence: 0 };
        for _ in 0..observers {
            let vote = votes.next_vote();
            Self::call(&mut votes.ballot, vote);
        }
        votes
    }

    /// A vote comes each microsecond, of one observer after the other.
    fn next_vote(&mut self) -> Vote {
        let observer = self.sequence % u64::from(self.observers);
        let observer = u32::try_from(observer).expect("it is less than their number");
        self.sequence += 1;
        (observer, observer % 2 == 0, self.sequence, self.now())
    }

    fn now(&self) -> Instant {
        Instant::ORIGIN + Duration::from_micros(self.sequence)
    }
}

impl<C: BallotContender> Operation for Votes<C> {
    type Subject = C;

    type Input = Vote;

    type Output = bool;

    fn subject(&mut self) -> &mut C {
        &mut self.ballot
    }

    fn next_input(&mut self) -> Vote {
        self.next_vote()
    }

    #[inline]
    fn call(ballot: &mut C, (observer, suspects, sequence, now): Vote) -> bool {
        ballot.vote(observer, suspects, sequence, now)
    }
}

/// Asks again and again, with votes that stay fresh.
struct Outcomes<C>(Votes<C>);

impl<C: BallotContender> Operation for Outcomes<C> {
    type Subject = C;

    type Input = Instant;

    type Output = bool;

    fn subject(&mut self) -> &mut C {
        &mut self.0.ballot
    }

    fn next_input(&mut self) -> Instant {
        self.0.now()
    }

    #[inline]
    fn call(ballot: &mut C, now: Instant) -> bool {
        ballot.is_convicted(now)
    }
}
