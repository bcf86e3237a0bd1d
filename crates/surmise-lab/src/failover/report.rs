//! The report on a run: one HTML file that needs nothing else.

mod figure;

use core::time::Duration;

use maud::{Markup, html};

use super::{
    history::History,
    outage::{Outage, Promise},
    run::Script,
    story::Story,
    timeline::line,
    verdict::{ACQUITTAL, Counts, NOT_FINISHED, Outcome, Verdict, time},
};
use crate::{
    compare::text,
    page::{Page, headed_table, table},
};

/// Returns the report.
pub(super) fn report(script: &Script, history: &History, verdict: &Verdict) -> String {
    let story = Story::new(history, script.setup.nodes);
    let outcome = match verdict.outcome {
        Outcome::Clean => "Nothing was corrupted",
        Outcome::Unfinished => "Nothing was corrupted, and the run did not finish",
        Outcome::Broken => "Promises were broken, and nothing was corrupted",
        Outcome::Corrupt => "What was promised is corrupted",
    };
    let page = Page {
        title: "a failover",
        heading: "A failover",
        lead: html! {
            p.lead {
                (script.setup.nodes) " nodes and a client, with the store " code { (script.store) } "."
                @if !script.setup.fenced {
                    " The store's check of tokens was switched off."
                }
            }
            p.statement { (outcome) "." }
        },
        contents: &SECTIONS.map(|(id, name)| (id.to_owned(), name.to_owned())),
        main: html! {
            section id="run" {
                h2 { "What happened" }
                (facts(&verdict.counts))
                figure.lanes { (figure::figure(&story)) }
                (keys())
                (writes(&story))
            }
            section id="verdict" { h2 { "What was found" } (found(verdict)) }
            section id="timeline" { h2 { "Entry by entry" } (timeline(history)) }
        },
        style: include_str!("report/style.css"),
    };
    page.into_html()
}

/// Where to find what on the page.
const SECTIONS: [(&str, &str); 3] =
    [("run", "What happened"), ("verdict", "What was found"), ("timeline", "Entry by entry")];

fn facts(counts: &Counts) -> Markup {
    let facts = [
        ("writes acknowledged", counts.acknowledged),
        ("in the store", counts.stored),
        ("stale writes refused", counts.refused),
        ("writes replayed", counts.replayed),
        ("terms of leaders", counts.leaders),
        ("reads, hedged", counts.hedged),
        ("faults", counts.faults),
        ("faults that met nobody", counts.missed),
    ];
    html! {
        dl.facts {
            @for (name, value) in facts { div { dt { (name) } dd { (text::integer(value)) } } }
        }
    }
}

fn keys() -> Markup {
    html! {
        p.note {
            "A bar says who led, with the token of the lease; a hatched one that the process was stopped, and an \
             outlined one that it was killed. ▼ is when a majority came to suspect the node, ✕ a write of it that the \
             store refused. Below, the writes that the client had acknowledged in each 100 ms."
        }
    }
}

/// Returns the writes as numbers, folded away.
fn writes(story: &Story) -> Markup {
    let summary = "The writes that were acknowledged, by time";
    let seconds = |at_ns: u64| format!("{:.1} s", Duration::from_nanos(at_ns).as_secs_f64());
    let rows = html! {
        thead {
            tr { @for name in ["from", "to", "writes"] { th scope="col" { (name) } } }
        }
        tbody {
            @for count in figure::counts(story) {
                tr {
                    th scope="row" { (seconds(count.from_ns)) }
                    td { (seconds(count.to_ns)) }
                    td { (text::integer(count.writes.into())) }
                }
            }
        }
    };
    html! { details { summary { (summary) } (headed_table(summary, &rows)) } }
}

fn found(verdict: &Verdict) -> Markup {
    html! {
        @if !verdict.drained { p { (NOT_FINISHED) } }
        @if verdict.violations.is_empty() {
            p { (sentence(ACQUITTAL)) }
        } @else {
            ul { @for violation in &verdict.violations { li { (violation) "." } } }
        }
        @if !verdict.outages.is_empty() {
            p {
                "The contract promises of each observer that it suspects a node which is gone after "
                (verdict.promise) ". A leader is replaced when a majority suspects it, or its lease is over or given back."
            }
            (table("Leaders that were lost, and when the next write was acknowledged:", &html! {
                thead {
                    tr {
                        th scope="col" { "leader" }
                        th.words scope="col" { "how soon it was suspected" }
                        th scope="col" { "next write after" }
                    }
                }
                tbody { @for outage in &verdict.outages { (row(outage, &verdict.promise)) } }
            }))
        }
    }
}

fn row(outage: &Outage, promise: &Promise) -> Markup {
    let next = match outage.replaced_ns {
        Some(after) => time(after),
        None if outage.went_on => "went on leading".to_owned(),
        None => "–".to_owned(),
    };
    html! {
        tr {
            th scope="row" { "node-" (outage.node) " " (outage.how.describe()) }
            td.words { (sentence(&outage.detection(promise))) }
            td { (next) }
        }
    }
}

/// Begins a text with a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Returns all that the timeline shows on the terminal, but for what is summed up there.
fn timeline(history: &History) -> Markup {
    let mut entries: Vec<_> = history.entries.iter().collect();
    entries.sort_by_key(|entry| entry.at_ns);
    let start = entries.first().map_or(0, |entry| entry.at_ns);
    let seconds = |at_ns: u64| Duration::from_nanos(at_ns - start).as_secs_f64();
    html! {
        (headed_table("The run, entry by entry", &html! {
            thead { tr { th scope="col" { "at" } th.words scope="col" { "who" } th.words scope="col" { "what" } } }
            tbody {
                @for entry in entries {
                    @if let Some((who, what)) = line(entry) {
                        tr {
                            th scope="row" { (format!("{:.3} s", seconds(entry.at_ns))) }
                            td.words { (who) }
                            td.words.what { (what) }
                        }
                    }
                }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failover::{simulation, wire::Network},
        page::check::complaints,
    };

    #[test]
    fn a_report_has_all_and_needs_nothing_else() {
        let (setup, plan, history) = simulation::paused_run();
        let verdict = Verdict::new(&history, &setup, &Network::default());
        let store = "redb".parse().unwrap();
        let script = Script { setup, plan, network: Network::default(), store };
        let report = report(&script, &history, &verdict);
        for part in ["Nothing was corrupted", "leads", "✕", "▼", "REFUSED", "class=\"stopped\""]
        {
            assert!(report.contains(part), "{part}");
        }
        let told =
            format!("{} writes are acknowledged; for longest, ", verdict.counts.acknowledged);
        assert_eq!(report.matches(&told).count(), 2, "{told}");
        let told = [
            "is suspected by a majority at ",
            "has a write refused at ",
            "<details><summary>The writes",
        ];
        for part in told {
            assert!(report.contains(part), "{part}");
        }
        assert_eq!(complaints(&report), Vec::<String>::new());
    }
}
