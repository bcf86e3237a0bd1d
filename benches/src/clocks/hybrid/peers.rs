//! What others use.

mod hlc;
mod hlc_gen;
mod mutex;
mod uhlc;

pub use self::{
    hlc::Hlc,
    hlc_gen::HlcGen,
    mutex::{MutexClock, MutexStamp},
    uhlc::Uhlc,
};
