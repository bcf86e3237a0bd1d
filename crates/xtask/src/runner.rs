//! Runs steps one after another, and sums up.

use std::{process::ExitCode, time::Duration};

use surmise_time::{MonotonicClock, OsClock};

use crate::{
    context::{Context, Missing},
    steps::Step,
};

/// Runs the steps and prints a summary; fails if one of them did.
///
/// A failed step does not stop the ones after it, so that one run tells all.
pub(crate) fn run<'a>(context: &Context, steps: impl Iterator<Item = &'a Step>) -> ExitCode {
    let reports: Vec<Report> = steps.map(|step| run_step(context, step)).collect();
    print_summary(&reports);
    if reports.iter().any(|report| matches!(report.outcome, Outcome::Failed(_))) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

struct Report {
    step: &'static str,
    outcome: Outcome,
    took: Duration,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Outcome {
    fn new(result: anyhow::Result<()>, ci: bool) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(error) => match error.downcast_ref::<Missing>() {
                Some(missing) if ci => Self::Failed(format!("could not run: {missing}")),
                Some(missing) => Self::Skipped(missing.to_string()),
                None => Self::Failed(format!("{error:#}")),
            },
        }
    }
}

fn run_step(context: &Context, step: &Step) -> Report {
    println!("\n==> {}: {}", step.name, step.about);
    let start = OsClock.now();
    let outcome = Outcome::new((step.run)(context), context.ci);
    let took = OsClock.now() - start;
    match &outcome {
        Outcome::Passed => {}
        Outcome::Failed(why) => println!("==> {} FAILED: {why}", step.name),
        Outcome::Skipped(why) => println!("==> {} SKIPPED: {why}", step.name),
    }
    Report { step: step.name, outcome, took }
}

fn print_summary(reports: &[Report]) {
    println!("\n==> summary");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for Report { step, outcome, took } in reports {
        let (count, word, why) = match outcome {
            Outcome::Passed => (&mut passed, "passed", ""),
            Outcome::Failed(why) => (&mut failed, "FAILED", why.as_str()),
            Outcome::Skipped(why) => (&mut skipped, "SKIPPED", why.as_str()),
        };
        *count += 1;
        let seconds = took.as_secs_f64();
        println!("{}", format!("{step:<10} {word:<8} {seconds:>7.1} s  {why}").trim_end());
    }
    println!("steps: {passed} passed, {failed} failed, {skipped} skipped");
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    fn missing() -> anyhow::Result<()> {
        Err(Missing("no nightly".into())).context("while looking for a toolchain")
    }

    #[test]
    fn a_missing_tool_skips_a_step_but_fails_it_in_ci() {
        assert_eq!(Outcome::new(missing(), false), Outcome::Skipped("no nightly".into()));
        assert_eq!(
            Outcome::new(missing(), true),
            Outcome::Failed("could not run: no nightly".into())
        );
    }

    #[test]
    fn any_other_error_fails_a_step_everywhere() {
        for ci in [false, true] {
            assert_eq!(Outcome::new(Err(anyhow!("red")), ci), Outcome::Failed("red".into()));
            assert_eq!(Outcome::new(Ok(()), ci), Outcome::Passed);
        }
    }
}
