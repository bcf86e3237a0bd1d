//! Networks that `tune` has not seen: a law for each way in which heartbeats come late or not at all.

use core::time::Duration;

use surmise_sim::{AfterStall, DelayLaw, LossLaw, Scenario, Stalls};

/// A heartbeat: its number, and the nanoseconds at which it was sent and received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) sequence: u64,
    pub(crate) sent: u64,
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
}

impl Network {
    pub(crate) const ALL: [Self; 9] = [
        Self::Normal,
        Self::Exponential,
        Self::LogNormal,
        Self::Pareto,
        Self::Bursts,
        Self::Lossy,
        Self::Stalls,
        Self::Pauses,
        Self::Drift,
    ];

    /// Returns a trace of this many heartbeats, one every 100 ms.
    pub(crate) fn trace(self, beats: u64, seed: u64) -> Vec<Row> {
        let scenario = Scenario { beats, ..self.scenario(seed) };
        let start = scenario.start.as_nanos();
        // The receiver's clock gains 50 µs a second.
        let drift = |at: u64| match self {
            Self::Drift => at + (at - start) / 20_000,
            _ => at,
        };
        let mut rows = Vec::new();
        for emission in scenario.emissions() {
            let row = |received| Row {
                sequence: emission.sequence,
                sent: emission.sent.as_nanos(),
                received,
            };
            let [received, again] = [emission.received, emission.received_again]
                .map(|at| at.map(|at| drift(at.as_nanos())));
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
            Self::Drift => Scenario {
                delay: DelayLaw::Uniform { min: millis(1), max: millis(15) },
                loss: LossLaw::bursts(0.01, 2.0),
                ..calm
            },
        }
    }
}
