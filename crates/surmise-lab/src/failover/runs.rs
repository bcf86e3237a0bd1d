use core::sync::atomic::{AtomicBool, Ordering};
use std::{path::Path, thread};

use crossbeam::channel;
use serde::Serialize;

use super::{
    args::FailoverArgs,
    error::FailoverError,
    faults::describe,
    history::{Entry, History, Note},
    outage::median,
    plan::{Plan, Step},
    report::report,
    run::{self, Script},
    setup::Timing,
    timeline::Timeline,
    verdict::{Verdict, time},
};
use crate::{
    compare::{output::write_whole, table::wrap, text},
    printer::{Printer, write_json},
    processes::RunError,
    record::Stop,
};

/// Makes one run, and shows all of it, or many, and says of each what became of it.
pub(super) fn make(args: &FailoverArgs, stop: &Stop) -> Result<(), FailoverError> {
    let printer = Printer::beside(args.json.as_deref());
    say(printer, &wrap(&describe_timing(args)))?;
    let verdicts = if args.runs.get() == 1 {
        let seed = args.seeds().next().unwrap_or_default();
        vec![one(args, seed, printer, stop)?]
    } else {
        many(args, printer, stop)?
    };
    judge(args, &verdicts)
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
    let mut timeline = Timeline::new(printer);
    let history = run::play(&script, stop, &mut |entry| timeline.note(entry))?;
    let verdict = Verdict::new(&history);
    say(printer, &format!("\n{}", verdict.describe(script.setup.timing)))?;
    if let Some(file) = &args.html {
        let page = report(&script, &history, &verdict);
        write_whole(file, page.as_bytes())
            .map_err(|error| RunError::Write { file: file.clone(), error })?;
    }
    if let Some(file) = &args.json {
        write(file, &Report::new(args, seed, &history, &verdict))?;
    }
    Ok(verdict)
}

/// Makes many runs, a few at a time, and prints a line for each, in the order in which they end.
fn many(args: &FailoverArgs, printer: Printer, stop: &Stop) -> Result<Vec<Verdict>, FailoverError> {
    let (jobs, seeds) = channel::unbounded();
    args.seeds().for_each(|seed| _ = jobs.send(seed));
    drop(jobs);
    let (results, done) = channel::unbounded();
    let (has_failed, is_said) = (AtomicBool::new(false), AtomicBool::new(false));
    // What is to be known of the store is the same for all.
    let warn = |entry: &Entry| match &entry.note {
        Note::Store { note } if !is_said.swap(true, Ordering::Relaxed) => {
            say(printer, &wrap(&format!("Note: {note}.")))
        }
        _ => Ok(()),
    };
    let mut reports = thread::scope(|scope| {
        for _ in 0..args.jobs.get().min(args.runs.get()) {
            let (seeds, results, has_failed) = (&seeds, results.clone(), &has_failed);
            let warn = &warn;
            scope.spawn(move || {
                for seed in seeds {
                    // Where one cannot be made, no more are begun.
                    if has_failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let script: Script = args.script(seed);
                    let result = run::play(&script, stop, &mut |entry| warn(entry));
                    let result = result.map(|history| (seed, Verdict::new(&history)));
                    has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    let _ = results.send(result);
                }
            });
        }
        drop(results);
        let mut reports = Vec::new();
        for result in done {
            let (seed, verdict) = result?;
            say(printer, &format!("seed {seed}: {}", verdict.summary()))?;
            reports.push(RunReport { seed, verdict });
        }
        Ok::<_, FailoverError>(reports)
    })?;
    reports.sort_by_key(|report| report.seed);
    if let Some(file) = &args.json {
        write(file, &reports)?;
    }
    let verdicts: Vec<_> = reports.into_iter().map(|report| report.verdict).collect();
    say(printer, &format!("\n{}", wrap(&sum_up(&verdicts, args.timing()))))?;
    Ok(verdicts)
}

fn judge(args: &FailoverArgs, verdicts: &[Verdict]) -> Result<(), FailoverError> {
    let of = u64::try_from(verdicts.len()).unwrap_or(u64::MAX);
    let bad = |is_bad: fn(&Verdict) -> bool| {
        let bad = verdicts.iter().filter(|verdict| is_bad(verdict)).count();
        u64::try_from(bad).unwrap_or(u64::MAX)
    };
    if args.no_fencing {
        let runs = bad(|verdict| !verdict.violations.is_empty());
        return if runs * 2 > of { Ok(()) } else { Err(FailoverError::NothingFound { runs, of }) };
    }
    match bad(|verdict| !verdict.is_clean()) {
        0 => Ok(()),
        runs => Err(FailoverError::Violated { runs, of }),
    }
}

fn sum_up(verdicts: &[Verdict], timing: Timing) -> String {
    let clean = verdicts.iter().filter(|verdict| verdict.is_clean()).count();
    let mut said = format!("{clean} of {} runs are clean.", verdicts.len());
    for (killed, how) in [(true, "killed"), (false, "stopped")] {
        let outages = || {
            let outages = verdicts.iter().flat_map(|verdict| &verdict.outages);
            outages.filter(move |outage| outage.killed == killed)
        };
        let convicted = median(outages().filter_map(|outage| outage.convicted_ns));
        let replaced = median(outages().filter_map(|outage| outage.replaced_ns));
        if let (Some(convicted), Some(replaced)) = (convicted, replaced) {
            said += &format!(
                " {} leaders were {how}: the median until a majority suspected them is {}, where the contract \
                 promises {} for each observer, and {} until the next one had a write acknowledged.",
                outages().count(),
                time(convicted),
                text::time(timing.detection.as_secs_f64()),
                time(replaced)
            );
        }
    }
    said
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

/// All of one run, for machines.
#[derive(Serialize)]
struct Report<'a> {
    store: String,
    seed: u64,
    fenced: bool,
    timing: Timing,
    history: &'a History,
    verdict: &'a Verdict,
}

impl<'a> Report<'a> {
    fn new(args: &FailoverArgs, seed: u64, history: &'a History, verdict: &'a Verdict) -> Self {
        let (store, fenced, timing) = (args.store.to_string(), !args.no_fencing, args.timing());
        Self { store, seed, fenced, timing, history, verdict }
    }
}

/// What became of one of many runs.
#[derive(Serialize)]
struct RunReport {
    seed: u64,
    verdict: Verdict,
}
