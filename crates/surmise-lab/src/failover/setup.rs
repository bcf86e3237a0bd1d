use core::time::Duration;

use serde::{Deserialize, Serialize};
use surmise_detector::{ChenConfig, PhiConfig};
use surmise_monitor::MonitorConfig;

/// What every process of a run is told at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Setup {
    /// How many nodes there are.
    pub(super) nodes: usize,
    pub(super) timing: Timing,
    pub(super) fenced: bool,
    /// How far the wall clocks of two nodes may be apart.
    pub(super) max_offset: Duration,
    pub(super) seed: u64,
}

/// How long what takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Timing {
    /// From one heartbeat to the next.
    pub(super) heartbeat: Duration,
    /// Within which a crash is to be detected.
    pub(super) detection: Duration,
    pub(super) lease: Duration,
    /// For how long the leader works on a request, from its last look at its lease to its write.
    pub(super) work: Duration,
}

impl Timing {
    /// Returns the detector that keeps the promise: a heartbeat that is sent just before the crash vouches for the peer until the
    /// margin has passed after the one that should have followed, and was expected to take as long as others do. For that, and
    /// for how long it takes to wake up, one fiftieth of the time is left.
    pub(super) fn chen(self) -> ChenConfig {
        ChenConfig {
            interval: self.heartbeat,
            safety_margin: (self.detection - self.detection / 50).saturating_sub(self.heartbeat),
        }
    }

    pub(super) fn phi(self) -> PhiConfig {
        PhiConfig::for_interval(self.heartbeat)
    }

    pub(super) fn monitor(self) -> MonitorConfig {
        MonitorConfig {
            // Shorter pauses of the observer are within the detector's margin.
            max_poll_gap: (self.detection / 2).max(self.heartbeat * 2),
            settle: self.heartbeat,
            first_heartbeat: Some(self.detection * 4),
            // Suspicion is what nodes vote on; nobody waits for more.
            grace: None,
            // That is for many peers. Here a node that is cut off suspects all, and has no majority.
            correlated_expiry: None,
            ..MonitorConfig::default()
        }
    }

    /// Returns for how long the client is waited for at the end of a run that took so long: another leads when the lease of
    /// one that was killed is over, reads the whole log, and works on what was begun. The client waits up to four times as
    /// long as that for an answer that does not come, and more than one can be lost.
    pub(super) fn drain(self, duration: Duration) -> Duration {
        self.lease + (self.work + self.detection) * 20 + duration / 10
    }

    /// Returns how long the store is waited for before it is asked again.
    pub(super) fn answer(self) -> Duration {
        self.detection / 2
    }

    /// Returns for how long a vote counts: as long as it takes to suspect its observer.
    pub(super) const fn freshness(self) -> Duration {
        self.detection
    }
}
