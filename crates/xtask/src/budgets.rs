//! How many instructions and bytes the detectors may take.
//!
//! Wall time on a shared machine says little. The instructions that callgrind counts are the same on
//! every run of one build, so a change that costs more shows at once.

use anyhow::{Context as _, Result, bail, ensure};
use xshell::cmd;

use crate::{
    context::{Context, Missing},
    debian,
};

/// The most that one of our detectors may take: bytes in all, or instructions a call on average.
///
/// What the windows of 1000, the weighted form and the verdicts may take is promised. The rest lies a
/// little above what was measured, so that a new compiler need not break it: lower it after an
/// improvement.
const BUDGETS: &[(&str, &str, f64)] = &[
    ("phi-1000", "bytes", 4200.0),
    ("phi-128", "bytes", 640.0),
    ("phi-weighted", "bytes", 64.0),
    ("phi-1000-shared", "bytes", 4480.0),
    ("exponential", "bytes", 4200.0),
    ("satzger", "bytes", 8200.0),
    ("fixed", "bytes", 32.0),
    ("chen", "bytes", 8200.0),
    ("two-window", "bytes", 8200.0),
    ("bertier", "bytes", 8200.0),
    ("rate-target", "bytes", 64.0),
    ("jitter-scaled", "bytes", 64.0),
    ("phi-1000", "heartbeat", 150.0),
    ("phi-128", "heartbeat", 150.0),
    ("phi-weighted", "heartbeat", 65.0),
    ("phi-1000-shared", "heartbeat", 200.0),
    ("exponential", "heartbeat", 110.0),
    ("satzger", "heartbeat", 600.0),
    ("fixed", "heartbeat", 26.0),
    ("chen", "heartbeat", 150.0),
    ("two-window", "heartbeat", 150.0),
    ("bertier", "heartbeat", 350.0),
    ("rate-target", "heartbeat", 115.0),
    ("jitter-scaled", "heartbeat", 100.0),
    ("phi-1000", "verdict", 12.0),
    ("phi-128", "verdict", 12.0),
    ("phi-weighted", "verdict", 12.0),
    ("phi-1000-shared", "verdict", 12.0),
    ("exponential", "verdict", 12.0),
    ("satzger", "verdict", 12.0),
    ("fixed", "verdict", 12.0),
    ("chen", "verdict", 12.0),
    ("two-window", "verdict", 12.0),
    ("bertier", "verdict", 12.0),
    ("rate-target", "verdict", 12.0),
    ("jitter-scaled", "verdict", 12.0),
    ("phi-1000", "suspicion_level", 230.0),
    ("phi-128", "suspicion_level", 230.0),
    ("phi-weighted", "suspicion_level", 190.0),
    ("exponential", "suspicion_level", 55.0),
    ("satzger", "suspicion_level", 280.0),
    ("z = -38", "phi_from_z", 160.0),
    ("z = -5", "phi_from_z", 160.0),
    ("z = 0", "phi_from_z", 140.0),
    ("z = 3", "phi_from_z", 155.0),
    ("z = 8", "phi_from_z", 155.0),
    ("z = 30", "phi_from_z", 190.0),
    ("z = 1000", "phi_from_z", 200.0),
];

/// Measures every detector, and fails where one exceeds its budget.
///
/// Leaves the instructions in `budgets/instructions.csv` below the target directory.
pub(crate) fn run(context: &Context) -> Result<()> {
    find_valgrind(context)?;
    let shell = &context.shell;
    let flags = ["--release", "--package", "benches", "--bin", "instructions"];
    cmd!(shell, "cargo build {flags...}").args(context.locked()).run()?;

    let measurements = measure(context)?;
    let again = measure(context)?;
    ensure!(
        measurements == again,
        "two runs of one program counted {measurements:?} and {again:?}"
    );
    let csv = context.target("budgets").join("instructions.csv");
    shell.write_file(csv, to_csv(&measurements))?;

    let entries = judge(&measurements, BUDGETS)?;
    print!("{}", to_table(&entries));
    let complaints: Vec<String> = entries.iter().filter_map(Entry::complaint).collect();
    ensure!(complaints.is_empty(), "{}", complaints.join("; "));
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

/// One thing that was measured of one detector.
#[derive(Clone, Debug, PartialEq)]
struct Measurement {
    /// Whether the detector is one of the family, which must keep to a budget.
    ours: bool,
    name: String,
    /// An operation, or `bytes`.
    what: String,
    /// Instructions a call, or bytes.
    amount: f64,
}

impl Measurement {
    const BYTES: &str = "bytes";

    fn is(&self, name: &str, what: &str) -> bool {
        self.name == name && self.what == what
    }
}

/// Runs the program under callgrind.
fn measure(context: &Context) -> Result<Vec<Measurement>> {
    let shell = &context.shell;
    let directory = context.target("budgets");
    // A profile of an earlier run must not be taken for one of this run.
    shell.remove_path(&directory)?;
    shell.create_dir(&directory)?;
    let profile = directory.join("callgrind.out");
    let options =
        ["--toggle-collect=instructions::counted::*", "--dump-after=instructions::write_profile*"];
    let program = context.target("release").join("instructions");
    let report = cmd!(shell, "valgrind --quiet --tool=callgrind {options...}")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .read()?;

    let mut profiles = 0;
    let lines = report.lines().skip(1);
    lines
        .map(|line| {
            let (ours, name, what, count) = parse_line(line)?;
            let amount = if what == Measurement::BYTES {
                count
            } else {
                profiles += 1;
                let path = directory.join(format!("callgrind.out.{profiles}"));
                let total = total(&shell.read_file(&path)?)
                    .with_context(|| format!("no total in {}", path.display()))?;
                ensure!(total >= count, "callgrind did not see the calls for {name} {what}");
                total / count
            };
            Ok(Measurement { ours, name: name.to_owned(), what: what.to_owned(), amount })
        })
        .collect()
}

/// Reads `origin,name,what,count`.
fn parse_line(line: &str) -> Result<(bool, &str, &str, f64)> {
    let fields: Vec<&str> = line.split(',').collect();
    let &[origin, name, what, count] = fields.as_slice() else {
        bail!("expected four fields: {line}");
    };
    Ok((origin == "ours", name, what, count.parse().with_context(|| line.to_owned())?))
}

/// Returns the instructions that a profile of callgrind's counts in all.
fn total(profile: &str) -> Option<f64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

/// A measurement beside its budget.
#[derive(Debug)]
struct Entry<'a> {
    measurement: &'a Measurement,
    budget: Option<f64>,
}

impl Entry<'_> {
    /// Returns what is wrong, if anything is.
    fn complaint(&self) -> Option<String> {
        let Measurement { ours, name, what, amount } = self.measurement;
        match self.budget {
            Some(budget) if *amount > budget => {
                Some(format!("{name} {what} may take {budget}, but takes {amount:.1}"))
            }
            None if *ours => Some(format!("{name} {what} takes {amount:.1}, and has no budget")),
            _ => None,
        }
    }

    fn row(&self) -> String {
        let Measurement { ours, name, amount, .. } = self.measurement;
        let budget = match self.budget {
            Some(budget) => budget.to_string(),
            None if *ours => "none".to_owned(),
            None => "peer".to_owned(),
        };
        let mark = if self.complaint().is_some() { " !" } else { "" };
        format!("{name:<30} {amount:>10.1} {budget:>8}{mark}\n")
    }
}

/// Puts every measurement beside its budget, if it has one; every budget must be for a measurement.
fn judge<'a>(
    measurements: &'a [Measurement],
    budgets: &[(&str, &str, f64)],
) -> Result<Vec<Entry<'a>>> {
    for (name, what, _) in budgets {
        let measured = measurements.iter().any(|measurement| measurement.is(name, what));
        ensure!(measured, "there is a budget for {name} {what}, which was not measured");
    }
    let judge = |measurement: &'a Measurement| {
        let budget = budgets.iter().find(|(name, what, _)| measurement.is(name, what));
        Entry { measurement, budget: budget.map(|&(_, _, most)| most) }
    };
    Ok(measurements.iter().map(judge).collect())
}

/// Returns a table for each thing that was measured, in the order in which they first came up.
fn to_table(entries: &[Entry<'_>]) -> String {
    let mut headings: Vec<&str> = Vec::new();
    for Entry { measurement, .. } in entries {
        if !headings.contains(&measurement.what.as_str()) {
            headings.push(&measurement.what);
        }
    }
    let mut table = String::new();
    for heading in headings {
        table += &format!("\n{heading:<30} {:>10} {:>8}\n", "measured", "budget");
        let rows = entries.iter().filter(|entry| entry.measurement.what == heading);
        table.extend(rows.map(Entry::row));
    }
    table
}

/// Returns the instructions as `name,operation,instructions`.
fn to_csv(measurements: &[Measurement]) -> String {
    let counted = measurements.iter().filter(|measurement| measurement.what != Measurement::BYTES);
    counted
        .map(|Measurement { name, what, amount, .. }| format!("{name},{what},{amount}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(ours: bool, what: &str, amount: f64) -> Measurement {
        Measurement { ours, name: "fixed".into(), what: what.into(), amount }
    }

    #[test]
    fn a_budget_is_exceeded_from_the_first_instruction_above() {
        let measurements = [measurement(true, "verdict", 12.0), measurement(true, "bytes", 12.1)];
        let budgets = [("fixed", "bytes", 12.0), ("fixed", "verdict", 12.0)];
        let entries = judge(&measurements, &budgets).unwrap();
        let complaints: Vec<Option<String>> = entries.iter().map(Entry::complaint).collect();
        let complaint = "fixed bytes may take 12, but takes 12.1".to_owned();
        assert_eq!(complaints, [None, Some(complaint)]);
    }

    #[test]
    fn nothing_of_ours_goes_without_a_budget() {
        let measurements = [measurement(true, "verdict", 1.0), measurement(false, "verdict", 1e9)];
        let entries = judge(&measurements, &[]).unwrap();
        let complaints: Vec<bool> =
            entries.iter().map(|entry| entry.complaint().is_some()).collect();
        assert_eq!(complaints, [true, false]);
    }

    #[test]
    fn no_budget_goes_unmeasured() {
        let measurements = [measurement(true, "verdict", 1.0)];
        let budgets = [("fixed", "verdict", 1.0), ("fixed", "heartbeat", 1.0)];
        assert!(judge(&measurements, &budgets).is_err());
    }

    #[test]
    fn the_total_of_a_profile_is_found() {
        assert_eq!(
            total("version: 1\nevents: Ir\nfn=(1) f\n1 2\ntotals: 150000\n"),
            Some(150_000.0)
        );
        assert_eq!(total("version: 1\nevents: Ir\n"), None);
    }

    #[test]
    fn a_line_of_the_program_is_read() {
        assert_eq!(
            parse_line("peer,chitchat,bytes,8056").unwrap(),
            (false, "chitchat", "bytes", 8056.0)
        );
        assert!(parse_line("ours,phi, window 1000,bytes,1").is_err());
        assert!(parse_line("ours,phi,bytes,many").is_err());
    }
}
