//! What every detector keeps of its peer: the newest heartbeat, and the deadline that follows from it.

use surmise_time::Instant;

use crate::{Beat, Verdict, float};

/// The newest heartbeat of one incarnation of a peer, and the deadline. 24 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrivals {
    highest: u64,
    last: Instant,
    deadline: Deadline,
}

/// A heartbeat that was news.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// When it arrived; never before the one before it.
    pub(crate) at: Instant,
    /// How it follows the one before it, unless it is the first.
    pub(crate) step: Option<Step>,
}

/// How a heartbeat follows the one before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// By how much the sequence number rose: 1 where nothing was lost.
    pub(crate) gap: u64,
    /// The nanoseconds between the arrivals.
    pub(crate) elapsed: u64,
    /// The nanoseconds that the deadline had allowed for that.
    pub(crate) allowed: u64,
}

impl Arrivals {
    pub(crate) const NONE: Self =
        Self { highest: 0, last: Instant::ORIGIN, deadline: Deadline::NONE };

    /// Takes in a heartbeat, or says why it must be ignored.
    ///
    /// After an arrival the caller owes a new deadline.
    #[inline]
    pub(crate) fn admit(&mut self, sequence: u64, now: Instant) -> Result<Arrival, Beat> {
        let Some(deadline) = self.deadline.get() else {
            *self = Self { highest: sequence, last: now, deadline: Deadline::NONE };
            return Ok(Arrival { at: now, step: None });
        };
        if sequence <= self.highest {
            return Err(if sequence == self.highest {
                Beat::Duplicate
            } else {
                Beat::Stale { highest: self.highest }
            });
        }
        // A clock that stepped back: the heartbeat came no earlier than the one before it.
        let at = now.max(self.last);
        // Whether it came too late is judged here, before anything moves.
        let step = Step {
            gap: sequence - self.highest,
            elapsed: at.as_nanos() - self.last.as_nanos(),
            allowed: deadline.as_nanos() - self.last.as_nanos(),
        };
        self.highest = sequence;
        self.last = at;
        Ok(Arrival { at, step: Some(step) })
    }

    /// Trusts the peer for this many nanoseconds from the newest heartbeat.
    #[inline]
    pub(crate) fn trust_for(&mut self, nanos: u64) {
        let deadline = self.last.as_nanos().saturating_add(nanos);
        self.deadline = Deadline::at(Instant::from_nanos(deadline));
    }

    /// Trusts the peer until `deadline`, or just at its newest heartbeat if that is later.
    #[inline]
    pub(crate) fn trust_until(&mut self, deadline: Instant) {
        self.deadline = Deadline::at(deadline.max(self.last));
    }

    /// Forgets the incarnation.
    pub(crate) fn restart(&mut self) {
        *self = Self::NONE;
    }

    /// Returns the nanoseconds since the newest heartbeat, if there was one.
    pub(crate) fn silence(&self, now: Instant) -> Option<f64> {
        let nanos = now.as_nanos().saturating_sub(self.last.as_nanos());
        self.deadline.get().map(|_| float::from_nanos(nanos))
    }

    #[inline]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.get()
    }

    #[inline]
    pub(crate) fn verdict(&self, now: Instant) -> Verdict {
        self.deadline.verdict(now)
    }
}

impl Arrival {
    #[inline]
    pub(crate) fn beat(&self) -> Beat {
        match self.step {
            None => Beat::First,
            Some(step) => Beat::Fresh { lost: step.gap - 1, suspected: step.is_late() },
        }
    }
}

impl Step {
    /// Returns the nanoseconds between two heartbeats, had none been lost.
    #[inline]
    pub(crate) fn interval(&self) -> u64 {
        // A division costs more than all the rest, and is rarely needed.
        if self.gap == 1 { self.elapsed } else { self.elapsed / self.gap }
    }

    /// Returns whether the peer was suspected when the heartbeat arrived.
    #[inline]
    pub(crate) fn is_late(&self) -> bool {
        self.elapsed > self.allowed
    }
}

/// An optional deadline in 8 bytes: its nanoseconds, or 0 for none.
///
/// A deadline at the clock's very origin is put one nanosecond later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(u64);

impl Deadline {
    pub(crate) const NONE: Self = Self(0);

    #[inline]
    pub(crate) fn at(deadline: Instant) -> Self {
        Self(deadline.as_nanos().max(1))
    }

    #[inline]
    pub(crate) fn get(self) -> Option<Instant> {
        (self != Self::NONE).then(|| Instant::from_nanos(self.0))
    }

    #[inline]
    pub(crate) fn verdict(self, now: Instant) -> Verdict {
        match self.0 {
            0 => Verdict::Unknown,
            deadline if now.as_nanos() <= deadline => Verdict::Trust,
            _ => Verdict::Suspect,
        }
    }

    #[cfg(feature = "std")]
    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    #[cfg(feature = "std")]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}
