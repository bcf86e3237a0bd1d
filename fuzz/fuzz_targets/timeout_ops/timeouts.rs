//! Adaptive timeouts.

use core::time::Duration;

use arbitrary::Arbitrary;
use surmise_fuzz::Span;
use surmise_time::Instant;
use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, Outcome, sync::SharedAdaptiveTimeout,
};

use crate::{Config, Ended, bounds, is_valid, remembered::Remembered};

#[derive(Arbitrary, Debug)]
pub(crate) struct Input {
    config: Config,
    ops: Vec<Op>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Record {
        ended: Ended,
        more: u8,
    },
    /// As a caller does that goes by the timeout.
    TimeOut,
    Advance(Span),
    Draw(u64),
    Within(Span),
}

pub(crate) fn check(input: &Input) {
    let config = input.config.config();
    match (AdaptiveTimeout::<1000>::new(config), SharedAdaptiveTimeout::new(config)) {
        (Ok(owned), Ok(shared)) => {
            assert!(is_valid(&config));
            let mut pair = Pair {
                config,
                owned,
                shared,
                remembered: Remembered::new(&config),
                calls: 0,
                given_up: 0,
                incomparable: false,
            };
            input.ops.iter().for_each(|op| pair.step(op));
        }
        (owned, shared) => {
            let error = owned.err();
            assert!(!is_valid(&config) && error.is_some() && error == shared.err());
        }
    }
}

/// A timeout of one owner and a shared one, which are told the same.
struct Pair {
    config: AdaptiveTimeoutConfig,
    owned: AdaptiveTimeout<1000>,
    shared: SharedAdaptiveTimeout,
    /// What the one owner's is to go by.
    remembered: Remembered,
    /// How many calls counted, since the beginning.
    calls: u32,
    given_up: u32,
    /// Whether calls may have been forgotten by their age, which each does in its own steps.
    incomparable: bool,
}

impl Pair {
    fn step(&mut self, op: &Op) {
        match *op {
            Op::Record { ended, more } => {
                for _ in 0..=more {
                    self.record(ended.outcome());
                }
            }
            Op::TimeOut => {
                let waited = self.owned.current();
                self.record(Outcome::TimedOut(waited));
            }
            Op::Advance(now) => {
                self.incomparable |= self.config.max_age.is_some();
                self.remembered.advance(now.nanos());
                let now = Instant::from_nanos(now.nanos());
                self.owned.advance(now);
                self.shared.advance(now);
            }
            Op::Draw(random) => {
                for (drawn, current) in [
                    (self.owned.draw(random), self.owned.current()),
                    (self.shared.draw(random), self.shared.current()),
                ] {
                    assert!(drawn == current || drawn == self.config.ceiling);
                }
            }
            Op::Within(remaining) => {
                let remaining = remaining.duration();
                let (owned, shared) = (self.owned.current(), self.shared.current());
                assert_eq!(self.owned.within(remaining), owned.min(remaining));
                assert_eq!(self.shared.within(remaining), shared.min(remaining));
            }
        }
        self.check_bounds();
    }

    fn record(&mut self, outcome: Outcome) {
        self.owned.record(outcome);
        self.shared.record(outcome);
        if self.remembered.record(outcome) {
            self.calls += 1;
            self.given_up += u32::from(!matches!(outcome, Outcome::Completed(_)));
        }
        self.check_bounds();
        if !self.incomparable && agree(self.calls, self.given_up, self.config.prior_samples) {
            assert_eq!(self.owned.current(), self.shared.current(), "after {} calls", self.calls);
        }
    }

    fn check_bounds(&self) {
        let bounds = bounds(&self.config);
        assert!(bounds.contains(&self.owned.current()) && bounds.contains(&self.shared.current()));
        assert_eq!(Duration::from_nanos(self.shared.current_nanos()), self.shared.current());
        assert_eq!(self.owned.calls(), self.remembered.len());
    }
}

/// Returns whether both have just renewed the timeout, from the same calls and each time before.
///
/// The one owner's is renewed by each of the first 16 answers and by every 16th, and the shared one by each as
/// long as the prior counts. Who gives up makes the timeout depend on when it was renewed before.
fn agree(calls: u32, given_up: u32, prior_samples: u32) -> bool {
    let just_renewed = calls.is_multiple_of(16) && calls <= prior_samples.min(1000);
    calls <= 16 || (given_up == 0 && just_renewed)
}
