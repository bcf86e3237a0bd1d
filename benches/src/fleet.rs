//! What it costs to watch a fleet, and how that grows with it.

use core::{fmt, time::Duration};

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use surmise_detector::{ExponentiallyWeighted, PhiAccrual, PhiConfig};
use surmise_monitor::{Monitor, MonitorConfig};
use surmise_time::{Instant, MonotonicClock, OsClock};

use crate::{Made, footprint};

/// Each peer sends one heartbeat a second.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many seconds of a fleet's life are measured.
const SECONDS: u32 = 5;
/// After how many others: a detector that has heard of few intervals waits for twice as long, and is looked at half as often.
const WARM_UP: u32 = 12;

type Detector = PhiAccrual<ExponentiallyWeighted>;

/// What a fleet of so many healthy peers cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cost {
    /// How many there were.
    pub peers: usize,
    /// What a peer takes besides its key.
    pub bytes_per_peer: usize,
    /// The mean of a heartbeat.
    pub heartbeat: Duration,
    /// The mean of the polls that come with a heartbeat.
    pub polls_per_heartbeat: Duration,
    /// Of a poll, with nothing to tell: the median, the 99th percentile and the longest.
    pub poll: [Duration; 3],
    /// The time between polls.
    pub between_polls: Duration,
    /// How many transitions there were, which should be none.
    pub transitions: usize,
}

/// Watches so many healthy peers for a while.
///
/// # Errors
///
/// If there cannot be so many.
pub fn cost(peers: usize) -> Made<Cost> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let start = Instant::ORIGIN + INTERVAL;
    let (mut monitor, bytes) = footprint(|| watch(peers, start))?;
    // Heartbeats come in an order that has nothing to do with where peers are kept.
    let mut order: Vec<u64> = (0..).take(peers).collect();
    order.shuffle(&mut random);

    let slices = (peers / 10).clamp(100, 1000);
    let between_polls = INTERVAL / u32::try_from(slices)?;
    let mut polls = Vec::new();
    let (mut heartbeats, mut transitions) = (Duration::ZERO, 0);
    for second in 0..WARM_UP + SECONDS {
        for (slice, keys) in (0..).zip(order.chunks(peers.div_ceil(slices))) {
            let now = start + INTERVAL * second + between_polls * slice;
            let jitter = Duration::from_nanos(random.random_range(0..1_000_000));
            let began = OsClock.now();
            for key in keys {
                monitor.heartbeat(key, 1, u64::from(second) + 1, now + jitter)?;
            }
            let heard = OsClock.now();
            let found = monitor.poll(now + between_polls).count();
            let polled = OsClock.now();
            if second >= WARM_UP {
                heartbeats += heard - began;
                polls.push(polled - heard);
                transitions += found;
            }
        }
    }
    let beats = u32::try_from(peers)? * SECONDS;
    let polled: Duration = polls.iter().sum();
    polls.sort_unstable();
    let quantile = |share: usize| polls.get((polls.len() - 1) * share / 100);
    Ok(Cost {
        peers,
        bytes_per_peer: bytes / peers - size_of::<u64>(),
        heartbeat: heartbeats / beats,
        polls_per_heartbeat: polled / beats,
        poll: [50, 99, 100].map(|share| quantile(share).copied().unwrap_or_default()),
        between_polls,
        transitions,
    })
}

fn watch(peers: usize, now: Instant) -> Made<Monitor<u64, Detector>> {
    let mut monitor = Monitor::new(MonitorConfig::default())?;
    let config = PhiConfig::for_interval(INTERVAL);
    for key in (0..).take(peers) {
        let detector = Detector::with_storage(config, ExponentiallyWeighted::over(1000))?;
        monitor.watch(key, detector, now)?;
    }
    Ok(monitor)
}

impl Cost {
    /// Returns which share of a core it takes.
    #[must_use]
    pub fn share(&self) -> f64 {
        let second = self.heartbeat + self.polls_per_heartbeat;
        second.as_secs_f64() * f64::from(u32::try_from(self.peers).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peers, bytes_per_peer, heartbeat, polls_per_heartbeat, poll, .. } = self;
        let [p50, p99, longest] = poll.map(|took| took.as_secs_f64() * 1e6);
        let (heartbeat, polls) = (heartbeat.as_nanos(), polls_per_heartbeat.as_nanos());
        let share = self.share() * 100.0;
        write!(
            f,
            "{peers:>9} {bytes_per_peer:>6} {heartbeat:>10} {polls:>7} {share:>8.2} % \
             {p50:>9.1} {p99:>9.1} {longest:>9.1} {:>6}",
            self.transitions
        )
    }
}
