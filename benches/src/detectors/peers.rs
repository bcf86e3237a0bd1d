//! What others use.

mod chitchat;
mod crates_io;
mod textbook;

pub use self::{
    chitchat::Chitchat,
    crates_io::{PhiAccrualFailureDetector, SteppedClock},
    textbook::Textbook,
};

/// The length of every peer's window.
const WINDOW: usize = 1000;

/// The suspicion from which every peer suspects.
const THRESHOLD: f64 = 8.0;
