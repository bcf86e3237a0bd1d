mod algebra;
mod clock;
mod selection;

use core::fmt;

use super::{random::Random, report::Report};

/// Reports what interval clocks make of samples that are right for the most part, and how far drifts,
/// intervals and selections go at the limits.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    algebra::run(report)?;
    clock::run(report)?;
    selection::run(report)
}
