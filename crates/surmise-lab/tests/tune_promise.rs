//! Whether what `surmise-lab tune` promises is so, on what it has not seen.
//!
//! Of the simulated networks, `SURMISE_TEST_TRACES` says how many traces of each law are tuned on; 2 if it
//! is not set. Every fourth one is alike in length and in what is demanded.

#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]
#![expect(clippy::indexing_slicing, reason = "tests, where a panic is a failure")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

#[path = "tune_promise/measure.rs"]
mod measure;
#[path = "tune_promise/networks.rs"]
mod networks;

extern crate alloc;

use alloc::collections::BTreeMap;
use core::fmt::Write as _;
use std::{env, fs, process::Command, thread};

use serde_json::Value;
use statrs::distribution::{ChiSquared, ContinuousCDF as _};
use surmise_lab::trace;
use tempfile::TempDir;

use self::{
    measure::{Measured, measure},
    networks::{Network, Row},
};

/// How often promises were kept: kept, and of how many.
#[derive(Debug, Default)]
struct Tally {
    /// The rate that was measured is in the interval of the detector that was recommended.
    inside: Share,
    /// The same by the confidence that was asked for, as it is written. It is printed, and nothing is asserted of it: the
    /// README says so.
    inside_at: BTreeMap<String, Share>,
    /// The same of those that made a mistake on what was not seen: it is easy to promise that of one that never errs.
    erring_inside: Share,
    /// The same of all answers that one trace gave, if there was one to be kept.
    traces_inside: Share,
    /// What is said to meet the contract does.
    met: Share,
    /// What is said to err too often does.
    refused: Share,
    /// The upper end is at most three times what it would be if the rate were known.
    narrow: Share,
    /// What went wrong, case by case.
    broken: Vec<String>,
    too_late: Vec<String>,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    kept: u32,
    of: u32,
}

impl Share {
    fn add(&mut self, is_kept: bool) {
        self.kept += u32::from(is_kept);
        self.of += 1;
    }

    fn is_at_least(self, percent: u32) -> bool {
        self.kept * 100 >= self.of * percent
    }
}

impl Tally {
    /// Holds an answer against what its detector did on heartbeats that were not seen, and returns whether that is
    /// within what was promised, if anything was.
    fn hold(&mut self, case: &str, answer: &Value, runs: &[(&[Row], u64)]) -> Option<bool> {
        let best = answer["candidates"].get(0)?;
        let number = |value: &Value| value.as_f64().unwrap();
        let mut measured = Measured::default();
        for (rows, from) in runs {
            measured.add(measure(best, number(&answer["interval_s"]), rows, *from));
        }
        let contract = &answer["contract"];
        let allowed = number(&contract["mistakes_per_day"]);
        let rate = measured.mistakes_per_day();
        let case = format!("{case}: {} {}, {measured:?}", best["detector"], best["parameter"]);
        match best["finding"].as_str().unwrap() {
            "meets" => self.met.add(rate <= allowed),
            "too_many_mistakes" => self.refused.add(rate > allowed),
            finding => assert_eq!(finding, "not_shown", "{case}"),
        }
        if answer["recommended"].is_null() {
            return None;
        }
        let high = number(&best["mistakes_per_day_high"]);
        let promised = number(&best["mistakes_per_day_low"])..=high;
        let is_inside = promised.contains(&rate);
        self.inside.add(is_inside);
        self.inside_at.entry(contract["confidence"].to_string()).or_default().add(is_inside);
        if measured.mistakes > 0 {
            self.erring_inside.add(is_inside);
        }
        if !is_inside {
            self.broken.push(format!("{case}, but {promised:?} a day promised"));
        }
        let days = number(&answer["held_back_s"]) / 86_400.0;
        let tail = f64::midpoint(1.0, number(&contract["confidence"]));
        let law = ChiSquared::new(2.0 * rate * days + 2.0).unwrap();
        self.narrow.add(high <= 3.0 * law.inverse_cdf(tail) / 2.0 / days);
        if measured.detection_time_max > number(&contract["detection_time_s"]) {
            self.too_late.push(case);
        }
        Some(is_inside)
    }

    fn merge(&mut self, other: Self) {
        for (own, others) in [
            (&mut self.inside, other.inside),
            (&mut self.erring_inside, other.erring_inside),
            (&mut self.traces_inside, other.traces_inside),
            (&mut self.met, other.met),
            (&mut self.refused, other.refused),
            (&mut self.narrow, other.narrow),
        ] {
            own.kept += others.kept;
            own.of += others.of;
        }
        for (confidence, share) in other.inside_at {
            let own = self.inside_at.entry(confidence).or_default();
            own.kept += share.kept;
            own.of += share.of;
        }
        self.broken.extend(other.broken);
        self.too_late.extend(other.too_late);
    }

    fn assert(&self, least: u32) {
        println!("{self:#?}");
        assert!(self.inside.of >= least, "{self:#?}");
        assert!(self.inside.is_at_least(90), "{self:#?}");
        assert!(self.erring_inside.is_at_least(90), "{self:#?}");
        assert!(self.met.is_at_least(95), "{self:#?}");
        assert!(self.refused.is_at_least(95), "{self:#?}");
        assert!(self.too_late.is_empty(), "{self:#?}");
    }
}

#[test]
fn promises_hold_on_networks_that_were_not_seen() {
    let traces = env::var("SURMISE_TEST_TRACES").map_or(2, |text| text.parse().unwrap());
    let tally = hold_all(Network::ALL.map(|network| (network, network)), traces, &TIMES);
    // All networks with all detection times, but for those of which none is to be recommended.
    tally.assert(u32::try_from(traces).unwrap() * 22);
    assert!(tally.traces_inside.is_at_least(80), "{tally:#?}");
    assert!(tally.narrow.is_at_least(90), "{tally:#?}");
    // There is something to be kept, and something to be refused.
    assert!(tally.met.of * 3 > tally.inside.of, "{tally:#?}");
    assert!(tally.erring_inside.of * 3 > tally.inside.of, "{tally:#?}");
    assert!(tally.refused.of > 0, "{tally:#?}");
}

#[test]
fn promises_of_one_network_are_broken_on_another() {
    // Which shows that the test above can fail.
    let pairs = [(Network::Bursts, Network::Lossy), (Network::Exponential, Network::Stalls)];
    let tally = hold_all(pairs, 2, &["400ms", "700ms"]);
    assert!(tally.inside.of >= 6 && !tally.inside.is_at_least(50), "{tally:#?}");
    assert!(!tally.met.is_at_least(50) && !tally.too_late.is_empty(), "{tally:#?}");
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

/// Each trace is asked several times, and all that it says is held against the same traces, which are its own.
fn hold((network, other): (Network, Network), traces: u64, detection_times: &[&str]) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    for seed in 0..traces {
        let (beats, mistakes, confidence) = DEMANDS[usize::try_from(seed).unwrap() % DEMANDS.len()];
        write(&folder, "past.csv", &network.trace(beats, seed));
        let unseen: Vec<Vec<Row>> =
            (1..=UNSEEN).map(|run| other.trace(beats, 1_000_000 * run + seed)).collect();
        let runs: Vec<(&[Row], u64)> = unseen.iter().map(|rows| (rows.as_slice(), 0)).collect();
        let mut all_inside = None;
        for time in detection_times {
            let answers = tune(&folder, &[time, mistakes, confidence]);
            let case = format!("{network:?} {seed} within {time}");
            if let Some(is_inside) = tally.hold(&case, &answers[0], &runs) {
                all_inside = Some(all_inside.unwrap_or(true) && is_inside);
            }
        }
        if let Some(all_inside) = all_inside {
            tally.traces_inside.add(all_inside);
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
                let answers = tune(&folder, &[detection_time, "1000", "0.95"]);
                let case = format!("{share} % of {} within {detection_time}", trace.name);
                tally.hold(&case, &answers[0], &[(&rows, end - warm)]);
            }
        }
    }
    tally.assert(30);
}

/// Returns what `tune --json` says of the trace to a detection time, a rate of mistakes and a confidence.
fn tune(folder: &TempDir, [detection_time, mistakes, confidence]: &[&str; 3]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_surmise-lab"))
        .current_dir(folder.path())
        .args(["tune", "past.csv", "--json", "--detection-time", detection_time])
        .args(["--mistakes-per-day", mistakes, "--confidence", confidence])
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
const TIMES: [&str; 3] = ["350ms", "700ms", "2s"];

/// How many heartbeats a trace has, and how many mistakes are allowed a day, with what confidence. A trace of 4000 shows
/// up to 1021 a day if there is no mistake, one of 20 000 up to 201.
const DEMANDS: [(u64, &str, &str); 4] = [
    (4_000, "2000", "0.95"),
    (4_000, "4000", "0.8"),
    (20_000, "300", "0.95"),
    (8_000, "2000", "0.5"),
];

/// How many other traces of the same law are measured: enough for a rate that is hardly by chance.
const UNSEEN: u64 = 5;
