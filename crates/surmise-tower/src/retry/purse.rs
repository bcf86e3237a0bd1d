use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use surmise_timeout::{BudgetExhausted, sync::AtomicRetryBudget};

/// A budget, and how many retries wait that are to be paid for from it.
///
/// A retry pays when it is sent. Some never are, because the caller leaves or the service is not ready in time: if
/// they paid before the delay, others would lack what these do not use. But no more wait than there are tokens for,
/// because the rest would only be denied later, and hold on to their requests until then.
///
/// The claims are those of one layer and its clones. Whether a retry is sent is up to the budget alone: if others
/// that share it take the tokens meanwhile, the retry is denied after its delay.
#[derive(Clone, Debug)]
pub(super) struct Purse {
    budget: Arc<AtomicRetryBudget>,
    claims: Arc<AtomicU32>,
}

/// A retry that waits, and counts upon a token. Dropped, it does so no longer.
#[derive(Debug)]
pub(super) struct Claim(Purse);

impl Purse {
    pub(super) fn new(budget: Arc<AtomicRetryBudget>) -> Self {
        Self { budget, claims: Arc::default() }
    }

    /// Pays in for a request.
    pub(super) fn deposit(&self) {
        self.budget.deposit();
    }

    /// Claims a token, if there is one that nobody else does.
    pub(super) fn claim(&self) -> Option<Claim> {
        // Relaxed is enough: to be wrong by those that claim at the same time makes nobody send what is not paid for.
        let others = self.claims.fetch_add(1, Ordering::Relaxed);
        let claim = Claim(self.clone());
        (others < self.budget.available()).then_some(claim)
    }
}

impl Claim {
    /// Pays for the retry, which is about to be sent.
    pub(super) fn pay(self) -> Result<(), BudgetExhausted> {
        // The claim ends after that, so that nobody else claims the same token.
        self.0.budget.withdraw()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.claims.fetch_sub(1, Ordering::Relaxed);
    }
}
