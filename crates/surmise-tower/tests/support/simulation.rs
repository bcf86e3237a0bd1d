//! A service whose answers take as long as those of a real one, callers of it, and what they live through.

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use std::sync::Mutex;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use surmise_timeout::{
    AdaptiveTimeoutConfig, Ratio, RetryBudgetConfig,
    backoff::Backoff,
    sync::{AtomicRetryBudget, SharedAdaptiveTimeout, SharedHedge},
};
use surmise_tower::{AdaptiveTimeoutLayer, BoxError, Elapsed, HedgeLayer, Policy, RetryLayer};
use tokio::{runtime, time::Instant};
use tower::{ServiceBuilder, ServiceExt, service_fn, util::BoxCloneService};

/// The layers about the service, the outermost first; retries are outside of all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    TimeoutHedge,
    HedgeTimeout,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) order: Order,
    pub(crate) timeout: AdaptiveTimeoutConfig,
    /// How many retries and backups there may be for each request.
    pub(crate) budget: Ratio,
    /// What becomes of one request in fifty.
    pub(crate) straggler: Straggler,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Straggler {
    /// It takes 25 times as long as others.
    Slow,
    /// It is never answered.
    Stuck,
}

/// What became of the requests of a phase.
#[derive(Clone, Debug)]
pub(crate) struct Phase {
    /// How much slower the service was than in the first.
    pub(crate) slowdown: f64,
    /// Which share of what the timeout is about was given up, in per cent: of the tries if it is outside of the hedge,
    /// or else of the requests to the service.
    pub(crate) timed_out: f64,
    /// How many more requests the service got than the callers made, in per cent.
    pub(crate) extra_load: f64,
    /// How long callers waited, in milliseconds, with all tries.
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// The timeouts of the phase's second half, in milliseconds.
    pub(crate) timeouts: [f64; 8],
}

const CALLERS: u32 = 8;

/// How much slower the service is in each phase than in the first.
const PHASES: [f64; 5] = [1.0, 3.0, 1.0, 10.0, 1.0];

/// How many requests there are to a phase.
const PHASE: usize = 20_000 / 3;

/// Has callers make requests, each one after the other, while the service slows down and recovers.
pub(crate) fn simulate(setting: Setting, seed: u64) -> [Phase; PHASES.len()] {
    fastrand::seed(seed);
    let world = World::new(setting, seed);
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.unwrap();
    PHASES.map(|slowdown| {
        world.server.random.lock().unwrap().slowdown = slowdown;
        runtime.block_on(world.phase(slowdown))
    })
}

struct World {
    service: BoxCloneService<(), (), BoxError>,
    timeout: Arc<SharedAdaptiveTimeout>,
    server: Arc<Server>,
    limited: Arc<Limited>,
}

/// What the timeout is about: how often there was something, and how often it was given up.
#[derive(Default)]
struct Limited {
    begun: AtomicU32,
    given_up: AtomicU32,
}

/// All requests may be sent again.
#[derive(Clone, Copy)]
struct Reads;

impl Policy<(), ()> for Reads {
    fn clone_request(&self, (): &()) -> Option<()> {
        Some(())
    }
}

impl World {
    fn new(setting: Setting, seed: u64) -> Self {
        let server = Arc::new(Server::new(setting.straggler, seed));
        let limited = Arc::new(Limited::default());
        let timeout = Arc::new(SharedAdaptiveTimeout::new(setting.timeout).unwrap());
        let budget = RetryBudgetConfig { ratio: setting.budget, burst: 50, initial: 0 };
        let budget = Arc::new(AtomicRetryBudget::new(budget).unwrap());
        let hedge = SharedHedge::p95(Duration::from_millis(1), Duration::from_secs(1)).unwrap();

        let retries = RetryLayer::new(Backoff::aws(), 2, Arc::clone(&budget), Reads);
        let hedges = HedgeLayer::new(Arc::new(hedge), budget, Reads).without_deposits();
        let gives_up = AdaptiveTimeoutLayer::new(Arc::clone(&timeout)).policy(Reads);
        let [begins, ends] = [&limited; 2].map(Arc::clone);
        let begins = move |()| {
            begins.begun.fetch_add(1, Ordering::Relaxed);
        };
        let ends = move |result: Result<(), BoxError>| {
            let is_given_up = result.as_ref().is_err_and(|error| error.is::<Elapsed>());
            ends.given_up.fetch_add(u32::from(is_given_up), Ordering::Relaxed);
            result
        };
        let at_server = Arc::clone(&server);
        let answers = service_fn(move |()| {
            let takes = at_server.latency();
            async move {
                match takes {
                    Some(takes) => tokio::time::sleep(takes).await,
                    None => core::future::pending().await,
                }
                Ok::<(), BoxError>(())
            }
        });
        let stack = ServiceBuilder::new().layer(retries);
        let service = match setting.order {
            Order::TimeoutHedge => stack
                .map_request(begins)
                .map_result(ends)
                .layer(gives_up)
                .layer(hedges)
                .service(answers)
                .boxed_clone(),
            Order::HedgeTimeout => stack
                .layer(hedges)
                .map_request(begins)
                .map_result(ends)
                .layer(gives_up)
                .service(answers)
                .boxed_clone(),
        };
        Self { service, timeout, server, limited }
    }

    async fn phase(&self, slowdown: f64) -> Phase {
        let Limited { begun, given_up } = &*self.limited;
        let counters = [begun, given_up, &self.server.requests];
        let before = counters.map(|counter| counter.load(Ordering::Relaxed));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let callers = (0..CALLERS).map(|_| {
            let (service, timeout) = (self.service.clone(), Arc::clone(&self.timeout));
            tokio::spawn(call(service, timeout, Arc::clone(&seen)))
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }

        let mut after = counters.map(|counter| f64::from(counter.load(Ordering::Relaxed)));
        after.iter_mut().zip(before).for_each(|(after, before)| *after -= f64::from(before));
        let [begun, given_up, requests] = after;
        let seen: Vec<(Duration, Duration)> = core::mem::take(&mut *seen.lock().unwrap());
        let half = seen.len() / 2;
        let timeouts = core::array::from_fn(|nth: usize| millis(seen[half + nth * half / 8].1));
        let mut waited: Vec<Duration> = seen.iter().map(|(waited, _)| *waited).collect();
        waited.sort_unstable();
        let made = u32::try_from(seen.len()).unwrap();
        Phase {
            slowdown,
            timed_out: 100.0 * given_up / begun,
            extra_load: 100.0 * (requests / f64::from(made) - 1.0),
            p99: millis(waited[waited.len() * 99 / 100]),
            p999: millis(waited[waited.len() * 999 / 1000]),
            timeouts,
        }
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round()
}

/// Makes requests until all of the phase are made. Of each is seen how long it took, and what the timeout was then.
async fn call(
    service: BoxCloneService<(), (), BoxError>,
    timeout: Arc<SharedAdaptiveTimeout>,
    seen: Arc<Mutex<Vec<(Duration, Duration)>>>,
) {
    while seen.lock().unwrap().len() < PHASE {
        let began = Instant::now();
        // If it failed after all tries, it took as long as that.
        let _ = service.clone().oneshot(()).await;
        seen.lock().unwrap().push((began.elapsed(), timeout.current()));
    }
}

/// A service whose answers take 20 ms in the median, log-normally with a deviation of 0.6, but for the stragglers.
struct Server {
    random: Mutex<Random>,
    requests: AtomicU32,
    straggler: Straggler,
}

struct Random {
    random: ChaCha8Rng,
    slowdown: f64,
}

impl Server {
    fn new(straggler: Straggler, seed: u64) -> Self {
        let random = Random { random: ChaCha8Rng::seed_from_u64(seed), slowdown: 1.0 };
        Self { random: Mutex::new(random), requests: AtomicU32::new(0), straggler }
    }

    /// Returns how long an answer takes, if there will be one.
    fn latency(&self) -> Option<Duration> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let Random { random, slowdown } = &mut *self.random.lock().unwrap();
        let usual = LogNormal::new(0.020_f64.ln(), 0.6).unwrap();
        let takes = usual.sample(random) * *slowdown;
        let times = match (random.random_ratio(1, 50), self.straggler) {
            (true, Straggler::Stuck) => return None,
            (true, Straggler::Slow) => 25.0,
            (false, _) => 1.0,
        };
        Some(Duration::from_secs_f64(takes * times))
    }
}
