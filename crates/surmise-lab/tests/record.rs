//! `surmise-lab record`, as a program, on this machine's own sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use core::time::Duration;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::UdpSocket,
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use surmise_lab::{
    record::{Counts, Datagram, DatagramKind},
    trace::{ReadOptions, Trace, read},
};

/// A `record` that says where it listens.
struct Listening {
    child: Child,
    address: String,
    errors: BufReader<ChildStderr>,
}

impl Listening {
    fn start(words: &str, output: Option<&Path>) -> Self {
        let mut command = command(words, output);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once(' ').expect(&line).1.to_owned();
        Self { child, address, errors }
    }

    fn finish(self) -> Output {
        let output = self.child.wait_with_output().unwrap();
        drop(self.errors);
        output
    }
}

fn command(words: &str, output: Option<&Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.arg("record").args(words.split_whitespace());
    command.args(output.into_iter().flat_map(|path| [Path::new("--output"), path]));
    command
}

fn record(words: &str, output: Option<&Path>) -> Output {
    command(words, output).output().unwrap()
}

fn only_trace(path: &Path) -> Trace {
    let [trace] = read(path, &ReadOptions::default()).unwrap().try_into().unwrap();
    trace
}

#[test]
fn a_loopback_trace_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop.csv");
    let output = record("--loopback --interval 5ms --count 40 --linger 100ms", Some(&path));
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("loop.csv: 40 heartbeats, 0 lost, 0 out of order"), "{printed}");

    let trace = only_trace(&path);
    assert_eq!(trace.name, "loop.csv");
    assert!(trace.beats.iter().map(|beat| beat.sequence).eq(0..40));
    // Both ends read the same clock, and the first heartbeat is its origin.
    assert_eq!(trace.beats[0].sent, Some(0));
    assert!(trace.beats.iter().all(|beat| beat.sent < beat.received));
    assert!(trace.beats.is_sorted_by(|one, next| one.sent < next.sent));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the partial file is gone");
}

#[test]
fn a_sender_and_a_receiver_meet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pair.csv");
    let receiver = Listening::start("--receive 127.0.0.1:0 --linger 100ms", Some(&path));

    // Strangers at the door do no harm.
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let beat = Datagram::new(DatagramKind::Heartbeat, 9, 0, 100).encode();
    let too_long = [&beat[..], b"!"].concat();
    for bytes in [&b""[..], b"hello", &[0; 32], &[255; 2_000], &too_long] {
        stranger.send_to(bytes, &receiver.address).unwrap();
    }
    let words = format!("--send {} --interval 2ms --count 30", receiver.address);
    let sent = record(&words, None);
    assert_eq!(sent.stdout, b"sent 30 heartbeats, of which 0 were refused\n", "{sent:?}");

    let received = receiver.finish();
    assert!(received.status.success(), "{received:?}");
    let printed = String::from_utf8(received.stdout).unwrap();
    assert!(printed.contains("; 5 other datagrams ignored\n"), "{printed}");
    let trace = only_trace(&path);
    assert_eq!(Counts::of(&trace).heartbeats, 30);
    assert!(trace.beats.iter().all(|beat| beat.sent < beat.received));
}

#[test]
fn a_second_sender_is_announced_once_and_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.csv");
    let mut receiver = Listening::start("--receive 127.0.0.1:0 --linger 100ms", Some(&path));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let beats = [(1, 0), (2, 0), (2, 1), (1, 1)];
    let beats =
        beats.map(|(session, n)| Datagram::new(DatagramKind::Heartbeat, session, n, 100 + n));
    for datagram in beats.into_iter().chain([Datagram::new(DatagramKind::End, 1, 2, 0)]) {
        socket.send_to(&datagram.encode(), &receiver.address).unwrap();
    }
    let mut said = String::new();
    receiver.errors.read_to_string(&mut said).unwrap();
    assert_eq!(said, "another sender has started; this recording keeps to the first\n");
    let printed = String::from_utf8(receiver.finish().stdout).unwrap();
    assert!(
        printed.contains("; 0 other datagrams ignored, and 2 of a second sender\n"),
        "{printed}"
    );
    assert_eq!(only_trace(&path).beats.len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_sender_says_that_nobody_listens() {
    // A socket that hears only itself keeps the port from others, and refuses what they send.
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap();
    deaf.connect(address).unwrap();
    let words = format!("--send {address} --interval 1ms --count 20");
    let sent = record(&words, None);
    let expected = "sent 20 heartbeats, of which 0 were refused; 20 of 20 were answered by \
                    “nobody listens”\n";
    assert_eq!(String::from_utf8(sent.stdout).unwrap(), expected);
}

#[test]
fn a_relay_does_its_worst_and_the_seed_decides() {
    let folder = tempfile::tempdir().unwrap();
    let words = "--loopback --relay --interval 1ms --count 400 --linger 1s --loss 0.05 \
                 --burst-loss 0.02,0.2 --duplicate 0.1 --reorder 0.1 --delay constant:2ms --seed ";
    let arrived = |name: &str, seed: &str| {
        let path = folder.path().join(name);
        let output = record(&format!("{words}{seed}"), Some(&path));
        assert!(output.status.success(), "{output:?}");
        let trace = only_trace(&path);
        let counts = Counts::of(&trace);
        assert!(counts.heartbeats == 400 && counts.stale > 0, "{counts:?}");
        assert!(trace.beats.iter().all(|beat| beat.sent.is_some()), "also of the lost ones");
        let arrived = trace.beats.iter().map(|beat| (beat.sequence, beat.received.is_some()));
        arrived.collect::<Vec<_>>()
    };
    let one = arrived("one.csv", "1");
    assert!(one.len() > 400, "some come twice");
    assert!(one.iter().any(|(_, arrived)| !arrived), "some are lost");
    assert_eq!(one, arrived("again.csv", "1"));
    assert_ne!(one, arrived("two.csv", "2"));
}

#[test]
fn a_relay_stands_between_two_programs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relayed.csv");
    let receiver = Listening::start("--receive 127.0.0.1:0 --linger 100ms", Some(&path));
    let words = "--relay-listen 127.0.0.1:0 --delay constant:20ms --relay-to ";
    let mut relay = Listening::start(&format!("{words}{}", receiver.address), None);
    record(&format!("--send {} --interval 2ms --count 20", relay.address), None);
    assert!(receiver.finish().status.success());
    relay.child.kill().unwrap();
    relay.finish();
    let trace = only_trace(&path);
    assert_eq!(Counts::of(&trace).lost, 0);
    let delay =
        |beat: &surmise_lab::trace::HeartbeatRecord| beat.received.unwrap() - beat.sent.unwrap();
    assert!(trace.beats.iter().map(delay).min().unwrap() >= 20_000_000);
}

#[test]
fn what_is_late_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late.csv");
    let receiver = Listening::start("--receive 127.0.0.1:0 --linger 2s", Some(&path));
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let send = |kind, number| {
        let datagram = Datagram::new(kind, 9, number, number);
        sender.send_to(&datagram.encode(), &receiver.address).unwrap();
    };
    send(DatagramKind::Heartbeat, 0);
    send(DatagramKind::End, 3);
    // Nobody answers: this only lets time pass, so that a receiver that does not wait has gone.
    sender.recv(&mut [0]).unwrap_err();
    send(DatagramKind::Heartbeat, 1);
    assert!(receiver.finish().status.success());
    let counts = Counts::of(&only_trace(&path));
    assert_eq!((counts.heartbeats, counts.lost), (3, 1));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_recording_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stopped.csv");
    let receiver = Listening::start("--receive 127.0.0.1:0", Some(&path));
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for sequence in [3, 5] {
        let beat = Datagram::new(DatagramKind::Heartbeat, 9, sequence, 100 * sequence);
        sender.send_to(&beat.encode(), &receiver.address).unwrap();
    }
    // The rows stand in the partial file before the recording ends.
    let partial = folder.path().join("stopped.csv.partial");
    while fs::read_to_string(&partial).unwrap().lines().count() < 3 {
        std::thread::yield_now();
    }
    let process = receiver.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    assert!(receiver.finish().status.success());
    let counts = Counts::of(&only_trace(&path));
    assert_eq!((counts.heartbeats, counts.lost), (3, 1));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_wait_for_late_heartbeats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patient.csv");
    let words = "--loopback --interval 1ms --count 3 --linger 1h";
    let mut child = command(words, Some(&path)).stdout(Stdio::null()).spawn().unwrap();
    let partial = folder.path().join("patient.csv.partial");
    while fs::read_to_string(&partial).unwrap_or_default().lines().count() < 4 {
        std::thread::yield_now();
    }
    // The first may come while the end is being announced, and ends the sender only.
    let process = child.id().to_string();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        Command::new("kill").args(["-INT", &process]).output().unwrap();
    };
    assert!(status.success(), "{status}");
    assert_eq!(Counts::of(&only_trace(&path)).heartbeats, 3);
}

#[test]
fn an_existing_trace_is_safe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.csv");
    fs::write(&path, "precious").unwrap();
    let words = "--loopback --interval 1ms --count 2 --linger 1ms";
    let refused = record(words, Some(&path));
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("old.csv exists; `--force` replaces it"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert!(record(&format!("{words} --force"), Some(&path)).status.success());
    assert_eq!(only_trace(&path).beats.len(), 2);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("never.csv");
    for (words, with_output, said) in [
        ("", true, "required arguments"),
        ("--loopback", false, "--output"),
        ("--loopback --send 127.0.0.1:9", true, "cannot be used with"),
        ("--loopback --count 0", true, "--count"),
        ("--loopback --interval 0s", true, "the interval must lie between"),
        ("--loopback --count 5000001", true, "holds at most 5000000"),
        ("--loopback --duration 584554years", true, "holds at most 5000000"),
        ("--send 127.0.0.1:9 --interval 1ms --duration 83m21s", false, "5001000 heartbeats were"),
        ("--loopback --loss 0.1", true, "required arguments"),
        ("--loopback --relay --loss 1.1", true, "the probability is \"1.1\""),
        ("--loopback --relay --delay pareto:5ms", true, "the delay law is \"pareto:5ms\""),
        ("--receive nonsense", true, "\"nonsense\" is no address to use"),
        ("--receive 127.0.0.1:0 --duration 1ms", true, "no heartbeat arrived"),
        ("--relay-listen 127.0.0.1:0", false, "--relay-to"),
    ] {
        let output = record(words, with_output.then_some(&path));
        assert!(!output.status.success(), "{words}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(said), "{words}: {stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}
