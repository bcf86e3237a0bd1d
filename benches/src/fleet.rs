//! What it costs to watch a fleet, and how that grows with it.

use core::{fmt, time::Duration};

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use surmise_detector::{ExponentiallyWeighted, PhiAccrual, PhiConfig};
use surmise_monitor::{Heartbeat, Monitor, MonitorConfig};
use surmise_time::{Instant, MonotonicClock, OsClock};

use crate::{Made, footprint};

/// Each peer sends one heartbeat a second.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many seconds of a fleet's life are measured.
const SECONDS: u32 = 5;
/// After how many others: a detector that has heard of few intervals waits for twice as long, and is looked at half as often.
const WARM_UP: u32 = 12;

type Detector = PhiAccrual<ExponentiallyWeighted>;

/// How heartbeats are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Arrival {
    /// Each when it arrives.
    Alone,
    /// Those that arrived since the last poll, as whoever empties a socket gets them.
    Together,
}

/// What a fleet of so many healthy peers cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cost {
    /// How heartbeats were taken in.
    pub arrival: Arrival,
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
    /// How many transitions there were, which should be none.
    pub transitions: usize,
}

/// Watches so many healthy peers for a while.
///
/// # Errors
///
/// If there cannot be so many.
pub fn cost(peers: usize, arrival: Arrival) -> Made<Cost> {
    // Heartbeats come in an order that has nothing to do with where peers are kept.
    let mut order: Vec<u64> = (0..).take(peers).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(7));
    let mut polls = Vec::with_capacity(1000 * SECONDS as usize);
    let mut cost = Cost {
        arrival,
        peers,
        bytes_per_peer: 0,
        heartbeat: Duration::ZERO,
        polls_per_heartbeat: Duration::ZERO,
        poll: [Duration::ZERO; 3],
        transitions: 0,
    };
    // What they take after all that, and not only when they are new.
    let (_, bytes) = footprint(|| live(&order, &mut polls, &mut cost))?;
    cost.bytes_per_peer = bytes / peers - size_of::<u64>();
    let beats = u32::try_from(peers)? * SECONDS;
    cost.heartbeat /= beats;
    cost.polls_per_heartbeat = polls.iter().sum::<Duration>() / beats;
    polls.sort_unstable();
    let quantile = |share: usize| polls.get((polls.len() - 1) * share / 100);
    cost.poll = [50, 99, 100].map(|share| quantile(share).copied().unwrap_or_default());
    Ok(cost)
}

/// Lets a fleet live, and notes how long each poll took and all heartbeats together.
fn live(order: &[u64], polls: &mut Vec<Duration>, cost: &mut Cost) -> Made<impl Sized + use<>> {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let start = Instant::ORIGIN + INTERVAL;
    let mut monitor = watch(order.len(), start)?;
    let slices = (order.len() / 10).clamp(100, 1000);
    let between_polls = INTERVAL / u32::try_from(slices)?;
    for second in 0..WARM_UP + SECONDS {
        for (slice, keys) in (0..).zip(order.chunks(order.len().div_ceil(slices))) {
            let now = start + INTERVAL * second + between_polls * slice;
            let jitter = Duration::from_nanos(random.random_range(0..1_000_000));
            let began = OsClock.now();
            hear(&mut monitor, keys, second.into(), now + jitter, cost.arrival)?;
            let heard = OsClock.now();
            let found = monitor.poll(now + between_polls).count();
            let polled = OsClock.now();
            if second >= WARM_UP {
                cost.heartbeat += heard - began;
                polls.push(polled - heard);
                cost.transitions += found;
            }
        }
    }
    Ok(monitor)
}

fn hear(
    monitor: &mut Monitor<u64, Detector>,
    keys: &[u64],
    sequence: u64,
    now: Instant,
    arrival: Arrival,
) -> Made<()> {
    let mut heard = Ok(());
    match arrival {
        Arrival::Alone => {
            for key in keys {
                monitor.heartbeat(key, 1, sequence, now)?;
            }
        }
        Arrival::Together => {
            let heartbeat = |peer| Heartbeat { peer, incarnation: 1, sequence };
            monitor.heartbeats(keys.iter().map(heartbeat), now, |_, beat| {
                heard = heard.and(beat.map(|_| ()));
            });
        }
    }
    Ok(heard?)
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

impl Arrival {
    const fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Together => "together",
        }
    }
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
        let Self { arrival, peers, bytes_per_peer, heartbeat, polls_per_heartbeat, poll, .. } =
            self;
        let [p50, p99, longest] = poll.map(|took| took.as_secs_f64() * 1e6);
        let (heartbeat, polls) = (heartbeat.as_nanos(), polls_per_heartbeat.as_nanos());
        let share = self.share() * 100.0;
        write!(
            f,
            "{:>8} {peers:>9} {bytes_per_peer:>6} {heartbeat:>10} {polls:>7} {share:>8.2} % \
             {p50:>9.1} {p99:>9.1} {longest:>9.1} {:>6}",
            arrival.name(),
            self.transitions
        )
    }
}
