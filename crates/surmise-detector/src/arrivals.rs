//! What every detector keeps of its peer, and the way a heartbeat takes through it.

use surmise_time::Instant;

use crate::{Beat, float};

/// What tells one detector from another: what it learns from an arrival, and how long it waits then.
///
/// [`take_in`](Self::take_in) does the rest.
pub(crate) trait Learner {
    /// Returns what the detector keeps of its peer.
    fn arrivals(&mut self) -> &mut Arrivals;

    /// Learns from a fresh heartbeat.
    fn learn(&mut self, arrival: &Arrival);

    /// Goes on from a fresh heartbeat of which nothing can be learned.
    fn realign(&mut self, _arrival: &Arrival) {}

    /// Returns for how many nanoseconds the newest heartbeat vouches for the peer: at least one.
    fn patience(&self) -> u64;

    /// Takes in a heartbeat: the body of [`FailureDetector::heartbeat`](crate::FailureDetector).
    #[inline]
    fn take_in(&mut self, sequence: u64, now: Instant) -> Beat {
        // Nearly every heartbeat is the next one, in time. Told apart here, it costs half as much.
        match self.arrivals().admit_punctual(sequence, now) {
            Some(arrival) => {
                self.renew(&arrival);
                Beat::Fresh { lost: 0, suspected: false }
            }
            None => self.take_in_any(sequence, now),
        }
    }

    /// Takes in a heartbeat that tells nothing of when it was sent: the body of
    /// [`FailureDetector::queued_heartbeat`](crate::FailureDetector::queued_heartbeat).
    fn take_in_queued(&mut self, sequence: u64, now: Instant) -> Beat {
        match self.arrivals().admit(sequence, now) {
            Ok(arrival) => {
                self.realign(&arrival);
                let patience = self.patience();
                self.arrivals().trust_for(patience);
                arrival.beat()
            }
            Err(ignored) => ignored,
        }
    }

    #[cold]
    fn take_in_any(&mut self, sequence: u64, now: Instant) -> Beat {
        match self.arrivals().admit(sequence, now) {
            Ok(arrival) => {
                self.renew(&arrival);
                arrival.beat()
            }
            Err(ignored) => ignored,
        }
    }

    // Inlined into the punctual case, where most of what an arrival can be is known not to be.
    #[inline(always)]
    fn renew(&mut self, arrival: &Arrival) {
        self.learn(arrival);
        let patience = self.patience();
        self.arrivals().trust_for(patience);
    }
}

/// The newest heartbeat of one incarnation of a peer, and the deadline. 24 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrivals {
    highest: u64,
    last: Instant,
    deadline: Deadline,
}

/// A heartbeat that is news.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) sequence: u64,
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
    /// The nanoseconds that the deadline had allowed for that; where it was met, perhaps fewer.
    pub(crate) allowed: u64,
    /// Whether the clock stepped back, so that nobody knows how long the step took.
    pub(crate) unmeasured: bool,
}

impl Arrivals {
    pub(crate) const NONE: Self =
        Self { highest: u64::MAX, last: Instant::ORIGIN, deadline: Deadline::NONE };

    /// Takes in a heartbeat if it is the successor of the newest and in time, else does nothing.
    #[inline]
    fn admit_punctual(&mut self, sequence: u64, now: Instant) -> Option<Arrival> {
        // Before the first heartbeat, no number succeeds the highest.
        if now.as_nanos() > self.deadline.0 || sequence.checked_sub(self.highest) != Some(1) {
            return None;
        }
        let elapsed = now.as_nanos().checked_sub(self.last.as_nanos())?;
        self.highest = sequence;
        self.last = now;
        let step = Step { gap: 1, elapsed, allowed: elapsed, unmeasured: false };
        Some(Arrival { sequence, at: now, step: Some(step) })
    }

    /// Takes in a heartbeat, or says why it must be ignored.
    fn admit(&mut self, sequence: u64, now: Instant) -> Result<Arrival, Beat> {
        let Some(deadline) = self.deadline.get() else {
            *self = Self { highest: sequence, last: now, deadline: Deadline::NONE };
            return Ok(Arrival { sequence, at: now, step: None });
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
            unmeasured: now < self.last,
        };
        self.highest = sequence;
        self.last = at;
        Ok(Arrival { sequence, at, step: Some(step) })
    }

    /// Trusts the peer for this many nanoseconds from the newest heartbeat, at least one.
    #[inline]
    fn trust_for(&mut self, nanos: u64) {
        debug_assert!(nanos > 0, "a deadline of 0 would be none");
        self.deadline = Deadline(self.last.as_nanos().saturating_add(nanos));
    }

    /// Forgets the incarnation.
    pub(crate) fn restart(&mut self) {
        *self = Self::NONE;
    }

    /// Returns the nanoseconds since the newest heartbeat, if there was one.
    #[inline]
    pub(crate) fn silence(&self, now: Instant) -> Option<f64> {
        let nanos = now.as_nanos().saturating_sub(self.last.as_nanos());
        self.deadline.get().map(|_| float::from_nanos(nanos))
    }

    #[inline]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.get()
    }
}

impl Arrival {
    fn beat(&self) -> Beat {
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
    pub(crate) fn get(self) -> Option<Instant> {
        (self != Self::NONE).then(|| Instant::from_nanos(self.0))
    }

    #[cfg(feature = "std")]
    pub(crate) fn at(deadline: Instant) -> Self {
        Self(deadline.as_nanos().max(1))
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
