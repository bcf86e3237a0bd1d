//! The checker of histories: each rule fires, on what breaks it and on nothing else.

#![cfg(feature = "conformance")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "histories are made here, and a store in memory answers"
)]

#[path = "history/corruption.rs"]
mod corruption;
#[path = "history/linearization.rs"]
mod linearization;
#[path = "history/rules.rs"]
mod rules;
#[path = "support/simulation.rs"]
mod simulation;
