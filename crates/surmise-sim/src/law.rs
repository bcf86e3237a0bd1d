use core::{f64::consts::TAU, time::Duration};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// How long something lasts: a heartbeat's way through the network, or a stall.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "tests name each of the laws")]
pub enum DelayLaw {
    /// Always the same.
    Constant(Duration),
    /// Equally likely anywhere from `min` up to, not including, `max`.
    Uniform {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// `min` and an exponentially distributed time on top of it: a queue that is often empty.
    Exponential {
        /// The shortest.
        min: Duration,
        /// The mean of what comes on top.
        mean_excess: Duration,
    },
    /// `min` and a log-normally distributed time on top of it: what most measured paths look like.
    LogNormal {
        /// The shortest.
        min: Duration,
        /// The median of what comes on top.
        median_excess: Duration,
        /// The standard deviation of its logarithm: 0.5 is mild, above 1.5 the tail is long.
        sigma: f64,
    },
    /// Longer than `t` with probability `(min / t)^shape`: a heavy tail.
    Pareto {
        /// The shortest.
        min: Duration,
        /// The tail: the variance is infinite up to 2, the mean up to 1.
        shape: f64,
    },
}

impl DelayLaw {
    /// Draws a time, always with the same number of draws from the dice.
    pub(crate) fn draw(&self, dice: &mut Dice) -> Duration {
        let (first, second) = (dice.uniform(), dice.uniform());
        // In (0, 1], for the logarithm.
        let survival = 1.0 - first;
        match *self {
            Self::Constant(delay) => delay,
            Self::Uniform { min, max } => {
                min.saturating_add(scaled(max.saturating_sub(min), first))
            }
            Self::Exponential { min, mean_excess } => {
                min.saturating_add(scaled(mean_excess, -libm::log(survival)))
            }
            Self::LogNormal { min, median_excess, sigma } => {
                // The normal deviate of Box and Muller (1958).
                let normal = libm::sqrt(-2.0 * libm::log(survival)) * libm::cos(TAU * second);
                min.saturating_add(scaled(median_excess, libm::exp(sigma * normal)))
            }
            Self::Pareto { min, shape } => scaled(min, libm::pow(survival, -1.0 / shape)),
        }
    }
}

/// Which heartbeats never arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "tests name each of the laws")]
pub enum LossLaw {
    /// None is lost.
    None,
    /// Each is lost with this probability, whatever happened to the others.
    Independent(f64),
    /// The network is in a good or a bad state, each with its own loss (Gilbert 1960, Elliott 1963).
    ///
    /// It starts good and may change before each heartbeat.
    GilbertElliott {
        /// The probability of turning bad when good.
        to_bad: f64,
        /// The probability of turning good when bad.
        to_good: f64,
        /// The probability that a heartbeat is lost while the state is good.
        loss_when_good: f64,
        /// The probability that a heartbeat is lost while the state is bad.
        loss_when_bad: f64,
    },
}

impl LossLaw {
    /// Returns the law that loses this share of all heartbeats, in bursts of this mean length.
    ///
    /// Nothing is lost between the bursts, and everything during one, so a burst is at least 1
    /// heartbeat long.
    ///
    /// # Examples
    ///
    /// ```
    /// use surmise_sim::{LossLaw, Scenario};
    ///
    /// let scenario = Scenario { loss: LossLaw::bursts(0.2, 5.0), ..Scenario::calm(1) };
    /// let lost = scenario.emissions().filter(|emission| emission.received.is_none()).count();
    /// assert!((1_800..2_200).contains(&lost));
    /// ```
    #[must_use]
    pub fn bursts(share: f64, mean_length: f64) -> Self {
        let to_good = 1.0 / mean_length;
        Self::GilbertElliott {
            to_bad: to_good * share / (1.0 - share),
            to_good,
            loss_when_good: 0.0,
            loss_when_bad: 1.0,
        }
    }

    /// Says whether the next heartbeat is lost, and moves `bad`, the state of the network.
    pub(crate) fn draw(&self, bad: &mut bool, dice: &mut Dice) -> bool {
        let (change, loss) = (dice.uniform(), dice.uniform());
        match *self {
            Self::None => false,
            Self::Independent(probability) => loss < probability,
            Self::GilbertElliott { to_bad, to_good, loss_when_good, loss_when_bad } => {
                *bad ^= change < if *bad { to_good } else { to_bad };
                loss < if *bad { loss_when_bad } else { loss_when_good }
            }
        }
    }
}

/// A source of random numbers that no other draw disturbs.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Creates the source of this number for a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Draws a number from [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        // 2⁻⁵³.
        const STEP: f64 = f64::EPSILON / 2.0;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit the mantissa")]
        let steps = (self.0.next_u64() >> 11) as f64;
        steps * STEP
    }

    /// Says whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }
}

/// Returns a multiple of a duration: at least zero, at most the longest there is.
fn scaled(duration: Duration, factor: f64) -> Duration {
    let seconds = duration.as_secs_f64() * factor;
    if seconds > 0.0 {
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLIS: Duration = Duration::from_millis(1);

    /// Draws enough that a quantile of the sample is within about 1 % in probability.
    fn sorted_sample(law: DelayLaw) -> Vec<f64> {
        let mut dice = Dice::new(42, 0);
        let mut sample: Vec<f64> =
            (0..20_000).map(|_| law.draw(&mut dice).as_secs_f64() * 1e3).collect();
        sample.sort_by(f64::total_cmp);
        sample
    }

    /// Checks the sample's median and 90th percentile, in milliseconds.
    fn assert_quantiles(law: DelayLaw, median: f64, p90: f64) {
        let sample = sorted_sample(law);
        for (index, expected) in [(10_000, median), (18_000, p90)] {
            let found = sample[index];
            assert!((found / expected - 1.0).abs() < 0.04, "{law:?}: {found} for {expected}");
        }
    }

    #[test]
    fn laws_have_their_quantiles() {
        assert_quantiles(DelayLaw::Constant(MILLIS * 3), 3.0, 3.0);
        assert_quantiles(DelayLaw::Uniform { min: MILLIS, max: MILLIS * 3 }, 2.0, 2.8);
        let exponential = DelayLaw::Exponential { min: MILLIS, mean_excess: MILLIS };
        assert_quantiles(exponential, 1.0 + 2f64.ln(), 1.0 + 10f64.ln());
        let log_normal =
            DelayLaw::LogNormal { min: Duration::ZERO, median_excess: MILLIS, sigma: 1.0 };
        assert_quantiles(log_normal, 1.0, 1.281_551_565_544_6_f64.exp());
        let pareto = DelayLaw::Pareto { min: MILLIS, shape: 2.0 };
        assert_quantiles(pareto, 2f64.sqrt(), 10f64.sqrt());
    }

    #[test]
    fn parameters_out_of_range_saturate() {
        let mut dice = Dice::new(1, 0);
        let draw = |law: DelayLaw, dice: &mut Dice| law.draw(dice);
        let endless = DelayLaw::Pareto { min: Duration::MAX, shape: 1e-3 };
        assert_eq!(draw(endless, &mut dice), Duration::MAX);
        let undefined = DelayLaw::LogNormal { min: MILLIS, median_excess: MILLIS, sigma: f64::NAN };
        assert_eq!(draw(undefined, &mut dice), MILLIS);
        let reversed = DelayLaw::Uniform { min: MILLIS * 2, max: MILLIS };
        assert_eq!(draw(reversed, &mut dice), MILLIS * 2);
        assert!(!dice.chance(f64::NAN) && !dice.chance(-1.0) && dice.chance(2.0));
    }
}
