//! The machine is moved, and those who rest on what was before are told.

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use surmise_interval::{
    ClockStatus, IntervalClockConfig, Sample, Synchronization,
    sampler::Sampler,
    select::Smearing,
    source::{Source, SourceError},
    sync::SharedIntervalClock,
};
use surmise_time::{Instant, ManualClock, MonotonicClock};

use crate::{Fake, Moved};

/// Writes a page of `/dev/vmclock0` with this disruption marker.
#[cfg(target_os = "linux")]
pub(crate) fn write_page(path: &std::path::Path, marker: u8) {
    let mut page = [0; 32];
    page[..18].copy_from_slice(b"VCLK\x20\0\0\0\x01\0\x01\0\x08\0\0\0\0\0");
    page[16] = marker;
    std::fs::write(path, page).expect("the folder can be written to");
}

/// A source that writes down what it is told.
struct Told(Arc<AtomicU64>);

impl Source for Told {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        Fake::new("told", 0).sample(clock)
    }

    fn disrupted(&mut self, at: Instant) {
        self.0.store(at.as_nanos(), Ordering::Relaxed);
    }

    fn name(&self) -> &str {
        "told"
    }
}

#[test]
fn sources_are_told_of_a_disruption() {
    let (boot, told) = (ManualClock::default(), Arc::new(AtomicU64::new(0)));
    boot.advance(Duration::from_secs(5));
    let mut sampler = Sampler::new()
        .with(Told(Arc::clone(&told)), Smearing::Stepped)
        .with(Moved { questions: 0, from: 2 }, Smearing::Stepped);
    sampler.ask(&boot);
    assert_eq!(told.load(Ordering::Relaxed), 0);
    let since = sampler.ask(&boot).disrupted.expect("one of them says so");
    assert_eq!(told.load(Ordering::Relaxed), since.as_nanos());
}

#[cfg(target_os = "linux")]
#[test]
fn the_watch_is_asked_before_and_after_each_round() {
    use std::path::PathBuf;

    use surmise_interval::source::vmclock::{DisruptionWatch, VmClock};

    /// A source that is moved while it is asked.
    struct Moving(PathBuf, Fake);

    impl Source for Moving {
        fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
            if clock.now().as_nanos() == 3_000_000_000 {
                write_page(&self.0, 3);
            }
            self.1.sample(clock)
        }

        fn name(&self) -> &str {
            "moving"
        }
    }

    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("vmclock0");
    let boot = ManualClock::default();
    let clock = SharedIntervalClock::new(IntervalClockConfig::default());
    let mut sampler = Sampler::new()
        .with(Moving(path.clone(), Fake::new("moving", 0)), Smearing::Stepped)
        .with_watch(DisruptionWatch::new(VmClock::new(&path)));

    // Without the device nobody knows, and the round says so.
    let round = sampler.ask(&boot);
    assert_eq!((round.disrupted, round.answers.len()), (None, 2));
    assert!(round.answers[1].sample.is_err());

    let accepted = Some(Synchronization::Accepted);
    let second = Duration::from_secs(1);
    write_page(&path, 1);
    boot.advance(second);
    let round = sampler.ask(&boot);
    assert_eq!((round.disrupted, round.answers.len(), round.feed(&clock)), (None, 1, accepted));

    // Moved between two rounds: what was known is forgotten, and what is answered now is taken.
    write_page(&path, 2);
    boot.advance(second);
    let round = sampler.ask(&boot);
    assert_eq!((round.disrupted, round.feed(&clock)), (Some(boot.now()), accepted));

    boot.advance(second);
    let round = sampler.ask(&boot);
    assert_eq!(round.feed(&clock), Some(Synchronization::Stale));
    assert_eq!(clock.status(boot.now()), ClockStatus::Disrupted);
    boot.advance(second);
    assert_eq!(sampler.ask(&boot).feed(&clock), accepted);

    // A watch that can no longer be asked vouches for nothing.
    std::fs::remove_file(&path).expect("it is there");
    boot.advance(second);
    let round = sampler.ask(&boot);
    assert!(round.disrupted > Some(round.at) && round.answers[1].sample.is_err());
    assert_eq!(round.feed(&clock), Some(Synchronization::Stale));
}
