mod causal_buffer;
mod durable;
mod formats;
mod hybrid;
mod jumps;
mod lamport;
mod retirement;
mod siblings;
mod vectors;
mod wall;
mod wire;

use core::fmt;

use super::{random::Random, report::Report};

/// Reports what every clock makes of events, messages and wall times that are like real ones for the
/// most part, and else at the limits.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    lamport::run(report)?;
    hybrid::run(report)?;
    durable::run(report)?;
    formats::run(report)?;
    jumps::run(report)?;
    vectors::run(report)?;
    siblings::run(report)?;
    causal_buffer::run(report)?;
    retirement::run(report)?;
    wire::run(report)
}
