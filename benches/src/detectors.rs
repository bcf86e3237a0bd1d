//! The detectors to be measured, the peers they are measured beside, and the heartbeats that all of
//! them see.
//!
//! Everything sees the same [`Heartbeats`]: one every 100 ms with log-normal jitter, 1 % of them lost,
//! from a fixed seed. Windows hold 1000 intervals, unless the name says otherwise, and are full before
//! anything is measured. Verdicts and levels of suspicion are asked for at times from the last
//! heartbeat to two intervals later, so that the answers are mixed; criterion asks for one of them.

mod beats;
mod contender;
mod contenders;
mod operations;
pub mod peers;
mod phi_values;

pub use self::{
    beats::{Beat, Heartbeats, INTERVAL, WARM_UP, query_times, warm},
    contender::{AccrualContender, Contender, Visitor},
    contenders::{boxed, phi, visit_all},
    operations::measure,
    phi_values::PHI_VALUES,
};
