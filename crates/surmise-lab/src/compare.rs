//! Every detector of `surmise-detector`, swept over its parameter, on heartbeat traces.
//!
//! [`run`] is the command `surmise-lab compare`. What its numbers mean is written down in the crate's
//! README, so that they can be recomputed.

pub(crate) mod catalogue;
mod comparison;
pub(crate) mod confidence;
mod defaults;
mod error;
mod input;
mod names;
mod notes;
pub(crate) mod number;
pub(crate) mod output;
mod pareto;
mod quality;
mod report;
pub(crate) mod schedule;
mod score;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod timeline;

use core::time::Duration;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::{
    Args,
    builder::{PathBufValueParser, TypedValueParser as _},
};
use indicatif::{ProgressBar, ProgressStyle};

pub use self::{
    catalogue::{Point, PointError},
    error::CompareError,
    timeline::TimelineError,
};
use self::{
    comparison::Comparison,
    output::{is_same_file, write_whole},
};
pub(crate) use self::{
    input::{Input, parse_interval},
    timeline::LEAST_FRESH,
};

use crate::printer::{Printer, write_json};

/// What to compare, and where the results go.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// Traces as CSV (sequence,sent_ns,received_ns) or saved `ping` output, `-` for the standard input;
    /// the recorded ones that come with this program if none is given
    #[arg(value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// Also write every result to FILE as JSON, an object for each trace, detector and parameter; `-`
    /// is the standard output, and the tables then go to the standard error
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Where to write the report
    #[arg(long, value_name = "FILE", default_value = "surmise-report.html",
          value_parser = PathBufValueParser::new().try_map(report_file))]
    pub report: PathBuf,
    /// The time between pings, for `ping` output without stamps [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = parse_interval)]
    pub interval: Option<Duration>,
    /// Take `sent_ns` and `received_ns` to be read from one clock
    #[arg(long)]
    pub same_clock: bool,
    /// Replay this detector instead of the sweeps, as in `phi=8`; may be given more than once. A time
    /// is in seconds
    #[arg(long = "detector", value_name = "NAME=VALUE")]
    pub points: Vec<Point>,
}

/// Stands below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  On the recorded traces:
    surmise-lab compare

  On your own network, as `ping` saw it:
    ping -D -i 0.2 -c 1500 example.org > my.log
    surmise-lab compare my.log --report my.html

  Two detectors with parameters of your own:
    surmise-lab compare my.log --detector phi=8 --detector fixed=1.5

Detectors and their parameters: fixed (timeout), chen and two-window (safety margin), bertier
(deviation weight), phi, exponential and satzger (threshold), rate-target (rate), jitter-scaled
(factor).";

/// Compares the detectors on each trace, prints a table, and writes the report.
///
/// # Errors
///
/// [`CompareError`] if a result would replace a trace or the other result, a trace cannot be read or
/// replayed, a detector does not take a parameter, or a result cannot be written.
pub fn run(args: &CompareArgs) -> Result<(), CompareError> {
    check_outputs(args)?;
    let longest = args.points.iter().map(|point| point.nanos()).max().unwrap_or(0);
    let input = Input {
        traces: &args.traces,
        interval: args.interval,
        same_clock: args.same_clock,
        longest,
    };
    let traces = input.load()?;
    let mut comparisons = Vec::new();
    let replays = traces.iter().map(|(_, timeline)| Comparison::replays(timeline, &args.points));
    let progress = progress_bar(replays.sum());
    for (trace, timeline) in traces {
        progress.set_message(trace.name.clone());
        comparisons.push(Comparison::new(&trace, timeline, &args.points, &|| progress.inc(1))?);
    }
    progress.finish_and_clear();
    for comparison in &comparisons {
        for note in notes::notes(comparison) {
            let _ = writeln!(io::stderr(), "surmise-lab: {}: {note}", comparison.name);
        }
    }
    if let Some(file) = &args.json {
        let scores: Vec<_> = comparisons.iter().flat_map(Comparison::scores).collect();
        write_json(file, &scores).map_err(|error| CompareError::write(file, &error))?;
    }
    let report = report::report(&comparisons).map_err(|error| CompareError::Draw {
        file: args.report.display().to_string(),
        message: error.to_string(),
    })?;
    write(&args.report, report.as_bytes())?;
    print(&comparisons, args)
}

/// Refuses to write a result over a trace, or over the other result.
fn check_outputs(args: &CompareArgs) -> Result<(), CompareError> {
    let text = |path: &Path| path.display().to_string();
    for output in args.json.iter().chain([&args.report]) {
        if let Some(trace) = args.traces.iter().find(|trace| is_same_file(output, trace)) {
            return Err(CompareError::OverwritesTrace { file: text(output), trace: text(trace) });
        }
    }
    match &args.json {
        Some(json) if is_same_file(json, &args.report) => {
            Err(CompareError::SameOutput { json: text(json), report: text(&args.report) })
        }
        _ => Ok(()),
    }
}

fn print(comparisons: &[Comparison], args: &CompareArgs) -> Result<(), CompareError> {
    let mut text = String::new();
    for comparison in comparisons {
        text.push_str(&table::comparison(comparison));
        text.push('\n');
    }
    if comparisons.iter().any(|comparison| !comparison.chosen) {
        text.push_str(table::legend());
        text.push('\n');
    }
    text.push_str(&format!("Report: {}", args.report.display()));
    let said = Printer::beside(args.json.as_deref()).say(&text);
    said.map_err(|error| CompareError::write(Path::new("-"), &error))
}

fn write(file: &Path, content: &[u8]) -> Result<(), CompareError> {
    write_whole(file, content).map_err(|error| CompareError::write(file, &error))
}

fn progress_bar(replays: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} replays, {msg}");
    let bar = ProgressBar::new(u64::try_from(replays).unwrap_or(u64::MAX));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn report_file(file: PathBuf) -> Result<PathBuf, &'static str> {
    if file == Path::new("-") {
        Err("the report is a file; only --json goes to the standard output")
    } else {
        Ok(file)
    }
}
