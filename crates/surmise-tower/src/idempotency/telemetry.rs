//! What the layer tells of: nothing without the features `tracing` and `metrics`.
#![cfg_attr(
    not(feature = "tracing"),
    expect(
        unused_variables,
        reason = "counters need no details, and without either there is nothing to do"
    )
)]

use core::fmt;

use surmise_store::Ticket;

pub(super) fn executing(ticket: &Ticket, is_recovery: bool) {
    #[cfg(feature = "tracing")]
    tracing::debug!(token = ?ticket.token(), is_recovery, "executing");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_idempotent_executions_total").increment(1);
}

pub(super) fn replayed() {
    #[cfg(feature = "tracing")]
    tracing::debug!("executed before");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_idempotent_replays_total").increment(1);
}

pub(super) fn in_flight() {
    #[cfg(feature = "tracing")]
    tracing::debug!("being executed");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_idempotent_in_flight_total").increment(1);
}

pub(super) fn mismatched() {
    #[cfg(feature = "tracing")]
    tracing::debug!("the key was used for another request");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_idempotent_mismatches_total").increment(1);
}

/// Tells of an execution that was given up, and is not done again.
pub(super) fn outcome_unknown(ticket: &Ticket) {
    #[cfg(feature = "tracing")]
    tracing::warn!(key = ?ticket.key(), "it is not known how far an execution came");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_idempotent_outcomes_unknown_total").increment(1);
}

/// Tells that nothing was executed because of the store.
pub(super) fn refused(why: &dyn fmt::Display) {
    #[cfg(feature = "tracing")]
    tracing::warn!(%why, "nothing is executed without the store");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_idempotent_refusals_total").increment(1);
}

/// Tells of an execution that is not remembered as it should be: its response will not be replayed, or it is not released.
pub(super) fn unkept(ticket: &Ticket, why: &dyn fmt::Display) {
    #[cfg(feature = "tracing")]
    tracing::warn!(key = ?ticket.key(), %why, "what became of an execution is not kept");
    #[cfg(feature = "metrics")]
    metrics::counter!("surmise_idempotent_unkept_total").increment(1);
}
