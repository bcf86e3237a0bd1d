//! A laboratory for failure detectors and clocks: traces of real networks, what each detector makes of
//! them, and what time it is at most.
//!
//! * [`trace`] holds the [`Trace`](trace::Trace) and reads it from CSV or from saved `ping` output.
//! * [`record`] makes one, by sending heartbeats over UDP and noting when they arrive.
//! * [`compare`] replays every detector of `surmise-detector` on traces.
//! * [`tune`] finds the detector that keeps a promise on a trace.
//! * [`clock`] asks every time source of `surmise-interval`, and simulates clocks that are off.
//! * [`scenario`] tells short stories of uncertainty on the crates of the family.
//! * `failover`, on Linux, has a cluster of processes lose its leader, and checks that nothing was corrupted.
//! * `fence`, on Linux, stops a process for longer than its lease lasts, and shows what its late write does. Its store is
//!   one of `stores`.
//! * `processes`, on Linux, has what these two have in common when they start processes.
//!
//! It is the library behind the command `surmise-lab`, which its README describes. It serves that command's
//! own tests and fuzzing, and its interface is not stable.

#![forbid(unsafe_code)]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "a program of files and sockets is nothing without std"
)]

mod arguments;
pub mod clock;
pub mod compare;
#[cfg(target_os = "linux")]
pub mod failover;
#[cfg(target_os = "linux")]
pub mod fence;
mod page;
mod printer;
#[cfg(target_os = "linux")]
pub mod processes;
pub mod record;
pub mod scenario;
#[cfg(target_os = "linux")]
pub mod stores;
pub mod trace;
pub mod tune;
