//! What many threads share: `&self` instead of `&mut self`.
//!
//! What a thread does to a budget or a throttle is computed by the one for one thread, and takes effect in one
//! compare-and-swap, so the two never differ.

mod budget;
mod destinations;
mod hedge;
mod loom;
mod throttle;
mod timeout;

pub use self::{
    budget::AtomicRetryBudget, destinations::SharedDestinations, hedge::SharedHedge,
    throttle::AtomicRetryThrottle, timeout::SharedAdaptiveTimeout,
};
