//! Networks that `tune` has not seen: a law for each way in which heartbeats come late or not at all.

use core::time::Duration;

use surmise_sim::{AfterStall, DelayLaw, LossLaw, Scenario, Stalls};

/// A heartbeat: its number, and the nanoseconds at which it was sent and received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) sequence: u64,
    pub(crate) sent: u64,
    /// By the receiver's clock, which nobody knows who has only the trace.
    pub(crate) truly_sent: u64,
    pub(crate) received: Option<u64>,
}

/// A law, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Network {
    Normal,
    Exponential,
    LogNormal,
    Pareto,
    Bursts,
    Lossy,
    Stalls,
    Pauses,
    Drift,
    DriftBack,
    Routes,
}

impl Network {
    pub(crate) const ALL: [Self; 11] = [
        Self::Normal,
        Self::Exponential,
        Self::LogNormal,
        Self::Pareto,
        Self::Bursts,
        Self::Lossy,
        Self::Stalls,
        Self::Pauses,
        Self::Drift,
        Self::DriftBack,
        Self::Routes,
    ];

    /// Returns a trace of this many heartbeats, one every 100 ms.
    pub(crate) fn trace(self, beats: u64, seed: u64) -> Vec<Row> {
        let scenario = Scenario { beats, ..self.scenario(seed) };
        let start = scenario.start.as_nanos();
        // The receiver's clock gains 50 µs a second, or loses them.
        let clock = |at: u64| match self {
            Self::Drift => at + (at - start) / 20_000,
            Self::DriftBack => at - (at - start) / 20_000,
            _ => at,
        };
        let route =
            |sent: u64| if let Self::Routes = self { detour(sent - start, seed) } else { 0 };
        let mut rows = Vec::new();
        for emission in scenario.emissions() {
            let sent = emission.sent.as_nanos();
            let row = |received| Row {
                sequence: emission.sequence,
                sent,
                truly_sent: clock(sent),
                received,
            };
            let [received, again] = [emission.received, emission.received_again]
                .map(|at| at.map(|at| clock(at.as_nanos() + route(sent))));
            rows.push(row(received));
            rows.extend(again.map(|again| row(Some(again))));
        }
        rows
    }

    fn scenario(self, seed: u64) -> Scenario {
        let millis = Duration::from_millis;
        let calm = Scenario::calm(seed);
        match self {
            // A log-normal law of so little skew is nearly normal.
            Self::Normal => Scenario {
                delay: DelayLaw::LogNormal {
                    min: Duration::ZERO,
                    median_excess: millis(60),
                    sigma: 0.15,
                },
                loss: LossLaw::Independent(0.02),
                ..calm
            },
            Self::Exponential => Scenario {
                delay: DelayLaw::Exponential { min: millis(2), mean_excess: millis(25) },
                loss: LossLaw::Independent(0.03),
                ..calm
            },
            Self::LogNormal => Scenario {
                delay: DelayLaw::LogNormal {
                    min: millis(5),
                    median_excess: millis(10),
                    sigma: 1.0,
                },
                loss: LossLaw::Independent(0.01),
                ..calm
            },
            Self::Pareto => Scenario::heavy_tailed(seed),
            Self::Bursts => Scenario { loss: LossLaw::bursts(0.02, 3.0), ..calm },
            Self::Lossy => Scenario::lossy(seed),
            Self::Stalls => Scenario::stalling(seed),
            Self::Pauses => {
                let stalling = Scenario::stalling(seed);
                Scenario {
                    stalls: Stalls { after: AfterStall::CatchUp, ..stalling.stalls },
                    ..stalling
                }
            }
            // Without jitter to speak of.
            Self::DriftBack => Scenario { loss: LossLaw::bursts(0.01, 2.0), ..calm },
            // All heartbeats take a longer way for half a minute each.
            Self::Routes => Scenario { loss: LossLaw::Independent(0.02), ..calm },
            Self::Drift => Scenario {
                delay: DelayLaw::Uniform { min: millis(1), max: millis(15) },
                loss: LossLaw::bursts(0.01, 2.0),
                ..calm
            },
        }
    }
}

/// Returns how much longer the way is that heartbeats take after so many nanoseconds: up to 70 ms.
fn detour(elapsed: u64, seed: u64) -> u64 {
    let mut mixed = seed ^ (elapsed / 30_000_000_000).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3 {
        mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (mixed >> 40) % 8 * 10_000_000
}
