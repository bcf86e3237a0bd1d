//! What a fencing token is for, with processes that are really stopped.
//!
//! [`run`] is the command `surmise-lab fence`. A process holds a lease, and is stopped between its last look
//! at the lease and its write, as by a long pause of a garbage collector. Another takes over. The first goes on, and
//! writes. The store refuses it, or, with `--unfenced`, loses what the other wrote.
//!
//! The processes are this program again, with a hidden command that is [`hold`]. They do one step at a time, as they
//! are told by their standard input, so that the pause is always where it does harm.

mod args;
mod director;
mod error;
mod holder;
mod ledger;
mod timeline;
mod verdict;
mod wire;

use std::{io, sync::Arc};

use serde::Serialize;

pub use self::{args::FenceArgs, error::FenceError};
use self::{director::Director, timeline::Timeline, verdict::Verdict};
use crate::{
    compare::table::wrap,
    printer::{check_writable, write_json},
    processes::{RunError, StoreHost, nanos, stop_on_interrupt},
};

/// Has the processes do it, prints what they do when they do it, and what is in the store then.
///
/// # Errors
///
/// [`FenceError`] if the store cannot be used, if a process ends or is in want of an answer, at Ctrl-C, and if what
/// was to be shown did not happen.
pub fn run(args: &FenceArgs) -> Result<(), FenceError> {
    args.check()?;
    if let Some(file) = &args.json {
        check_writable(file).map_err(|error| RunError::Write { file: file.clone(), error })?;
    }
    let stop = stop_on_interrupt()?;
    let host = Arc::new(StoreHost::open(&args.store, "fence")?);
    let mut timeline = Timeline::new(args);
    timeline.say(&args.describe(&host.resource))?;
    if let Some(note) = host.note() {
        timeline.say(&wrap(&format!("Note: {note}.")))?;
    }
    let verdict = Director::start(args, &host, &stop, &mut timeline)?.play()?;
    timeline.say(&format!("\n{}", wrap(&verdict.describe())))?;
    if let Some(file) = &args.json {
        let written = write_json(file, &Report::new(args, &host, &timeline, &verdict));
        written.map_err(|error| RunError::Write { file: file.clone(), error })?;
    }
    verdict.check().map_err(FenceError::NotShown)
}

/// Is one of the processes that [`run`] starts, until its standard input ends.
///
/// # Errors
///
/// If its standard input or output fails.
pub fn hold() -> io::Result<()> {
    holder::run()
}

/// All that was printed, for machines.
#[derive(Debug, Serialize)]
struct Report<'a> {
    store: String,
    resource: &'a str,
    fenced: bool,
    lease_ns: u64,
    pause_ns: u64,
    timeline: &'a [timeline::Entry],
    verdict: &'a Verdict,
}

impl<'a> Report<'a> {
    fn new(
        args: &FenceArgs,
        host: &'a StoreHost,
        timeline: &'a Timeline,
        verdict: &'a Verdict,
    ) -> Self {
        Self {
            store: args.store.to_string(),
            resource: &host.resource,
            fenced: !args.unfenced,
            lease_ns: nanos(args.lease),
            pause_ns: nanos(args.pause),
            timeline: timeline.entries(),
            verdict,
        }
    }
}
