use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_detector::{FailureDetector, FixedTimeout, Verdict};
use surmise_monitor::{Event, Monitor, MonitorConfig};
use surmise_time::Instant;

/// How many peers are watched.
pub(super) const PEERS: usize = 100;

/// For how long the observer is paused.
pub(super) const PAUSE: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(3);

/// How often the observer looks, when it is not paused.
const LOOK: Duration = Duration::from_millis(100);

const PAUSED: Instant = Instant::from_nanos(60_000_000_000);
/// So that nothing of it is left to be read after the pause.
const DIES: Instant = Instant::from_nanos(59_000_000_000);
const END: Instant = Instant::from_nanos(120_000_000_000);

/// The peer that dies.
const DYING: usize = 42;

/// Whom an observer took for dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Convictions {
    /// How many that were alive.
    pub(super) living: usize,
    /// How long after it woke up it found the one that had died.
    pub(super) dead_after: Option<Duration>,
}

impl Convictions {
    /// Lets bare detectors and a monitor with the same detectors hear the same.
    pub(super) fn all(seed: u64) -> [Self; 2] {
        let steps = steps(seed);
        [Self::of(&steps, bare()), Self::of(&steps, monitored())]
    }

    fn of(
        steps: &[(Instant, Step)],
        mut observer: impl FnMut(Instant, Step) -> Vec<usize>,
    ) -> Self {
        let mut convicted = [false; PEERS];
        let mut dead_after = None;
        for &(now, step) in steps {
            for peer in observer(now, step) {
                if let Some(convicted) = convicted.get_mut(peer) {
                    *convicted = true;
                }
                if peer == DYING && dead_after.is_none() && now >= DIES {
                    dead_after = Some(now - (PAUSED + PAUSE));
                }
            }
        }
        let living =
            convicted.iter().enumerate().filter(|&(peer, &guilty)| guilty && peer != DYING);
        Self { living: living.count(), dead_after }
    }
}

/// What an observer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It reads a heartbeat from its socket.
    Hear { peer: usize, sequence: u64 },
    /// It looks whose time is over.
    Look,
}

/// Returns what the observer does and when, in this order.
fn steps(seed: u64) -> Vec<(Instant, Step)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let woken = PAUSED + PAUSE;
    let mut steps = Vec::new();
    for peer in 0..PEERS {
        let mut sent = Instant::ORIGIN + rng.random_range(Duration::ZERO..INTERVAL);
        let last = if peer == DYING { DIES } else { END };
        for sequence in 1.. {
            let arrived = sent + rng.random_range(Duration::ZERO..INTERVAL / 50);
            if sent >= last || arrived >= END {
                break;
            }
            let read = if (PAUSED..woken).contains(&arrived) { woken } else { arrived };
            steps.push((read, Step::Hear { peer, sequence }));
            sent += INTERVAL;
        }
    }
    let mut look = Instant::ORIGIN;
    while look < END {
        if !(PAUSED..woken).contains(&look) {
            steps.push((look, Step::Look));
        }
        look += LOOK;
    }
    // Timers first; what one peer sent stays in order.
    steps.sort_by_key(|&(at, step)| (at, step != Step::Look));
    steps
}

fn detector() -> FixedTimeout {
    FixedTimeout::new(TIMEOUT).expect("a timeout above zero")
}

/// Returns an observer that asks each detector in turn.
fn bare() -> impl FnMut(Instant, Step) -> Vec<usize> {
    let mut detectors: Vec<_> = (0..PEERS).map(|_| detector()).collect();
    move |now, step| match step {
        Step::Hear { peer, sequence } => {
            if let Some(detector) = detectors.get_mut(peer) {
                let _beat = detector.heartbeat(sequence, now);
            }
            Vec::new()
        }
        Step::Look => {
            let verdicts = detectors.iter().map(|detector| detector.verdict(now)).enumerate();
            let suspected = verdicts.filter(|&(_, verdict)| verdict == Verdict::Suspect);
            suspected.map(|(peer, _)| peer).collect()
        }
    }
}

/// Returns an observer that polls a monitor.
fn monitored() -> impl FnMut(Instant, Step) -> Vec<usize> {
    let mut monitor = Monitor::new(MonitorConfig::default()).expect("the defaults are in range");
    for peer in 0..PEERS {
        monitor.watch(peer, detector(), Instant::ORIGIN).expect("each is new, and there is room");
    }
    move |now, step| match step {
        Step::Hear { peer, sequence } => {
            let _beat = monitor.heartbeat(&peer, 1, sequence, now).expect("it is watched");
            Vec::new()
        }
        Step::Look => {
            let suspected = monitor.poll(now).filter_map(|event| match event {
                Event::Suspected { peer, .. } | Event::Dead { peer, .. } => Some(peer),
                _ => None,
            });
            suspected.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_detectors_convict_all_and_a_monitor_none_that_lives() {
        for seed in 0..10 {
            let [bare, monitored] = Convictions::all(seed);
            assert_eq!(bare.living, PEERS - 1, "seed {seed}");
            assert_eq!(monitored.living, 0, "seed {seed}");
            // The dead are found all the same, after their whole time and a look from when the observer woke up.
            let after = monitored.dead_after.unwrap();
            assert!(after <= TIMEOUT + LOOK && after > TIMEOUT - LOOK, "seed {seed}: {after:?}");
        }
    }

    #[test]
    fn nobody_is_convicted_before_the_pause() {
        let before: Vec<_> = steps(0).into_iter().filter(|&(at, _)| at < PAUSED).collect();
        for found in [Convictions::of(&before, bare()), Convictions::of(&before, monitored())] {
            assert_eq!(found, Convictions { living: 0, dead_after: None });
        }
    }
}
