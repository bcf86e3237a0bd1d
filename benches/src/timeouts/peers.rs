//! What others use.

mod adaptive_timeout;
mod histograms;
mod quic;
mod sorted;

pub use self::{
    adaptive_timeout::AdaptiveTimeoutCrate,
    histograms::{DdSketch, HdrHistogram},
    quic::S2nQuic,
    sorted::Sorted,
};

/// What they are asked for.
const P99: f64 = 0.99;
