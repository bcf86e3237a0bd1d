//! Which detector keeps a promise on a network, and with what parameter.
//!
//! [`run`] is the command `surmise-lab tune`. The crate's README says what it computes, and in what
//! sense that is a promise.

mod args;
mod attainable;
mod bounds;
mod contract;
mod drift;
mod error;
mod history;
#[cfg(test)]
mod samples;
mod score;
mod search;
mod snippet;
mod text;
mod trial;
mod verdict;

use std::{
    io::{self, Write as _},
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};

pub use self::{args::TuneArgs, contract::ContractError, error::TuneError};
use self::{
    contract::Contract,
    history::{History, LEAST_FRESH},
    score::Score,
    verdict::Verdict,
};
use crate::{
    compare::{
        CompareError, Input, TimelineError, catalogue::Kind, output::is_same_file,
        summary::Summary, timeline::Timeline,
    },
    printer::{Printer, write_json},
    trace::Trace,
};

/// Looks for the detectors that meet a contract on each trace, and prints what it found.
///
/// Of several traces, those to which the contract cannot be put are named on the standard error, and left out.
///
/// # Errors
///
/// [`TuneError`] if the contract makes no sense, a trace cannot be read, all are too short, or a result cannot
/// be written, or would replace a trace.
pub fn run(args: &TuneArgs) -> Result<(), TuneError> {
    let contract = args.contract()?;
    check_output(args)?;
    let input = Input {
        traces: &args.traces,
        interval: args.interval,
        same_clock: args.same_clock,
        longest: u64::try_from(contract.detection_time.as_nanos()).unwrap_or(u64::MAX),
    };
    let mut refused = Vec::new();
    let traces = input.load_unless(|error| {
        refused.push(too_short(error));
        Ok(())
    })?;
    let progress = progress_bar(traces.len() * Kind::ALL.len());
    let mut verdicts = Vec::new();
    for (trace, timeline) in &traces {
        progress.set_message(trace.name.clone());
        match judge(trace, timeline, contract, &|| progress.inc(1)) {
            Ok(verdict) => verdicts.push(verdict),
            Err(error) => refused.push(error),
        }
    }
    progress.finish_and_clear();
    let last = if verdicts.is_empty() { refused.pop() } else { None };
    for error in &refused {
        // Like notes, they are lost where nobody can read them.
        let _ = writeln!(io::stderr(), "surmise-lab: {error}");
    }
    if let Some(error) = last {
        return Err(error);
    }
    let said = Printer::beside(args.json.as_deref()).say(text::all(&verdicts).trim_end());
    said.map_err(|error| CompareError::write(Path::new("-"), &error))?;
    if let Some(file) = &args.json {
        let scores: Vec<Score<'_>> = verdicts.iter().map(Score::new).collect();
        write_json(file, &scores).map_err(|error| CompareError::write(file, &error))?;
    }
    Ok(())
}

/// Looks for the detectors that meet a contract on one trace.
fn judge(
    trace: &Trace,
    timeline: &Timeline,
    contract: Contract,
    step: &dyn Fn(),
) -> Result<Verdict, TuneError> {
    let interval = timeline.interval_seconds();
    contract.check_interval(&trace.name, interval)?;
    let history = History::new(timeline).map_err(|fresh| TuneError::TooShort {
        trace: trace.name.clone(),
        fresh,
        needed: LEAST_FRESH,
        interval: Some(interval),
    })?;
    if history.span() == 0.0 {
        return Err(TuneError::NoTime { trace: trace.name.clone() });
    }
    let summary = Summary::new(trace, timeline);
    Verdict::new(&trace.name, summary, &history, contract, step).map_err(|(kind, error)| {
        CompareError::config(&trace.name, kind.name(), timeline, &error).into()
    })
}

/// Says of a trace that is too short even for a replay how long it must be here.
fn too_short(error: CompareError) -> TuneError {
    match error {
        CompareError::Timeline { trace, error: TimelineError::TooShort { fresh, .. } } => {
            TuneError::TooShort { trace, fresh, needed: LEAST_FRESH, interval: None }
        }
        error => error.into(),
    }
}

/// Refuses to write the result over a trace.
fn check_output(args: &TuneArgs) -> Result<(), CompareError> {
    let Some(json) = &args.json else { return Ok(()) };
    match args.traces.iter().find(|trace| is_same_file(json, trace)) {
        Some(trace) => Err(CompareError::OverwritesTrace {
            file: json.display().to_string(),
            trace: trace.display().to_string(),
        }),
        None => Ok(()),
    }
}

fn progress_bar(detectors: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} detectors, {msg}");
    let bar = ProgressBar::new(u64::try_from(detectors).unwrap_or(u64::MAX));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
