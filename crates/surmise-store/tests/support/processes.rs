//! Holders in processes of their own, which are stopped for longer than their leases last, and killed.
//!
//! The test binary starts itself again, for one test only: a test `holder` that calls [`serve`], which does nothing
//! unless it was started so. What a holder asks and hears it writes to its standard output, line by line; so it
//! is known also of one that was killed.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a process that cannot be started or read is no test"
)]

use core::time::Duration;
use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use rustix::process::{Pid, Signal, kill_process};
use surmise_store::conformance::{
    Timer,
    faults::{Faulty, Workload},
    history::{Event, History, Recorder},
};

use super::{
    backend::{Backend, urls},
    soak::RealTime,
    wire,
};

/// What is done to holders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Harm {
    /// How many are stopped for longer than their leases last.
    pub(crate) stopped: u32,
    /// How many are killed.
    pub(crate) killed: u32,
}

/// Has the holders of a workload take their turns in processes, each with a store of its own.
///
/// Every few moments one of them is stopped for twice the TTL, or killed and replaced by another. Fails if there is an
/// anomaly, and returns the history; or nothing if the servers are missing.
pub(crate) async fn run<B: Backend>(workload: &Workload, harm: Harm) -> Option<History> {
    let servers = B::start()?;
    let urls = urls(&servers);
    let store = B::connect(&urls).await.unwrap();
    let mut random = fastrand::Rng::with_seed(workload.seed);
    let mut history = History::default();
    let mut next = 1..;
    let mut start = || Holder::start::<B>(workload, &urls, next.next().unwrap());
    let mut holders: Vec<Holder> = (0..workload.holders).map(|_| start()).collect();
    let mut left = harm;
    while left.stopped + left.killed > 0 {
        RealTime.sleep(workload.ttl * random.u32(1..8) / 4).await;
        let at = random.usize(..holders.len());
        if random.u32(..left.stopped + left.killed) < left.stopped {
            holders[at].signal(Signal::STOP);
            RealTime.sleep(workload.ttl * 2).await;
            holders[at].signal(Signal::CONT);
            left.stopped -= 1;
        } else {
            history.extend(core::mem::replace(&mut holders[at], start()).kill());
            left.killed -= 1;
        }
    }
    // Those who are not done yet were disturbed enough.
    holders.into_iter().for_each(|holder| history.extend(holder.kill()));
    let at_end = parking_lot::Mutex::new(&mut history);
    let recorder = Recorder::new(RealTime, |event| at_end.lock().note(event));
    workload.read_all(&recorder.client(0, &store), &RealTime).await.unwrap();
    history.check().unwrap_or_else(|anomaly| panic!("{anomaly}"));
    Some(history)
}

/// Takes the turns of one holder, if this process was started to, and with this store.
pub(crate) async fn serve<B: Backend>() {
    let Ok(url) = env::var(URL) else { return };
    if env::var(BACKEND).unwrap() != B::NAME {
        return;
    }
    let number = |name| env::var(name).unwrap().parse::<u64>().unwrap();
    let store = B::connect(&url).await.unwrap();
    let client = number(CLIENT);
    let workload = Workload {
        prefix: env::var(PREFIX).unwrap(),
        ttl: Duration::from_nanos(number(TTL)),
        // Until it is killed.
        turns: u8::MAX,
        ..Workload::new(number(SEED))
    };
    let network = Faulty::new(&store, workload.odds, workload.seed ^ client);
    let recorder = Recorder::new(RealTime, |event: Event| {
        let line = format!("{MARK}{}\n", wire::event_to_line(&event));
        // Not by a macro, whose output would be captured.
        io::stdout().lock().write_all(line.as_bytes()).unwrap();
        io::stdout().flush().unwrap();
    });
    workload.hold(client, &recorder.client(client, &network), &RealTime).await;
}

const BACKEND: &str = "SURMISE_TEST_BACKEND";
const URL: &str = "SURMISE_TEST_URL";
const CLIENT: &str = "SURMISE_TEST_CLIENT";
const PREFIX: &str = "SURMISE_TEST_PREFIX";
const SEED: &str = "SURMISE_TEST_SEED";
const TTL: &str = "SURMISE_TEST_TTL";
/// Tells our lines from those of the test harness.
const MARK: &str = "event ";

/// A holder in a process.
struct Holder {
    child: Child,
    events: Option<JoinHandle<Vec<Event>>>,
}

impl Holder {
    fn start<B: Backend>(workload: &Workload, url: &str, client: u64) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["holder", "--exact", "--nocapture", "--test-threads=1"])
            .env(BACKEND, B::NAME)
            .env(URL, url)
            .env(CLIENT, client.to_string())
            .env(PREFIX, &workload.prefix)
            .env(SEED, workload.seed.to_string())
            .env(TTL, workload.ttl.as_nanos().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let events = thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            // The last line of one that was killed may not be whole.
            let event = |line: String| wire::event_from_line(line.split_once(MARK)?.1);
            lines.filter_map(event).collect()
        });
        Self { child, events: Some(events) }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Kills it, and returns what it had asked and heard.
    fn kill(mut self) -> Vec<Event> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.events.take().unwrap().join().unwrap()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
