//! Exact windows against quantiles that were computed with exact rationals.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failure")]

use surmise_timeout::{
    Quantile,
    window::{ExactWindow, Interpolated},
};

const VECTORS: &str = include_str!("vectors/quantile.csv");

/// One value, and what each column says of the window that it was pushed to.
struct Row {
    distribution: &'static str,
    window: usize,
    step: usize,
    value: u64,
    count: usize,
    cells: Vec<&'static str>,
}

#[test]
fn windows_agree_with_the_vectors() {
    let mut lines = VECTORS.lines();
    let columns: Vec<_> = lines.next().unwrap().split(',').skip(5).collect();
    let rows: Vec<Row> = lines.map(row).collect();
    assert_eq!((columns.len(), rows.len()), (16, 690));
    for rows in rows.chunk_by(|a, b| (a.distribution, a.window) == (b.distribution, b.window)) {
        match rows[0].window {
            1 => follow::<1>(&columns, rows),
            2 => follow::<2>(&columns, rows),
            5 => follow::<5>(&columns, rows),
            10 => follow::<10>(&columns, rows),
            100 => follow::<100>(&columns, rows),
            other => panic!("a window of {other}"),
        }
    }
}

fn row(line: &'static str) -> Row {
    let mut cells = line.split(',');
    let distribution = cells.next().unwrap();
    let mut number = || cells.next().unwrap().parse::<u64>().unwrap();
    let [window, step, value, count] = [(); 4].map(|()| number());
    let [window, step, count] = [window, step, count].map(|n| usize::try_from(n).unwrap());
    Row { distribution, window, step, value, count, cells: cells.collect() }
}

fn follow<const N: usize>(columns: &[&str], rows: &[Row]) {
    let mut window = ExactWindow::<N>::new();
    for row in rows {
        window.push(row.value);
        assert_eq!(window.len(), row.count);
        for (column, cell) in columns.iter().zip(&row.cells) {
            let place = format!("{} {} {} {column}", row.distribution, row.window, row.step);
            let (method, share) = column.split_once('_').unwrap();
            let (numerator, denominator) = fraction(share);
            let found = match (numerator, method) {
                (0, _) => whole(window.min()),
                (_, _) if numerator == denominator => whole(window.max()),
                (_, "nr") => whole(window.nearest_rank(quantile(numerator, denominator))),
                (_, "lin7") => window.linear(quantile(numerator, denominator)).map(millionths),
                other => panic!("{other:?}"),
            };
            let (numerator, denominator) = fraction(cell);
            assert_eq!(found.unwrap() * denominator, numerator * 1_000_000, "{place}");
        }
    }
}

fn quantile(numerator: u128, denominator: u128) -> Quantile {
    let millionths = numerator * 1_000_000 / denominator;
    assert_eq!(millionths * denominator, numerator * 1_000_000, "it is exact");
    Quantile::from_millionths(u32::try_from(millionths).unwrap()).unwrap()
}

fn whole(value: Option<u64>) -> Option<u128> {
    value.map(|value| u128::from(value) * 1_000_000)
}

fn millionths(value: Interpolated) -> u128 {
    u128::from(value.whole) * 1_000_000 + u128::from(value.millionths)
}

/// Reads a fraction, or a whole number as one over 1.
fn fraction(text: &str) -> (u128, u128) {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    (numerator.parse().unwrap(), denominator.parse().unwrap())
}
