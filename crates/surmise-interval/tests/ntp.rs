//! The NTP source against a real `chronyd`, and against servers that no client should trust.

#![cfg(target_os = "linux")]
#![expect(
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a packet has so many bytes, and a server that fails here fails the test"
)]

#[path = "support/chronyd.rs"]
mod chronyd;
#[path = "support/ntp_server.rs"]
mod ntp_server;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use surmise_interval::{
    Drift,
    source::{
        Leap, Refusal, Source, SourceError, Unsynchronized,
        kernel::KernelClock,
        ntp::{KissCode, NtpConfig, NtpSource, PACKET_LENGTH},
    },
};
use surmise_time::{BootClock, Instant, ManualClock, MonotonicClock, OsWallClock, WallClock};

use self::{
    chronyd::{Chrony, wait_until},
    ntp_server::{Server, reply_to},
};

/// With more patience than a busy machine needs.
fn config() -> NtpConfig {
    let patience = Duration::from_secs(60);
    // The real servers here have no reference but themselves.
    let (timeout, max_uncertainty, trust_local_reference) = (patience, patience, true);
    NtpConfig { timeout, max_uncertainty, trust_local_reference, ..NtpConfig::default() }
}

fn source(server: impl Into<SocketAddr>) -> NtpSource {
    NtpSource::new(server.into(), config())
}

/// Asks a server whose clock is this machine's, and checks that this machine's time is in the
/// interval.
fn check_truth(source: &mut NtpSource) -> Duration {
    let sample = source.sample(&BootClock).unwrap();
    let before = BootClock.now();
    let truth = OsWallClock.now();
    let after = BootClock.now();
    assert!(sample.interval_at(before).earliest() <= truth, "{sample:?} {truth}");
    assert!(sample.interval_at(after).latest() >= truth, "{sample:?} {truth}");
    sample.interval().uncertainty()
}

#[test]
fn a_real_servers_time_is_in_every_interval() {
    let Some(chrony) = Chrony::find() else { return };
    let server = chrony.start("local stratum 8");
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        addresses.push(Ipv6Addr::LOCALHOST.into());
    }
    for address in addresses {
        let mut source = source((address, server.port));
        assert_eq!(source.name(), SocketAddr::from((address, server.port)).to_string());
        for _ in 0..200 {
            assert!(check_truth(&mut source) > Duration::ZERO);
        }
        let measured = source.measure(&BootClock).unwrap();
        let wary = NtpConfig { trust_local_reference: false, ..config() };
        let refused = NtpSource::new((address, server.port).into(), wary).sample(&BootClock);
        let reason = Unsynchronized::LocalReference;
        assert!(matches!(refused, Err(SourceError::Unsynchronized { reason: r }) if r == reason));
        let reply = measured.reply();
        assert_eq!(
            (reply.leap, reply.stratum, reply.reference_id),
            (Leap::None, 8, [127, 127, 1, 1])
        );
        assert_eq!(reply.root_delay, Duration::ZERO);
        assert!(measured.delay() / 2 < measured.uncertainty());
        assert!(
            measured.uncertainty() <= measured.interval().uncertainty() + Duration::from_nanos(2)
        );
    }
}

#[test]
fn a_sample_grows_by_what_the_kernel_corrects_the_clock_by() {
    let mut server = Server::start(|request| vec![reply_to(request)]);
    let mut source = source(server.address);
    let correction = || KernelClock::new().read().unwrap().rate_correction();
    // A daemon may change it at any time.
    assert!(wait_until(|| {
        let before = correction();
        let drift = source.sample(&BootClock).unwrap().drift();
        let undisturbed = before == correction();
        if undisturbed {
            assert_eq!(u64::from(drift.as_ppb()), u64::from(Drift::SPANNER.as_ppb()) + before);
        }
        undisturbed
    }));
    server.stop_and_count();
}

#[test]
fn delays_on_one_way_only_do_not_move_the_time_out_of_the_interval() {
    let Some(chrony) = Chrony::find() else { return };
    let server = chrony.start("local stratum 8");
    let slow = Duration::from_millis(30);
    for (there, back) in [(slow, Duration::ZERO), (Duration::ZERO, slow)] {
        let port = server.port;
        let proxy = Server::start(move |request| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(("127.0.0.1", port)).unwrap();
            delay(there);
            socket.send(request).unwrap();
            let mut reply = [0; 100];
            let length = socket.recv(&mut reply).unwrap();
            delay(back);
            vec![reply[..length].to_vec()]
        });
        let uncertainty = check_truth(&mut source(proxy.address));
        assert!(uncertainty >= slow / 2, "{uncertainty:?}");
        proxy.stop();
    }
}

#[test]
fn a_server_that_is_not_synchronised_says_so() {
    let Some(chrony) = Chrony::find() else { return };
    let server = chrony.start("");
    let refused = source(([127, 0, 0, 1], server.port)).sample(&BootClock);
    let reason = Unsynchronized::LeapStatus;
    assert!(matches!(refused, Err(SourceError::Unsynchronized { reason: r }) if r == reason));
}

#[test]
fn what_others_send_is_waited_out() {
    let server = Server::start(|request| {
        let mut guessed = reply_to(request);
        guessed[31] ^= 1;
        let replay = vec![0; PACKET_LENGTH];
        vec![vec![], vec![1; 31], guessed, replay, vec![0xff; 5000], reply_to(request)]
    });
    check_truth(&mut source(server.address));
    server.stop();
}

#[test]
fn a_flood_of_what_others_send_is_no_answer() {
    let server = Server::start(|_| vec![vec![0x24; PACKET_LENGTH]; 100]);
    let refused = source(server.address).sample(&BootClock);
    let waited = |waited: Duration| waited < config().timeout;
    assert!(
        matches!(refused, Err(SourceError::NoAnswer { waited: w }) if waited(w)),
        "{refused:?}"
    );
    server.stop();
}

#[test]
fn a_reply_that_makes_no_sense_is_refused_at_once() {
    for (length, what, value) in [(47, "length", 47), (32, "length", 32), (68, "length", 68)] {
        let server = Server::start(move |request| {
            let mut reply = reply_to(request);
            reply.resize(length, 0);
            vec![reply]
        });
        let refused = source(server.address).sample(&BootClock).unwrap_err();
        let expected = format!("{what} {value} makes no sense");
        assert!(matches!(refused, SourceError::Malformed { .. }), "{refused:?}");
        assert_eq!(refused.to_string(), expected);
        server.stop();
    }
}

#[test]
fn a_server_that_claims_to_have_held_a_request_for_long_is_refused() {
    let server = Server::start(|request| {
        let mut reply = reply_to(request);
        // Ten seconds before.
        let receive = u64::from_be_bytes(reply[32..40].try_into().unwrap()) - (10 << 32);
        reply[32..40].copy_from_slice(&receive.to_be_bytes());
        vec![reply]
    });
    let refused = source(server.address).sample(&BootClock).unwrap_err();
    assert!(matches!(refused, SourceError::Malformed { .. }), "{refused}");
    server.stop();
}

#[test]
fn a_server_that_knows_little_is_too_uncertain() {
    let server = Server::start(|request| {
        let mut reply = reply_to(request);
        reply[9] = 2;
        vec![reply]
    });
    let max = Duration::from_millis(1500);
    let config = NtpConfig { max_uncertainty: max, ..config() };
    let refused = NtpSource::new(server.address, config).sample(&BootClock).unwrap_err();
    let over = |bound: Duration| bound >= Duration::from_secs(2);
    assert!(matches!(refused, SourceError::Uncertain { bound, max: m } if over(bound) && m == max));
    server.stop();
}

#[test]
fn silence_is_no_answer() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let timeout = Duration::from_millis(50);
    let config = NtpConfig { timeout, ..NtpConfig::default() };
    let mut source = NtpSource::new(silent.local_addr().unwrap(), config);
    let refused = source.sample(&BootClock);
    assert!(matches!(refused, Err(SourceError::NoAnswer { waited }) if waited >= timeout));
    let config = NtpConfig { timeout: Duration::ZERO, ..config };
    let refused = NtpSource::new(silent.local_addr().unwrap(), config).sample(&BootClock);
    assert!(matches!(refused, Err(SourceError::NoAnswer { .. })));
}

#[test]
fn a_server_that_died_is_an_error_of_the_system() {
    let Some(chrony) = Chrony::find() else { return };
    let mut server = chrony.start("local stratum 8");
    let mut source = source(([127, 0, 0, 1], server.port));
    check_truth(&mut source);
    server.kill();
    let error = source.sample(&BootClock).unwrap_err();
    let refused = io::ErrorKind::ConnectionRefused;
    assert!(matches!(&error, SourceError::Io { error, .. } if error.kind() == refused), "{error}");
}

#[test]
fn a_server_that_denies_is_not_asked_again() {
    for (code, kiss, is_final) in [
        (*b"DENY", KissCode::Deny, true),
        (*b"RSTR", KissCode::Restrict, true),
        (*b"INIT", KissCode::Other(*b"INIT"), false),
    ] {
        let mut server = Server::start(move |request| {
            let mut reply = reply_to(request);
            reply[..2].copy_from_slice(&[0xe4, 0]);
            reply[12..16].copy_from_slice(&code);
            vec![reply]
        });
        let mut source = source(server.address);
        for _ in 0..2 {
            let refused = source.sample(&BootClock).unwrap_err();
            let is_kiss = |refusal| refusal == Refusal::Kiss(kiss);
            assert!(matches!(refused, SourceError::Refused { refusal } if is_kiss(refusal)));
        }
        assert_eq!(server.stop_and_count(), if is_final { 1 } else { 2 });
    }
}

#[test]
fn a_server_that_is_asked_too_often_is_left_alone_for_a_while() {
    // What it says to each request: RATE with a poll interval, or the time.
    let script = [Some(0), Some(-6), Some(9), None, Some(0), Some(10), Some(0), None];
    let mut replies = script.into_iter();
    let next = Mutex::new(move || replies.next().expect("it is asked no more often"));
    let mut server = Server::start(move |request| {
        let mut reply = reply_to(request);
        if let Some(poll) = (next.lock().unwrap())() {
            reply[..3].copy_from_slice(&[0xe4, 0, i8::to_be_bytes(poll)[0]]);
            reply[12..16].copy_from_slice(b"RATE");
        }
        vec![reply]
    });
    let (mut source, clock) = (source(server.address), ManualClock::default());
    let nanosecond = Duration::from_nanos(1);
    for wait in [Some(64), Some(128), Some(512), None, Some(64), Some(1024), Some(1024), None] {
        let Some(wait) = wait.map(Duration::from_secs) else {
            source.sample(&clock).unwrap();
            continue;
        };
        let again = clock.now() + wait;
        let mut is_refused = || {
            let refused = source.sample(&clock).unwrap_err();
            matches!(refused, SourceError::Refused { refusal } if refusal == Refusal::Rate { again })
        };
        assert!(is_refused());
        assert!(is_refused(), "at once");
        clock.advance(wait - nanosecond);
        assert!(is_refused(), "just before");
        clock.advance(nanosecond);
    }
    assert_eq!(server.stop_and_count(), script.len());
    let text = Refusal::Rate { again: Instant::from_nanos(64_000_000_007) }.to_string();
    assert_eq!(text, "asked too often, and not to be again before 64.000000007s of the boot clock");
}

#[test]
fn a_server_that_denies_after_it_was_asked_too_often_is_not_asked_again() {
    let asked = AtomicUsize::new(0);
    let mut server = Server::start(move |request| {
        let mut reply = reply_to(request);
        reply[..3].copy_from_slice(&[0xe4, 0, 6]);
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        reply[12..16].copy_from_slice(if first { b"RATE" } else { b"DENY" });
        vec![reply]
    });
    let (mut source, clock) = (source(server.address), ManualClock::default());
    for refusal in [
        Refusal::Rate { again: clock.now() + Duration::from_secs(64) },
        Refusal::Kiss(KissCode::Deny),
        Refusal::Kiss(KissCode::Deny),
    ] {
        let refused = source.sample(&clock).unwrap_err();
        assert!(
            matches!(refused, SourceError::Refused { refusal: r } if r == refusal),
            "{refused}"
        );
        clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(server.stop_and_count(), 2);
}

/// Waits for some time, since that is what is to be tested.
fn delay(duration: Duration) {
    let start = BootClock.now();
    while BootClock.now() - start < duration {
        thread::park_timeout(duration);
    }
}
