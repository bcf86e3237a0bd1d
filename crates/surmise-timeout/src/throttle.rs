use core::{error::Error, fmt};

use crate::Ratio;

/// Whether calls that failed may be tried again, by how many failed of late over all callers of a service.
///
/// It begins with `max_tokens`. Each failure takes one, each success gives `token_ratio`, and calls may be tried
/// again, or hedged, while more than half are there. So when every call fails, fewer retries than half of
/// `max_tokens` follow, and none for long while more than `token_ratio / (1 + token_ratio)` of calls fail. Until
/// then nothing limits retries, unlike with a [`RetryBudget`](crate::RetryBudget).
///
/// This is the retry throttling of gRPC's proposal A6, "gRPC Retry Design"
/// (<https://github.com/grpc/proposal/blob/master/A6-client-retries.md>), where it is kept for each server name.
/// `sync::AtomicRetryThrottle` is the same for many threads.
///
/// # Examples
///
/// ```
/// use surmise_timeout::{Ratio, RetryThrottle, RetryThrottleConfig};
///
/// let config = RetryThrottleConfig { max_tokens: 10, token_ratio: Ratio::from_percent(10) };
/// let mut throttle = RetryThrottle::new(config)?;
/// for _ in 0..4 {
///     throttle.record_failure();
///     assert!(throttle.permits_retry());
/// }
/// throttle.record_failure();
/// assert!(!throttle.permits_retry());
/// throttle.record_success();
/// assert!(throttle.permits_retry());
/// # Ok::<(), surmise_timeout::RetryThrottleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryThrottle {
    tokens: u64,
    terms: ThrottleTerms,
}

/// How a [`RetryThrottle`] is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RetryThrottleConfig {
    /// The most tokens, from 1; gRPC allows up to 1000. Higher means that more failures are needed before calls
    /// are not tried again, and more successes before they are.
    pub max_tokens: u32,
    /// What a success gives back, in tokens, from 0.000001; gRPC's example is 0.1. Higher means that a larger
    /// share of failures is borne.
    pub token_ratio: Ratio,
}

impl RetryThrottle {
    /// Creates a throttle.
    ///
    /// # Errors
    ///
    /// If there are no tokens, or if no success would ever give one back.
    pub const fn new(config: RetryThrottleConfig) -> Result<Self, RetryThrottleError> {
        let RetryThrottleConfig { max_tokens, token_ratio } = config;
        if max_tokens == 0 {
            return Err(RetryThrottleError::ZeroMaxTokens);
        }
        if token_ratio.as_millionths() == 0 {
            return Err(RetryThrottleError::ZeroTokenRatio);
        }
        let terms = ThrottleTerms {
            success: token_ratio.as_millionths() as u64,
            max_tokens: max_tokens as u64 * TOKEN,
        };
        Ok(Self { tokens: terms.max_tokens, terms })
    }

    /// Takes in that a call, or a retry, succeeded, or failed in a way that no retry would help.
    #[inline]
    pub const fn record_success(&mut self) {
        self.tokens = self.terms.after_success(self.tokens);
    }

    /// Takes in that a call, or a retry, failed in a way that a retry might help, or that the service asked for no
    /// retries.
    #[inline]
    pub const fn record_failure(&mut self) {
        self.tokens = self.terms.after_failure(self.tokens);
    }

    /// Returns whether calls may be tried again or hedged: whether more than half of the tokens are there.
    #[must_use]
    #[inline]
    pub const fn permits_retry(&self) -> bool {
        self.terms.permit_retry(self.tokens)
    }

    #[cfg(feature = "std")]
    pub(crate) const fn into_parts(self) -> (u64, ThrottleTerms) {
        (self.tokens, self.terms)
    }
}

/// What successes and failures do to the tokens, in millionths of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThrottleTerms {
    success: u64,
    max_tokens: u64,
}

impl ThrottleTerms {
    #[inline]
    pub(crate) const fn after_success(self, tokens: u64) -> u64 {
        // Neither has more than 52 bits.
        let sum = tokens + self.success;
        if sum < self.max_tokens { sum } else { self.max_tokens }
    }

    #[inline]
    pub(crate) const fn after_failure(self, tokens: u64) -> u64 {
        tokens.saturating_sub(TOKEN)
    }

    #[inline]
    pub(crate) const fn permit_retry(self, tokens: u64) -> bool {
        2 * tokens > self.max_tokens
    }
}

/// One token, in millionths.
const TOKEN: u64 = Ratio::ONE.as_millionths() as u64;

/// A configuration that no [`RetryThrottle`] can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryThrottleError {
    /// There are no tokens.
    ZeroMaxTokens,
    /// No success gives anything back, so that retries would stop for ever.
    ZeroTokenRatio,
}

impl fmt::Display for RetryThrottleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroMaxTokens => "without tokens no call would be tried again",
            Self::ZeroTokenRatio => "with a token ratio of 0 no success gives a token back",
        })
    }
}

impl Error for RetryThrottleError {}
