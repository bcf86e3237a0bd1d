//! How many instructions and bytes the family may take.
//!
//! Wall time on a shared machine says little. The instructions that callgrind counts are the same on
//! every run of one build, so a change that costs more shows at once.

mod budget;
mod callgrind;
mod clocks;
mod detectors;

use anyhow::{Result, ensure};
use xshell::cmd;

use self::{
    budget::{Budget, Entry, judge, to_table},
    callgrind::Profile,
};
use crate::{
    context::{Context, Missing},
    debian,
};

/// The budgets of every family that the benches measure.
const FAMILIES: &[(&str, &[Budget])] =
    &[("detectors", detectors::BUDGETS), ("clocks", clocks::BUDGETS)];

/// Measures everything, and fails where something exceeds its budget.
///
/// Leaves the instructions in `budgets/instructions.csv` below the target directory.
pub(crate) fn run(context: &Context) -> Result<()> {
    find_valgrind(context)?;
    let shell = &context.shell;
    let flags = ["--release", "--package", "benches", "--bin", "instructions"];
    cmd!(shell, "cargo build {flags...}").args(context.locked()).run()?;

    let profile = Profile::measure(context)?;
    profile.ensure_repeated_by(&Profile::measure(context)?)?;
    let csv = context.target("budgets").join("instructions.csv");
    shell.write_file(csv, profile.to_csv())?;

    let mut complaints = Vec::new();
    for (family, budgets) in FAMILIES {
        let entries = judge(&profile.of(family), budgets, profile.avx2)?;
        print!("\n# {family}\n{}", to_table(&entries));
        complaints.extend(entries.iter().filter_map(Entry::complaint));
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("; "));
    let of_none = |family: &str| FAMILIES.iter().all(|(known, _)| *known != family);
    if let Some(stray) = profile.families().find(|family| of_none(family)) {
        anyhow::bail!("{stray} has no table of budgets");
    }
    Ok(())
}

fn find_valgrind(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let works = || cmd!(shell, "valgrind --version").quiet().ignore_stdout().run().is_ok();
    if works() {
        return Ok(());
    }
    debian::install(context, &["valgrind"])?;
    ensure!(works(), Missing("valgrind as installed from its package does not start".into()));
    Ok(())
}
