//! Heartbeat traces of real networks: how they are read, and how they are recorded.
//!
//! * [`trace`] holds the [`Trace`](trace::Trace) and reads it from CSV or from saved `ping` output.
//! * [`record`] makes one, by sending heartbeats over UDP and noting when they arrive.

#![expect(
    clippy::std_instead_of_alloc,
    reason = "a program of files and sockets is nothing without std"
)]

pub mod record;
pub mod trace;
