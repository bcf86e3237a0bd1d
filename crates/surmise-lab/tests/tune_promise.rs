//! Whether what `surmise-lab tune` promises is so, on what it has not seen.
//!
//! Of the simulated networks, `SURMISE_TEST_TRACES` says how many traces of each law are tuned on; 3 if it
//! is not set.

#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]
#![expect(clippy::indexing_slicing, reason = "tests, where a panic is a failure")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

#[path = "tune_promise/measure.rs"]
mod measure;
#[path = "tune_promise/networks.rs"]
mod networks;

use core::fmt::Write as _;
use std::{env, fs, process::Command, thread};

use serde_json::Value;
use surmise_lab::trace;
use tempfile::TempDir;

use self::{
    measure::{Measured, measure},
    networks::{Network, Row},
};

/// How often promises were kept.
#[derive(Debug, Default)]
struct Tally {
    cases: u32,
    inside: u32,
    /// Those in which a mistake was made on what was not seen.
    erring: u32,
    /// Those of them inside.
    erring_inside: u32,
    /// What went wrong, case by case.
    broken: Vec<String>,
    too_late: Vec<String>,
}

impl Tally {
    /// Holds the detector that came first against what it did on heartbeats that were not seen.
    fn hold(&mut self, case: &str, answer: &Value, runs: &[(&[Row], u64)]) {
        let Some(best) = answer["candidates"].get(0) else { return };
        let number = |value: &Value| value.as_f64().unwrap();
        let mut measured = Measured::default();
        for (rows, from) in runs {
            measured.add(measure(best, number(&answer["interval_s"]), rows, *from));
        }
        let case = format!("{case}: {} {}, {measured:?}", best["detector"], best["parameter"]);
        self.cases += 1;
        let promised =
            number(&best["mistakes_per_day_low"])..=number(&best["mistakes_per_day_high"]);
        let is_erring = measured.mistakes > 0;
        self.erring += u32::from(is_erring);
        if promised.contains(&measured.mistakes_per_day()) {
            self.inside += 1;
            self.erring_inside += u32::from(is_erring);
        } else {
            self.broken.push(format!("{case}, but {promised:?} a day promised"));
        }
        if best["finding"] != "too_slow"
            && measured.detection_time_max > number(&answer["contract"]["detection_time_s"])
        {
            self.too_late.push(case);
        }
    }

    fn merge(&mut self, other: Self) {
        self.cases += other.cases;
        self.inside += other.inside;
        self.erring += other.erring;
        self.erring_inside += other.erring_inside;
        self.broken.extend(other.broken);
        self.too_late.extend(other.too_late);
    }

    fn assert(&self, least: u32) {
        println!("{} of {} inside, {self:#?}", self.inside, self.cases);
        assert!(self.cases >= least, "{self:#?}");
        assert!(self.inside * 10 >= self.cases * 9, "{self:#?}");
        assert!(self.too_late.is_empty(), "{self:#?}");
    }
}

#[test]
fn promises_hold_on_networks_that_were_not_seen() {
    let traces = env::var("SURMISE_TEST_TRACES").map_or(3, |text| text.parse().unwrap());
    let tally = hold_all(Network::ALL.map(|network| (network, network)), traces, &TIMES);
    // All networks, with all detection times, but for some that are too slow for the shortest.
    tally.assert(u32::try_from(traces).unwrap() * 33);
    // It is easy to promise something of a detector that never errs.
    assert!(tally.erring * 3 > tally.cases, "{tally:#?}");
    assert!(tally.erring_inside * 10 >= tally.erring * 9, "{tally:#?}");
}

#[test]
fn promises_of_one_network_are_broken_on_another() {
    // Which shows that the test above can fail.
    let pairs = [(Network::Bursts, Network::Lossy), (Network::Exponential, Network::Stalls)];
    let tally = hold_all(pairs, 3, &["400ms", "700ms"]);
    assert!(tally.cases >= 11 && tally.inside * 2 < tally.cases, "{tally:#?}");
    assert!(!tally.too_late.is_empty(), "{tally:#?}");
}

/// Tunes on traces of the first network of each pair, and measures on others of the second.
fn hold_all<const N: usize>(
    pairs: [(Network, Network); N],
    traces: u64,
    detection_times: &[&str],
) -> Tally {
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let workers = pairs.map(|pair| scope.spawn(move || hold(pair, traces, detection_times)));
        for worker in workers {
            tally.merge(worker.join().unwrap());
        }
    });
    tally
}

fn hold((network, other): (Network, Network), traces: u64, detection_times: &[&str]) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let seeds: Vec<u64> = (0..traces).collect();
    let names: Vec<String> = seeds.iter().map(|seed| format!("{network:?}-{seed}.csv")).collect();
    for (name, seed) in names.iter().zip(&seeds) {
        write(&folder, name, &network.trace(BEATS, *seed));
    }
    let unseen: Vec<Vec<Row>> =
        (0..UNSEEN).map(|run| other.trace(BEATS, 1_000_000 + run)).collect();
    let runs: Vec<(&[Row], u64)> = unseen.iter().map(|rows| (rows.as_slice(), 0)).collect();
    let mut tally = Tally::default();
    for detection_time in detection_times {
        let answers = tune(&folder, &names, detection_time);
        for (name, answer) in names.iter().zip(answers.as_array().unwrap()) {
            tally.hold(&format!("{name} within {detection_time}"), answer, &runs);
        }
    }
    tally
}

#[test]
fn promises_hold_on_the_rest_of_the_shipped_traces() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    for trace in trace::shipped() {
        let rows: Vec<Row> = trace
            .beats
            .iter()
            .map(|beat| Row {
                sequence: beat.sequence,
                sent: beat.sent.unwrap(),
                truly_sent: beat.sent.unwrap(),
                received: beat.received,
            })
            .collect();
        for share in [50, 70] {
            let end = rows[0].sent + (rows[rows.len() - 1].sent - rows[0].sent) / 100 * share;
            let past: Vec<Row> = rows
                .iter()
                .filter(|row| row.received.unwrap_or(row.sent) <= end)
                .copied()
                .collect();
            let warm = past.iter().filter_map(|row| row.received).min().unwrap();
            write(&folder, "past.csv", &past);
            for detection_time in ["200ms", "400ms", "700ms", "1500ms", "3s", "5s", "10s", "20s"] {
                let answers = tune(&folder, &["past.csv".to_owned()], detection_time);
                let case = format!("{share} % of {} within {detection_time}", trace.name);
                tally.hold(&case, &answers[0], &[(&rows, end - warm)]);
            }
        }
    }
    tally.assert(30);
}

/// Returns what `tune --json` says of each trace.
fn tune(folder: &TempDir, names: &[String], detection_time: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_surmise-lab"))
        .current_dir(folder.path())
        .arg("tune")
        .args(names)
        .args(["--detection-time", detection_time, "--mistakes-per-day", "1000"])
        .arg("--json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn write(folder: &TempDir, name: &str, rows: &[Row]) {
    let mut text = "sequence,sent_ns,received_ns\n".to_owned();
    for row in rows {
        let received = row.received.map(|at| at.to_string()).unwrap_or_default();
        writeln!(text, "{},{},{received}", row.sequence, row.sent).unwrap();
    }
    fs::write(folder.path().join(name), text).unwrap();
}

/// What is demanded of a simulated network, one heartbeat of which comes every 100 ms.
const TIMES: [&str; 4] = ["300ms", "400ms", "700ms", "2s"];

/// The heartbeats of a simulated trace.
const BEATS: u64 = 4_000;

/// How many other traces of the same law are measured: enough for a rate that is hardly by chance.
const UNSEEN: u64 = 8;
