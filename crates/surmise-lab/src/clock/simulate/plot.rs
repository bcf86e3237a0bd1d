//! A filled plot of characters.

use core::time::Duration;

/// How many columns a plot has.
pub(super) const COLUMNS: usize = 80;

/// From nothing to all of a character, in eighths.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Plots values that are equally far apart, a line for each millisecond up to `rows`.
pub(super) fn milliseconds(values: &[Duration], rows: u32) -> String {
    let mut plot = String::new();
    for row in (0..rows).rev() {
        let line: String = columns(values).map(|value| part(value, row)).collect();
        plot.push_str(&format!("{:>3} ms ┤{}\n", row + 1, line.trim_end()));
    }
    plot
}

/// Picks one value for each column, the first of those that fall into it.
fn columns(values: &[Duration]) -> impl Iterator<Item = Duration> {
    (0..COLUMNS).filter_map(|column| values.get(column * values.len() / COLUMNS).copied())
}

/// Returns how much of a row a value fills.
fn part(value: Duration, row: u32) -> char {
    let above = value.saturating_sub(Duration::from_millis(row.into()));
    let eighths = (above.as_micros() + 62) / 125;
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX);
    EIGHTHS.get(eighths).copied().unwrap_or('█')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_filled_by_eighths() {
        let micros = [0, 1_000, 1_060, 1_070, 1_500, 2_000, 7_000];
        let parts = micros.map(|micros| part(Duration::from_micros(micros), 1));
        assert_eq!(parts, [' ', ' ', ' ', '▁', '▄', '█', '█']);
    }

    #[test]
    fn values_are_spread_over_the_columns() {
        let values: Vec<_> = (0..160).map(|index| Duration::from_micros(index * 25)).collect();
        let plot = milliseconds(&values, 4);
        let lines: Vec<&str> = plot.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with("  4 ms ┤"));
        assert!(lines[3].starts_with("  1 ms ┤ ") && lines[3].ends_with("██"));
        let widths: Vec<_> = lines.iter().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [8 + COLUMNS; 4]);
        // Each line begins where the one below it is full, twenty columns on.
        let begin = |line: &str| line.chars().skip(8).position(|character| character != ' ');
        assert_eq!(
            lines.iter().map(|line| begin(line)).collect::<Vec<_>>(),
            [Some(62), Some(42), Some(22), Some(2)]
        );
    }
}
