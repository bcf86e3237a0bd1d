//! A monitor that many threads share, and a thread that polls it.

mod bell;
mod driver;
mod handle;
mod loom;
#[cfg(all(test, loom))]
mod loom_tests;
mod monitor;
mod poller;
mod pulse;
mod shard;

/// The channels of [`Driver`], of the version that it takes.
pub use crossbeam_channel;

pub use self::{
    driver::Driver,
    handle::PeerHandle,
    monitor::{Monitor, Poll},
};
