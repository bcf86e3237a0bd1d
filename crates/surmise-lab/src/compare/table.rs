//! The tables for the terminal. They fit 100 columns.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::{
    catalogue::Kind,
    comparison::{Calibration, Comparison},
    defaults::Origin,
    number::round,
    text,
};

/// The widest line.
const WIDTH: u16 = 100;

/// The mean detection times at which mistakes are compared, in intervals.
pub(crate) const TARGETS: [f64; 5] = [1.5, 2.0, 3.0, 5.0, 10.0];

/// Returns everything about one trace.
pub(crate) fn comparison(comparison: &Comparison) -> String {
    let heading = super::text::summary(&comparison.name, &comparison.summary);
    let body = if comparison.chosen {
        format!("{}\n{}", points(comparison), wrap(&pareto_statement(comparison)))
    } else {
        [
            sweeps(comparison),
            wrap(&pareto_statement(comparison)),
            defaults(comparison),
            wrap(&defaults_statement(comparison)),
        ]
        .join("\n")
    };
    let heading: Vec<String> = heading.lines().map(wrap).collect();
    format!("{}\n{body}\n", heading.join("\n"))
}

/// Returns what the columns mean.
pub(crate) fn legend() -> &'static str {
    "T_D, the detection time: how long a crash just after a heartbeat would go unnoticed. A mistake: a
deadline that passed while the peer was alive. Pareto-optimal: for how many of the swept parameters
no other result is as good in both, and better in one. Observed/nominal: for parameters that promise
a rate of mistakes, those made over those promised at 1 % of the heartbeats, with the 95 % interval;
1 is as promised. Dominated: another default is as good in both, and better in one. –: out of reach.
"
}

/// Says which detectors are Pareto-optimal.
pub(crate) fn pareto_statement(comparison: &Comparison) -> String {
    let names: Vec<&str> = pareto_optimal(comparison).map(Kind::name).collect();
    format!("Pareto-optimal in mistakes and mean detection time: {}.", names.join(", "))
}

/// Returns the detectors of which some result is on the front.
pub(crate) fn pareto_optimal(comparison: &Comparison) -> impl Iterator<Item = Kind> {
    comparison.kinds().filter(|&kind| comparison.of(kind).any(|outcome| outcome.on_front))
}

/// Says whether any default of ours is worse than a peer's in every respect.
pub(crate) fn defaults_statement(comparison: &Comparison) -> String {
    let worse: Vec<String> = comparison
        .defaults
        .iter()
        .filter(|outcome| outcome.origin == Origin::Ours && !outcome.dominated_by.is_empty())
        .map(|outcome| format!("{} by {}", outcome.name, outcome.dominated_by.join(" and ")))
        .collect();
    if worse.is_empty() {
        "No default of ours is dominated by a peer's.".to_owned()
    } else {
        format!("Defaults of ours that a peer's dominates: {}.", worse.join("; "))
    }
}

/// Returns a row a detector as it comes.
fn defaults(comparison: &Comparison) -> String {
    let mut table = new_table();
    table.set_header(["defaults", "T_D mean", "T_D max", "mistakes", "accuracy", "dominated by"]);
    for outcome in &comparison.defaults {
        let quality = &outcome.quality;
        table.add_row([
            Cell::new(outcome.name),
            number(text::time(quality.detection_time())),
            number(text::time(quality.detection_time_max())),
            number(text::integer(quality.mistakes())),
            number(text::accuracy(quality.query_accuracy())),
            Cell::new(match outcome.dominated_by.as_slice() {
                [] => String::new(),
                [name] => (*name).to_owned(),
                [name, others @ ..] => format!("{name} and {} more", others.len()),
            }),
        ]);
    }
    table.to_string()
}

/// Returns a row a detector: its mistakes at equal detection times.
fn sweeps(comparison: &Comparison) -> String {
    let mut table = new_table();
    let interval = comparison.summary.interval;
    let mut header = vec!["mistakes at T_D =".to_owned()];
    header.extend(TARGETS.map(|target| format!("{}\n{target} η", text::time(target * interval))));
    header.push("Pareto-\noptimal".to_owned());
    header.push("observed/nominal\nrate at 1 %".to_owned());
    table.set_header(header);
    for kind in comparison.kinds() {
        let mut row = vec![Cell::new(kind.name())];
        for target in TARGETS {
            let mistakes = comparison.mistakes_at(kind, target * interval);
            row.push(number(mistakes.map_or("–".to_owned(), |count| text::integer(round(count)))));
        }
        let on_front = comparison.of(kind).filter(|outcome| outcome.on_front).count();
        let points = comparison.of(kind).count();
        row.push(number(match on_front {
            0 => "–".to_owned(),
            _ => format!("{on_front} of {points}"),
        }));
        let calibration = comparison
            .calibrations
            .iter()
            .find(|calibration| calibration.point.kind == kind && calibration.nominal_rate == 0.01);
        row.push(number(calibration.map_or("–".to_owned(), ratio)));
        table.add_row(row);
    }
    table.to_string()
}

/// Returns a row a point that was asked for.
fn points(comparison: &Comparison) -> String {
    let mut table = new_table();
    table.set_header([
        "detector",
        "parameter",
        "T_D mean",
        "T_D max",
        "mistakes",
        "rate /s",
        "mean length",
        "accuracy",
    ]);
    for outcome in &comparison.results {
        let quality = &outcome.quality;
        table.add_row([
            Cell::new(outcome.point.kind.name()),
            number(outcome.point.to_string()),
            number(text::time(quality.detection_time())),
            number(text::time(quality.detection_time_max())),
            number(text::integer(quality.mistakes())),
            number(text::significant(quality.mistake_rate())),
            number(text::time(quality.mistake_duration())),
            number(text::accuracy(quality.query_accuracy())),
        ]);
    }
    table.to_string()
}

/// Writes an observed rate over its nominal one, with its 95 % confidence interval.
pub(crate) fn ratio(calibration: &Calibration) -> String {
    let (ratio, (low, high)) = calibration.ratio();
    format!("{} ({}–{})", text::factor(ratio), text::factor(low), text::factor(high))
}

pub(crate) fn new_table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table
}

pub(crate) fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Breaks a text into lines that fit, at its spaces where it can.
pub(crate) fn wrap(text: &str) -> String {
    let width = usize::from(WIDTH);
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        for character in word.chars() {
            if column == width {
                wrapped.push('\n');
                column = 0;
            }
            wrapped.push(character);
            column += 1;
        }
    }
    wrapped
}
