//! A laboratory for failure detectors: traces of real networks, and what each detector makes of them.
//!
//! * [`trace`] holds the [`Trace`](trace::Trace) and reads it from CSV or from saved `ping` output.
//! * [`record`] makes one, by sending heartbeats over UDP and noting when they arrive.
//! * [`compare`] replays every detector of `surmise-detector` on traces.
//!
//! It is the library behind the command `surmise-lab`, which its README describes. It serves that command's
//! own tests and fuzzing, and its interface is not stable.

#![forbid(unsafe_code)]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "a program of files and sockets is nothing without std"
)]

pub mod compare;
pub mod record;
pub mod trace;
