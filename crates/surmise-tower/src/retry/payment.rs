use alloc::sync::Arc;

use surmise_timeout::{BudgetExhausted, sync::AtomicRetryBudget};

/// The token of a retry that waits until it may be sent. Dropped before that, it goes back into the budget.
///
/// Who waits for a retry has its token already: whoever gets none need not wait to be denied.
#[derive(Debug)]
pub(super) struct Payment(Option<Arc<AtomicRetryBudget>>);

impl Payment {
    /// Takes a token out of the budget.
    pub(super) fn take(budget: &Arc<AtomicRetryBudget>) -> Result<Self, BudgetExhausted> {
        budget.withdraw()?;
        Ok(Self(Some(Arc::clone(budget))))
    }

    /// Spends the token: the retry is about to be sent.
    pub(super) fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Payment {
    fn drop(&mut self) {
        if let Some(budget) = &self.0 {
            budget.refund();
        }
    }
}
