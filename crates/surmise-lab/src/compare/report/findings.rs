//! What the report says first: who is best where.

use maud::{Markup, html};

use super::super::{
    catalogue::Kind,
    comparison::Comparison,
    table::{defaults_statement, pareto_optimal},
    text,
};

/// Returns the findings in a paragraph, and then trace by trace.
pub(crate) fn findings(comparisons: &[Comparison]) -> Markup {
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Findings" }
            p { (overall(comparisons)) }
            ul {
                @for (index, comparison) in comparisons.iter().enumerate() {
                    li {
                        a href={ "#trace-" (index) } { (comparison.name) } ": "
                        strong { (text::list(&names(pareto_optimal(comparison)))) }
                        " " (verb(pareto_optimal(comparison).count())) " Pareto-optimal."
                        @if !comparison.chosen { " " (defaults_statement(comparison)) }
                    }
                }
            }
            p { a href="#definitions" { "What the numbers mean" } }
        }
    }
}

/// Says what holds on all of the traces.
fn overall(comparisons: &[Comparison]) -> String {
    let optimal: Vec<Vec<Kind>> =
        comparisons.iter().map(|one| pareto_optimal(one).collect()).collect();
    let everywhere =
        Kind::ALL.into_iter().filter(|kind| optimal.iter().all(|kinds| kinds.contains(kind)));
    let everywhere = names(everywhere);
    let mut said = if everywhere.is_empty() {
        "No detector is Pareto-optimal on every trace.".to_owned()
    } else {
        let (names, verb) = (text::list(&everywhere), verb(everywhere.len()));
        let place = if comparisons.len() == 1 { "this trace" } else { "every trace" };
        format!(
            "{names} {verb} Pareto-optimal on {place}: with some parameter, no other result makes as \
             few mistakes in as short a mean detection time."
        )
    };
    let swept: Vec<&Comparison> = comparisons.iter().filter(|one| !one.chosen).collect();
    if swept.is_empty() {
        return said;
    }
    let dominated: Vec<&str> = swept
        .iter()
        .filter(|one| one.has_dominated_default())
        .map(|one| one.name.as_str())
        .collect();
    if dominated.is_empty() {
        said.push_str(" None of our defaults is dominated by another system's default.");
    } else {
        let where_to = text::list(&dominated);
        said.push_str(&format!(" Another system's default dominates one of ours on {where_to}."));
    }
    said
}

fn names(kinds: impl Iterator<Item = Kind>) -> Vec<&'static str> {
    kinds.map(Kind::name).collect()
}

fn verb(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
