use surmise_time::Instant;

/// Tells whether one peer that sends heartbeats should be suspected of having failed.
///
/// A detector is a plain value for one peer. It is told of each heartbeat, and it answers with the
/// *deadline* until which it goes on trusting the peer: an event loop sleeps until then instead of
/// polling, and [`verdict`](Self::verdict) is one comparison.
///
/// # Time
///
/// `now` comes from one monotonic clock. Where it steps back, a heartbeat counts as arriving together
/// with the one before it; deadlines saturate at [`Instant::MAX`], which no clock passes.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{Beat, FailureDetector, FixedTimeout, Verdict};
/// use surmise_time::Instant;
///
/// let mut peer = FixedTimeout::new(Duration::from_secs(1))?;
/// let start = Instant::ORIGIN;
/// assert_eq!(peer.verdict(start), Verdict::Unknown);
///
/// assert_eq!(peer.heartbeat(1, start), Beat::First);
/// let deadline = start + Duration::from_secs(1);
/// assert_eq!(peer.deadline(), Some(deadline));
/// assert_eq!(peer.verdict(deadline), Verdict::Trust);
/// assert_eq!(peer.verdict(deadline + Duration::from_nanos(1)), Verdict::Suspect);
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
pub trait FailureDetector {
    /// Takes in the heartbeat with this sequence number, which arrived at `now`.
    ///
    /// The sender counts its heartbeats, so a number above the highest seen is news, a skipped number
    /// is a lost heartbeat, and a number that is not above the highest seen changes nothing.
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat;

    /// Takes in a heartbeat of which nobody knows when it arrived: it waited in a queue while the observer was paused.
    ///
    /// It vouches for the peer from `now` on as any other does, and is judged by its number as any other is. But nothing
    /// is learned from when it came, and a schedule of expected arrivals goes on from it.
    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat;

    /// Forgets the sequence numbers, because the peer has restarted and counts anew.
    ///
    /// The verdict is [`Verdict::Unknown`] until the next heartbeat, which is [`Beat::First`] whatever its number, and the
    /// time up to it is not learned from. What was learned of the network is kept; a schedule of expected arrivals is not.
    fn restart(&mut self);

    /// Returns the last instant at which the peer is trusted, or `None` before the first heartbeat.
    ///
    /// The first instant of suspicion is a nanosecond later: a loop that wakes up just at the deadline
    /// must wait that much longer, or it finds nothing to do. Only heartbeats and [`restart`](Self::restart) change it.
    /// It is never before the last fresh heartbeat.
    fn deadline(&self) -> Option<Instant>;

    /// Returns what to think of the peer at `now`: suspect it if its deadline has passed.
    fn verdict(&self, now: Instant) -> Verdict {
        Verdict::by(self.deadline(), now)
    }
}

/// Tells also how strongly the peer should be suspected.
pub trait AccrualDetector: FailureDetector {
    /// Returns the level of suspicion at `now`, on the scale of the detector's threshold.
    ///
    /// It is 0 before the first heartbeat, does not fall between two heartbeats, reaches the threshold
    /// at the [`deadline`](FailureDetector::deadline) (which is in whole nanoseconds) and is never NaN
    /// or infinite.
    fn suspicion_level(&self, now: Instant) -> f64;
}

/// Forwards to the detector behind a pointer.
macro_rules! forward {
    ($(#[$attribute:meta])* $Pointer:ty) => {
        $(#[$attribute])*
        impl<D: FailureDetector + ?Sized> FailureDetector for $Pointer {
            fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
                (**self).heartbeat(sequence, now)
            }

            fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
                (**self).queued_heartbeat(sequence, now)
            }

            fn restart(&mut self) {
                (**self).restart();
            }

            fn deadline(&self) -> Option<Instant> {
                (**self).deadline()
            }

            fn verdict(&self, now: Instant) -> Verdict {
                (**self).verdict(now)
            }
        }

        $(#[$attribute])*
        impl<D: AccrualDetector + ?Sized> AccrualDetector for $Pointer {
            fn suspicion_level(&self, now: Instant) -> f64 {
                (**self).suspicion_level(now)
            }
        }
    };
}

forward!(&mut D);
forward!(
    #[cfg(feature = "alloc")]
    alloc::boxed::Box<D>
);

/// What a detector thinks of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "every caller must decide on each of the three")]
pub enum Verdict {
    /// No heartbeat has arrived yet, so there is nothing to judge by.
    Unknown,
    /// The deadline has not passed.
    Trust,
    /// The deadline has passed without a fresh heartbeat.
    Suspect,
}

impl Verdict {
    /// Returns the verdict at `now` that follows from a deadline.
    #[inline]
    pub(crate) fn by(deadline: Option<Instant>, now: Instant) -> Self {
        match deadline {
            None => Self::Unknown,
            Some(deadline) if now <= deadline => Self::Trust,
            Some(_) => Self::Suspect,
        }
    }
}

/// What a heartbeat was to the detector that took it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Beat {
    /// The first since the detector was made or the peer restarted.
    First,
    /// News: its number is the highest so far.
    Fresh {
        /// How many heartbeats before it have not arrived; some may yet, as [`Beat::Stale`].
        lost: u64,
        /// Whether the peer was suspected when it arrived: the suspicion was a mistake, or the peer
        /// has recovered.
        suspected: bool,
    },
    /// Overtaken by a heartbeat that was sent later. It was ignored.
    Stale {
        /// The highest number seen.
        highest: u64,
    },
    /// The newest heartbeat once more. It was ignored.
    Duplicate,
}
