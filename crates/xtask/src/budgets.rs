//! How many instructions and bytes the family may take.
//!
//! Wall time on a shared machine says little. The instructions that callgrind counts are the same on
//! every run of one build, so a change that costs more shows at once.

mod budget;
mod callgrind;
mod clocks;
mod detectors;
mod fences;
mod idempotency;
mod intervals;
mod quorums;
mod timeouts;

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
const FAMILIES: &[(&str, &[Budget])] = &[
    ("detectors", detectors::BUDGETS),
    ("clocks", clocks::BUDGETS),
    ("intervals", intervals::BUDGETS),
    ("timeouts", timeouts::BUDGETS),
    ("fences", fences::BUDGETS),
    ("idempotency", idempotency::BUDGETS),
    ("quorums", quorums::BUDGETS),
];

/// Measures everything, and fails where something exceeds its budget.
///
/// Leaves the instructions in `budgets/instructions.csv` below the target directory.
pub(crate) fn run(context: &Context) -> Result<()> {
    find_valgrind(context)?;
    // Without the instructions that only some processors have, which the clocks look for.
    let baseline = profile(context, &["--no-default-features"], &["clocks"])?;
    let mut complaints = judge_family(&baseline, "clocks", clocks::BUDGETS)?;

    let profile = profile(context, &[], &[])?;
    let csv = context.target("budgets").join("instructions.csv");
    context.shell.write_file(csv, profile.to_csv())?;
    for (family, budgets) in FAMILIES {
        complaints.extend(judge_family(&profile, family, budgets)?);
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("; "));
    let has_table = |family: &str| FAMILIES.iter().any(|(known, _)| *known == family);
    let stray = profile.families().find(|family| !has_table(family));
    ensure!(stray.is_none(), "{} has no budgets", stray.unwrap_or_default());
    Ok(())
}

/// Builds the program that performs every operation, and counts what it does for some families, or for
/// all if none is named.
fn profile(context: &Context, features: &[&str], families: &[&str]) -> Result<Profile> {
    let flags = ["--release", "--package", "benches", "--bin", "instructions"];
    cmd!(context.shell, "cargo build {flags...} {features...}").args(context.locked()).run()?;
    let profile = Profile::measure(context, families)?;
    profile.ensure_repeated_by(&Profile::measure(context, families)?)?;
    Ok(profile)
}

/// Prints what was measured of a family, and returns what is wrong.
fn judge_family(profile: &Profile, family: &str, budgets: &[Budget]) -> Result<Vec<String>> {
    let entries = judge(&profile.of(family), budgets, profile.avx2)?;
    let instructions = if profile.avx2 { "with AVX2" } else { "without AVX2" };
    print!("\n# {family}, {instructions}\n{}", to_table(&entries));
    let complaints = entries.iter().filter_map(Entry::complaint);
    Ok(complaints.map(|complaint| format!("{instructions} {complaint}")).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_two_budgets() {
        for (family, budgets) in FAMILIES {
            for (at, budget) in budgets.iter().enumerate() {
                let twin = budgets[..at].iter().find(|other| other.is_for_the_same(budget));
                assert!(twin.is_none(), "{family}: {twin:?} and {budget:?}");
            }
        }
    }
}
