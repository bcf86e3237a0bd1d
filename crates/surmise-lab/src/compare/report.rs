//! The report: one HTML file that needs nothing else.

mod curves;
mod figure;
mod findings;
mod histogram;
mod outage;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::figure::DrawError;
use super::{
    comparison::Comparison,
    table::{defaults_statement, pareto_statement},
    text,
    timeline::{Since, WARM_UP},
};

/// Returns the report on some traces.
pub(crate) fn report(comparisons: &[Comparison]) -> Result<String, DrawError> {
    let mut sections = Vec::new();
    for (index, comparison) in comparisons.iter().enumerate() {
        sections.push(section(index, comparison)?);
    }
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "surmise: failure detectors compared" }
                style { (PreEscaped(include_str!("report/style.css"))) (PreEscaped(figure::stylesheet())) }
            }
            body {
                header {
                    h1 { "Failure detectors compared" }
                    p.lead {
                        "Every detector of " code { "surmise-detector" } ", swept over its parameter and \
                        replayed on " (comparisons.len())
                        @if comparisons.len() == 1 { " trace." } @else { " traces." }
                        " How long would it have taken to notice a crash, and how often was a live peer \
                        suspected?"
                    }
                }
                main { (findings::findings(comparisons)) @for section in &sections { (section) } (definitions()) }
                footer { "Written by surmise-lab " (env!("CARGO_PKG_VERSION")) "." }
            }
        }
    };
    Ok(page.into_string())
}

fn section(index: usize, comparison: &Comparison) -> Result<Markup, DrawError> {
    let curves = curves::curves(comparison)?;
    let histogram = histogram::histogram(comparison)?;
    let outage = outage::outage(comparison)?;
    Ok(html! {
        section id={ "trace-" (index) } {
            h2 { (comparison.name) }
            (facts(comparison))
            figure {
                figcaption { h3 { "Mistakes against detection time" } }
                (curves)
                p.statement { (pareto_statement(comparison)) }
                (tables::results(comparison))
            }
            @if !comparison.chosen {
                h3 { "Mistakes at equal detection time" }
                (tables::equal_times(comparison))
                h3 { "Detectors as they come" }
                p.statement { (defaults_statement(comparison)) }
                (tables::defaults(comparison))
                h3 { "Do the parameters mean what they say?" }
                (tables::calibrations(comparison))
            }
            figure {
                figcaption { h3 { "Intervals between arrivals" } }
                (histogram)
            }
            figure {
                figcaption { h3 { "Around the longest silence" } }
                (outage)
            }
        }
    })
}

fn facts(comparison: &Comparison) -> Markup {
    let summary = &comparison.summary;
    let facts = [
        ("heartbeats", text::integer(summary.sent)),
        ("interval η", text::time(summary.interval)),
        ("duration", text::time(summary.span)),
        ("lost", format!("{} ({})", text::integer(summary.lost), text::loss(summary))),
        ("overtaken or twice", text::integer(summary.stale)),
        ("longest silence", text::time(summary.worst_silence)),
    ];
    let since = match summary.since {
        Since::Sent => "Detection times count from when a heartbeat was sent.",
        Since::SentByTheFastest => {
            "Detection times count from when a heartbeat was sent, had the fastest one taken no time."
        }
        Since::LastArrival => {
            "The trace does not say when heartbeats were sent: detection times count since the last \
             arrival."
        }
    };
    html! {
        dl.facts {
            @for (name, value) in &facts { div { dt { (name) } dd { (value) } } }
        }
        p.note {
            (since)
            @if let Some(interval) = summary.assumed_interval {
                " The log has no time stamps: one ping every " (text::time(interval.as_secs_f64()))
                " is assumed (" code { "--interval" } ")."
            }
        }
    }
}

fn definitions() -> Markup {
    html! {
        section id="definitions" {
            h2 { "What the numbers mean" }
            p {
                "Heartbeats are replayed in order of arrival. One whose sequence number is not above the \
                highest seen is stale and ignored. The first " (WARM_UP) " fresh arrivals warm the \
                detectors up and are not scored; windows hold 1000 heartbeats."
            }
            dl {
                dt { "η" }
                dd { "The interval at which heartbeats are sent: the median over the trace." }
                dt { "Detection time T_D" }
                dd {
                    "From the sending of a heartbeat to the deadline that follows from it: how long a \
                    crash right after that heartbeat would have gone unnoticed."
                }
                dt { "Mistake" }
                dd {
                    "A deadline that passed before the next heartbeat came. It lasts until that \
                    heartbeat."
                }
                dt { "Accuracy P_A" }
                dd { "The share of the time in which the peer, which was alive, was trusted." }
                dt { "Pareto-optimal" }
                dd {
                    "No other result has at most as many mistakes in at most as much mean detection time, \
                    and less of one. A detector is called so if one of its parameters is."
                }
                dt { "Defaults" }
                dd {
                    "Detectors whose parameter is the user’s promise (a timeout, a margin, a weight, a \
                    rate) have no defaults of ours. Bertier’s detector is one of them, so its published \
                    settings count among the others’ defaults."
                }
                dt { "95 % intervals" }
                dd {
                    "Garwood's exact interval for a Poisson count. It takes mistakes to be independent, \
                    and they come in bursts, so the truth is less certain than it says."
                }
                dt { "Nominal rate" }
                dd {
                    "The share of heartbeats that a parameter promises to be suspected wrongly: 10"
                    sup { "−Φ" } " for phi, 1 − E for exponential, one less the share for satzger, ε for \
                    rate-target."
                }
            }
        }
    }
}

/// Returns a table that is folded away.
fn details(summary: &str, header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Markup {
    html! {
        details { summary { (summary) } (tables::plain(header, rows)) }
    }
}
