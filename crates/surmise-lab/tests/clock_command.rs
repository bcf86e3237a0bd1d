//! The command `surmise-lab clock` as its users meet it.

#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::UdpSocket,
    process::{Command, Output, Stdio},
    thread,
};

use serde_json::Value;
use surmise_time::{OsWallClock, WallClock};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.arg("clock").args(arguments);
    command
}

fn clock(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = clock(&[arguments, &["--json", "-"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Serves NTP on a port of its own until the test ends, with a clock that is ahead.
fn serve_ntp(ahead: u64) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut request = [0; 48];
        while let Ok((48, client)) = socket.recv_from(&mut request) {
            let now = OsWallClock.now().as_nanos() + ahead;
            let seconds = now / 1_000_000_000 + 2_208_988_800;
            let fraction = ((now % 1_000_000_000) << 32) / 1_000_000_000;
            let stamp = ((seconds << 32) + fraction).to_be_bytes();
            // Its own clock was set 30 s ago.
            let reference = (((seconds - 30) << 32) + fraction).to_be_bytes();
            let nonce = request.last_chunk::<8>().unwrap();
            // Version 4, server, stratum 2, poll 2⁶ s, precision 2⁻²⁰ s, and no root delay. A
            // dispersion of 100 ms: far more than an exchange takes here, so that the middles are
            // near each other.
            let header = [0o44, 2, 6, 0xec, 0, 0, 0, 0];
            let dispersion = 6554_u32.to_be_bytes();
            let (id, stamp) = ([192, 0, 2, 1], stamp.as_slice());
            let reply = [&header[..], &dispersion, &id, &reference, nonce, stamp, stamp].concat();
            socket.send_to(&reply, client).unwrap();
        }
    });
    address
}

/// The arguments that keep a test from asking what happens to run on this machine.
const NOBODY: [&str; 4] =
    ["--chrony", "/no/such/chronyd.sock", "--clock-bound", "/no/such/segment"];

#[test]
fn servers_are_compared_with_each_other_and_the_wrong_one_is_named() {
    let servers = [serve_ntp(0), serve_ntp(0), serve_ntp(700_000_000)];
    let mut arguments = NOBODY.to_vec();
    arguments.extend(servers.iter().flat_map(|server| ["--ntp", server]));
    let found = json(&arguments);
    assert_eq!(
        keys(&found),
        ["marzullo", "selection", "selection_error", "sources", "system_clock_ns"]
    );
    let sources = found["sources"].as_array().unwrap();
    let source = |name: &str| {
        let source = sources.iter().find(|source| source["source"] == name);
        source.unwrap_or_else(|| panic!("{name} is not in {found:#}"))
    };
    for row in sources {
        assert_eq!(keys(row), ["age_ns", "details", "error", "source", "status", "time"]);
    }
    let [first, second, wrong] = servers.map(|server| format!("ntp {server}"));
    assert_eq!(source(&first)["status"], "agrees");
    assert_eq!(source(&second)["status"], "agrees");
    assert!(source(&first)["age_ns"].as_u64().unwrap() >= 30_000_000_000, "{found}");
    assert_eq!(source(&wrong)["status"], "falseticker");
    let offset = &source(&wrong)["time"]["offset_ns"];
    assert!((offset.as_i64().unwrap() - 700_000_000).abs() < 100_000_000, "{offset}");
    assert!(text(source(&first)["details"].as_str().unwrap().as_bytes()).starts_with("stratum 2"));

    let selection = &found["selection"];
    assert_eq!(keys(selection), ["agreeing", "falsetickers", "time"]);
    // The kernel of the machine may agree, too.
    let agreeing = selection["agreeing"].as_array().unwrap().iter();
    assert!(agreeing.filter(|name| *name != "kernel").eq([&first, &second]), "{selection}");
    assert_eq!(selection["falsetickers"], serde_json::json!([wrong]));
    let time = &selection["time"];
    assert_eq!(keys(time), ["bound_ns", "earliest_ns", "latest_ns", "offset_ns"]);
    let number = |value: &Value| value.as_u64().unwrap();
    let system = number(&found["system_clock_ns"]);
    assert!((number(&time["earliest_ns"])..=number(&time["latest_ns"])).contains(&system));
    assert!(number(&time["bound_ns"]) < 1_500_000_000);

    for (name, why) in [("chrony", "could not "), ("clock-bound", "could not open")] {
        let row = source(name);
        assert_eq!((&row["status"], &row["time"]), (&Value::from("silent"), &Value::Null));
        assert!(row["error"].as_str().unwrap().starts_with(why), "{row}");
    }
}

#[test]
fn a_source_that_smears_is_not_compared_with_one_that_does_not() {
    let servers = [serve_ntp(0), serve_ntp(0)];
    let mixed = [&NOBODY[..], &["--ntp", &servers[0], "--smeared-ntp", &servers[1]]].concat();
    let found = json(&mixed);
    assert_eq!(found["selection"], Value::Null);
    let error = found["selection_error"].as_str().unwrap();
    assert!(error.starts_with("of the time sources 1 smear leap seconds and "), "{error}");
}

/// Its age is by the clock that its daemon goes by.
#[cfg(target_os = "linux")]
#[test]
fn a_segment_of_shared_memory_is_as_old_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shm0");
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let words = [0x414d_5a4e_u32, 0x4342_0200, 80].map(u32::to_ne_bytes).concat();
    let numbers = [2_u16, 2].map(u16::to_ne_bytes).concat();
    // As of 5 s ago, void in a day, and 1 ms off at most.
    let times = [now.tv_sec - 5, now.tv_nsec, now.tv_sec + 86_400, 0, 1_000_000, 0];
    let times = times.map(i64::to_ne_bytes).concat();
    // 50 ppm, synchronised, no support for disruptions.
    let rest = [50_000_u32, 1, 0, 0].map(u32::to_ne_bytes).concat();
    fs::write(&path, [words, numbers, times, rest].concat()).unwrap();

    let found = json(&["--chrony", "/no/such/socket", "--clock-bound", path.to_str().unwrap()]);
    let sources = found["sources"].as_array().unwrap();
    let row = sources.iter().find(|source| source["source"] == "clock-bound").unwrap();
    assert_eq!(row["details"], "Synchronized, bound 1.00 ms, drift 50000 ppb, generation 2");
    let age = row["age_ns"].as_u64().unwrap();
    assert!((5_000_000_000..80_000_000_000_000).contains(&age), "{row}");
}

#[test]
fn a_table_is_printed_that_fits_whatever_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let segment = folder.path().join("shm0");
    fs::write(&segment, [0; 80]).unwrap();
    let device = folder.path().join("ptp9");
    fs::write(&device, "").unwrap();
    let server = serve_ntp(0);
    let output = clock(&[
        "--clock-bound",
        segment.to_str().unwrap(),
        "--phc",
        device.to_str().unwrap(),
        "--tai-offset=37",
        "--phc-accuracy=20us",
        "--chrony=127.0.0.1:1",
        "--ntp",
        &server,
        "--ntp=no-such-host.invalid",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    let printed = text(&output.stdout);
    for line in printed.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for part in [
        "│ kernel ",
        "│ vmclock ",
        "magic number 0 makes no sense",
        "taken to be 37 s ahead of",
        "within 20.0 µs",
        "could not look up no-such-host.invalid",
        &format!("│ ntp {server} "),
        "Offset: how far",
    ] {
        let joined = printed.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let part_joined = part.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(&part_joined), "{part} is not in\n{printed}");
    }
}

#[test]
fn simulations_are_printed_and_the_same_again_with_the_same_seed() {
    let arguments = ["--simulate", "--seed", "7", "--writes", "10000"];
    let output = clock(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    for line in printed.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for part in [
        "ε is from 1.00 ms to 7.00 ms, and 4.00 ms on average.",
        "1204 of\n1204 readings",
        "│ wall clock ",
        "│ interval clock, latest, with commit wait                  0      0 % ",
    ] {
        assert!(printed.contains(part), "{part} is not in\n{printed}");
    }
    assert_eq!(text(&clock(&arguments).stdout), printed);
    assert_ne!(text(&clock(&["--simulate", "--seed=8", "--writes=10000"]).stdout), printed);
}

#[test]
fn a_simulation_as_json_holds_what_the_tables_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clock.json");
    let path = file.to_str().unwrap();
    let output = clock(&["--simulate", "--writes", "10000", "--json", path]);
    assert!(output.status.success() && text(&output.stdout).contains("lost updates"));
    let found: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(keys(&found), ["last_write_wins", "sawtooth", "seed"]);
    assert_eq!(keys(&found["sawtooth"]), ["contained", "max_ns", "mean_ns", "min_ns", "readings"]);
    let outcomes = found["last_write_wins"].as_array().unwrap();
    let lost = |stamping: &str| {
        let outcome = outcomes.iter().find(|outcome| outcome["stamping"] == stamping).unwrap();
        assert_eq!(keys(outcome), ["lost", "max_wait_ns", "mean_wait_ns", "stamping", "writes"]);
        assert_eq!(outcome["writes"], 10_000);
        outcome["lost"].as_u64().unwrap()
    };
    assert!(lost("wall-clock") > 0 && lost("hybrid") > 0 && lost("latest") > 0);
    assert_eq!((lost("hybrid-passed"), lost("commit-wait")), (0, 0));
}

#[test]
fn the_readme_shows_what_is_simulated_by_default() {
    let found = json(&["--simulate"]);
    let readme = include_str!("../README.md");
    let rows = readme.lines().skip_while(|line| !line.starts_with("| stamp |")).skip(2);
    for (outcome, row) in found["last_write_wins"].as_array().unwrap().iter().zip(rows) {
        let wait = outcome["mean_wait_ns"].as_f64().unwrap() / 1e6;
        let wait = if wait == 0.0 { "0".to_owned() } else { format!("{wait:.2} ms") };
        let expected = format!(" | {} | {wait} |", outcome["lost"]);
        assert!(row.ends_with(&expected), "{row} is not{expected}");
    }
}

/// The machine's kernel may know the time, too, and then agrees with the one or contradicts the other.
#[test]
fn a_check_fails_where_nothing_is_selected() {
    let [right, wrong] = [serve_ntp(0), serve_ntp(7_200_000_000_000)];
    let mixed = [&NOBODY[..], &["--ntp", &right, "--smeared-ntp", &wrong]].concat();
    let status = |arguments: &[&str], more: &[&str]| clock(&[arguments, more].concat());
    let failed = status(&mixed, &["--check"]);
    assert_eq!(failed.status.code(), Some(1));
    let error = text(&failed.stderr);
    assert!(error.starts_with("surmise-lab: nothing selected: of the time sources "), "{error}");
    assert!(text(&failed.stdout).contains("Nothing selected: "), "the table is printed");
    assert_eq!(status(&mixed, &[]).status.code(), Some(0));

    let agreeing = [&NOBODY[..], &["--ntp", &right, "--ntp", &right]].concat();
    let output = status(&agreeing, &["--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn json_without_a_file_goes_to_the_standard_output() {
    let output = clock(&["--simulate", "--json", "--writes", "1"]);
    assert!(output.status.success() && text(&output.stderr).contains("lost updates"));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["seed"], 0);
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let output = clock(&["--simulate", "--writes=1", "--json", "/no/such/folder/clock.json"]);
    assert!(!output.status.success());
    let error = "surmise-lab: /no/such/folder/clock.json: cannot be written: ";
    assert!(text(&output.stderr).starts_with(error), "{}", text(&output.stderr));
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for (arguments, message) in [
        ("--ntp host:0", "the port is \"0\", but must be from 1 to 65535"),
        ("--ntp :123", "there is no host in it"),
        ("--ntp [::1", "an address in brackets reads [ADDRESS] or [ADDRESS]:PORT"),
        ("--smeared-ntp host:x", "the port is \"x\""),
        ("--chrony host:99999", "the port is \"99999\""),
        ("--tai-offset 37", "--phc <DEVICE>"),
        ("--phc-accuracy 1ms", "--phc <DEVICE>"),
        ("--phc /dev/ptp0", "--phc-accuracy <TIME>"),
        ("--phc /dev/ptp0 --tai-offset -37", "unexpected argument '-3'"),
        ("--live 1ms", "the interval must lie between 100ms and 3600s"),
        ("--live soon", "invalid value 'soon'"),
        ("--live soon", "it must be a number and a unit, as in 500ms or 2s"),
        ("--phc /dev/ptp0 --phc-accuracy 1", "it must be a number and a unit, as in 500ms or 2s"),
        ("--live --json -", "cannot be used with"),
        ("--live --json", "cannot be used with"),
        ("--seed 1", "--simulate"),
        ("--writes 1", "--simulate"),
        ("--simulate --writes 0", "it must be a whole number from 1 to 4294967295"),
        ("--simulate --writes many", "it must be a whole number from 1 to 4294967295"),
        ("--simulate --check", "cannot be used with"),
        ("--live --check", "cannot be used with"),
        ("--simulate --seed -1", "unexpected argument '-1'"),
        ("--simulate --live", "cannot be used with"),
        ("--simulate --ntp host", "cannot be used with"),
        ("--simulate --chrony host", "cannot be used with"),
        ("--simulate --clock-bound file", "cannot be used with"),
        ("--simulate --phc file", "cannot be used with"),
    ] {
        let output = clock(&arguments.split(' ').collect::<Vec<_>>());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
        assert!(error.contains(message), "{arguments}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_live_view_goes_on_until_it_is_interrupted() {
    let server = serve_ntp(0);
    let arguments = [&NOBODY[..], &["--ntp", &server, "--live", "100ms"]].concat();
    let mut child = command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut tables = 0;
    while tables < 3 {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "it ended after {tables} tables");
        tables += usize::from(line.starts_with('┌'));
    }
    let process = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!rest.contains("Offset: how far"));
}

#[test]
fn a_live_view_ends_when_nobody_reads_it() {
    let arguments = [&NOBODY[..], &["--live", "100ms"]].concat();
    let mut child = command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
