use core::time::Duration;

use surmise_detector::Verdict;
use surmise_time::Instant;

/// What a peer was last reported to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "every caller must decide on each of the four")]
pub enum PeerState {
    /// It was never heard of, and is not suspected yet.
    Unheard,
    /// It was heard of in time, as far as is known.
    Trusted,
    /// It was not heard of in time.
    Suspected,
    /// It was suspected for the whole grace.
    Dead,
}

impl PeerState {
    /// Returns the verdict of a detector that comes nearest.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Unheard => Verdict::Unknown,
            Self::Trusted => Verdict::Trust,
            Self::Suspected | Self::Dead => Verdict::Suspect,
        }
    }
}

/// What a [`Monitor`](crate::Monitor) knows of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PeerStatus {
    /// What it was last reported to be.
    pub state: PeerState,
    /// The latest incarnation of which something was heard; 0 before.
    pub incarnation: u64,
    /// How often it was trusted again after it had been suspected.
    pub flaps: u32,
    /// How long before the monitor's latest call it was last heard of, or watched if it never was. Stalls of the
    /// observer count for nothing.
    pub silent_for: Duration,
    /// Until when it is trusted, by the clock and as far as is known: each stall of the observer moves it. `None` if
    /// it is suspected, or would be trusted for ever.
    pub deadline: Option<Instant>,
    /// Whether its deadline passed, and the verdict is held back because too many peers expired together.
    pub is_held: bool,
}
