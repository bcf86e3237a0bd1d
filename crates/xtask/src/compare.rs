//! The README's first command, run as a newcomer runs it: without any argument but where to write.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use surmise_time::{MonotonicClock, OsClock};
use xshell::cmd;

use crate::context::Context;

/// Of how many recorded traces the table must tell, at least.
const MIN_TRACES: usize = 3;

/// How wide a terminal the table must fit.
const MAX_COLUMNS: usize = 100;

/// The names in each object of the JSON, which other programs rely on.
const KEYS: [&str; 12] = [
    "detection_time_max_s",
    "detection_time_s",
    "detector",
    "mistake_duration_s",
    "mistake_rate_hz",
    "mistakes",
    "parameter",
    "parameter_name",
    "query_accuracy",
    "scored",
    "span_s",
    "trace",
];

/// Compares the detectors on the recorded traces, and looks at all three results.
pub(crate) fn run(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let directory = context.target("compare");
    // What an earlier run has left must not pass for what this one writes.
    shell.remove_path(&directory)?;
    shell.create_dir(&directory)?;
    let (report, json) = (directory.join("report.html"), directory.join("results.json"));
    let program = ["--release", "--package", "surmise-lab"];
    cmd!(shell, "cargo build {program...}").args(context.locked()).run()?;

    let start = OsClock.now();
    let table =
        cmd!(shell, "cargo run --quiet {program...} -- compare --report {report} --json {json}")
            .read()?;
    let took = OsClock.now() - start;

    let traces = check_json(&shell.read_file(&json)?).context("in the JSON")?;
    check_table(&table, &traces).context("in the table")?;
    ensure!(table.contains(&format!("Report: {}", report.display())), "no path of the report");
    check_report(&shell.read_file(&report)?, &traces).context("in the report")?;
    println!("{} traces, {} lines, in {took:.1?}", traces.len(), table.lines().count());
    Ok(())
}

/// Checks the names and numbers of every result, and returns the names of the traces.
fn check_json(text: &str) -> Result<BTreeSet<String>> {
    let results: Vec<serde_json::Map<String, Value>> = serde_json::from_str(text)?;
    let mut traces = BTreeSet::new();
    for result in &results {
        let keys: BTreeSet<&str> = result.keys().map(String::as_str).collect();
        ensure!(keys == BTreeSet::from(KEYS), "the keys of {result:?}");
        for (key, value) in result {
            let is_name = ["detector", "parameter_name", "trace"].contains(&key.as_str());
            // A float that is not a number is written as null.
            let is_right = if is_name { value.is_string() } else { value.is_number() };
            ensure!(is_right, "`{key}` is {value} in {result:?}");
        }
        traces.extend(result.get("trace").and_then(Value::as_str).map(str::to_owned));
    }
    ensure!(traces.len() >= MIN_TRACES, "only the traces {traces:?}");
    Ok(traces)
}

fn check_table(table: &str, traces: &BTreeSet<String>) -> Result<()> {
    for trace in traces {
        let heading = format!("{trace}: ");
        ensure!(table.lines().any(|line| line.starts_with(&heading)), "no table for {trace}");
    }
    for line in table.lines().filter(|line| !line.starts_with("Report: ")) {
        ensure!(line.chars().count() <= MAX_COLUMNS, "more than {MAX_COLUMNS} columns: {line}");
    }
    Ok(())
}

/// Checks that a page shows every trace, and needs nothing from anywhere else.
fn check_report(page: &str, traces: &BTreeSet<String>) -> Result<()> {
    ensure!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "no whole page");
    for trace in traces {
        ensure!(page.contains(trace), "nothing about {trace}");
    }
    ensure!(page.matches("<svg").count() >= traces.len(), "a trace without a figure");
    for foreign in [" src=", "url(", "@import", "<link"] {
        ensure!(!page.contains(foreign), "something to be loaded: `{foreign}`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(change: impl Fn(&mut Value)) -> String {
        let mut results = serde_json::json!([]);
        for trace in ["calm", "bursty", "contended"] {
            let mut result = serde_json::json!({
                "trace": trace, "detector": "phi", "parameter": 8.0, "parameter_name": "threshold",
                "detection_time_s": 0.2, "detection_time_max_s": 0.3, "mistakes": 1,
                "mistake_rate_hz": 0.1, "mistake_duration_s": 0.1, "query_accuracy": 0.99,
                "scored": 100, "span_s": 10.0,
            });
            change(&mut result);
            results.as_array_mut().unwrap().push(result);
        }
        results.to_string()
    }

    fn names() -> BTreeSet<String> {
        check_json(&results(|_| ())).unwrap()
    }

    #[test]
    fn results_are_objects_of_names_and_numbers() {
        assert_eq!(names().len(), 3);
        check_json("[]").unwrap_err();
        check_json(&results(|result| result["mistakes"] = Value::Null)).unwrap_err();
        check_json(&results(|result| result["extra"] = 1.into())).unwrap_err();
        check_json(&results(|result| result["trace"] = "calm".into())).unwrap_err();
    }

    #[test]
    fn a_table_names_every_trace_and_fits() {
        let table = "calm: 1\nbursty: 2\ncontended: 3\n│ μ │\n";
        check_table(table, &names()).unwrap();
        check_table("calm: 1\nbursty: 2\n", &names()).unwrap_err();
        check_table(&format!("{table}{}", "─".repeat(101)), &names()).unwrap_err();
        check_table(&format!("{table}{}", "─".repeat(100)), &names()).unwrap();
    }

    #[test]
    fn a_report_stands_alone() {
        let page = |body: &str| {
            format!("<!DOCTYPE html><html>calm bursty contended<svg><svg>{body}</html>")
        };
        check_report(&page("<svg>"), &names()).unwrap();
        check_report(&page(""), &names()).unwrap_err();
        check_report(&page("<svg><img src=\"a.png\">"), &names()).unwrap_err();
        check_report("", &names()).unwrap_err();
    }
}
