//! The tables of the report.

use maud::{Markup, html};

use super::{
    super::{
        comparison::{Comparison, DefaultOutcome, Outcome},
        confidence::poisson_interval,
        defaults::Origin,
        number::{float, round},
        quality::Quality,
        table::TARGETS,
        text,
    },
    details,
};
use crate::page::headed_table;

/// Returns every result, folded away.
pub(crate) fn results(comparison: &Comparison) -> Markup {
    let header = [
        "detector",
        "parameter",
        "value",
        "T_D mean (s)",
        "T_D max (s)",
        "mistakes (95 %)",
        "rate (1/s, 95 %)",
        "mean length (s)",
        "accuracy",
        "observed / nominal",
        "optimal",
    ];
    let row = |outcome: &Outcome| {
        let Outcome { point, quality, on_front } = outcome;
        let nominal = point.kind.nominal_rate(point.parameter).filter(|rate| *rate > 0.0);
        let expected = nominal.map(|rate| rate * float(quality.scored().into()));
        let ratio = expected.map(|expected| float(quality.mistakes().into()) / expected);
        vec![
            point.kind.name().to_owned(),
            point.kind.parameter_name().to_owned(),
            point.parameter.to_string(),
            format!("{:.6}", quality.detection_time()),
            format!("{:.6}", quality.detection_time_max()),
            mistakes(quality),
            rate(quality),
            format!("{:.6}", quality.mistake_duration()),
            text::accuracy(quality.query_accuracy()),
            ratio.map_or("–".to_owned(), text::factor),
            if *on_front { "★".to_owned() } else { String::new() },
        ]
    };
    details(
        &format!("Every result on {}", comparison.name),
        &header,
        comparison.results.iter().map(row),
    )
}

/// Returns the mistakes of each detector at the same detection times.
pub(crate) fn equal_times(comparison: &Comparison) -> Markup {
    let interval = comparison.summary.interval;
    let counts = |target: f64| -> Vec<Option<f64>> {
        let at = |kind| comparison.mistakes_at(kind, target * interval);
        comparison.kinds().map(at).collect()
    };
    let columns: Vec<Vec<Option<f64>>> = TARGETS.into_iter().map(counts).collect();
    let least = |column: &[Option<f64>]| {
        column.iter().flatten().map(|&count| round(count)).min().unwrap_or(u64::MAX)
    };
    html! {
        (headed_table(&format!("Mistakes at equal detection time on {}", comparison.name), &html! {
            thead {
                tr {
                    th scope="col" { "mean T_D" }
                    @for target in TARGETS {
                        th scope="col" { (text::time(target * interval)) br; small { (target) " η" } }
                    }
                }
            }
            tbody {
                @for (row, kind) in comparison.kinds().enumerate() {
                    tr {
                        th scope="row" { (kind.name()) }
                        @for column in &columns {
                            @match column.get(row).copied().flatten().map(round) {
                                Some(count) if count == least(column) => {
                                    td.best { (text::integer(count)) }
                                }
                                Some(count) => td { (text::integer(count)) },
                                None => td { "–" },
                            }
                        }
                    }
                }
            }
        }))
        p.note {
            "Interpolated between the two nearest points of the sweep; the fewest of each column are bold; \
            “–” is a detection time that the detector does not reach."
        }
    }
}

/// Returns what each detector makes of the trace as it comes.
pub(crate) fn defaults(comparison: &Comparison) -> Markup {
    html! {
        (headed_table(&format!("Detectors as they come, on {}", comparison.name), &html! {
            thead {
                tr {
                    @for name in ["detector", "T_D mean", "T_D max", "mistakes (95 %)", "accuracy",
                        "dominated by"] {
                        th scope="col" { (name) }
                    }
                }
            }
            @for (origin, title) in [(Origin::Ours, "ours"), (Origin::Peer, "other systems’, emulated")] {
                tbody {
                    tr.group { th colspan="6" scope="rowgroup" { (title) } }
                    @for outcome in comparison.defaults.iter().filter(|one| one.origin == origin) {
                        tr {
                            th.words scope="row" {
                                (outcome.name)
                                span.settings { (outcome.settings) }
                            }
                            td { (text::time(outcome.quality.detection_time())) }
                            td { (text::time(outcome.quality.detection_time_max())) }
                            td { (mistakes(&outcome.quality)) }
                            td { (text::accuracy(outcome.quality.query_accuracy())) }
                            td.words { (dominators(outcome)) }
                        }
                    }
                }
            }
        }))
        p.note {
            "Other systems’ formulas and defaults on our types, without their defects and without sequence \
            numbers, which their heartbeats do not carry. One default dominates another if it makes at most \
            as many mistakes in at most as much mean detection time, and less of one."
        }
    }
}

fn dominators(outcome: &DefaultOutcome) -> String {
    match outcome.dominated_by.as_slice() {
        [] => "–".to_owned(),
        names => names.join(", "),
    }
}

/// Returns the observed mistakes over those that a parameter promises.
pub(crate) fn calibrations(comparison: &Comparison) -> Markup {
    let kinds = comparison.kinds().filter(|kind| kind.for_nominal_rate(0.01).is_some());
    html! {
        (headed_table(&format!("Mistakes observed on {}, over nominal ones", comparison.name), &html! {
            thead {
                tr {
                    th scope="col" { "nominal rate" }
                    @for rate in Comparison::NOMINAL_RATES {
                        th scope="col" { (text::short(rate * 100.0)) " %" }
                    }
                }
            }
            tbody {
                @for kind in kinds {
                    tr {
                        th scope="row" { (kind.name()) }
                        @for calibration in
                            comparison.calibrations.iter().filter(|one| one.point.kind == kind) {
                            td { (super::super::table::ratio(calibration)) }
                        }
                    }
                }
            }
        }))
        p.note {
            "Observed mistakes over nominal ones, with the 95 % interval: 1 is as promised. Where fewer than \
            about ten are expected, the interval says more than the ratio."
        }
    }
}

/// Returns a table of plain cells, the first of each row as its heading.
pub(crate) fn plain(
    caption: &str,
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Markup {
    html! {
        (headed_table(caption, &html! {
            thead { tr { @for name in header { th scope="col" { (name) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (index, cell) in row.iter().enumerate() {
                            @if index == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        }
                    }
                }
            }
        }))
    }
}

fn mistakes(quality: &Quality) -> String {
    let (low, high) = poisson_interval(quality.mistakes());
    let count = text::integer(quality.mistakes());
    format!("{count} ({}–{})", text::integer(round(low.floor())), text::integer(round(high.ceil())))
}

fn rate(quality: &Quality) -> String {
    let (low, high) = poisson_interval(quality.mistakes());
    let span = quality.span();
    let per_second = |events: f64| if span > 0.0 { events / span } else { 0.0 };
    format!(
        "{} ({}–{})",
        text::significant(quality.mistake_rate()),
        text::significant(per_second(low)),
        text::significant(per_second(high))
    )
}
