//! The answer for people. It fits 100 columns.

mod answer;

use core::time::Duration;

use comfy_table::{Cell, ColumnConstraint};

use super::{
    contract::SECONDS_PER_DAY,
    search::Family,
    snippet,
    verdict::{Candidate, Finding, Verdict},
};
use crate::compare::{
    catalogue::{Kind, Point, SWEPT_INTERVALS},
    table::{new_table, number, wrap},
    text,
};

/// Returns everything about some traces.
pub(super) fn all(verdicts: &[Verdict]) -> String {
    let mut texts: Vec<String> = verdicts.iter().map(verdict).collect();
    if verdicts.iter().any(|verdict| !verdict.candidates.is_empty()) {
        texts.push(legend());
    }
    texts.join("\n")
}

/// Returns everything about one trace.
fn verdict(verdict: &Verdict) -> String {
    let heading = text::summary(&verdict.name, &verdict.summary);
    let mut paragraphs: Vec<String> =
        vec![heading.lines().map(wrap).collect::<Vec<_>>().join("\n")];
    paragraphs.push(wrap(&answer::contract(verdict)));
    paragraphs.push(wrap(&(answer::answer(verdict) + answer::caution(verdict))));
    if !verdict.candidates.is_empty() {
        paragraphs.push(table(verdict));
        paragraphs.extend(slowest_tried(verdict).map(|text| wrap(&text)));
    }
    if let Some(too_slow) = too_slow(verdict) {
        paragraphs.push(wrap(&too_slow));
    }
    if let Some(attainable) = answer::attainable(verdict) {
        paragraphs.push(wrap(&attainable));
    }
    if let Some(best) = verdict.recommended() {
        let interval = Duration::from_secs_f64(verdict.summary.interval);
        let code = snippet::rust(best.trial.setting, interval);
        let code: String = code.lines().map(indented).collect();
        paragraphs.push(format!("`{}` in Rust:\n\n{}", best.kind.name(), code.trim_end()));
    }
    paragraphs.join("\n\n") + "\n"
}

/// Returns what the columns mean.
fn legend() -> String {
    wrap(
        "T_D, the detection time: how long a crash just after a heartbeat was sent would go unnoticed. \
         A mistake: a live peer was suspected. Held back: each part of the trace but the first, with \
         the parameter that the parts before it suggest. A day: the interval that holds the rate of \
         mistakes, of those parts and of the whole trace with the parameter shown; it is that of mistakes \
         that come independently, and wider where the longest silences of the trace, or these mistakes, come in clusters. Closest call: the \
         longest silence of the live peer, as a share of what the detector would have waited. The best is \
         first: by verdict (not by how long mistakes last, unless that is too long), by the upper bound of its mistakes, by \
         those held back, by its closest call (all up to 50 % are alike where the rate is shown), by the mean T_D (both in whole percent), and by size.",
    ) + "\n"
}

/// Returns a row a detector.
fn table(verdict: &Verdict) -> String {
    let mut table = new_table();
    table.set_header([
        "detector",
        "verdict",
        "parameter",
        "mistakes\nheld back",
        "a day",
        "T_D\nmean",
        "T_D\nmax",
        "closest\ncall",
    ]);
    for candidate in &verdict.candidates {
        let held_back = &candidate.trial.held_back;
        table.add_row([
            Cell::new(candidate.kind.name()),
            Cell::new(candidate.finding.text()),
            number(parameter(candidate.trial.setting.point)),
            number(text::integer(held_back.counted.mistakes)),
            number(interval(candidate)),
            number(text::time(held_back.detection_time)),
            number(text::time(held_back.detection_time_max)),
            number(closest_call(candidate)),
        ]);
    }
    // A name that is broken in two is none.
    for column in table.column_iter_mut().take(3) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.to_string()
}

/// Says which detectors might be slower still.
fn slowest_tried(verdict: &Verdict) -> Option<String> {
    let is_last = |candidate: &&Candidate| {
        Family::is_slowest_tried(candidate.trial.setting, verdict.summary.interval)
    };
    let names: Vec<&str> =
        verdict.candidates.iter().filter(is_last).map(|candidate| candidate.kind.name()).collect();
    (!names.is_empty()).then(|| {
        let names = text::list(&names);
        format!(
            "As slow as was tried, which is about {SWEPT_INTERVALS} intervals at most: {names}."
        )
    })
}

/// Says which detectors are not in the table.
fn too_slow(verdict: &Verdict) -> Option<String> {
    if verdict.too_slow.is_empty() || verdict.candidates.is_empty() {
        return None;
    }
    let names: Vec<&str> = verdict.too_slow.iter().map(|kind| kind.name()).collect();
    Some(format!("Too slow, however they are set: {}.", text::list(&names)))
}

/// Writes a parameter as it is, for it is meant to be copied.
fn parameter(point: Point) -> String {
    match point.kind {
        kind if kind.is_time() => duration(Duration::from_secs_f64(point.parameter)),
        Kind::Exponential => format!("1 − {:.2e}", 1.0 - point.parameter),
        _ if point.parameter < 1e-3 => format!("{:e}", point.parameter),
        _ => point.parameter.to_string(),
    }
}

/// Writes the interval of the mistakes in a day.
fn interval(candidate: &Candidate) -> String {
    let [low, high] = [candidate.rate.low, candidate.rate.high]
        .map(|rate| text::significant(rate * SECONDS_PER_DAY));
    format!("{low} to {high}")
}

/// Writes a time with all its digits, in the largest unit below an hour in which there are few.
fn duration(time: Duration) -> String {
    let nanos = time.as_nanos();
    let unit = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
    let (size, unit) = unit.into_iter().find(|(size, _)| nanos >= *size).unwrap_or((1, "ns"));
    let fraction = nanos % size;
    let digits = format!("{:0width$}", fraction, width = decimals(size));
    let digits = digits.trim_end_matches('0');
    match digits {
        "" => format!("{} {unit}", nanos / size),
        digits => format!("{}.{digits} {unit}", nanos / size),
    }
}

/// Returns how many decimals there are to a power of ten.
fn decimals(size: u128) -> usize {
    usize::try_from(size.ilog10()).unwrap_or(0)
}

fn indented(line: &str) -> String {
    if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }
}

/// Writes how near a detector came to a mistake, unless it made one.
fn closest_call(candidate: &Candidate) -> String {
    let tallies = [&candidate.trial.held_back, &candidate.trial.whole];
    let call = tallies.map(|tally| tally.closest_call).into_iter().fold(0.0, f64::max);
    if call > 1.0 { "–".to_owned() } else { text::percentage(call) }
}

impl Finding {
    /// Returns a word or two for the table.
    fn text(self) -> &'static str {
        match self {
            Self::Meets => "meets it",
            Self::NotShown => "not shown",
            Self::MistakesTooLong => "too long",
            Self::TooManyMistakes => "too many",
            Self::TooSlow => "too slow",
        }
    }
}

#[cfg(test)]
mod tests;
