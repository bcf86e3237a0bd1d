//! What hedging costs and brings: a service of which one answer in fifty is a straggler becomes four times as slow.

#![cfg(feature = "std")]

use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use surmise_timeout::{
    Hedge, HedgeOutcome, Outcome, Quantile, Ratio, RetryBudget, RetryBudgetConfig,
    sync::{AtomicRetryBudget, SharedHedge},
};

/// What decides on backups, and is told of outcomes.
trait Policy {
    fn begin(&mut self) {}
    fn delay(&self) -> Duration;
    fn issue(&mut self) -> bool;
    fn record(&mut self, outcome: HedgeOutcome);
}

struct Owned(Hedge, RetryBudget);

impl Policy for Owned {
    fn begin(&mut self) {
        self.1.deposit();
    }

    fn delay(&self) -> Duration {
        self.0.delay()
    }

    fn issue(&mut self) -> bool {
        self.0.issue(&mut self.1).is_ok()
    }

    fn record(&mut self, outcome: HedgeOutcome) {
        self.0.record(outcome);
    }
}

struct Shared(SharedHedge, AtomicRetryBudget);

impl Policy for Shared {
    fn begin(&mut self) {
        self.1.deposit();
    }

    fn delay(&self) -> Duration {
        self.0.delay()
    }

    fn issue(&mut self) -> bool {
        self.0.issue(&self.1).is_ok()
    }

    fn record(&mut self, outcome: HedgeOutcome) {
        self.0.record(outcome);
    }
}

struct Unhedged;

impl Policy for Unhedged {
    fn delay(&self) -> Duration {
        Duration::MAX
    }

    fn issue(&mut self) -> bool {
        unreachable!("that delay does not pass")
    }

    fn record(&mut self, _: HedgeOutcome) {}
}

/// Records as `tower::hedge` does: the winners, and of a backup the time since it was sent. It goes by the last
/// whole period of 10 s, at 1000 requests a second, and has no budget.
#[derive(Default)]
struct Tower {
    read: Vec<Duration>,
    write: Vec<Duration>,
    requests: usize,
}

impl Policy for Tower {
    fn begin(&mut self) {
        self.requests += 1;
        if self.requests % 10_000 == 0 {
            self.read = core::mem::take(&mut self.write);
            self.read.sort_unstable();
        }
    }

    fn delay(&self) -> Duration {
        let rank = Quantile::P95.rank(self.read.len());
        let index = rank.checked_sub(1);
        index.and_then(|index| self.read.get(index)).copied().unwrap_or(Duration::MAX)
    }

    fn issue(&mut self) -> bool {
        true
    }

    fn record(&mut self, outcome: HedgeOutcome) {
        for outcome in [Some(outcome.primary()), outcome.backup()] {
            if let Some(Outcome::Completed(took)) = outcome {
                self.write.push(took);
            }
        }
    }
}

/// A service whose answers take 5 ms in the median, or 128 ms for one in fifty.
struct Service {
    random: ChaCha8Rng,
    usual: LogNormal<f64>,
    straggler: LogNormal<f64>,
    /// Which share is never answered.
    stuck: f64,
}

impl Service {
    fn new(seed: u64) -> Self {
        let log_normal = |median: f64, deviation| {
            LogNormal::new(median.ln(), deviation).expect("it has a deviation")
        };
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            usual: log_normal(0.005, 0.3),
            straggler: log_normal(0.128, 0.3),
            stuck: 0.0,
        }
    }

    fn latency(&mut self, slowdown: f64) -> Duration {
        if self.random.random_bool(self.stuck) {
            return Duration::MAX;
        }
        let straggles = self.random.random_ratio(1, 50);
        let latencies = if straggles { self.straggler } else { self.usual };
        Duration::from_secs_f64(latencies.sample(&mut self.random) * slowdown)
    }
}

/// What became of the requests of a phase.
#[derive(Clone, Copy, Debug)]
struct Phase {
    /// Backups for each request.
    extra_load: f64,
    p99: Duration,
}

/// Sends requests to a service that is slower than usual by a factor, which depends on how many came before.
fn phase(
    policy: &mut impl Policy,
    service: &mut Service,
    requests: u32,
    slowdown: impl Fn(u32) -> f64,
) -> Phase {
    let mut backups = 0;
    let mut send = |nth| {
        let (took, backup) = request(policy, service, slowdown(nth));
        backups += u32::from(backup);
        took
    };
    let mut latencies: Vec<Duration> = (0..requests).map(&mut send).collect();
    latencies.sort_unstable();
    let p99 = latencies.get(Quantile::P99.rank(latencies.len()) - 1);
    Phase {
        extra_load: f64::from(backups) / f64::from(requests),
        p99: *p99.expect("there are requests"),
    }
}

/// Sends requests to a service that is four times as slow in the second of three phases, then to one that becomes
/// twice as slow with each thousand.
fn phases(mut policy: impl Policy, seed: u64, name: &str) -> [Phase; 4] {
    let service = &mut Service::new(seed);
    phase(&mut policy, service, 12_000, |_| 1.0);
    let mut of =
        |requests, slowdown: &dyn Fn(u32) -> f64| phase(&mut policy, service, requests, slowdown);
    let phases = [
        of(20_000, &|_| 1.0),
        of(20_000, &|_| 4.0),
        of(20_000, &|_| 1.0),
        of(6_000, &|nth| (f64::from(nth) / 1000.0).exp2()),
    ];
    print!("{name:<24}");
    for Phase { extra_load, p99 } in phases {
        print!("{:>8.1} %{:>7.1}", extra_load * 100.0, p99.as_secs_f64() * 1e3);
    }
    println!();
    phases
}

/// Returns how long a request took, and whether it had a backup.
fn request(policy: &mut impl Policy, service: &mut Service, slowdown: f64) -> (Duration, bool) {
    policy.begin();
    let (delay, primary) = (policy.delay(), service.latency(slowdown));
    if primary <= delay || !policy.issue() {
        policy.record(HedgeOutcome::Alone(if primary < TIMEOUT {
            Outcome::Completed(primary)
        } else {
            Outcome::TimedOut(TIMEOUT)
        }));
        return (primary.min(TIMEOUT), false);
    }
    let backup = service.latency(slowdown);
    let took = primary.min(delay.saturating_add(backup));
    policy.record(if took >= TIMEOUT {
        HedgeOutcome::TimedOut { primary: TIMEOUT, backup: TIMEOUT.saturating_sub(delay) }
    } else if primary == took {
        HedgeOutcome::PrimaryWon { primary, backup: primary - delay }
    } else {
        HedgeOutcome::BackupWon { primary: took, backup }
    });
    (took.min(TIMEOUT), true)
}

const TIMEOUT: Duration = Duration::from_secs(10);

const FLOOR: Duration = Duration::from_millis(1);
const CEILING: Duration = Duration::from_secs(1);

fn owned(percent: u16) -> Owned {
    let hedge = Hedge::p95(FLOOR, CEILING).expect("the limits are in order");
    Owned(hedge, RetryBudget::new(budget(percent)).expect("the burst is in order"))
}

fn shared(percent: u16) -> Shared {
    let hedge = SharedHedge::p95(FLOOR, CEILING).expect("the limits are in order");
    Shared(hedge, AtomicRetryBudget::new(budget(percent)).expect("the burst is in order"))
}

const BURST: u32 = 50;

fn budget(percent: u16) -> RetryBudgetConfig {
    RetryBudgetConfig { ratio: Ratio::from_percent(percent), burst: BURST, initial: 0 }
}

#[test]
fn backups_cut_the_tail_and_cost_what_the_budget_says() {
    let [usual, slower, recovered, slowing] = ["usual", "4 × as slow", "recovered", "slowing down"];
    println!("{:<24}{usual:>17}{slower:>17}{recovered:>17}{slowing:>17}", "extra load, p99 (ms)");
    for seed in 0..4 {
        println!("seed {seed}");
        let [usual, slower, ..] = phases(Unhedged, seed, "unhedged");
        let millis = |phase: Phase| phase.p99.as_secs_f64() * 1e3;
        assert!((120.0..138.0).contains(&millis(usual)) && millis(slower) > 480.0);
        for phases in [
            phases(owned(5), seed, "p95, 5 % budget"),
            phases(shared(5), seed, "… for many threads"),
        ] {
            let [usual, slower, recovered, slowing] = phases;
            assert!([usual, recovered].into_iter().all(|phase| millis(phase) <= 15.0));
            assert!(millis(slower) <= 60.0);
            let loads = [usual, slower, recovered].map(|phase| phase.extra_load);
            assert!(loads.into_iter().all(|load| (0.03..=0.055).contains(&load)));
            // What the budget had saved up, and its share of 6000.
            assert!(slowing.extra_load <= (300.0 + f64::from(BURST) + 1.0) / 6000.0);
        }
        for phases in [
            phases(owned(100), seed, "p95, no budget"),
            phases(shared(100), seed, "… for many threads"),
        ] {
            let [usual, slower, recovered, slowing] = phases.map(|phase| phase.extra_load);
            assert!([usual, slower, recovered].into_iter().all(|load| load <= 0.055));
            assert!(slowing > 0.1, "who needs a budget then?");
        }
        let tower = phases(Tower::default(), seed, "tower's recording");
        let [usual, slower, _, slowing] = tower.map(|phase| phase.extra_load);
        assert!(usual > 0.055 && slower > 0.2 && slowing > 0.2);
    }
}

/// One in ten requests is no longer answered, which is more than the quantile leaves.
#[test]
fn who_is_never_answered_has_a_backup_all_the_same() {
    for seed in 0..4 {
        let (mut policy, mut service) = (owned(20), Service::new(seed));
        phase(&mut policy, &mut service, 2000, |_| 1.0);
        service.stuck = 0.1;
        let requests = (0..10_000).map(|_| request(&mut policy, &mut service, 1.0));
        let timed_out = requests.filter(|(took, _)| *took == TIMEOUT).count();
        // One in a hundred has a backup that is never answered, either.
        assert!((60..=140).contains(&timed_out), "of seed {seed}: {timed_out}");
        // The delay is no longer than the slowest answers.
        assert!(policy.0.delay() < Duration::from_millis(450), "{:?}", policy.0.delay());
    }
}
