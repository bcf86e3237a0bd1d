use anyhow::{Context as _, Result, bail, ensure};
use xshell::cmd;

use crate::context::Context;

/// What one run of the program that performs every operation came to.
#[derive(Debug)]
pub(super) struct Profile {
    /// Whether AVX2 was taken where it helps.
    pub(super) avx2: bool,
    measurements: Vec<Measurement>,
}

impl Profile {
    /// Runs the program under callgrind, for some families or for all.
    pub(super) fn measure(context: &Context, families: &[&str]) -> Result<Self> {
        let shell = &context.shell;
        let directory = context.target("budgets");
        // A profile of an earlier run must not be taken for one of this run.
        shell.remove_path(&directory)?;
        shell.create_dir(&directory)?;
        let profile = directory.join("callgrind.out");
        let options = [
            "--toggle-collect=instructions::counted::*",
            "--dump-after=instructions::write_profile*",
        ];
        let program = context.target("release").join("instructions");
        let report = cmd!(shell, "valgrind --quiet --tool=callgrind {options...}")
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(program)
            .args(families)
            .read()?;

        let mut profiles = 0;
        let mut next_total = || {
            profiles += 1;
            let path = directory.join(format!("callgrind.out.{profiles}"));
            total(&shell.read_file(&path)?)
                .with_context(|| format!("no total in {}", path.display()))
        };
        let mut lines = report.lines();
        let avx2 = lines.next() == Some("cpu,avx2");
        let measurements = lines
            .skip(1)
            .map(|line| {
                let mut measurement = Measurement::parse(line)?;
                if measurement.what != Measurement::BYTES {
                    let (calls, total) = (measurement.amount, next_total()?);
                    ensure!(total >= calls, "callgrind did not see the calls for {line}");
                    measurement.amount = total / calls;
                }
                Ok(measurement)
            })
            .collect::<Result<_>>()?;
        Ok(Self { avx2, measurements })
    }

    /// Fails if another run of the same program came to something else for what is the family's own.
    ///
    /// What hashes with a random seed never takes quite the same twice, and its tables may double at another size. A
    /// peer may do as it likes.
    pub(super) fn ensure_repeated_by(&self, again: &Self) -> Result<()> {
        let both = self.measurements.iter().zip(&again.measurements);
        for (first, second) in both.filter(|(first, _)| first.ours) {
            let tolerance = if first.hashes() { 0.25 * first.amount } else { 0.0 };
            ensure!(
                (first.amount - second.amount).abs() <= tolerance,
                "two runs of one program counted {first:?} and {second:?}"
            );
        }
        ensure!(self.measurements.len() == again.measurements.len(), "two runs differ in length");
        Ok(())
    }

    /// Returns what was measured of a family.
    pub(super) fn of(&self, family: &str) -> Vec<&Measurement> {
        self.measurements.iter().filter(|measurement| measurement.family == family).collect()
    }

    /// Returns the family of each measurement.
    pub(super) fn families(&self) -> impl Iterator<Item = &str> {
        self.measurements.iter().map(|measurement| measurement.family.as_str())
    }

    /// Returns the instructions as `family,name,operation,instructions`.
    pub(super) fn to_csv(&self) -> String {
        let counted = |measurement: &&Measurement| measurement.what != Measurement::BYTES;
        self.measurements
            .iter()
            .filter(counted)
            .map(|Measurement { family, name, what, amount, .. }| {
                format!("{family},{name},{what},{amount}\n")
            })
            .collect()
    }
}

/// One thing that was measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measurement {
    pub(super) family: String,
    /// Whether it is of the family's own, which must keep to a budget.
    pub(super) ours: bool,
    pub(super) name: String,
    /// An operation, or `bytes`.
    pub(super) what: String,
    /// Instructions a call, or bytes.
    pub(super) amount: f64,
}

impl Measurement {
    pub(super) const BYTES: &str = "bytes";

    pub(super) fn is(&self, name: &str, what: &str) -> bool {
        self.name == name && self.what == what
    }

    /// Returns whether it depends on the seed that a process draws for its hashes.
    fn hashes(&self) -> bool {
        matches!(self.family.as_str(), "fences" | "idempotency")
            || self.name.starts_with("destinations")
    }

    /// Reads `family,origin,name,what,amount`.
    fn parse(line: &str) -> Result<Self> {
        let fields: Vec<&str> = line.split(',').collect();
        let &[family, origin, name, what, amount] = fields.as_slice() else {
            bail!("expected five fields: {line}");
        };
        Ok(Self {
            family: family.to_owned(),
            ours: origin == "ours",
            name: name.to_owned(),
            what: what.to_owned(),
            amount: amount.parse().with_context(|| line.to_owned())?,
        })
    }
}

/// Returns the instructions that a profile of callgrind's counts in all.
fn total(profile: &str) -> Option<f64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(lines: &[&str]) -> Profile {
        let measurements = lines.iter().map(|line| Measurement::parse(line).unwrap()).collect();
        Profile { avx2: true, measurements }
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
        let expected = Measurement {
            family: "detectors".into(),
            ours: false,
            name: "chitchat".into(),
            what: "bytes".into(),
            amount: 8056.0,
        };
        assert_eq!(Measurement::parse("detectors,peer,chitchat,bytes,8056").unwrap(), expected);
        assert!(Measurement::parse("detectors,ours,phi, window 1000,bytes,1").is_err());
        assert!(Measurement::parse("detectors,ours,phi,bytes,many").is_err());
    }

    #[test]
    fn what_hashes_may_take_a_quarter_more_or_less_the_second_time() {
        let first = profile(&["clocks,ours,a,tick,100", "clocks,peer,b,tick,100"]);
        let repeated = |lines: &[&str]| first.ensure_repeated_by(&profile(lines)).is_ok();
        assert!(repeated(&["clocks,ours,a,tick,100", "clocks,peer,b,tick,300"]));
        assert!(!repeated(&["clocks,ours,a,tick,101", "clocks,peer,b,tick,100"]));
        assert!(!repeated(&["clocks,ours,a,tick,99", "clocks,peer,b,tick,100"]));
        assert!(!repeated(&["clocks,ours,a,tick,100"]));
        let first = profile(&["fences,ours,map,write,100"]);
        let repeated = |line| first.ensure_repeated_by(&profile(&[line])).is_ok();
        assert!(repeated("fences,ours,map,write,125") && !repeated("fences,ours,map,write,126"));
        let first = profile(&["timeouts,ours,destinations-shared,get,100"]);
        let repeated = |amount| {
            let line = format!("timeouts,ours,destinations-shared,get,{amount}");
            first.ensure_repeated_by(&profile(&[&line])).is_ok()
        };
        assert!(repeated(125) && !repeated(126));
    }

    #[test]
    fn bytes_are_not_among_the_instructions() {
        let profile = profile(&["clocks,ours,a,bytes,8", "clocks,peer,b,tick,33.5"]);
        assert_eq!(profile.to_csv(), "clocks,b,tick,33.5\n");
    }
}
