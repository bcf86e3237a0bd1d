//! The report: one HTML file that needs nothing else.

mod curves;
mod figure;
mod findings;
mod histogram;
mod outage;
mod tables;

use maud::{Markup, html};

use self::figure::DrawError;
use super::{
    comparison::Comparison,
    table::{defaults_statement, pareto_statement},
    text,
    timeline::{Since, WARM_UP},
};
use crate::page::Page;

/// Returns the report on some traces.
pub(crate) fn report(comparisons: &[Comparison]) -> Result<String, DrawError> {
    let mut sections = Vec::new();
    for (index, comparison) in comparisons.iter().enumerate() {
        sections.push(section(index, comparison)?);
    }
    let traces = comparisons.iter().enumerate();
    let traces = traces.map(|(index, one)| (format!("trace-{index}"), one.name.clone()));
    let mut contents = vec![("findings".to_owned(), "Findings".to_owned())];
    contents.extend(traces);
    contents.push(("definitions".to_owned(), "What the numbers mean".to_owned()));
    let page = Page {
        title: "failure detectors compared",
        heading: "Failure detectors compared",
        lead: lead(comparisons.len()),
        contents: &contents,
        main: html! { (findings::findings(comparisons)) @for section in &sections { (section) } (definitions()) },
        style: &figure::stylesheet(),
    };
    Ok(page.into_html())
}

fn lead(traces: usize) -> Markup {
    html! {
        p.lead {
            "Every detector of " code { "surmise-detector" } ", swept over its parameter and replayed on "
            (traces)
            @if traces == 1 { " trace." } @else { " traces." }
            " How long would it have taken to notice a crash, and how often was a live peer suspected?"
        }
    }
}

fn section(index: usize, comparison: &Comparison) -> Result<Markup, DrawError> {
    let curves = curves::curves(index, comparison)?;
    let histogram = histogram::histogram(index, comparison)?;
    let outage = outage::outage(index, comparison)?;
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
        details { summary { (summary) } (tables::plain(summary, header, rows)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compare::{Point, timeline::Timeline},
        page::check::complaints,
        trace::{HeartbeatRecord, Trace},
    };

    /// Replays a trace in which every tenth heartbeat is late, and every fiftieth lost.
    fn comparison(name: &str, points: &[Point]) -> Comparison {
        let second = 1_000_000_000;
        let beat = |i| {
            let delay = if i % 10 == 9 { second / 2 } else { second / 100 * (i % 3) };
            HeartbeatRecord::new(i, Some(i * second), (i % 50 != 17).then_some(i * second + delay))
        };
        let trace = Trace::new(name, (0..160).map(beat).collect());
        let timeline = Timeline::new(&trace, false, 1 << 40).unwrap();
        Comparison::new(&trace, timeline, points, &|| ()).unwrap()
    }

    #[test]
    fn a_report_is_a_page_that_all_can_read() {
        let traces = ["one", "<b>\"two\""].map(|name| comparison(name, &[]));
        let page = report(&traces).unwrap();
        assert_eq!(complaints(&page), Vec::<String>::new());
        // Three figures for each of two screens, and eight tables, of each trace.
        assert_eq!(
            (page.matches("<svg class=").count(), page.matches("<table>").count()),
            (12, 14)
        );
        assert!(page.contains("phi goes from "), "{page}");
        let chosen = comparison("chosen", &["phi=8".parse().unwrap(), "fixed=2".parse().unwrap()]);
        assert_eq!(complaints(&report(&[chosen]).unwrap()), Vec::<String>::new());
    }
}
