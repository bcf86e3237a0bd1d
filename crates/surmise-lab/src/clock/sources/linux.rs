//! What only Linux has: the kernel's word, shared memory and devices.

use core::time::Duration;
use std::{
    fs,
    path::{Path, PathBuf},
};

use surmise_interval::{
    Drift,
    source::{
        Source as _,
        clock_bound::{Basis, ClockBound, Segment},
        kernel::KernelClock,
        phc::{Phc, PhcConfig, Timescale},
        vmclock::{DisruptionWatch, VmClock, VmClockPage},
    },
};
use surmise_time::{Instant, MonotonicClock, OsWallClock, WallClock as _};

use crate::{
    clock::{
        args::ClockArgs,
        probe::{Absent, Probe, Report, Silence, Vote},
    },
    compare::text,
};

/// Returns the sources of this file.
pub(super) fn probes(args: &ClockArgs) -> [Box<dyn Probe>; 4] {
    let clock_bound = args.clock_bound.clone().unwrap_or_else(segment);
    [
        Box::new(Kernel(KernelClock::new())),
        Box::new(SharedMemory {
            source: ClockBound::new(clock_bound, Drift::QUARTZ),
            vote: Vote::SystemClock(1),
        }),
        hardware(args),
        Box::new(Hypervisor::new(VmClock::new(VmClock::PATH))),
    ]
}

/// Returns where ClockBound publishes: the newer of its versions that is there.
fn segment() -> PathBuf {
    let newest = Path::new(ClockBound::V3_PATH);
    if newest.exists() { newest.into() } else { ClockBound::V2_PATH.into() }
}

/// Returns the hardware clock that was named. None is read that was not, since none says which time
/// it counts, or how well.
fn hardware(args: &ClockArgs) -> Box<dyn Probe> {
    let (Some(path), Some(accuracy)) = (args.phc.clone(), args.phc_accuracy) else {
        let why = match devices().as_slice() {
            [] => "there is no /dev/ptp0".to_owned(),
            [found, ..] => {
                let path = found.display();
                format!("{path} does not say which time it counts: see --phc and --phc-accuracy")
            }
        };
        return Box::new(Absent { name: "phc".to_owned(), why });
    };
    let timescale = args.tai_offset.map_or(Timescale::Utc, |seconds| Timescale::Tai {
        ahead: Duration::from_secs(seconds.into()),
    });
    Box::new(Hardware { path, config: PhcConfig::new(accuracy, timescale) })
}

fn devices() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let is_ptp = |path: &PathBuf| {
        let number = path.to_str().and_then(|path| path.strip_prefix("/dev/ptp"));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_ptp).collect();
    found.sort_unstable();
    found
}

/// What the kernel was told.
struct Kernel(KernelClock);

impl Probe for Kernel {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn ask(&mut self, clock: &dyn MonotonicClock) -> Report {
        let details = self.0.read().map(|timex| timex.to_string()).unwrap_or_default();
        Report { answer: self.0.sample(clock).map_err(Silence::from), age: None, details }
    }

    fn vote(&self) -> Vote {
        Vote::SystemClock(2)
    }

    fn disrupted(&mut self, at: Instant) {
        self.0.disrupted(at);
    }
}

/// What ClockBound publishes.
struct SharedMemory {
    source: ClockBound,
    /// From its version 3 on it has a clock of its own.
    vote: Vote,
}

impl Probe for SharedMemory {
    fn name(&self) -> &str {
        "clock-bound"
    }

    fn ask(&mut self, clock: &dyn MonotonicClock) -> Report {
        let read = self.source.read();
        if let Ok(segment) = &read {
            self.vote = match segment.basis {
                Basis::SystemClock { .. } => Vote::SystemClock(1),
                Basis::Counter { .. } => Vote::Own,
            };
        }
        Report {
            answer: self.source.sample(clock).map_err(Silence::from),
            age: read.as_ref().ok().and_then(age),
            details: read.as_ref().map(describe_segment).unwrap_or_default(),
        }
    }

    fn vote(&self) -> Vote {
        self.vote
    }

    fn disrupted(&mut self, at: Instant) {
        self.source.disrupted(at);
    }
}

/// Returns how long ago a segment was true, by the clock that it goes by.
fn age(segment: &Segment) -> Option<Duration> {
    match segment.basis {
        Basis::SystemClock { as_of, .. } => {
            // Not boot time: the daemon does not count the time that the machine is suspended.
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
            let (seconds, nanos) = (now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
            Some(Duration::new(seconds, nanos).saturating_sub(as_of))
        }
        Basis::Counter { as_of, .. } => Some(OsWallClock.now() - as_of),
    }
}

fn describe_segment(segment: &Segment) -> String {
    format!(
        "{:?}, bound {}, drift {} ppb, generation {}",
        segment.status,
        text::time(segment.bound.as_secs_f64()),
        segment.drift.as_ppb(),
        segment.generation,
    )
}

/// A hardware clock, opened whenever it is asked.
struct Hardware {
    path: PathBuf,
    config: PhcConfig,
}

impl Probe for Hardware {
    fn name(&self) -> &str {
        "phc"
    }

    fn ask(&mut self, clock: &dyn MonotonicClock) -> Report {
        let opened = Phc::open(&self.path, self.config);
        let answer = opened.and_then(|mut phc| phc.sample(clock));
        let ahead = match self.config.timescale {
            Timescale::Utc => "UTC".to_owned(),
            Timescale::Tai { ahead } => format!("{} s ahead of UTC", ahead.as_secs()),
        };
        let accuracy = text::time(self.config.accuracy.as_secs_f64());
        Report {
            answer: answer.map_err(Silence::from),
            age: None,
            details: format!("taken to be {ahead}, within {accuracy}"),
        }
    }
}

/// What the hypervisor says of disruptions.
struct Hypervisor {
    vmclock: VmClock,
    watch: DisruptionWatch,
    disrupted: bool,
}

impl Hypervisor {
    fn new(vmclock: VmClock) -> Self {
        Self { watch: DisruptionWatch::new(vmclock.clone()), vmclock, disrupted: false }
    }
}

impl Probe for Hypervisor {
    fn name(&self) -> &str {
        "vmclock"
    }

    fn ask(&mut self, _clock: &dyn MonotonicClock) -> Report {
        let read = self.vmclock.read();
        self.disrupted = read.as_ref().is_ok_and(|page| self.watch.observe(page).is_some());
        match read {
            Ok(page) => Report {
                answer: Err(Silence::NotAsked("tells of disruptions, not the time".to_owned())),
                age: None,
                details: describe_page(&page),
            },
            Err(error) => Report::silent(error),
        }
    }

    fn tells_of_disruption(&self) -> bool {
        self.disrupted
    }
}

fn describe_page(page: &VmClockPage) -> String {
    let status = page.status.map_or_else(String::new, |status| format!(", host {status:?}"));
    format!("disruption marker {}{status}", page.disruption_marker)
}
