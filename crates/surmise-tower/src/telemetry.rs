//! What the layers tell of: nothing without the features `tracing` and `metrics`.
#![cfg_attr(
    not(feature = "tracing"),
    expect(
        unused_variables,
        reason = "counters need no details, and without either there is nothing to do"
    )
)]

use core::time::Duration;

use crate::{Elapsed, Limit};

pub(crate) fn call_given_up(elapsed: Elapsed) {
    match elapsed.limit {
        Limit::Timeout => timed_out(elapsed.after),
        Limit::Deadline => deadline_exceeded(elapsed.after),
    }
}

fn timed_out(after: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(?after, "call timed out");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_timeouts_total").increment(1);
}

/// Tells that a call was given up for its caller's sake; after no time at all, that it was not made.
fn deadline_exceeded(after: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(?after, "call given up at its caller's deadline");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_deadlines_exceeded_total").increment(1);
}

pub(crate) fn retry_delayed(nth: u32, delay: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(nth, ?delay, "waiting to try again");
}

pub(crate) fn retry_sent(nth: u32) {
    #[cfg(feature = "tracing")]
    tracing::debug!(nth, "trying again");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_retries_total").increment(1);
}

pub(crate) fn retry_denied(nth: u32) {
    #[cfg(feature = "tracing")]
    tracing::debug!(nth, "the budget allows no retry");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_retries_denied_total").increment(1);
}

pub(crate) fn asked_to_wait_too_long(retry_after: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(?retry_after, "the service asks for too long a delay");
}

pub(crate) fn hedge_issued(delay: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(?delay, "sending a backup");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_hedges_issued_total").increment(1);
}

pub(crate) fn hedge_denied() {
    #[cfg(feature = "tracing")]
    tracing::debug!("the budget allows no backup");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_hedges_denied_total").increment(1);
}

/// Tells how a request with a backup went, and after how long each of the two was over.
pub(crate) fn hedge_ended(primary: Duration, backup: Duration, backup_won: bool) {
    if backup_won {
        #[cfg(feature = "tracing")]
        tracing::debug!(?primary, ?backup, "the backup answered first");
        #[cfg(feature = "metrics")]
        metrics::counter!("surmise_hedges_won_total").increment(1);
    } else {
        #[cfg(feature = "tracing")]
        tracing::debug!(?primary, ?backup, "the backup was of no use");
        #[cfg(feature = "metrics")]
        metrics::counter!("surmise_hedges_lost_total").increment(1);
    }
}

/// A span about all polls of one request to the inner service.
#[derive(Debug)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Span {
    /// Begins the span of the nth try, counted from 0.
    pub(crate) fn attempt(nth: u32) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: tracing::debug_span!("attempt", nth),
        }
    }

    /// Begins the span of a request that was sent in case another one is slow.
    pub(crate) fn backup() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: tracing::debug_span!("backup"),
        }
    }

    pub(crate) fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        #[cfg(feature = "tracing")]
        let _entered = self.span.enter();
        work()
    }
}
