//! The simulation for the terminal, in a hundred columns.

use comfy_table::Cell;

use super::{
    Simulation,
    history::{MAX_PAUSE, Outcome, Stamping},
    node::{BASE, DRIFT, POLL},
    plot,
    sawtooth::Sawtooth,
};
use crate::compare::{
    table::{new_table, number, wrap},
    text,
};

/// Returns both simulations as text.
pub(in crate::clock) fn describe(simulation: &Simulation) -> String {
    format!("{}\n{}", sawtooth(&simulation.sawtooth), last_write_wins(simulation))
}

fn sawtooth(sawtooth: &Sawtooth) -> String {
    let time = |time: core::time::Duration| text::time(time.as_secs_f64());
    let heading = format!(
        "The uncertainty ε of a clock with TrueTime's published parameters: polled every {} s, a \
         drift of {} µs/s, {} ms at best",
        POLL.as_secs(),
        DRIFT.as_ppb() / 1_000,
        BASE.as_millis(),
    );
    let plot = plot::milliseconds(&sawtooth.uncertainties, 7);
    let axis =
        format!("      0 s{:>width$} s", Sawtooth::span().as_secs(), width = plot::COLUMNS - 3);
    let numbers = format!(
        "ε is from {} to {}, and {} on average. The true time was in the interval at {} of {} \
         readings.",
        time(sawtooth.min),
        time(sawtooth.max),
        time(sawtooth.mean),
        text::integer(sawtooth.contained.into()),
        text::integer(sawtooth.readings.into()),
    );
    format!("{}\n{plot}{axis}\n{}\n", wrap(&heading), wrap(&numbers))
}

fn last_write_wins(simulation: &Simulation) -> String {
    let outcomes = &simulation.last_write_wins;
    let writes = outcomes.first().map_or(0, |outcome| outcome.writes);
    let heading = format!(
        "Last write wins: a client writes to one of two such nodes, sees that acknowledged, and \
         writes again to either, up to {} ms later. A write is lost if an earlier one has a greater \
         stamp. {} writes, seed {}:",
        MAX_PAUSE.as_millis(),
        text::integer(writes.into()),
        simulation.seed,
    );
    let mut table = new_table();
    table.set_header(["stamp", "lost updates", "of all", "wait, mean", "wait, max"]);
    for outcome in outcomes {
        table.add_row(row(outcome));
    }
    format!("{}\n{table}\n", wrap(&heading))
}

fn row(outcome: &Outcome) -> [Cell; 5] {
    let share = f64::from(outcome.lost) / f64::from(outcome.writes.max(1));
    let time = |time: core::time::Duration| number(text::time(time.as_secs_f64()));
    [
        Cell::new(name(outcome.stamping)),
        number(text::integer(outcome.lost.into())),
        number(text::percentage(share)),
        time(outcome.mean_wait),
        time(outcome.max_wait),
    ]
}

const fn name(stamping: Stamping) -> &'static str {
    match stamping {
        Stamping::WallClock => "wall clock",
        Stamping::Hybrid => "hybrid clock, nodes do not communicate",
        Stamping::HybridPassed => "hybrid clock, the client passes its stamp on",
        Stamping::Latest => "interval clock, latest, without a wait",
        Stamping::CommitWait => "interval clock, latest, with commit wait",
    }
}
