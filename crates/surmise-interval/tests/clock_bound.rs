//! A daemon that publishes as ClockBound does, and readers of what it publishes.

#![cfg(all(feature = "std", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::PathBuf,
    thread,
};

use rustix::time::{ClockId, clock_gettime};
use surmise_interval::{
    Drift,
    source::{
        Source, SourceError, Unsynchronized,
        clock_bound::{Basis, ClockBound, Segment, Status},
        vmclock::VmClock,
    },
};
use surmise_time::{BootClock, MonotonicClock, OsWallClock, WallClock};
use tempfile::TempDir;

const MAGIC: [u32; 2] = [0x414d_5a4e, 0x4342_0200];

/// What a daemon writes, and where.
struct Daemon {
    folder: TempDir,
    file: File,
    generation: u16,
}

/// The content of version 2, which follows the header.
#[derive(Clone, Copy)]
struct V2 {
    as_of: (i64, i64),
    void_after: (i64, i64),
    bound: i64,
    marker: u64,
    drift: u32,
    status: i32,
    disruption_support: u8,
}

impl Daemon {
    /// Creates a file that was not published to.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shm");
        let file = File::options().write(true).create_new(true).open(path).unwrap();
        Self { folder, file, generation: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("shm")
    }

    /// Writes the header of a segment that nothing was published in.
    fn wipe(&self, version: u16, size: u32) {
        let magic = MAGIC.map(u32::to_ne_bytes).concat();
        let header = [&magic, &size.to_ne_bytes()[..], &version.to_ne_bytes(), &[0; 2]].concat();
        self.file.set_len(0).unwrap();
        self.file.write_all_at(&header, 0).unwrap();
        self.file.set_len(size.into()).unwrap();
    }

    /// Publishes as the daemon does, but by ever so many calls, so that a reader is likely to come
    /// between.
    fn publish(&mut self, content: &[u8]) {
        self.store_generation(self.generation | 1);
        for (nth, word) in content.chunks(8).enumerate() {
            self.file.write_all_at(word, 16 + 8 * nth as u64).unwrap();
        }
        let next = (self.generation | 1).wrapping_add(1);
        self.store_generation(if next == 0 { 2 } else { next });
    }

    fn store_generation(&mut self, generation: u16) {
        self.generation = generation;
        self.file.write_all_at(&generation.to_ne_bytes(), 14).unwrap();
    }

    /// Returns a source that reads this, and is past what it must find out first.
    ///
    /// If this machine was ever suspended, then the first segment is refused, which may be from
    /// before that.
    fn source(&mut self) -> ClockBound {
        let mut source = ClockBound::new(self.path(), Drift::QUARTZ);
        self.wipe(2, 80);
        self.publish(&V2::now().encode());
        let _ = source.sample(&BootClock);
        self.publish(&V2::now().encode());
        source
    }
}

impl V2 {
    /// The system clock is within 10 µs now, says the daemon.
    fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        Self {
            as_of: (now.tv_sec, now.tv_nsec),
            void_after: (now.tv_sec + 1000, now.tv_nsec),
            bound: 10_000,
            marker: 3528,
            drift: 50_000,
            status: 1,
            disruption_support: 0,
        }
    }

    /// Something of which each part tells all the others.
    fn numbered(number: u32) -> Self {
        let seconds = i64::from(number);
        Self {
            as_of: (seconds, seconds),
            void_after: (seconds + 1, seconds),
            bound: seconds,
            marker: number.into(),
            drift: number,
            status: i32::try_from(number % 4).unwrap(),
            disruption_support: 1,
        }
    }

    fn encode(self) -> Vec<u8> {
        let times = [self.as_of, self.void_after].map(|(seconds, nanos)| [seconds, nanos]);
        let times = times.concat().into_iter().flat_map(i64::to_ne_bytes).collect();
        [
            times,
            self.bound.to_ne_bytes().to_vec(),
            self.marker.to_ne_bytes().to_vec(),
            self.drift.to_ne_bytes().to_vec(),
            self.status.to_ne_bytes().to_vec(),
            vec![self.disruption_support, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat()
    }
}

/// Version 3 of something of which each part tells all the others.
fn numbered_v3(number: u32) -> Vec<u8> {
    let V2 { as_of, void_after, bound, marker, drift, status, disruption_support } =
        V2::numbered(number);
    let (counter, period) = (u64::from(number), 1_u64 << 63 | u64::from(number));
    [
        counter.to_ne_bytes().to_vec(),
        [as_of.0, as_of.1, void_after.0, void_after.1]
            .into_iter()
            .flat_map(i64::to_ne_bytes)
            .collect(),
        period.to_ne_bytes().to_vec(),
        0_u64.to_ne_bytes().to_vec(),
        bound.to_ne_bytes().to_vec(),
        marker.to_ne_bytes().to_vec(),
        drift.to_ne_bytes().to_vec(),
        status.to_ne_bytes().to_vec(),
        vec![disruption_support, 29, 0, 0, 0, 0, 0, 0],
    ]
    .concat()
}

/// Checks that each part tells all the others.
fn check_numbered(segment: &Segment) -> u32 {
    let number = segment.drift.as_ppb();
    let wide = u64::from(number);
    let (second, nanos) = (Duration::from_secs(1), Duration::from_nanos(wide));
    let since_origin = Duration::from_secs(wide) + nanos;
    let status = match number % 4 {
        0 => Status::Unknown,
        1 => Status::Synchronized,
        2 => Status::FreeRunning,
        _ => Status::Disrupted,
    };
    assert_eq!(segment.bound, nanos, "{segment:?}");
    assert_eq!(segment.disruption_marker, Some(wide), "{segment:?}");
    assert_eq!(segment.status, status, "{segment:?}");
    assert_eq!(segment.generation % 2, 0, "{segment:?}");
    match segment.basis {
        Basis::SystemClock { as_of, void_after } => {
            assert_eq!((as_of, void_after), (since_origin, since_origin + second), "{segment:?}");
        }
        Basis::Counter { as_of, void_after, counter, .. } => {
            assert_eq!(u128::from(as_of.as_nanos()), since_origin.as_nanos(), "{segment:?}");
            assert_eq!((void_after - as_of, counter), (second, wide), "{segment:?}");
        }
    }
    number
}

fn read_while_written(version: u16, size: u32, encode: impl Fn(u32) -> Vec<u8> + Sync) {
    let mut daemon = Daemon::start();
    daemon.wipe(version, size);
    // The generation wraps during the test.
    daemon.generation = u16::MAX - 200;
    daemon.publish(&encode(1));
    let source = ClockBound::new(daemon.path(), Drift::QUARTZ);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 2..20_000 {
                daemon.publish(&encode(number));
            }
            done.store(true, Ordering::Release);
        });
        let (mut last, mut seen, mut refused) = (0, 0, 0);
        loop {
            let finished = done.load(Ordering::Acquire);
            // Whoever only ever finds the writer at work gives up with a generation.
            match source.read() {
                Ok(segment) => {
                    let number = check_numbered(&segment);
                    assert!(number >= last, "{number} after {last}");
                    seen += u32::from(number > last);
                    last = number;
                }
                Err(error) => {
                    assert!(error.to_string().starts_with("generation "), "{error}");
                    refused += 1;
                }
            }
            if finished {
                break;
            }
        }
        assert_eq!(last, 19_999, "the last reading is of what was written last");
        assert!(seen > 1, "there was no concurrency");
        assert!(refused < seen, "a writer at work is soon done: {refused} of {seen}");
    });
}

#[test]
fn version_2_is_never_read_while_half_of_it_is_written() {
    read_while_written(2, 80, |number| V2::numbered(number).encode());
}

#[test]
fn version_3_is_never_read_while_half_of_it_is_written() {
    read_while_written(0x0303, 104, numbered_v3);
}

#[test]
fn a_sample_contains_the_system_clock() {
    let mut daemon = Daemon::start();
    let mut source = daemon.source();
    let before = OsWallClock.now();
    let sample = source.sample(&BootClock).unwrap();
    let after = OsWallClock.now();
    let interval = sample.interval();
    assert!(interval.uncertainty() >= Duration::from_micros(10));
    assert!(interval.latest() >= before + Duration::from_micros(10));
    assert!(interval.earliest() + Duration::from_micros(10) <= after);
    assert_eq!(sample.drift(), Drift::QUARTZ);
    assert_eq!(source.name(), format!("clock-bound {}", daemon.path().display()));
}

#[test]
fn the_greater_drift_counts() {
    let mut daemon = Daemon::start();
    let mut source = daemon.source();
    daemon.publish(&V2 { drift: 70_000, ..V2::now() }.encode());
    assert_eq!(source.sample(&BootClock).unwrap().drift().as_ppb(), 70_000);
    daemon.publish(&V2 { drift: 1, ..V2::now() }.encode());
    assert_eq!(source.sample(&BootClock).unwrap().drift(), Drift::QUARTZ);
}

#[test]
fn what_the_daemon_does_not_know_is_an_error() {
    let mut daemon = Daemon::start();
    let mut source = daemon.source();
    let mut error = |content: V2| {
        daemon.publish(&content.encode());
        source.sample(&BootClock).unwrap_err()
    };
    let now = V2::now();
    let unknown = error(V2 { status: 0, ..now });
    assert!(matches!(unknown, SourceError::Unsynchronized { reason: Unsynchronized::Unknown }));
    let disrupted = error(V2 { status: 3, ..now });
    assert!(matches!(disrupted, SourceError::Unsynchronized { reason: Unsynchronized::Disrupted }));
    let void = error(V2 { void_after: now.as_of, ..now });
    assert!(matches!(void, SourceError::Stale { max: Duration::ZERO, .. }), "{void}");
    let future = error(V2 { as_of: (now.as_of.0 + 100, 0), ..now });
    assert!(matches!(future, SourceError::Malformed { what: "as-of timestamp", .. }), "{future}");
}

#[test]
fn the_daemon_must_know_of_the_last_disruption() {
    let mut daemon = Daemon::start();
    let path = daemon.folder.path().join("vmclock0");
    let mut source = daemon.source().with_vmclock(VmClock::new(&path));
    let disrupt = |marker: u16| {
        let mut page = *b"VCLK\x20\0\0\0\x01\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        page[16..18].copy_from_slice(&marker.to_le_bytes());
        fs::write(&path, page).unwrap();
    };
    source.sample(&BootClock).expect("it does not watch");
    daemon.publish(&V2 { disruption_support: 1, ..V2::now() }.encode());
    let error = source.sample(&BootClock).unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error}");
    disrupt(3528);
    source.sample(&BootClock).expect("both say the same");
    disrupt(3529);
    let error = source.sample(&BootClock).unwrap_err();
    assert!(matches!(error, SourceError::Unsynchronized { reason: Unsynchronized::Disrupted }));
    daemon.publish(&V2 { disruption_support: 1, marker: 3529, ..V2::now() }.encode());
    source.sample(&BootClock).expect("the daemon has noticed");
}

#[test]
fn what_was_published_before_a_disruption_is_refused_whatever_its_marker() {
    let mut daemon = Daemon::start();
    let mut source = daemon.source();
    source.sample(&BootClock).unwrap();
    source.disrupted(BootClock.now());
    for _ in 0..2 {
        let error = source.sample(&BootClock).unwrap_err();
        assert!(matches!(error, SourceError::Unsynchronized { reason: Unsynchronized::Disrupted }));
    }
    daemon.publish(&V2::now().encode());
    source.sample(&BootClock).unwrap();
    // Published before anybody looks again.
    source.disrupted(BootClock.now());
    daemon.publish(&V2::now().encode());
    source.sample(&BootClock).unwrap();
}

#[test]
fn whatever_else_is_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let read = |path: PathBuf| ClockBound::new(path, Drift::QUARTZ).read().unwrap_err();
    let missing = read(folder.path().join("none"));
    assert!(missing.to_string().starts_with("could not open "), "{missing}");
    let directory = read(folder.path().into());
    assert!(directory.to_string().starts_with("could not read "), "{directory}");
    let empty = read("/dev/null".into());
    assert_eq!(empty.to_string(), "length 0 makes no sense");
    let endless = read("/dev/zero".into());
    assert_eq!(endless.to_string(), "magic number 0 makes no sense");
}

#[test]
fn a_daemon_that_starts_again_is_found_again() {
    let mut daemon = Daemon::start();
    let mut source = daemon.source();
    source.sample(&BootClock).unwrap();
    daemon.wipe(0, 80);
    let error = source.sample(&BootClock).unwrap_err();
    assert!(
        matches!(error, SourceError::Unsynchronized { reason: Unsynchronized::NoReference }),
        "{error}"
    );
    // Another file of the same name, as when the folder was removed with the daemon.
    fs::remove_file(daemon.path()).unwrap();
    daemon.file = File::options().write(true).create_new(true).open(daemon.path()).unwrap();
    daemon.wipe(2, 80);
    daemon.publish(&V2::now().encode());
    source.sample(&BootClock).unwrap();
}

#[test]
fn after_the_last_generation_comes_the_second() {
    let mut daemon = Daemon::start();
    daemon.wipe(2, 80);
    let source = ClockBound::new(daemon.path(), Drift::QUARTZ);
    let never_written = source.read().unwrap_err();
    assert_eq!(never_written.to_string(), "not synchronised: it never had a reference");
    daemon.generation = u16::MAX - 5;
    for generation in [65_532, 65_534, 2, 4] {
        daemon.publish(&V2::now().encode());
        assert_eq!(source.read().unwrap().generation, generation);
    }
}

#[test]
fn a_daemon_that_died_while_it_wrote_is_not_waited_for() {
    let mut daemon = Daemon::start();
    let mut source = daemon.source();
    let odd = daemon.generation | 1;
    daemon.store_generation(odd);
    let error = source.sample(&BootClock).unwrap_err();
    assert_eq!(error.to_string(), format!("generation {odd} makes no sense"));
}

#[test]
fn another_thread_can_ask() {
    let mut daemon = Daemon::start();
    let mut source = daemon.source();
    let sample = thread::spawn(move || source.sample(&BootClock)).join().unwrap();
    assert!(sample.is_ok(), "{sample:?}");
}
