mod holder;
mod leases;
mod tokens;
mod values;

use core::fmt;

use super::{random::Random, report::Report};

/// Reports which tokens are admitted, which values are written, which leases are granted, and for how long their holders
/// believe in them.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    tokens::run(report)?;
    values::run(report)?;
    leases::run(report)?;
    holder::run(report)
}
