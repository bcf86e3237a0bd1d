use core::{error::Error, fmt, str::FromStr};

use rand::{Rng, RngExt};

/// A number between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Probability(f64);

impl Probability {
    /// Returns whether it happens this time.
    pub(crate) fn draw(self, rng: &mut impl Rng) -> bool {
        rng.random_bool(self.0)
    }
}

impl FromStr for Probability {
    type Err = ProbabilityError;

    fn from_str(text: &str) -> Result<Self, ProbabilityError> {
        match text.trim().parse() {
            Ok(value) if (0.0..=1.0).contains(&value) => Ok(Self(value)),
            _ => Err(ProbabilityError { text: text.to_owned() }),
        }
    }
}

/// How losses come in bursts: the model of Gilbert (1960) and Elliott (1963) with a good state that
/// loses nothing and a bad one that loses everything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BurstLoss {
    /// How probable it is, at each datagram, that a burst begins.
    pub(crate) enter: Probability,
    /// How probable it is, at each datagram in a burst, that the burst is over.
    pub(crate) leave: Probability,
}

impl FromStr for BurstLoss {
    type Err = ProbabilityError;

    fn from_str(text: &str) -> Result<Self, ProbabilityError> {
        let (enter, leave) =
            text.split_once(',').ok_or_else(|| ProbabilityError { text: text.to_owned() })?;
        Ok(Self { enter: enter.parse()?, leave: leave.parse()? })
    }
}

/// A text that is no probability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbabilityError {
    text: String,
}

impl fmt::Display for ProbabilityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the probability is {:?}, but must lie between 0 and 1 (for bursts, two of them as in \
             `0.01,0.2`)",
            self.text
        )
    }
}

impl Error for ProbabilityError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_lies_between_zero_and_one() {
        for (text, value) in [("0", 0.0), ("1", 1.0), (" 0.25 ", 0.25), ("1e-3", 0.001)] {
            assert_eq!(text.parse(), Ok(Probability(value)));
        }
        for text in ["", "x", "-0.1", "1.1", "NaN", "inf"] {
            let error = ProbabilityError { text: text.to_owned() };
            assert_eq!(text.parse::<Probability>(), Err(error));
        }
    }

    #[test]
    fn reads_bursts() {
        let burst = BurstLoss { enter: Probability(0.01), leave: Probability(0.2) };
        assert_eq!("0.01,0.2".parse(), Ok(burst));
        for text in ["0.01", "0.01,", "0.01,2", ",0.2"] {
            assert!(text.parse::<BurstLoss>().is_err(), "{text}");
        }
    }
}
