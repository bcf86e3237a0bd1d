use surmise_time::Instant;
use surmise_timeout::backoff::Retries;

use crate::failover::message::Op;

/// One who writes one thing after the other.
#[derive(Debug)]
pub(super) struct Session {
    number: u32,
    next: u32,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Resting { until: Instant },
    Writing(Writing),
    Reading(Reading),
}

/// A write that is not acknowledged.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) op: Op,
    pub(super) amount: u32,
    pub(super) attempts: u32,
    pub(super) attempt: Attempt,
    retries: Retries,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Attempt {
    UnderWay { node: usize, sent: Instant, deadline: Instant },
    Waiting { until: Instant },
}

/// A read, of one node or of two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) id: u64,
    pub(super) slot: u64,
    pub(super) node: usize,
    pub(super) sent: Instant,
    pub(super) hedge_at: Instant,
    /// When the backup was sent, if it was.
    pub(super) backup: Option<Instant>,
    pub(super) give_up: Instant,
}

impl Session {
    pub(super) const fn new(number: u32, now: Instant) -> Self {
        Self { number, next: 0, state: State::Resting { until: now } }
    }

    /// Begins the next write.
    pub(super) fn begin(&mut self, amount: u32, retries: Retries) -> Op {
        let op = Op { session: self.number, number: self.next };
        let attempt = Attempt::Waiting { until: Instant::ORIGIN };
        self.next += 1;
        self.state = State::Writing(Writing { op, amount, attempts: 0, attempt, retries });
        op
    }

    pub(super) fn finish(&mut self, state: State) {
        self.state = state;
    }

    pub(super) const fn is_resting(&self) -> bool {
        matches!(self.state, State::Resting { .. })
    }

    pub(super) fn deadline(&self, is_draining: bool) -> Option<Instant> {
        match &self.state {
            State::Resting { until } => (!is_draining).then_some(*until),
            State::Writing(writing) => Some(match writing.attempt {
                Attempt::UnderWay { deadline, .. } => deadline,
                Attempt::Waiting { until } => until,
            }),
            State::Reading(reading) => Some(reading.deadline()),
        }
    }
}

impl Writing {
    /// Waits before the next attempt.
    pub(super) fn wait(&mut self, random: u64, now: Instant) {
        // There is no limit to the retries.
        let delay = self.retries.next_delay(now, random, None).unwrap_or_default();
        self.attempt = Attempt::Waiting { until: now + delay };
    }

    /// Waits before the next attempt, if the one under way is at the node that does not lead. Returns whether it is.
    pub(super) fn is_refused_by(&mut self, from: usize, random: u64, now: Instant) -> bool {
        let is_there = matches!(self.attempt, Attempt::UnderWay { node, .. } if node == from);
        if is_there {
            self.wait(random, now);
        }
        is_there
    }
}
