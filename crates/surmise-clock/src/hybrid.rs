//! Hybrid logical clocks: stamps that are close to physical time and never contradict causality.

mod clock;
mod decimal;
mod durable;
mod error;
mod formats;
mod jump;
mod reservation;
mod step;
mod timestamp;
mod wall_logical;
mod window;

pub use self::{
    clock::HybridClock,
    durable::DurableHybridClock,
    error::{
        CeilingReached, CeilingTooHigh, DriftExceeded, OutOfRange, ParseTimestampError,
        StampRefused,
    },
    jump::{Jump, JumpMonitor, JumpStatistics},
    reservation::Reservation,
    timestamp::HybridTimestamp,
    wall_logical::WallLogical,
};
pub(crate) use self::{
    step::Drift,
    window::{Window, below},
};
