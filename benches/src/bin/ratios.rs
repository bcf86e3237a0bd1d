//! Prints what every detector costs, and how many times as much as ours the peers cost.
//!
//! Nanoseconds are the best of many rounds in this process. Instructions (Ir) are those that the last
//! `cargo xtask budgets` counted.

extern crate alloc;

use alloc::collections::BTreeMap;
use core::{fmt, hint::black_box, time::Duration};
use std::{env, fs, io};

use benches::{
    AccrualContender, Contender, Heartbeats, Made, Origin, PHI_VALUES, Visitor, footprint,
    query_times, visit_all, warm,
};
use surmise_detector::phi_from_z;
use surmise_time::{MonotonicClock, OsClock};

const ROUNDS: u32 = 300;
const CALLS: u32 = 1000;

/// The one of ours that the peers are compared with.
const REFERENCE: &str = "phi-1000";

const OPERATIONS: [&str; 3] = ["heartbeat", "verdict", "suspicion_level"];

fn main() -> Made<()> {
    let mut table = Table::default();
    visit_all(&mut table)?;
    match counted_instructions() {
        Ok(counts) => table.instructions = counts,
        Err(error) => eprintln!("no instructions, run `cargo xtask budgets` first: {error}"),
    }
    table.phi_from_z = PHI_VALUES.map(|(z, _)| best(&[z; CALLS as usize], |&z| phi_from_z(z)));
    print!("{table}");
    Ok(())
}

/// Reads `name,operation,instructions` from what `cargo xtask budgets` left beside this program.
fn counted_instructions() -> io::Result<BTreeMap<(String, String), f64>> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or(io::ErrorKind::NotFound)?;
    let path = target.join("budgets/instructions.csv");
    let text = fs::read_to_string(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let rows = text.lines().filter_map(|line| {
        let mut fields = line.split(',');
        let key = (fields.next()?.to_owned(), fields.next()?.to_owned());
        Some((key, fields.next()?.parse().ok()?))
    });
    Ok(rows.collect())
}

#[derive(Debug, Default)]
struct Table {
    rows: Vec<Row>,
    /// Nanoseconds, in the order of [`PHI_VALUES`].
    phi_from_z: [f64; PHI_VALUES.len()],
    instructions: BTreeMap<(String, String), f64>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    origin: Origin,
    bytes: usize,
    /// By operation, in the order of [`OPERATIONS`].
    nanos: Vec<f64>,
}

impl Visitor for Table {
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()> {
        let (mut contender, bytes) = footprint(make)?;
        let mut heartbeats = Heartbeats::new();
        let last = warm(&mut contender, &mut heartbeats);
        let queries: Vec<_> = query_times(last, CALLS).collect();
        let verdict = best(&queries, |&now| contender.verdict(now));
        let mut heartbeat = f64::INFINITY;
        for _ in 0..ROUNDS {
            let beats: Vec<_> = heartbeats.by_ref().take(CALLS as usize).collect();
            heartbeat = heartbeat
                .min(nanos_per_call(&beats, |beat| contender.heartbeat(beat.sequence, beat.at)));
        }
        self.rows.push(Row { name, origin: C::ORIGIN, bytes, nanos: vec![heartbeat, verdict] });
        Ok(())
    }

    fn visit_level<C: AccrualContender>(
        &mut self,
        _name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let mut contender = make()?;
        let last = warm(&mut contender, &mut Heartbeats::new());
        let queries: Vec<_> = query_times(last, CALLS).collect();
        if let Some(row) = self.rows.last_mut() {
            row.nanos.push(best(&queries, |&now| contender.suspicion_level(now)));
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [heartbeat, verdict, level] = OPERATIONS;
        let units = format!(" {:>8} {:>8}", "ns", "Ir").repeat(OPERATIONS.len());
        writeln!(f, "{:36} {heartbeat:>17} {verdict:>17} {level:>17}", "")?;
        writeln!(f, "{:28} {:>7}{units}", "", "bytes")?;
        for row in &self.rows {
            write!(f, "{:28} {:>7}", row.name, row.bytes)?;
            for (&nanos, operation) in row.nanos.iter().zip(OPERATIONS) {
                let instructions = cell(self.instructions(row.name, operation), 1);
                write!(f, " {nanos:>8.2} {instructions}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\n{:36} {:>17}", "", "phi_from_z")?;
        for ((z, _), nanos) in PHI_VALUES.iter().zip(self.phi_from_z) {
            let name = format!("z = {z}");
            let instructions = cell(self.instructions(&name, "phi_from_z"), 1);
            writeln!(f, "{name:36} {nanos:>8.2} {instructions}")?;
        }
        self.fmt_ratios(f)
    }
}

impl Table {
    fn fmt_ratios(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ours) = self.rows.iter().find(|row| row.name == REFERENCE) else {
            return Ok(());
        };
        writeln!(f, "\nhow many times as much as {REFERENCE}:")?;
        for row in self.rows.iter().filter(|row| row.origin == Origin::Peer) {
            let bytes = as_f64(row.bytes) / as_f64(ours.bytes);
            write!(f, "{:28}{}", row.name, cell(Some(bytes), 2))?;
            for ((theirs, our), operation) in row.nanos.iter().zip(&ours.nanos).zip(OPERATIONS) {
                let instructions = self.instructions(row.name, operation);
                let of_ours = self.instructions(REFERENCE, operation);
                let ratio = instructions.zip(of_ours).map(|(theirs, our)| theirs / our);
                write!(f, " {} {}", cell(Some(theirs / our), 2), cell(ratio, 2))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn instructions(&self, name: &str, operation: &str) -> Option<f64> {
        self.instructions.get(&(name.to_owned(), operation.to_owned())).copied()
    }
}

fn cell(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| format!("{:>8}", "-"), |value| format!("{value:>8.decimals$}"))
}

/// Returns the nanoseconds a call takes in the best of many rounds.
fn best<T, R>(inputs: &[T], mut call: impl FnMut(&T) -> R) -> f64 {
    (0..ROUNDS).map(|_| nanos_per_call(inputs, &mut call)).fold(f64::INFINITY, f64::min)
}

fn nanos_per_call<T, R>(inputs: &[T], mut call: impl FnMut(&T) -> R) -> f64 {
    let start = OsClock.now();
    for input in inputs {
        // By reference: to move it would read what was just written in other widths, and stall.
        black_box(&call(black_box(input)));
    }
    let took: Duration = OsClock.now() - start;
    took.as_secs_f64() * 1e9 / as_f64(inputs.len())
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
