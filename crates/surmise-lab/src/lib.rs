//! Heartbeat traces of real networks: how they are read, and how they are recorded.
//!
//! * [`trace`] holds the [`Trace`](trace::Trace) and reads it from CSV or from saved `ping` output.

pub mod trace;
