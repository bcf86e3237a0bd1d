#[cfg(test)]
mod tests;

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use crossbeam::channel;
use serde::Serialize;

use super::{
    args::FailoverArgs,
    error::FailoverError,
    faults::describe,
    history::{Entry, History, Note},
    plan::{Plan, Step},
    report::report,
    run::{self, Script},
    setup::Timing,
    summary::sum_up,
    timeline::Timeline,
    verdict::{Outcome, Verdict},
};
use crate::{
    compare::{output::write_whole, table::wrap, text},
    printer::{Printer, write_json},
    processes::RunError,
    record::Stop,
    stores::{Kind, Opened},
};

/// Makes one run, and shows all of it, or many, and says of each what became of it.
pub(super) fn make(args: &FailoverArgs, stop: &Stop) -> Result<(), FailoverError> {
    let printer = Printer::beside(args.json.as_deref());
    say(printer, &wrap(&describe_timing(args)))?;
    if args.runs.get() == 1 {
        let seed = args.seeds().next().unwrap_or_default();
        return judge(args, &[one(args, seed, printer, stop)?]);
    }
    many(args, printer, stop)?.end(args, printer)
}

/// Makes a run, and prints what happens.
fn one(
    args: &FailoverArgs,
    seed: u64,
    printer: Printer,
    stop: &Stop,
) -> Result<Verdict, FailoverError> {
    let script = args.script(seed);
    say(
        printer,
        &wrap(&format!("Seed {seed}. {}{}", describe_plan(&script.plan), script.network)),
    )?;
    let mut timeline = Timeline::new(printer, script.setup.fenced);
    let history = run::play(&script, None, stop, &mut |entry| timeline.note(entry))?;
    let verdict = Verdict::new(&history, &script.setup, &script.network);
    say(printer, &format!("\n{}", verdict.describe()))?;
    if let Some(file) = &args.html {
        let page = report(&script, &history, &verdict);
        write_whole(file, page.as_bytes())
            .map_err(|error| RunError::Write { file: file.clone(), error })?;
    }
    let run = [RunReport::new(seed, verdict.clone(), Some(history))];
    if let Some(file) = &args.json {
        write(file, &Report::new(args, &run))?;
    } else if let Some(file) = keep(args, &run)? {
        say(printer, &wrap(&format!("All that was noted is in {}.", file.display())))?;
    }
    Ok(verdict)
}

/// What became of many runs.
struct Made {
    runs: Vec<RunReport>,
    /// Why the first one could not be made of those that could not.
    failure: Option<FailoverError>,
}

/// Makes many runs, a few at a time, and prints a line for each, in the order in which they end.
fn many(args: &FailoverArgs, printer: Printer, stop: &Stop) -> Result<Made, FailoverError> {
    // Who has such a file open is the only one who has. Each run has a resource of its own there.
    let shared = match args.store.kind() {
        Kind::Redb(Some(_)) => Some(Arc::new(Opened::open(&args.store)?)),
        _ => None,
    };
    let (jobs, seeds) = channel::unbounded();
    args.seeds().for_each(|seed| _ = jobs.send(seed));
    drop(jobs);
    let (results, done) = channel::unbounded();
    let (failed, is_said) = (AtomicU64::new(0), AtomicBool::new(false));
    // What is to be known of the store is the same for all.
    let warn = |entry: &Entry| match &entry.note {
        Note::Store { note } if !is_said.swap(true, Ordering::Relaxed) => {
            say(printer, &wrap(&format!("Note: {note}.")))
        }
        _ => Ok(()),
    };
    thread::scope(|scope| {
        for _ in 0..args.jobs.get().min(args.runs.get()) {
            let (seeds, results, failed) = (&seeds, results.clone(), &failed);
            let (shared, warn) = (shared.as_ref(), &warn);
            scope.spawn(move || {
                for seed in seeds {
                    if failed.load(Ordering::Relaxed) >= FAILURES {
                        return;
                    }
                    let script: Script = args.script(seed);
                    let result = run::play(&script, shared, stop, &mut |entry| warn(entry));
                    match &result {
                        Ok(_) => {}
                        Err(FailoverError::Run(RunError::Interrupted)) => {
                            failed.store(FAILURES, Ordering::Relaxed);
                        }
                        Err(_) => _ = failed.fetch_add(1, Ordering::Relaxed),
                    }
                    let result = result.map(|history| {
                        let verdict = Verdict::new(&history, &script.setup, &script.network);
                        // It cannot be made again: the same seed is not the same run.
                        let kept = (verdict.outcome != Outcome::Clean).then_some(history);
                        RunReport::new(seed, verdict, kept)
                    });
                    let _ = results.send((seed, result));
                }
            });
        }
        drop(results);
        let mut made = Made { runs: Vec::new(), failure: None };
        for (seed, result) in done {
            if let Err(error) = made.take(args, printer, seed, result) {
                // There is nowhere to say what the others came to.
                failed.store(FAILURES, Ordering::Relaxed);
                made.failure.get_or_insert(error);
            }
        }
        made.runs.sort_by_key(|run| run.seed);
        Ok(made)
    })
}

impl Made {
    /// Takes in what became of a run, and says it.
    fn take(
        &mut self,
        args: &FailoverArgs,
        printer: Printer,
        seed: u64,
        result: Result<RunReport, FailoverError>,
    ) -> Result<(), FailoverError> {
        match result {
            Ok(run) => {
                let said = run.verdict.as_ref().map(Verdict::summary).unwrap_or_default();
                // It counts, whether or not that can be said.
                self.runs.push(run);
                say(printer, &format!("seed {seed}: {said}"))?;
                if let Some(run) = self.runs.last()
                    && let Some(file) = keep(args, core::slice::from_ref(run))?
                {
                    say(printer, &format!("  all that was noted is in {}", file.display()))?;
                }
            }
            Err(error @ FailoverError::Run(RunError::Interrupted)) => self.failure = Some(error),
            Err(error) => {
                say(printer, &format!("seed {seed}: NOT MADE: {error}"))?;
                let said = Some(error.to_string());
                self.runs.push(RunReport { seed, error: said, verdict: None, history: None });
                self.failure.get_or_insert(error);
            }
        }
        Ok(())
    }

    /// Says and writes what became of all, also if some could not be made.
    fn end(mut self, args: &FailoverArgs, printer: Printer) -> Result<(), FailoverError> {
        let verdicts: Vec<_> = self.runs.iter().filter_map(|run| run.verdict.clone()).collect();
        if !verdicts.is_empty() {
            let of = match args
                .runs
                .get()
                .saturating_sub(u64::try_from(verdicts.len()).unwrap_or(u64::MAX))
            {
                0 => String::new(),
                missing => format!("Of {} runs, {missing} were not made. ", args.runs),
            };
            say(printer, &format!("\n{}", wrap(&(of + &sum_up(&verdicts)))))?;
        }
        let is_interrupted =
            matches!(self.failure, Some(FailoverError::Run(RunError::Interrupted)));
        let is_evidence = !args.no_fencing
            && verdicts.iter().any(|it| matches!(it.outcome, Outcome::Broken | Outcome::Corrupt));
        // Ctrl-C leaves no file behind but that of what cannot be had again.
        if let Some(file) = args.json.as_ref().filter(|_| !is_interrupted || is_evidence) {
            write(file, &Report::new(args, &self.runs))?;
        }
        if let Some(failure) = self.failure.take_if(|_| is_interrupted) {
            return Err(failure);
        }
        let judged = judge(args, &verdicts);
        match self.failure {
            Some(failure) if judged.is_ok() || verdicts.is_empty() => Err(failure),
            _ => judged,
        }
    }
}

/// Writes what was noted in a run that is not clean to a file of its own, unless JSON is asked for, which has it. Without a
/// fence that is as it is to be, and nothing to be looked into.
fn keep(args: &FailoverArgs, run: &[RunReport]) -> Result<Option<PathBuf>, FailoverError> {
    let [RunReport { seed, verdict, .. }] = run else { return Ok(None) };
    let is_clean = verdict.as_ref().is_none_or(|verdict| verdict.outcome == Outcome::Clean);
    if is_clean || args.json.is_some() || args.no_fencing {
        return Ok(None);
    }
    let named = format!("surmise-lab-failover-{seed}-");
    let made = tempfile::Builder::new().prefix(&named).suffix(".json").tempfile();
    let kept = made.and_then(|file| Ok(file.keep()?.1));
    let failed = |error| RunError::Write { file: env::temp_dir(), error };
    let file = kept.map_err(failed)?;
    write(&file, &Report::new(args, run))?;
    Ok(Some(file))
}

fn judge(args: &FailoverArgs, verdicts: &[Verdict]) -> Result<(), FailoverError> {
    let of = u64::try_from(verdicts.len()).unwrap_or(u64::MAX);
    let count = |outcome| {
        let count = verdicts.iter().filter(|verdict| verdict.outcome == outcome).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    let corrupt = count(Outcome::Corrupt);
    if args.no_fencing {
        let is_most = corrupt * 2 > of;
        return if is_most {
            Ok(())
        } else {
            Err(FailoverError::NothingFound { runs: corrupt, of })
        };
    }
    match (corrupt + count(Outcome::Broken), count(Outcome::Unfinished)) {
        (0, 0) => Ok(()),
        (0, runs) => Err(FailoverError::Unfinished { runs, of }),
        (runs, _) => Err(FailoverError::Violated { runs, of }),
    }
}

fn describe_timing(args: &FailoverArgs) -> String {
    let Timing { heartbeat, detection, lease, work } = args.timing();
    let [heartbeat, detection, lease, work] =
        [heartbeat, detection, lease, work].map(|time| text::short_time(time.as_secs_f64()));
    let fence = if args.no_fencing {
        " No fence: every writer shows the same token, no floor is raised, and so the last write wins."
    } else {
        ""
    };
    let whose = if args.has_server() { "which the nodes ask" } else { "which this process has" };
    format!(
        "Store {}, {whose}. A heartbeat every {heartbeat}, detection within {detection}, a lease of {lease}, {work} of \
         work on a write.{fence}",
        args.store
    )
}

fn describe_plan(plan: &Plan) -> String {
    if plan.steps.is_empty() {
        return "No faults.".to_owned();
    }
    let step = |(at, step): &(core::time::Duration, Step)| {
        let at = text::short_time(at.as_secs_f64());
        let what = match step {
            Step::Pause { .. } => "pause",
            Step::Resume { .. } => "resume",
            Step::Kill { .. } => "kill",
            Step::Restart { .. } => "restart",
            Step::Cut(sides) => return format!("cut {} at {at}", describe(sides)),
            Step::Heal => "heal",
            Step::Skew { .. } => "clock step",
        };
        format!("{what} at {at}")
    };
    let steps: Vec<_> = plan.steps.iter().map(step).collect();
    format!("Planned: {}.", steps.join(", "))
}

fn say(printer: Printer, text: &str) -> Result<(), FailoverError> {
    printer.say(text).map_err(|error| RunError::Write { file: "-".into(), error }.into())
}

fn write(file: &Path, report: &impl Serialize) -> Result<(), FailoverError> {
    write_json(file, report)
        .map_err(|error| RunError::Write { file: file.to_owned(), error }.into())
}

/// All of it, for machines.
#[derive(Serialize)]
struct Report<'a> {
    store: String,
    fenced: bool,
    timing: Timing,
    /// How many runs were asked for; there are fewer if they were interrupted, or could not be made.
    asked: u64,
    /// By seed.
    runs: &'a [RunReport],
}

impl<'a> Report<'a> {
    fn new(args: &FailoverArgs, runs: &'a [RunReport]) -> Self {
        let (store, fenced, timing) = (args.store.to_string(), !args.no_fencing, args.timing());
        Self { store, fenced, timing, asked: args.runs.get(), runs }
    }
}

/// What became of a run.
#[derive(Serialize)]
struct RunReport {
    seed: u64,
    /// Why it could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// Of a single run, and of each that is not clean.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<History>,
}

impl RunReport {
    const fn new(seed: u64, verdict: Verdict, history: Option<History>) -> Self {
        Self { seed, error: None, verdict: Some(verdict), history }
    }
}

/// If so many runs could not be made, no more are begun: there is something wrong with more than one of them.
const FAILURES: u64 = 3;
