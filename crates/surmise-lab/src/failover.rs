//! A cluster that loses its leader, with processes that are really stopped and killed.
//!
//! [`run`] is the command `surmise-lab failover`. Nodes send each other heartbeats over UDP and vote on who failed. One
//! of them has the lease and leads: a client writes to a log through it. Then it is stopped, killed, cut off, or
//! its clock is wrong. A checker that knows nothing of how it came about looks at what was noted and at what is in the
//! store, and says whether anything was corrupted.
//!
//! Nodes and client are values that read no clock and send nothing. So the tests run the same ones, with the same checker,
//! in a simulation, a thousand times faster.
//!
//! The processes are this program again, with a hidden command that is [`act`].

mod args;
mod checker;
mod client;
mod error;
mod faults;
mod history;
mod machine;
mod member;
mod message;
mod node;
mod outage;
mod plan;
mod process;
mod report;
mod run;
mod runs;
mod seed;
mod setup;
#[cfg(test)]
mod simulation;
mod story;
mod summary;
mod timeline;
mod verdict;
mod wire;

use std::io;

pub use self::{args::FailoverArgs, error::FailoverError};
use crate::{
    printer::check_writable,
    processes::{RunError, stop_on_interrupt},
};

/// Has the runs happen, prints what happens, and what is to be said of it.
///
/// # Errors
///
/// [`FailoverError`] if a run could not be made, at Ctrl-C, and if a run did not keep what was promised or did not finish;
/// with `--no-fencing`, if no more than half of them are corrupt.
pub fn run(args: &FailoverArgs) -> Result<(), FailoverError> {
    args.check()?;
    for file in args.html.iter().chain(&args.json) {
        check_writable(file).map_err(|error| RunError::Write { file: file.clone(), error })?;
    }
    runs::make(args, &stop_on_interrupt()?)
}

/// Is one of the processes that [`run`] starts, until its standard input ends.
///
/// # Errors
///
/// If its standard input or output fails.
pub fn act() -> io::Result<()> {
    process::run()
}
