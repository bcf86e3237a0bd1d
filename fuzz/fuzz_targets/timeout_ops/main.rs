//! Any configuration of adaptive timeouts and hedges, and anything that they are told: they refuse what makes no
//! sense, stay within their bounds, go by the calls that say something, and are the same for one owner as for
//! many threads while both know the same.

#![no_main]

mod hedges;
mod remembered;
mod timeouts;

use core::{ops::RangeInclusive, time::Duration};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_fuzz::Span;
use surmise_timeout::{AdaptiveTimeoutConfig, Outcome, Quantile, Ratio};

#[derive(Arbitrary, Debug)]
enum Input {
    Timeouts(timeouts::Input),
    Hedges(hedges::Input),
}

fuzz_target!(|input: Input| match input {
    Input::Timeouts(input) => timeouts::check(&input),
    Input::Hedges(input) => hedges::check(&input),
});

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Ended {
    Completed(Span),
    TimedOut(Span),
    Cancelled(Span),
    FailedFast,
}

impl Ended {
    fn outcome(self) -> Outcome {
        match self {
            Self::Completed(span) => Outcome::Completed(span.duration()),
            Self::TimedOut(span) => Outcome::TimedOut(span.duration()),
            Self::Cancelled(span) => Outcome::Cancelled(span.duration()),
            Self::FailedFast => Outcome::FailedFast,
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Config {
    quantile: u32,
    factor: u32,
    floor: Span,
    ceiling: Span,
    prior: Span,
    prior_samples: u16,
    exploring: u32,
    max_age: Option<Span>,
}

impl Config {
    fn config(self) -> AdaptiveTimeoutConfig {
        let quantile = Quantile::from_millionths(self.quantile % 999_999 + 1);
        AdaptiveTimeoutConfig {
            quantile: quantile.expect("it is neither none nor all"),
            factor: Ratio::from_millionths(self.factor),
            floor: self.floor.duration(),
            ceiling: self.ceiling.duration(),
            prior: self.prior.duration(),
            // More than the shared one remembers count for as long as it does.
            prior_samples: self.prior_samples.min(512).into(),
            exploring: Ratio::from_millionths(self.exploring),
            max_age: self.max_age.map(Span::duration),
        }
    }
}

fn is_valid(config: &AdaptiveTimeoutConfig) -> bool {
    config.floor > Duration::ZERO
        && config.floor <= config.prior
        && config.prior <= config.ceiling
        && config.ceiling <= Duration::from_nanos(u64::MAX)
        && config.factor > Ratio::ZERO
        && config.exploring <= Ratio::ONE
        && config.max_age.is_none_or(|max_age| max_age >= Duration::from_nanos(8))
}

/// Returns what a timeout is within.
fn bounds(config: &AdaptiveTimeoutConfig) -> RangeInclusive<Duration> {
    config.floor..=config.ceiling
}
