//! What the sources say, for the terminal, in a hundred columns.

use core::time::Duration;
use std::time::SystemTime;

use comfy_table::Cell;

use super::view::{Row, Selected, TimeView, View};
use crate::compare::{
    table::{new_table, number, wrap},
    text,
};

/// Returns a row a source, and what they agree on.
pub(super) fn describe(view: &View) -> String {
    let mut table = new_table();
    table.set_header(["source", "offset", "bound", "age", "status", "what it says"]);
    for source in &view.sources {
        table.add_row(row(source));
    }
    let lines: Vec<String> = conclusions(view).iter().map(|line| wrap(line)).collect();
    format!("{table}\n{}\n", lines.join("\n"))
}

/// Returns what follows from all of it, line by line.
fn conclusions(view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    match (&view.selection, &view.selection_error) {
        (Some(selection), _) => {
            let Selected { time: TimeView { earliest_ns, latest_ns, .. }, .. } = selection;
            lines.push(format!("Selected: {}", describe_selection(selection)));
            lines.push(format!("It is between {} and {}.", date(*earliest_ns), date(*latest_ns)));
        }
        (None, error) => {
            lines.push(format!("Nothing selected: {}.", error.as_deref().unwrap_or_default()));
        }
    }
    let selected = view.selection.as_ref().map(|selection| selection.time);
    if let Some(marzullo) = view.marzullo.as_ref().filter(|found| Some(found.time) != selected) {
        lines.push(format!("By Marzullo's algorithm: {}", describe_selection(marzullo)));
    }
    lines
}

/// Returns what the columns mean.
pub(super) fn legend() -> &'static str {
    "\
Offset: how far the source's time is ahead of the system clock. Bound: how far from the truth that
can be. Age: how long ago the source itself learnt the time. A falseticker contradicts those that
agree. Kernel, chrony and ClockBound 2 all tell of the system clock, mostly what one daemon knows:
they have one vote, which is chrony's if it answers, then ClockBound's. The others are uncounted.
"
}

fn row(row: &Row) -> [Cell; 6] {
    let unknown = || number("–".to_owned());
    let time = |known: fn(&TimeView) -> String| {
        row.time.as_ref().map_or_else(unknown, |time| number(known(time)))
    };
    let says = match (&row.error, row.details.as_str()) {
        (Some(error), "") => error.clone(),
        (Some(error), details) => format!("{error} ({details})"),
        (None, details) => details.to_owned(),
    };
    [
        Cell::new(&row.source),
        time(|time| offset(time.offset_ns)),
        time(|time| duration(time.bound_ns)),
        row.age_ns.map_or_else(unknown, |age| number(duration(age))),
        Cell::new(row.status.name()),
        Cell::new(says),
    ]
}

fn describe_selection(selection: &Selected) -> String {
    let Selected { time, agreeing, falsetickers } = selection;
    let [agreeing, falsetickers] = [agreeing, falsetickers]
        .map(|names| text::list(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    format!(
        "{} ± {}, by {agreeing}. Falsetickers: {falsetickers}.",
        offset(time.offset_ns),
        duration(time.bound_ns),
    )
}

fn offset(nanos: i64) -> String {
    match nanos.signum() {
        -1 => format!("−{}", duration(nanos.unsigned_abs())),
        1 => format!("+{}", duration(nanos.unsigned_abs())),
        _ => duration(0),
    }
}

/// Writes a time that can be negative, with its sign.
pub(super) fn signed(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "−" } else { "+" };
    format!("{sign}{}", text::time(seconds.abs()))
}

fn duration(nanos: u64) -> String {
    text::time(Duration::from_nanos(nanos).as_secs_f64())
}

fn date(nanos: u64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos);
    humantime::format_rfc3339_nanos(time).to_string()
}
