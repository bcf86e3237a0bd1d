mod clocks;
mod detectors;
mod fences;
mod idempotency;
mod intervals;
mod monitors;
mod quorums;
mod random;
mod report;
mod time;
mod timeouts;

use core::fmt::{self, Write};

use self::report::Report;

/// Writes what each crate computes from the same seeds, and a digest of it all: a name, a number and a
/// result on each line.
pub(crate) fn run(out: &mut dyn Write) -> fmt::Result {
    let mut report = Report::new(out);
    time::run(&mut report)?;
    detectors::run(&mut report)?;
    clocks::run(&mut report)?;
    intervals::run(&mut report)?;
    timeouts::run(&mut report)?;
    fences::run(&mut report)?;
    idempotency::run(&mut report)?;
    monitors::run(&mut report)?;
    quorums::run(&mut report)?;
    report.finish()
}
