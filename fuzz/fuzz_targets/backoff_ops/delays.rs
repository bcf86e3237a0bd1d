//! Backoffs and retries.

use core::time::Duration;

use arbitrary::Arbitrary;
use surmise_fuzz::Span;
use surmise_time::Instant;
use surmise_timeout::{
    Ratio,
    backoff::{Backoff, BackoffConfig, BackoffError, Jitter, Retries},
};

use crate::reference::{self, duration, femtos};

#[derive(Arbitrary, Debug)]
pub(crate) struct Input {
    base: Span,
    multiplier: u32,
    cap: Span,
    floor: Span,
    jitter: Kind,
    max_retries: u8,
    deadline: Option<Span>,
    ops: Vec<Op>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    None,
    Full,
    Equal,
    Decorrelated,
    PlusMinus(u32),
}

#[derive(Arbitrary, Debug)]
enum Op {
    Delay {
        attempt: u32,
        random: u64,
    },
    Next {
        random: u64,
        retry_after: Option<Span>,
    },
    /// The time is set, perhaps back.
    Set(Span),
    Clone,
}

pub(crate) fn check(input: &Input) {
    let config = BackoffConfig {
        base: input.base.duration(),
        multiplier: Ratio::from_millionths(input.multiplier),
        cap: input.cap.duration(),
        floor: input.floor.duration(),
        jitter: match input.jitter {
            Kind::None => Jitter::None,
            Kind::Full => Jitter::Full,
            Kind::Equal => Jitter::Equal,
            Kind::Decorrelated => Jitter::Decorrelated,
            Kind::PlusMinus(millionths) => Jitter::PlusMinus(Ratio::from_millionths(millionths)),
        },
    };
    match Backoff::new(config) {
        Ok(backoff) => {
            assert!(is_valid(&config));
            Model::new(config, backoff, input).drive(&input.ops);
        }
        Err(error) => {
            assert!(!is_valid(&config) && !error.to_string().is_empty());
            assert_eq!(error == BackoffError::ZeroBase, config.base.is_zero());
        }
    }
}

fn is_valid(config: &BackoffConfig) -> bool {
    let share = match config.jitter {
        Jitter::PlusMinus(share) => share,
        _ => Ratio::ZERO,
    };
    config.base > Duration::ZERO
        && config.base <= config.cap
        && config.floor <= config.cap
        && config.multiplier >= Ratio::ONE
        && share <= Ratio::ONE
}

struct Model {
    config: BackoffConfig,
    backoff: Backoff,
    retries: Retries,
    max_retries: u32,
    deadline: Option<u64>,
    now: u64,
    made: u32,
    /// The delay before, as it was drawn.
    previous: u128,
}

impl Model {
    fn new(config: BackoffConfig, backoff: Backoff, input: &Input) -> Self {
        let (max_retries, deadline) = (input.max_retries.into(), input.deadline.map(Span::nanos));
        let mut retries = backoff.retries(max_retries);
        if let Some(deadline) = deadline {
            retries = retries.until(Instant::from_nanos(deadline));
        }
        let previous = femtos(config.base);
        Self { config, backoff, retries, max_retries, deadline, now: 0, made: 0, previous }
    }

    fn drive(&mut self, ops: &[Op]) {
        for op in ops {
            match op {
                Op::Delay { attempt, random } => self.delay(*attempt, *random),
                Op::Next { random, retry_after } => {
                    self.next(*random, retry_after.map(Span::duration));
                }
                Op::Set(now) => self.now = now.nanos(),
                Op::Clone => self.retries = self.retries.clone(),
            }
            assert_eq!(self.retries.made(), self.made);
        }
    }

    fn delay(&self, attempt: u32, random: u64) {
        let (config, backoff) = (&self.config, &self.backoff);
        let delay = backoff.delay(attempt, random);
        assert!(config.floor.min(LONGEST) <= delay && delay <= config.cap);
        let envelope = backoff.envelope(attempt);
        assert!(backoff.envelope(attempt.saturating_sub(1)) <= envelope && envelope <= config.cap);
        assert!(backoff.delay(attempt, random.saturating_sub(1)) <= delay);
        // The reference takes time in the square of the attempt.
        let attempt = attempt % 128;
        let exact = reference::envelope(config, attempt);
        assert_eq!(backoff.envelope(attempt), duration(exact));
        let delay = duration(reference::delay(config, exact, random));
        assert_eq!(backoff.delay(attempt, random), delay);
    }

    fn next(&mut self, random: u64, retry_after: Option<Duration>) {
        let around = match self.config.jitter {
            Jitter::Decorrelated => self.previous,
            _ => reference::envelope(&self.config, self.made),
        };
        let drawn = reference::delay(&self.config, around, random);
        let delay = duration(drawn).max(retry_after.unwrap_or_default());
        let end = u128::from(self.now) + delay.as_nanos();
        let in_time = self.deadline.is_none_or(|deadline| end < deadline.into());
        let next = self.retries.next_delay(Instant::from_nanos(self.now), random, retry_after);
        if in_time && self.made < self.max_retries {
            assert_eq!(next, Some(delay));
            (self.made, self.previous) = (self.made + 1, drawn);
        } else {
            assert_eq!(next, None);
        }
    }
}

const LONGEST: Duration = Duration::from_nanos(u64::MAX);
