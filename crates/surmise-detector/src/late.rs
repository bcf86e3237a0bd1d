use crate::arrivals::Arrival;

/// What to learn from an interval that was longer than its deadline allowed.
///
/// Such an interval ended a suspicion: the peer, or the network, was away for a while. Learned as it
/// stands, one outage stretches the deadline for a whole window of heartbeats. Never learned, a peer
/// that has slowed down for good stays suspected for ever. Intervals are judged after the loss between
/// two heartbeats has been divided out, and before anything else changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LateIntervals {
    /// Learn what the deadline had allowed instead: an outage leaves little trace, and a peer that is
    /// slower for good is followed step by step, from 100 ms to 1 s within a quarter of the window.
    ///
    /// When all that an outage held up arrives at once, the many short intervals are learned and the long
    /// one is not, which pulls the mean down. [`PhiAccrual`](crate::PhiAccrual) bears that, for its
    /// deviation rises; [`Exponential`](crate::Exponential), which knows only the mean, is better off
    /// with [`Learn`](Self::Learn).
    #[default]
    Clamp,
    /// Learn them as they are, like the published algorithms.
    Learn,
    /// Do not learn from them at all, like Akka. A peer that has slowed down beyond its deadline stays
    /// suspected for ever.
    Skip,
}

impl LateIntervals {
    /// Returns the interval to learn from an arrival, in nanoseconds.
    #[inline]
    pub(crate) fn learned(self, arrival: &Arrival) -> Option<u64> {
        let step = arrival.step.filter(|step| !step.unmeasured)?;
        let interval = step.interval();
        if interval <= step.allowed {
            return Some(interval);
        }
        match self {
            Self::Clamp => Some(step.allowed),
            Self::Learn => Some(interval),
            Self::Skip => None,
        }
    }
}
