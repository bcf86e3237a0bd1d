use core::{error::Error, fmt, str::FromStr, time::Duration};

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp, LogNormal, Pareto};

/// The longest delay that is ever given; a heavier tail is cut here.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(60);

/// How long a datagram is under way: a distribution, drawn from anew for each datagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DelayLaw(Law);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    Constant(Duration),
    Uniform(Duration, Duration),
    /// The distributions below are of seconds.
    Exponential(Exp<f64>),
    LogNormal(LogNormal<f64>),
    Pareto(Pareto<f64>),
}

impl DelayLaw {
    /// Draws a delay of at most [`MAX_DELAY`].
    pub(crate) fn sample(&self, rng: &mut impl Rng) -> Duration {
        let seconds = match self.0 {
            Law::Constant(delay) => return delay,
            Law::Uniform(min, max) => return rng.random_range(min..=max),
            Law::Exponential(law) => law.sample(rng),
            Law::LogNormal(law) => law.sample(rng),
            Law::Pareto(law) => law.sample(rng),
        };
        // What no `Duration` can hold is beyond the cut, too.
        Duration::try_from_secs_f64(seconds).map_or(MAX_DELAY, |delay| delay.min(MAX_DELAY))
    }
}

impl FromStr for DelayLaw {
    type Err = DelayLawError;

    fn from_str(text: &str) -> Result<Self, DelayLawError> {
        parse(text).map(Self).ok_or_else(|| DelayLawError { text: text.to_owned() })
    }
}

/// A text that names no delay law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DelayLawError {
    text: String,
}

impl fmt::Display for DelayLawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the delay law is {:?}, but must be `constant:20ms`, `uniform:10ms,30ms`, \
             `exponential:20ms` (the mean), `log-normal:20ms,0.5` (median and sigma) or \
             `pareto:5ms,1.5` (least delay and shape), with delays of at most {MAX_DELAY:?}, above \
             zero for the last three, and sigma and shape above zero and at most 100",
            self.text
        )
    }
}

impl Error for DelayLawError {}

fn parse(text: &str) -> Option<Law> {
    let (name, parameters) = text.split_once(':')?;
    let (first, second) = match parameters.split_once(',') {
        Some((first, second)) => (delay(first)?, Some(second)),
        None => (delay(parameters)?, None),
    };
    let positive = (first > Duration::ZERO).then_some(first.as_secs_f64());
    match (name, second) {
        ("constant", None) => Some(Law::Constant(first)),
        ("uniform", Some(max)) => {
            delay(max).filter(|&max| first <= max).map(|max| Law::Uniform(first, max))
        }
        ("exponential", None) => Exp::new(positive?.recip()).ok().map(Law::Exponential),
        ("log-normal", Some(sigma)) => {
            LogNormal::new(positive?.ln(), shape(sigma)?).ok().map(Law::LogNormal)
        }
        ("pareto", Some(tail)) => Pareto::new(positive?, shape(tail)?).ok().map(Law::Pareto),
        _ => None,
    }
}

fn delay(text: &str) -> Option<Duration> {
    humantime::parse_duration(text.trim()).ok().filter(|&delay| delay <= MAX_DELAY)
}

fn shape(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|&shape| shape > 0.0 && shape <= 100.0)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Returns the delays' quantiles at a tenth, a half and nine tenths, in milliseconds.
    fn quantiles(law: &str) -> [f64; 3] {
        let law: DelayLaw = law.parse().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut delays: Vec<_> = (0..20_001).map(|_| law.sample(&mut rng)).collect();
        delays.sort_unstable();
        [2_000, 10_000, 18_000].map(|rank| delays[rank].as_secs_f64() * 1e3)
    }

    fn assert_near(found: [f64; 3], expected: [f64; 3]) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 0.05, "{found} is not near {expected}");
        }
    }

    #[test]
    fn each_law_has_its_quantiles() {
        assert_near(quantiles("constant:20ms"), [20.0, 20.0, 20.0]);
        assert_near(quantiles("uniform:10ms,30ms"), [12.0, 20.0, 28.0]);
        assert_near(quantiles("exponential:20ms"), [2.107, 13.863, 46.052]);
        assert_near(quantiles("log-normal:20ms,0.5"), [10.538, 20.0, 37.959]);
        assert_near(quantiles("pareto:5ms,1.5"), [5.364, 7.937, 23.208]);
    }

    #[test]
    fn a_heavy_tail_is_cut() {
        let law: DelayLaw = "pareto:5ms,0.01".parse().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let longest = (0..1000).map(|_| law.sample(&mut rng)).max();
        assert_eq!(longest, Some(MAX_DELAY));
    }

    #[test]
    fn what_is_no_law_is_quoted() {
        for text in [
            "",
            "20ms",
            "constant",
            "constant:",
            "constant:20",
            "constant:20ms,1",
            "constant:61s",
            "uniform:30ms,10ms",
            "uniform:30ms",
            "exponential:0s",
            "log-normal:20ms,0",
            "log-normal:20ms,NaN",
            "log-normal:0s,1",
            "pareto:5ms,-1.5",
            "pareto:5ms,inf",
            "pareto:5ms",
            "gamma:5ms,2",
        ] {
            let error = text.parse::<DelayLaw>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
