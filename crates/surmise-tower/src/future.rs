//! The futures that the services return, for whoever has to name them.

pub use crate::{hedge::HedgeFuture, retry::RetryFuture, timeout::AdaptiveTimeoutFuture};
