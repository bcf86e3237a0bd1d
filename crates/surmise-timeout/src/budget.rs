use core::{error::Error, fmt};

use crate::Ratio;

/// How many retries there may be for each call, over all callers of a service.
///
/// Every call deposits a share of a token, and every retry or hedge withdraws a whole one. So the load on a service
/// that fails for everybody grows by that share, where three retries each would make it fourfold. Make one
/// deposit for each call, not for its retries.
///
/// Shares are counted in millionths: of 1000 calls at 0.6, exactly 600 can be tried again. Retries are never more
/// than the initial tokens and the sum of the deposits. Deposits are lost only if more than `burst` whole tokens
/// would be there.
///
/// The idea is that of Finagle's budget (K. Oliver, "Retry Budgets", 2016,
/// <https://finagle.github.io/blog/2016/02/08/retry-budgets/>), whose tokens expire after 10 s, and which allows
/// 10 retries a second whatever the calls. This one needs no clock: what was deposited stays, and the burst
/// bounds what a quiet time can save up. [`RetryThrottle`](crate::RetryThrottle) is the one of gRPC, and
/// `sync::AtomicRetryBudget` is this one for many threads.
///
/// # Examples
///
/// ```
/// use surmise_timeout::{Ratio, RetryBudget, RetryBudgetConfig};
///
/// let config = RetryBudgetConfig { ratio: Ratio::from_percent(20), burst: 10, initial: 1 };
/// let mut budget = RetryBudget::new(config)?;
/// budget.deposit();
/// assert!(budget.withdraw().is_ok());
/// let error = budget.withdraw().unwrap_err();
/// assert_eq!(error.to_string(), "a retry costs a token, and the budget holds 0.2");
/// # Ok::<(), surmise_timeout::RetryBudgetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    balance: u64,
    terms: Terms,
}

/// How a [`RetryBudget`] is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RetryBudgetConfig {
    /// What a call deposits, in tokens; usually 0.05 to 0.2. Higher means that more calls can be tried again, and
    /// that retries add more to an overload.
    pub ratio: Ratio,
    /// The most whole tokens that can be saved, from 1; usually as many as there are calls in a second. Higher
    /// means that a short failure is bridged better, and that retries come in larger bursts.
    pub burst: u32,
    /// The whole tokens at the beginning, from none to the burst. Higher means that the first calls can be tried
    /// again.
    pub initial: u32,
}

impl RetryBudget {
    /// Creates a budget.
    ///
    /// # Errors
    ///
    /// If there could never be a token, or if there are more at the beginning than there can be.
    pub const fn new(config: RetryBudgetConfig) -> Result<Self, RetryBudgetError> {
        let RetryBudgetConfig { ratio, burst, initial } = config;
        if burst == 0 {
            return Err(RetryBudgetError::ZeroBurst);
        }
        if initial > burst {
            return Err(RetryBudgetError::InitialAboveBurst { initial, burst });
        }
        Ok(Self { balance: initial as u64 * TOKEN, terms: Terms::new(ratio, burst) })
    }

    /// Pays in for a call.
    #[inline]
    pub const fn deposit(&mut self) {
        self.balance = self.terms.after_deposit(self.balance);
    }

    /// Pays for a retry or a hedge.
    ///
    /// # Errors
    ///
    /// If there is less than a token. Nothing is withdrawn then.
    #[inline]
    pub const fn withdraw(&mut self) -> Result<(), BudgetExhausted> {
        match self.terms.after_withdrawal(self.balance) {
            Ok(rest) => {
                self.balance = rest;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Gives back what was withdrawn for a retry or a hedge that was not sent after all.
    ///
    /// Nothing more than the burst is kept, if the budget has filled up since.
    #[inline]
    pub const fn refund(&mut self) {
        self.balance = self.terms.after_refund(self.balance);
    }

    /// Returns how many retries or hedges can be paid for.
    #[must_use]
    pub const fn available(&self) -> u32 {
        self.terms.whole_tokens(self.balance)
    }

    #[cfg(feature = "std")]
    pub(crate) const fn into_parts(self) -> (u64, Terms) {
        (self.balance, self.terms)
    }
}

/// What deposits and withdrawals do to a balance, in millionths of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    deposit: u64,
    /// The burst and the fraction of one more token: without it a burst of 1 would lose what 0.6 and 0.6 exceed
    /// it by, and 0.6 become 0.5.
    max_balance: u64,
}

impl Terms {
    const fn new(ratio: Ratio, burst: u32) -> Self {
        let max_balance = burst as u64 * TOKEN + (TOKEN - 1);
        Self { deposit: ratio.as_millionths() as u64, max_balance }
    }

    #[inline]
    pub(crate) const fn after_deposit(self, balance: u64) -> u64 {
        self.after(balance, self.deposit)
    }

    #[inline]
    pub(crate) const fn after_refund(self, balance: u64) -> u64 {
        self.after(balance, TOKEN)
    }

    #[inline]
    const fn after(self, balance: u64, paid_in: u64) -> u64 {
        // Neither has more than 53 bits.
        let sum = balance + paid_in;
        if sum < self.max_balance { sum } else { self.max_balance }
    }

    #[inline]
    pub(crate) const fn after_withdrawal(self, balance: u64) -> Result<u64, BudgetExhausted> {
        match balance.checked_sub(TOKEN) {
            Some(rest) => Ok(rest),
            None => Err(BudgetExhausted::at(balance)),
        }
    }

    pub(crate) const fn whole_tokens(self, balance: u64) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "no more than the burst")]
        let tokens = (balance / TOKEN) as u32;
        tokens
    }
}

/// One token, in millionths.
const TOKEN: u64 = Ratio::ONE.as_millionths() as u64;

/// There is not enough in a budget for a retry or a hedge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetExhausted {
    /// The share of a token that there is, which is less than 1.
    pub balance: Ratio,
}

impl BudgetExhausted {
    const fn at(balance: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "less than a token")]
        let millionths = balance as u32;
        Self { balance: Ratio::from_millionths(millionths) }
    }
}

impl fmt::Display for BudgetExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a retry costs a token, and the budget holds {}", self.balance)
    }
}

impl Error for BudgetExhausted {}

/// A configuration that no [`RetryBudget`] can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryBudgetError {
    /// There could never be a token.
    ZeroBurst,
    /// There would be more tokens at the beginning than there can be.
    InitialAboveBurst {
        /// The tokens at the beginning.
        initial: u32,
        /// The most whole tokens.
        burst: u32,
    },
}

impl fmt::Display for RetryBudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroBurst => f.write_str("with a burst of 0 there is never a token"),
            Self::InitialAboveBurst { initial, burst } => {
                write!(f, "{initial} tokens at the beginning are more than the burst of {burst}")
            }
        }
    }
}

impl Error for RetryBudgetError {}
