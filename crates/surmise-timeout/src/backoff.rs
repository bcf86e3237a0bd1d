//! How long to wait before a call is tried again.
//!
//! Delays grow with each attempt, so that a service which fails is left alone, and are random, so that callers
//! which failed together do not come back together. [`Backoff`] makes a delay from the number of an attempt and a
//! random number; [`Retries`] counts the attempts of one call, and stops.
//!
//! The jitters are those of M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015
//! (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>), and of gRPC's connection
//! backoff (<https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md>) and retries (proposal A6,
//! <https://github.com/grpc/proposal/blob/master/A6-client-retries.md>).
//!
//! Backoff alone does not keep retries from overloading a service that fails for everybody; a
//! [`RetryBudget`](crate::RetryBudget) does.

mod error;
mod femtos;
mod growth;
mod jitter;
mod retries;

use core::time::Duration;

pub use self::{error::BackoffError, jitter::Jitter, retries::Retries};
use self::{femtos::Femtos, growth::grow};
use crate::Ratio;

/// Delays that grow exponentially up to a cap, and are random.
///
/// The **envelope** of attempt n, counted from 0, is `base · multiplierⁿ`, but no more than the cap. A delay is
/// drawn uniformly from a range about the envelope, which the [`Jitter`] chooses.
///
/// No delay is longer than the cap, jitter included, and none is shorter than the floor, which is no longer than
/// the cap. Delays do not heap up at either, but for decorrelated jitter at the cap: an envelope at the cap has a
/// range as wide as any, and the floor cuts a part of the range off. Only where it cuts off all, because the floor
/// is above the envelope, is every delay the floor.
///
/// Delays are computed in integers, in millionths of a nanosecond, and rounded down to nanoseconds. Durations beyond
/// 2⁶⁴ − 1 ns, which is 584 years, are taken for that.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{
///     Ratio,
///     backoff::{Backoff, BackoffConfig, Jitter},
/// };
///
/// let backoff = Backoff::new(BackoffConfig {
///     base: Duration::from_millis(100),
///     multiplier: Ratio::from_percent(200),
///     cap: Duration::from_secs(20),
///     floor: Duration::ZERO,
///     jitter: Jitter::Equal,
/// })?;
/// // The middle of 200 to 400 ms, and of 10 to 20 s.
/// let half = 1 << 63;
/// assert_eq!(backoff.delay(2, half), Duration::from_millis(300));
/// assert_eq!(backoff.delay(u32::MAX, half), Duration::from_secs(15));
/// # Ok::<(), surmise_timeout::backoff::BackoffError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Femtos,
    multiplier: Ratio,
    cap: Femtos,
    floor: Femtos,
    jitter: Jitter,
    /// The greatest envelope whose range ends at the cap.
    ceiling: Femtos,
}

/// How a [`Backoff`] is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct BackoffConfig {
    /// The envelope of the first delay, from 1 ns; usually about as long as a call takes. Higher means that what
    /// would have passed soon is waited for longer.
    pub base: Duration,
    /// By what the envelope grows from an attempt to the next, from 1; usually 1.5 to 3. Higher means that a
    /// service which stays away is asked less often. Decorrelated jitter multiplies the delay before by it, and
    /// was published with 3.
    pub multiplier: Ratio,
    /// The longest delay, jitter included, from the base. Where others state the cap of an envelope to which
    /// ±20 % are then added, this is 1.2 times theirs.
    pub cap: Duration,
    /// The shortest delay, from nothing to the cap. Full jitter without a floor can try again at once.
    pub floor: Duration,
    /// How delays vary.
    pub jitter: Jitter,
}

impl BackoffConfig {
    /// Returns the configuration of gRPC's connection backoff: 1 s, growing by 1.6 to 120 s, ±20 %.
    ///
    /// The cap is 144 s, since gRPC adds the jitter to its own. Unlike here, gRPC's first delay is exactly 1 s.
    #[must_use]
    pub const fn grpc() -> Self {
        Self {
            base: Duration::from_secs(1),
            multiplier: Ratio::from_percent(160),
            cap: Duration::from_secs(144),
            floor: Duration::ZERO,
            jitter: Jitter::PlusMinus(Ratio::from_percent(20)),
        }
    }

    /// Returns the configuration of the AWS SDKs' standard mode: full jitter up to 1 s, 2 s, 4 s, … 20 s.
    ///
    /// The SDKs call three times at most, which is two retries ("AWS SDKs and Tools Reference Guide: Retry
    /// behavior", <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>, before 2026).
    #[must_use]
    pub const fn aws() -> Self {
        Self {
            base: Duration::from_secs(1),
            multiplier: Ratio::from_percent(200),
            cap: Duration::from_secs(20),
            floor: Duration::ZERO,
            jitter: Jitter::Full,
        }
    }
}

impl Backoff {
    /// Creates a backoff.
    ///
    /// # Errors
    ///
    /// If the base is zero, the cap below the base, the floor above the cap, the multiplier below 1 or the jitter
    /// above 100 %.
    pub fn new(config: BackoffConfig) -> Result<Self, BackoffError> {
        let BackoffConfig { base, multiplier, cap, floor, jitter } = config;
        if base.is_zero() {
            return Err(BackoffError::ZeroBase);
        }
        if cap < base {
            return Err(BackoffError::CapBelowBase { cap, base });
        }
        if floor > cap {
            return Err(BackoffError::FloorAboveCap { floor, cap });
        }
        if multiplier < Ratio::ONE {
            return Err(BackoffError::MultiplierBelowOne { multiplier });
        }
        match jitter {
            Jitter::PlusMinus(share) if share > Ratio::ONE => {
                Err(BackoffError::JitterAboveWhole { share })
            }
            _ => Ok(Self::of_valid(config)),
        }
    }

    /// Creates gRPC's connection backoff, as [`BackoffConfig::grpc`] says.
    #[must_use]
    pub fn grpc() -> Self {
        Self::of_valid(BackoffConfig::grpc())
    }

    /// Creates the AWS SDKs' backoff, as [`BackoffConfig::aws`] says.
    #[must_use]
    pub fn aws() -> Self {
        Self::of_valid(BackoffConfig::aws())
    }

    /// Returns the delay after attempt `attempt`, counted from 0, that a random number chooses.
    ///
    /// The number is uniformly random in 64 bits, and chooses the part `random / 2⁶⁴` of the range: the least of
    /// them its beginning, and none quite its end. Takes time logarithmic in the attempt.
    ///
    /// Decorrelated jitter depends on the delay before, which is taken here for the longest that there can have
    /// been, the envelope. [`Retries`] knows it.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: u64) -> Duration {
        self.draw(self.envelope_femtos(attempt), random).to_duration()
    }

    /// Returns the envelope of attempt `attempt`, counted from 0: `base · multiplierⁿ` until the cap is reached.
    ///
    /// Of the jitter ±p, whose range ends beyond the envelope, the greatest envelope is `cap / (1 + p)`.
    #[must_use]
    pub fn envelope(&self, attempt: u32) -> Duration {
        self.envelope_femtos(attempt).to_duration()
    }

    /// Begins the retries of one call: at most so many.
    ///
    /// [`u32::MAX`] is as good as no limit.
    #[must_use]
    pub const fn retries(self, max_retries: u32) -> Retries {
        Retries::new(self, max_retries)
    }

    fn of_valid(config: BackoffConfig) -> Self {
        let cap = Femtos::of(config.cap);
        let ceiling = match config.jitter {
            Jitter::PlusMinus(share) => cap.divided_by_one_and(share),
            Jitter::None | Jitter::Full | Jitter::Equal | Jitter::Decorrelated => cap,
        };
        Self {
            base: Femtos::of(config.base),
            multiplier: config.multiplier,
            cap,
            floor: Femtos::of(config.floor),
            jitter: config.jitter,
            ceiling,
        }
    }

    fn envelope_femtos(&self, attempt: u32) -> Femtos {
        grow(self.base, self.multiplier, attempt).min(self.ceiling)
    }

    /// Draws a delay from the range about `around`: the envelope, or of decorrelated jitter the delay before.
    fn draw(&self, around: Femtos, random: u64) -> Femtos {
        let (low, high) = match self.jitter {
            Jitter::None => (around, around),
            Jitter::Full => (Femtos::ZERO, around),
            Jitter::Equal => (around.half(), around),
            Jitter::Decorrelated => (self.base, around.times(self.multiplier)),
            Jitter::PlusMinus(share) => {
                let deviation = around.times(share);
                (around.minus(deviation), around.plus(deviation))
            }
        };
        let low = low.max(self.floor);
        low.plus(high.minus(low).part(random)).min(self.cap)
    }

    /// Draws the delay of an attempt, if `previous` was the one before it.
    fn draw_after(&self, previous: Option<Femtos>, attempt: u32, random: u64) -> Femtos {
        let around = match self.jitter {
            Jitter::Decorrelated => previous.unwrap_or(self.base),
            _ => self.envelope_femtos(attempt),
        };
        self.draw(around, random)
    }
}
