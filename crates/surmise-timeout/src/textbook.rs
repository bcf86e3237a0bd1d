//! Timeouts as textbooks have them, to be compared with and to migrate from.
//!
//! They look only at calls that completed, and forget those that timed out: the slower half of a service that
//! slowed down is never seen. When the service slows down at once, or when many calls time out by themselves,
//! they learn that answers take no longer than the timeout, shrink, and time out even more. What does not is
//! [`AdaptiveTimeout`](crate::AdaptiveTimeout).

mod deviation;
mod twice;

pub use self::{deviation::P99AndDeviation, twice::TwiceP99};
