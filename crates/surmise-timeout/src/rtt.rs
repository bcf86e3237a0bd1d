//! How long an answer takes on one path, from round-trip times, for transports that send again.
//!
//! [`RttEstimator`] is what TCP does, and [`QuicRtt`] what QUIC does. Both follow a mean and a deviation, which is
//! no quantile: how many answers come too late depends on how latencies are distributed. To let a given share of
//! calls time out, take [`AdaptiveTimeout`](crate::AdaptiveTimeout).

mod error;
mod quic;
mod rfc6298;

pub use self::{
    error::RttError,
    quic::{QuicRtt, QuicRttConfig},
    rfc6298::{RttConfig, RttEstimator},
};
