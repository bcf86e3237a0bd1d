//! Stories for the terminal, in a hundred columns.

use comfy_table::Cell;

use super::{
    Entry,
    story::{Bars, Figure, Table, Told, Value},
};
use crate::compare::{
    number::round,
    table::{new_table, number, wrap},
    text as write,
};

/// Returns a story as text.
pub(super) fn describe(told: &Told) -> String {
    let story = &told.story;
    let title = match told.seed {
        Some(seed) => format!("{} (seed {seed})", told.title),
        None => told.title.clone(),
    };
    let mut parts = vec![wrap(&title), wrap(&story.setting)];
    parts.extend(story.figures.iter().map(figure));
    parts.push(wrap(&story.lesson));
    let sources = story.sources.iter();
    let sources: Vec<_> =
        sources.map(|source| format!("{}\n  {}", wrap(source.title), source.url)).collect();
    parts.push(sources.join("\n"));
    parts.join("\n\n")
}

/// Returns a line for each of the scenarios.
pub(super) fn list(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Entry { name, title } in entries {
        text.push_str(&format!("{name:width$}  {title}\n"));
    }
    format!("{text}\nTell one of them:\n  surmise-lab scenario lost-reply")
}

fn figure(figure: &Figure) -> String {
    match figure {
        Figure::Table(table) => format!("{}\n{}", wrap(&table.caption), rows(table)),
        Figure::Bars(bars) => format!("{}\n{}", wrap(&bars.caption), lines(bars)),
    }
}

fn rows(Table { columns, rows, .. }: &Table) -> comfy_table::Table {
    let mut table = new_table();
    table.set_header(columns);
    for row in rows {
        table.add_row(row.iter().map(|value| match value {
            Value::Text(text) => Cell::new(text),
            other => number(shown(other)),
        }));
    }
    table
}

/// How long the longest bar is.
const LONGEST: f64 = 50.0;

fn lines(Bars { bars, .. }: &Bars) -> String {
    let width = |text: &str| text.chars().count();
    let label = bars.iter().map(|bar| width(&bar.label)).max().unwrap_or_default();
    let value = bars.iter().map(|bar| width(&shown(&bar.value))).max().unwrap_or_default();
    let most = bars.iter().map(|bar| bar.value.size()).fold(0.0, f64::max);
    let lines = bars.iter().map(|bar| {
        let length = if most > 0.0 { round(bar.value.size() / most * LONGEST) } else { 0 };
        let drawn = "█".repeat(usize::try_from(length).unwrap_or_default());
        let line = format!("  {:label$}  {:>value$}  {drawn}", bar.label, shown(&bar.value));
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns a value with its unit.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Count(count) => write::integer(*count),
        // Nearly all is not all.
        Value::Share(share @ 0.9995..1.0) => write::accuracy(*share),
        Value::Share(share) => write::percentage(*share),
        Value::Seconds(seconds) => write::time(*seconds),
        Value::Number(number) => write::significant(*number),
        Value::Nothing => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_that_of_the_greatest_value() {
        let bars = [("a", 0.5), ("bcd", 2.0), ("e", 0.0)];
        let bars = bars.map(|(label, value)| (label.to_owned(), Value::Seconds(value)));
        let drawn = figure(&Figure::bars("Waits:", ["who", "wait"], bars));
        let (short, long) = ("█".repeat(13), "█".repeat(50));
        let expected =
            format!("Waits:\n  a    500 ms  {short}\n  bcd  2.00 s  {long}\n  e       0 s");
        assert_eq!(drawn, expected);
    }

    #[test]
    fn numbers_stand_to_the_right_and_have_their_units() {
        let row = ["fast".into(), Value::Share(0.25), 1234_u32.into(), Value::Nothing];
        let drawn = figure(&Figure::table("Of all:", &["who", "share", "count", "rate"], [row]));
        let cells = drawn.lines().nth(4).unwrap().trim_matches('│').split_whitespace();
        assert_eq!(cells.collect::<Vec<_>>(), ["fast", "25.0", "%", "1234", "–"]);
    }
}
