use core::time::Duration;

use surmise_time::Instant;

use crate::{
    law::{DelayLaw, LossLaw},
    sender::Sender,
};

/// A sender, a network and a receiver, and all that goes wrong with them.
///
/// Start from a preset and change what matters to the test.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_sim::{ClockStep, Scenario};
///
/// let step = ClockStep::Back { at: Duration::from_secs(5), by: Duration::from_secs(3) };
/// let scenario = Scenario { clock_steps: vec![step], ..Scenario::calm(1) };
/// let arrivals = scenario.arrivals();
/// let steps_back = arrivals.windows(2).filter(|pair| pair[1].received < pair[0].received).count();
/// assert_eq!(steps_back, 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests write it with struct update syntax")]
pub struct Scenario {
    /// The time from one heartbeat to the next, on the sender's schedule.
    pub interval: Duration,
    /// How many heartbeats are sent. After the last one the sender has crashed.
    pub beats: u64,
    /// The number of the first heartbeat. The stream ends early where the numbers run out.
    pub first_sequence: u64,
    /// When the first heartbeat is sent, on the sender's and on the receiver's clock.
    pub start: Instant,
    /// How long a heartbeat travels. Where it varies by more than the interval, heartbeats overtake
    /// each other.
    pub delay: DelayLaw,
    /// Which heartbeats never arrive.
    pub loss: LossLaw,
    /// The probability that one that arrives does so twice; the copy has a delay of its own.
    pub duplication: f64,
    /// The probability that one is held back for 1.5 intervals more, long enough to be overtaken
    /// where the delay varies little.
    pub overtaking: f64,
    /// When the sender stands still.
    pub stalls: Stalls,
    /// How the receiver's clock is set.
    pub clock_steps: Vec<ClockStep>,
    /// What all draws follow from.
    pub seed: u64,
}

impl Scenario {
    /// Creates a quiet network: a little jitter, nothing lost, 10 000 heartbeats 100 ms apart.
    #[must_use]
    pub const fn calm(seed: u64) -> Self {
        Self {
            interval: Duration::from_millis(100),
            beats: 10_000,
            first_sequence: 1,
            start: Instant::from_nanos(3_600_000_000_000),
            delay: DelayLaw::LogNormal {
                min: Duration::from_micros(200),
                median_excess: Duration::from_micros(100),
                sigma: 0.5,
            },
            loss: LossLaw::None,
            duplication: 0.0,
            overtaking: 0.0,
            stalls: Stalls::NONE,
            clock_steps: Vec::new(),
            seed,
        }
    }

    /// Creates a bad link: 5 % lost in bursts of 4 on average, some delayed, doubled or overtaken.
    #[must_use]
    pub fn lossy(seed: u64) -> Self {
        Self {
            delay: DelayLaw::Uniform {
                min: Duration::from_millis(1),
                max: Duration::from_millis(20),
            },
            loss: LossLaw::bursts(0.05, 4.0),
            duplication: 0.01,
            overtaking: 0.01,
            ..Self::calm(seed)
        }
    }

    /// Creates a path whose delay has infinite variance, so heartbeats overtake each other.
    #[must_use]
    pub fn heavy_tailed(seed: u64) -> Self {
        Self {
            delay: DelayLaw::Pareto { min: Duration::from_millis(5), shape: 1.5 },
            loss: LossLaw::Independent(0.005),
            ..Self::calm(seed)
        }
    }

    /// Creates a sender that stands still for 0.2 to 3 s after one heartbeat in 500.
    #[must_use]
    pub fn stalling(seed: u64) -> Self {
        Self {
            delay: DelayLaw::Exponential {
                min: Duration::from_millis(1),
                mean_excess: Duration::from_millis(1),
            },
            stalls: Stalls {
                probability: 0.002,
                length: DelayLaw::Uniform {
                    min: Duration::from_millis(200),
                    max: Duration::from_secs(3),
                },
                ..Stalls::NONE
            },
            ..Self::calm(seed)
        }
    }

    /// Returns every heartbeat that is sent, in order of sequence.
    pub fn emissions(&self) -> impl Iterator<Item = Emission> + '_ {
        Sender::new(self).map(|flight| Emission {
            sequence: flight.sequence,
            sent: flight.sent,
            received: flight.lands.map(|at| self.reading(at)),
            received_again: flight.copy_lands.map(|at| self.reading(at)),
        })
    }

    /// Returns what arrives, in the order in which the receiver sees it; copies are included.
    ///
    /// This is the true order: where the receiver's clock is set back, `received` goes back too.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut landings: Vec<(Instant, Arrival)> = Sender::new(self)
            .flat_map(|flight| {
                flight.lands.into_iter().chain(flight.copy_lands).map(move |at| {
                    let received = self.reading(at);
                    (at, Arrival { sequence: flight.sequence, sent: flight.sent, received })
                })
            })
            .collect();
        landings.sort_by_key(|(at, arrival)| (*at, arrival.sequence));
        landings.into_iter().map(|(_, arrival)| arrival).collect()
    }

    /// Returns what the receiver's clock shows at a true time.
    fn reading(&self, at: Instant) -> Instant {
        let passed = at - self.start;
        self.clock_steps.iter().fold(at, |reading, step| match *step {
            ClockStep::Forward { at, by } if at <= passed => reading + by,
            ClockStep::Back { at, by } if at <= passed => reading - by,
            _ => reading,
        })
    }
}

/// A heartbeat that was sent, whatever became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests write it out to compare")]
pub struct Emission {
    /// Its number.
    pub sequence: u64,
    /// When it was sent, on the sender's clock, which is never set.
    pub sent: Instant,
    /// When it arrived, on the receiver's clock; `None` if it was lost.
    pub received: Option<Instant>,
    /// When its copy arrived, if it was doubled; that may be before the original.
    pub received_again: Option<Instant>,
}

/// A heartbeat, or the copy of one, that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests write it out to compare")]
pub struct Arrival {
    /// Its number.
    pub sequence: u64,
    /// When it was sent, on the sender's clock, which is never set.
    pub sent: Instant,
    /// When it arrived, on the receiver's clock.
    pub received: Instant,
}

/// When the sender stands still, and what it does about it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests write it with struct update syntax")]
pub struct Stalls {
    /// Stalls at given heartbeats.
    pub scheduled: Vec<Stall>,
    /// The probability of a stall before each heartbeat.
    pub probability: f64,
    /// How long such a random stall lasts.
    pub length: DelayLaw,
    /// What happens to the heartbeats that were due meanwhile.
    pub after: AfterStall,
}

impl Stalls {
    /// A sender that never stands still.
    pub const NONE: Self = Self {
        scheduled: Vec::new(),
        probability: 0.0,
        length: DelayLaw::Constant(Duration::ZERO),
        after: AfterStall::Shift,
    };
}

/// A stall at a given heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests write it out")]
pub struct Stall {
    /// The index, from 0, of the heartbeat that is due when the stall begins.
    pub before: u64,
    /// How long the sender stands still.
    pub length: Duration,
}

/// What a sender does about the heartbeats that were due during a stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests name both")]
pub enum AfterStall {
    /// Its whole schedule shifts by the length of the stall, for good.
    Shift,
    /// It sends them all at the end of the stall, and is on schedule again.
    CatchUp,
}

/// How the receiver's clock is set, at a time that has truly passed since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a clock can be set in two directions")]
pub enum ClockStep {
    /// The clock jumps ahead.
    Forward {
        /// When.
        at: Duration,
        /// By how much.
        by: Duration,
    },
    /// The clock jumps back, at most to its origin.
    Back {
        /// When.
        at: Duration,
        /// By how much.
        by: Duration,
    },
}
