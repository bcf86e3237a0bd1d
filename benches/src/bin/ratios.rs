//! Prints what every operation costs, and how many times as much as ours the peers cost.
//!
//! Nanoseconds are the best of many rounds in this process. Instructions (Ir) are those that the last
//! `cargo xtask budgets` counted. The families to print are named on the command line: without a name,
//! all are.

extern crate alloc;

use alloc::collections::BTreeMap;
use core::fmt;
use std::{env, fs, io};

use benches::{Family, Made, Meter, Operation, Origin, Subject, time};

/// How often each operation's inputs are made and its calls are timed.
const ROUNDS: u32 = 300;

fn main() -> Made<()> {
    let counts = counted_instructions().unwrap_or_else(|error| {
        eprintln!("no instructions, run `cargo xtask budgets` first: {error}");
        Counts::new()
    });
    for family in Family::chosen(env::args().skip(1))? {
        let mut measured = Measured { family, counts: &counts, rows: Vec::new() };
        family.measure(&mut measured)?;
        for rows in measured.rows.chunk_by(|a, b| a.table == b.table) {
            println!("{}", Table { rows });
        }
    }
    Ok(())
}

/// Instructions a call, by family, name and operation.
type Counts = BTreeMap<[String; 3], f64>;

/// Reads `family,name,operation,instructions` from what `cargo xtask budgets` left beside this
/// program.
fn counted_instructions() -> io::Result<Counts> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or(io::ErrorKind::NotFound)?;
    let path = target.join("budgets/instructions.csv");
    let text = fs::read_to_string(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let rows = text.lines().filter_map(|line| {
        let mut fields = line.split(',');
        let mut next = || fields.next().map(str::to_owned);
        let key = [next()?, next()?, next()?];
        Some((key, fields.next()?.parse().ok()?))
    });
    Ok(rows.collect())
}

/// All that was measured of a family.
struct Measured<'a> {
    family: Family,
    counts: &'a Counts,
    /// Those of a table one after another.
    rows: Vec<Row>,
}

struct Row {
    table: String,
    name: String,
    origin: Origin,
    bytes: Option<usize>,
    /// What a call of an operation costs.
    costs: Vec<(&'static str, Cost)>,
}

#[derive(Clone, Copy)]
struct Cost {
    nanos: f64,
    instructions: Option<f64>,
}

impl Meter for Measured<'_> {
    fn bytes(&mut self, subject: Subject<'_>, bytes: usize) {
        self.row(subject).bytes = Some(bytes);
    }

    fn operation<O: Operation>(
        &mut self,
        subject: Subject<'_>,
        what: &'static str,
        mut operation: O,
    ) {
        let nanos =
            (0..ROUNDS).map(|_| nanos_per_call(&mut operation)).fold(f64::INFINITY, f64::min);
        let key = [self.family.name(), subject.name, what].map(str::to_owned);
        let cost = Cost { nanos, instructions: self.counts.get(&key).copied() };
        self.row(subject).costs.push((what, cost));
    }
}

impl Measured<'_> {
    /// Returns the subject's row, which is the last one or a new one.
    fn row(&mut self, subject: Subject<'_>) -> &mut Row {
        let Subject { table, name, origin } = subject;
        if self.rows.last().is_none_or(|row| row.name != name) {
            let (table, name) = (table.to_owned(), name.to_owned());
            self.rows.push(Row { table, name, origin, bytes: None, costs: Vec::new() });
        }
        self.rows.last_mut().expect("there is one at least")
    }
}

impl Row {
    fn cost(&self, operation: &str) -> Option<Cost> {
        let (_, cost) = self.costs.iter().find(|(what, _)| *what == operation)?;
        Some(*cost)
    }

    /// Returns how many times as much as another this is, in bytes.
    fn bytes_ratio(&self, reference: &Self) -> Option<f64> {
        Some(as_f64(self.bytes?) / as_f64(reference.bytes?))
    }
}

impl Cost {
    fn ratio(self, reference: Self) -> Self {
        let instructions = self.instructions.zip(reference.instructions);
        Self {
            nanos: self.nanos / reference.nanos,
            instructions: instructions.map(|(this, of)| this / of),
        }
    }
}

/// A table, whose first row is what the peers are compared with.
struct Table<'a> {
    rows: &'a [Row],
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(reference) = self.rows.first() else { return Ok(()) };
        write!(f, "{:36}", reference.table)?;
        for operation in self.operations() {
            write!(f, " {operation:>17}")?;
        }
        let units = format!(" {:>8} {:>8}", "ns", "Ir").repeat(self.operations().len());
        writeln!(f, "\n{:28} {:>7}{units}", "", "bytes")?;
        for row in self.rows {
            let bytes = row.bytes.map(as_f64);
            self.line(f, &row.name, bytes, [0, 1], |operation| row.cost(operation))?;
        }
        let mut peers = self.rows.iter().filter(|row| row.origin == Origin::Peer).peekable();
        if peers.peek().is_some() {
            writeln!(f, "\nhow many times as much as {}:", reference.name)?;
        }
        for row in peers {
            self.line(f, &row.name, row.bytes_ratio(reference), [2, 2], |operation| {
                Some(row.cost(operation)?.ratio(reference.cost(operation)?))
            })?;
        }
        Ok(())
    }
}

impl Table<'_> {
    /// Returns the operations, in the order in which they first came up.
    fn operations(&self) -> Vec<&'static str> {
        let mut operations = Vec::new();
        for &(operation, _) in self.rows.iter().flat_map(|row| &row.costs) {
            if !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        operations
    }

    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        bytes: Option<f64>,
        [bytes_decimals, decimals]: [usize; 2],
        cost: impl Fn(&str) -> Option<Cost>,
    ) -> fmt::Result {
        write!(f, "{name:28}{}", cell(bytes, bytes_decimals))?;
        for operation in self.operations() {
            let cost = cost(operation);
            let nanos = cell(cost.map(|cost| cost.nanos), 2);
            let instructions = cell(cost.and_then(|cost| cost.instructions), decimals);
            write!(f, " {nanos} {instructions}")?;
        }
        writeln!(f)
    }
}

fn cell(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| format!("{:>8}", "-"), |value| format!("{value:>8.decimals$}"))
}

fn nanos_per_call<O: Operation>(operation: &mut O) -> f64 {
    time(operation, O::BATCH).as_secs_f64() * 1e9 / f64::from(O::BATCH)
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
