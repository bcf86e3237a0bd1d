use super::config::{AdaptiveTimeoutConfig, AdaptiveTimeoutError};
use crate::{Quantile, Ratio, buckets::Buckets, duration::nanos, kaplan_meier::Estimate};

/// From what is known of latencies to the timeout.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) quantile: Quantile,
    factor: Ratio,
    prior_samples: u32,
    /// For how many calls the prior still counts. It does not count for more again when calls are forgotten.
    missing: u32,
    prior: u64,
    floor: u64,
    ceiling: u64,
    /// The timeout, in nanoseconds.
    current: u64,
}

impl Course {
    /// Creates a course that goes by its prior, of somebody who remembers at least so many calls once they were made.
    pub(crate) fn new(
        config: &AdaptiveTimeoutConfig,
        remembers: u32,
    ) -> Result<Self, AdaptiveTimeoutError> {
        config.check()?;
        // Otherwise it would count for ever.
        let prior_samples = config.prior_samples.min(remembers);
        let [floor, ceiling, prior] = [config.floor, config.ceiling, config.prior].map(nanos);
        Ok(Self {
            quantile: config.quantile,
            factor: config.factor,
            prior_samples,
            missing: prior_samples,
            prior,
            floor,
            ceiling,
            current: prior,
        })
    }

    /// Returns the buckets that this course tells latencies apart by.
    pub(crate) const fn buckets(&self) -> Buckets {
        Buckets::for_floor(self.floor)
    }

    /// Returns the timeout in nanoseconds.
    #[inline]
    pub(crate) const fn current(&self) -> u64 {
        self.current
    }

    /// Returns after how many calls the prior no longer counts.
    #[cfg(feature = "std")]
    pub(crate) const fn prior_samples(&self) -> u32 {
        self.prior_samples
    }

    /// Changes the timeout to what so many calls say.
    ///
    /// `waited` is for how long a call waited in vain, if one did since the last change.
    pub(crate) fn change(&mut self, estimate: Estimate, calls: u32, waited: Option<u64>) {
        self.missing = self.missing.min(self.prior_samples.saturating_sub(calls));
        // There is no telling how long those took that are in the last bucket.
        let scaled = |bucket| match self.buckets().upper(bucket) {
            _ if bucket == Buckets::COUNT - 1 => u64::MAX,
            upper => self.factor.of_nanos(upper),
        };
        let target = match estimate {
            Estimate::Bucket(bucket) => self.blend(scaled(bucket)),
            // Answers take longer than anybody waited. To wait twice as long as what was too short finds out how
            // long, and calls that were under way meanwhile do not count again.
            Estimate::Beyond(answered) => {
                let short = waited.unwrap_or(0).min(self.current);
                let least = self.current.max(short.saturating_mul(2));
                answered.map_or(0, scaled).max(least)
            }
        };
        self.current = target.clamp(self.floor, self.ceiling);
    }

    /// Returns a timeout between the prior and what the first calls say.
    fn blend(&self, learned: u64) -> u64 {
        if self.missing == 0 {
            return learned;
        }
        let calls = self.prior_samples - self.missing;
        // What is learned is limited first: the prior is not to be outweighed by what will not be used.
        let learned = learned.clamp(self.floor, self.ceiling);
        let [learned, prior] = [(learned, calls), (self.prior, self.missing)]
            .map(|(nanos, weight)| u128::from(nanos) * u128::from(weight));
        let blended = (learned + prior) / u128::from(self.prior_samples);
        #[expect(clippy::cast_possible_truncation, reason = "it is between the two")]
        let blended = blended as u64;
        blended
    }
}

/// Which calls wait until the ceiling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Explorers {
    /// Those whose random number is less.
    below: u64,
}

impl Explorers {
    pub(crate) const fn new(share: Ratio) -> Self {
        let below = ((share.as_millionths() as u128) << 64) / Ratio::ONE.as_millionths() as u128;
        // All of them but one in 2⁶⁴, if all are to.
        #[expect(clippy::cast_possible_truncation, reason = "it was compared with the greatest")]
        let below = if below > u64::MAX as u128 { u64::MAX } else { below as u64 };
        Self { below }
    }

    #[inline]
    pub(crate) const fn is_one(self, random: u64) -> bool {
        random < self.below
    }
}
