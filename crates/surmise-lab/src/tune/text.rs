//! The answer for people. It fits 100 columns.

use core::time::Duration;

use comfy_table::{Cell, ColumnConstraint};

use super::{
    attainable::Offer,
    contract::SECONDS_PER_DAY,
    snippet,
    verdict::{Candidate, Finding, Verdict},
};
use crate::compare::{
    catalogue::Kind,
    table::{new_table, number, wrap},
    text,
    timeline::Since,
};

/// Returns everything about one trace.
pub(super) fn verdict(verdict: &Verdict) -> String {
    let heading = text::summary(&verdict.name, &verdict.summary);
    let mut paragraphs: Vec<String> =
        vec![heading.lines().map(wrap).collect::<Vec<_>>().join("\n")];
    paragraphs.push(wrap(&contract(verdict)));
    paragraphs.push(wrap(&(answer(verdict) + caution(verdict))));
    if !verdict.candidates.is_empty() {
        paragraphs.push(table(verdict));
    }
    if let Some(too_slow) = too_slow(verdict) {
        paragraphs.push(wrap(&too_slow));
    }
    if let Some(attainable) = attainable(verdict) {
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
pub(super) fn legend() -> String {
    wrap(
        "T_D, the detection time: how long a crash just after a heartbeat was sent would go unnoticed. \
         A mistake: a live peer was suspected. Held back: each part of the trace but the first, with \
         the parameter that the parts before it suggest. A day: the interval that holds the rate of \
         mistakes, of those parts and of the whole trace with the parameter shown. Closest call: the \
         longest silence of the live peer, as a share of what the detector would have waited. The best is \
         first: by verdict, by the upper bound of its mistakes, by its closest call (all up to 50 % are \
         alike where the contract is met), by the mean T_D (both in whole percent), and by size.",
    ) + "\n"
}

/// Says what was demanded, and what the trace makes of it.
fn contract(verdict: &Verdict) -> String {
    let contract = &verdict.contract;
    let detection_time = duration(contract.detection_time);
    let mut said = format!(
        "Wanted: a crash noticed within {detection_time}, and at most {}",
        mistakes_a_day(contract.mistakes_per_day)
    );
    if let Some(longest) = contract.mistake_duration {
        said += &format!(" of {} on average", duration(longest));
    }
    said += &format!(", with {} % confidence. ", text::short(contract.confidence * 100.0));
    if verdict.summary.since == Since::LastArrival {
        return said
            + "The trace does not say when heartbeats were sent: detection times count from their \
               arrival, and how long they travel must be added.";
    }
    said + &format!(
        "Heartbeats that were news came up to {} late. Twice that is kept free in the detection time, \
         for those to come.",
        text::time(verdict.lateness)
    )
}

/// Says whether the contract is met.
fn answer(verdict: &Verdict) -> String {
    let Some(best) = verdict.candidates.first() else {
        return format!("Answer: none can. {}", why_too_slow(verdict));
    };
    let name = named(best);
    let seen = seen(verdict, best);
    match best.finding {
        Finding::Meets => {
            format!("Answer: take {name}. {seen}; you allow {}.", verdict.contract.mistakes_per_day)
        }
        Finding::NotShown => match verdict.needed_span(best) {
            Some(needed) => format!(
                "Answer: {name} comes first, but the trace is too short for a promise. {seen}; you \
                 allow {}. A trace of {} with mistakes as rare would show it.",
                verdict.contract.mistakes_per_day,
                long_time(needed / verdict.span * verdict.summary.span)
            ),
            None => format!(
                "Answer: {name} comes first, but there is no promise. {seen}; you allow {}, which \
                 lies between the two. A longer trace would tell.",
                verdict.contract.mistakes_per_day
            ),
        },
        Finding::TooManyMistakes => {
            format!("Answer: none can. The fewest mistakes are those of {name}. {seen}.")
        }
        Finding::MistakesTooLong => format!(
            "Answer: none can. The best is {name}, but its mistakes lasted {} on average.",
            text::time(
                best.trial.held_back.mistake_duration.max(best.trial.whole.mistake_duration)
            )
        ),
        Finding::TooSlow => format!(
            "Answer: none can. {name} would have left a crash unnoticed for {} on a part that was held \
             back: heartbeats came more than twice as late there as on the parts before it.",
            text::time(
                best.trial.held_back.detection_time_max.max(best.trial.whole.detection_time_max)
            )
        ),
    }
}

/// Says what speaks against the detector that comes first.
fn caution(verdict: &Verdict) -> &'static str {
    match verdict.recommended() {
        Some(best) if best.kind == Kind::Chen => {
            " Chen's detector takes the sender at its schedule: one that stalls and does not catch up is \
             suspected again and again for a thousand heartbeats. Where that can happen, take the next."
        }
        _ => "",
    }
}

/// Says how many mistakes were seen, and how many a day that allows for.
fn seen(verdict: &Verdict, candidate: &Candidate) -> String {
    let counted = candidate.trial.held_back.counted;
    let count = match counted.mistakes {
        0 => "no mistake".to_owned(),
        1 => "1 mistake".to_owned(),
        mistakes => format!("{} mistakes", text::integer(mistakes)),
    };
    format!(
        "It made {count} in the {} held back, which means {} a day",
        text::time(verdict.held_back),
        interval(candidate)
    )
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
            number(parameter(candidate)),
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

/// Says which detectors are not in the table.
fn too_slow(verdict: &Verdict) -> Option<String> {
    if verdict.too_slow.is_empty() || verdict.candidates.is_empty() {
        return None;
    }
    let names: Vec<&str> = verdict.too_slow.iter().map(|kind| kind.name()).collect();
    Some(format!("Too slow, however they are set: {}.", text::list(&names)))
}

/// Says why no detector is fast enough.
fn why_too_slow(verdict: &Verdict) -> String {
    let lateness = verdict.lateness;
    let detection_time = verdict.contract.detection_time.as_secs_f64();
    let late = text::time(lateness);
    if lateness >= detection_time {
        return format!(
            "A heartbeat that was news came {late} late, and vouched for a peer that may have crashed \
             since: no detector notices a crash faster than that."
        );
    }
    format!(
        "Heartbeats that were news came up to {late} late, and one may come twice as late: nothing is left \
         of {} for a detector to wait.",
        duration(verdict.contract.detection_time)
    )
}

/// Says what there is where the contract is not met.
fn attainable(verdict: &Verdict) -> Option<String> {
    let attainable = verdict.attainable.as_ref()?;
    let rate = mistakes_a_day(verdict.contract.mistakes_per_day);
    let time =
        |offer: &Offer| format!("{} (`{}`)", text::time(offer.detection_time), offer.kind.name());
    let is_open = verdict.recommended().is_some();
    Some(match (&attainable.possible, &attainable.shown) {
        (Some(possible), Some(shown)) if !is_open && possible != shown => format!(
            "Attainable: at most {rate} is possible from a detection time of {} on, and shown by this \
             trace from {} on.",
            time(possible),
            time(shown)
        ),
        (_, Some(shown)) => format!(
            "Attainable: at most {rate} is shown by this trace from a detection time of {} on.",
            time(shown)
        ),
        (Some(possible), None) if !is_open => format!(
            "Attainable: at most {rate} is possible from a detection time of {} on, but the trace is too \
             short to show it for any.",
            time(possible)
        ),
        (Some(_), None) => {
            format!(
                "Attainable: the trace is too short to show at most {rate} for any detection time."
            )
        }
        (None, None) => format!("Attainable: at most {rate} is ruled out for any detection time."),
    })
}

fn named(candidate: &Candidate) -> String {
    let name = candidate.kind.parameter_name().replace('_', " ");
    format!("`{}` with {name} {}", candidate.kind.name(), parameter(candidate))
}

/// Writes a parameter as it is, for it is meant to be copied.
fn parameter(candidate: &Candidate) -> String {
    let point = candidate.trial.setting.point;
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

fn mistakes_a_day(count: f64) -> String {
    if count == 1.0 { "1 mistake a day".to_owned() } else { format!("{count} mistakes a day") }
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

/// Writes a time that may take days.
fn long_time(seconds: f64) -> String {
    let days = seconds / SECONDS_PER_DAY;
    if days >= 2.0 { format!("{} days", text::significant(days)) } else { text::time(seconds) }
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
