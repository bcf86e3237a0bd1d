use core::{num::NonZeroU64, time::Duration};
use std::path::{Path, PathBuf};

use clap::Args;
use surmise_store::Ttl;

use super::{
    error::FailoverError,
    faults::{self, Kill, Partition, Pause, Place, Skew, Target},
    plan::{Faults, LONGEST_RUN, Plan},
    run::Script,
    setup::{Setup, Timing},
    wire::Network,
};
use crate::{
    arguments::{count, seed, time},
    processes::RunError,
    record::{DelayLaw, Probability},
    stores::{Kind, StoreChoice, StoreParser},
};

/// The arguments of `surmise-lab failover`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(after_help = EXAMPLES)]
pub struct FailoverArgs {
    /// How many nodes there are, from 3 to 9
    #[arg(long, value_name = "N", default_value = "3", value_parser = nodes)]
    nodes: usize,

    /// Where leases and the log are: `memory` or `redb`, for which the nodes ask this process;
    /// `redb:PATH`, which is kept; or a server, if built in: `etcd://HOST:PORT,…`, `postgres://…`,
    /// `redis://HOST:PORT`
    #[arg(long, value_name = "STORE", default_value = "redb", value_parser = StoreParser)]
    #[arg(env = "SURMISE_LAB_STORE", hide_env_values = true)]
    pub(super) store: StoreChoice,

    /// Draws the faults, unless there are others, and all else that is random
    #[arg(long, value_name = "N", value_parser = seed)]
    seed: Option<u64>,

    /// Makes so many runs, each with the seed after that of the one before, and prints a line each
    #[arg(long, value_name = "N", default_value = "1", value_parser = count)]
    pub(super) runs: NonZeroU64,

    /// How many of them at a time
    #[arg(long, value_name = "N", default_value = "4", value_parser = count)]
    pub(super) jobs: NonZeroU64,

    /// How long the client writes, at least until the last fault is over; else until some time
    /// after. Ten minutes at most
    #[arg(long, value_name = "TIME", value_parser = time)]
    duration: Option<Duration>,

    /// Within which time each node suspects one that fails: the contract
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = time)]
    detection_time: Duration,

    /// The time from one heartbeat to the next
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = time)]
    heartbeat_interval: Duration,

    /// For how long the leader asks for its lease; else as long as the detection time
    #[arg(long, value_name = "TIME", value_parser = time)]
    lease: Option<Duration>,

    /// For how long the leader works on a write, from its last look at its lease until it sends it:
    /// where a pause does harm if there is no fence
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = time)]
    work: Duration,

    /// How far the wall clocks of two nodes may be apart, for their hybrid clocks
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = time)]
    max_offset: Duration,

    /// Switches the store's check off: all writers show the same token, and no floor is raised
    #[arg(long)]
    pub(super) no_fencing: bool,

    /// Also writes the story of one run to FILE, as an HTML page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,

    /// Also writes all of it to FILE as JSON. `-`, which is what no FILE means, is the standard
    /// output, and the timeline then goes to the standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(super) json: Option<PathBuf>,

    #[command(flatten)]
    faults: FaultArgs,
}

/// What is done to the nodes.
#[derive(Args, Clone, Debug)]
#[command(
    next_help_heading = "Faults; without any and without a seed, --pause leader@3s+3s or longer"
)]
struct FaultArgs {
    /// Stops a process with SIGSTOP: `leader@5s+8s`, or `2@5s+8s` for node 2. If nobody leads then,
    /// it waits for a leader, and what follows comes as much later
    #[arg(long, value_name = "WHO@START+LENGTH", value_parser = faults::pause)]
    pause: Vec<Pause>,

    /// Kills a process: `leader@5s`, or `leader@5s+2s` if it is started again. Those that are not
    /// must leave a majority
    #[arg(long, value_name = "WHO@START[+TIME]", value_parser = faults::kill)]
    kill: Vec<Kill>,

    /// Lets the sides not reach each other: `0,1|2,3,4,store@5s+5s`. The store and the client are
    /// reached by all if they are not named. One must be over before the next begins
    #[arg(long, value_name = "SIDES@START+LENGTH", value_parser = faults::partition)]
    partition: Vec<Partition>,

    /// Sets a node's wall clock forward or back: `1=+30s`, or `1=-30s@5s`
    #[arg(long, value_name = "NODE=TIME[@START]", value_parser = faults::skew)]
    skew: Vec<Skew>,

    /// How long a datagram takes: constant:20ms, uniform:10ms,30ms, exponential:20ms (mean),
    /// log-normal:20ms,0.5 (median and sigma) or pareto:5ms,1.5 (least delay and shape)
    #[arg(long, value_name = "LAW", value_parser = checked::<DelayLaw>)]
    delay: Option<String>,

    /// The probability that a datagram is lost
    #[arg(long, value_name = "P", value_parser = checked::<Probability>)]
    loss: Option<String>,

    /// The probability that a datagram arrives twice
    #[arg(long, value_name = "P", value_parser = checked::<Probability>)]
    duplicate: Option<String>,
}

/// Stands below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  A leader that was stopped is replaced; when it goes on, it is refused, and steps down:
    surmise-lab failover

  A leader is killed, and another node's clock is half a minute ahead:
    surmise-lab failover --kill leader@2s --skew 1=+30s

  Five nodes, cut in two, with the store on the side of the majority:
    surmise-lab failover --nodes 5 --partition '0,1|2,3,4,store@2s+3s'

  Faults drawn from seeds 1 to 20, four runs at a time:
    surmise-lab failover --seed 1 --runs 20

  The story of a run with two faults, as a page:
    surmise-lab failover --pause leader@1s+2s --kill leader@4s+1s --html story.html

  What a pause does without a fence:
    surmise-lab failover --no-fencing

Exit status:
  0 if all that is promised was kept, or with --no-fencing if most runs are corrupt; 1 if not, or if a
  run could not be made; 2 if the arguments make no sense; 3 if nothing was broken, but a write was not
  acknowledged before the client was given up

A run leaves a resource of its own behind in a store that is kept, some kilobytes";

impl FailoverArgs {
    /// Checks that one argument suits the other.
    ///
    /// # Errors
    ///
    /// If a time is too short for another, a fault is for a node that there is not, or a clock is off by more than the
    /// bound.
    pub fn check(&self) -> Result<(), FailoverError> {
        Ttl::new(self.timing().lease).map_err(RunError::Lease)?;
        let usage = |why| Err(FailoverError::Usage(why));
        let [heartbeat, detection] = [self.heartbeat_interval, self.detection_time];
        if heartbeat < SHORTEST {
            return usage(format!("--heartbeat-interval is {heartbeat:?}; it must be 1ms or more"));
        }
        if detection < heartbeat * 2 {
            return usage(format!(
                "--detection-time is {detection:?}; it must be twice the heartbeat interval of {heartbeat:?} or more"
            ));
        }
        if detection > LONGEST || self.work > LONGEST || self.timing().lease > LONGEST {
            return usage("a detection time, a lease and work are an hour at most".to_owned());
        }
        if let Some(node) = self.faults.named().find(|&node| node >= self.nodes) {
            let last = self.nodes - 1;
            return usage(format!(
                "a fault is for node {node}, but the nodes are 0 to {last}; take more --nodes"
            ));
        }
        if self.html.is_some() && self.runs.get() > 1 {
            return usage("--html is for one run; leave --runs out".to_owned());
        }
        if self.html.as_deref() == Some(Path::new("-")) {
            return usage("--html is written to a file; give it a name".to_owned());
        }
        self.check_faults(&self.given())
    }

    /// Checks that a cluster can bear the faults, and that the run ends.
    fn check_faults(&self, faults: &Faults) -> Result<(), FailoverError> {
        let (spread, max_offset) = (faults.spread(), self.max_offset);
        if spread > max_offset {
            return Err(FailoverError::Spread { spread, max_offset });
        }
        if let Some([first, second]) = faults.overlap() {
            let [first, second] = [first.to_string(), second.to_string()];
            return Err(FailoverError::Overlap { first, second });
        }
        let (killed, nodes) = (faults.killed(), self.nodes);
        if killed > (nodes - 1) / 2 {
            return Err(FailoverError::NoMajority { killed, nodes });
        }
        let mut duration = self.plan(faults).duration;
        if self.is_drawn() {
            duration = duration.max(Faults::longest_drawn(self.timing()) + self.detection_time * 3);
        }
        if duration > LONGEST_RUN {
            return Err(FailoverError::TooLong { duration, longest: LONGEST_RUN });
        }
        Ok(())
    }

    fn plan(&self, faults: &Faults) -> Plan {
        Plan::new(faults, self.duration, self.detection_time * 3)
    }

    /// Returns the seeds of the runs. Without one, they are drawn.
    pub(super) fn seeds(&self) -> impl Iterator<Item = u64> {
        let first = self.seed.unwrap_or_else(|| rand::random::<u32>().into());
        (0..self.runs.get()).map(move |number| first.wrapping_add(number))
    }

    /// Returns what the run with a seed is made of.
    pub(super) fn script(&self, seed: u64) -> Script {
        let timing = self.timing();
        let setup = Setup {
            nodes: self.nodes,
            timing,
            fenced: !self.no_fencing,
            max_offset: self.max_offset,
            seed,
        };
        let is_drawn = self.is_drawn();
        let faults = if is_drawn { Faults::draw(seed, self.nodes, timing) } else { self.given() };
        let plan = self.plan(&faults);
        let FaultArgs { delay, loss, duplicate, .. } = self.faults.clone();
        let network = if is_drawn && self.faults.is_calm() {
            Network::draw(seed)
        } else {
            Network { delay, loss, duplicate, seed }
        };
        Script { setup, plan, network, store: self.store.clone() }
    }

    /// Returns the faults, unless they are drawn from the seeds.
    fn given(&self) -> Faults {
        let given = self.faults.faults();
        let is_story = given == Faults::default() && self.faults.is_calm() && !self.is_drawn();
        let pauses = if is_story { vec![story(self.timing())] } else { given.pauses };
        Faults { pauses, ..given }
    }

    /// Returns whether the faults are drawn from the seeds.
    fn is_drawn(&self) -> bool {
        let given = self.faults.faults();
        given == Faults::default() && (self.seed.is_some() || self.runs.get() > 1)
    }

    pub(super) fn timing(&self) -> Timing {
        Timing {
            heartbeat: self.heartbeat_interval,
            detection: self.detection_time,
            lease: self.lease.unwrap_or(self.detection_time),
            work: self.work,
        }
    }

    /// Returns whether the processes have the store by themselves.
    pub(super) const fn has_server(&self) -> bool {
        matches!(self.store.kind(), Kind::Server(_))
    }
}

impl FaultArgs {
    fn faults(&self) -> Faults {
        Faults {
            pauses: self.pause.clone(),
            kills: self.kill.clone(),
            partitions: self.partition.clone(),
            skews: self.skew.clone(),
        }
    }

    /// Returns whether the network does nothing to datagrams.
    const fn is_calm(&self) -> bool {
        self.delay.is_none() && self.loss.is_none() && self.duplicate.is_none()
    }

    /// Returns all nodes that are named.
    fn named(&self) -> impl Iterator<Item = usize> {
        let pauses = self.pause.iter().map(|pause| pause.target);
        let targets = pauses.chain(self.kill.iter().map(|kill| kill.target));
        let targets = targets.filter_map(|target| match target {
            Target::Node(node) => Some(node),
            Target::Leader => None,
        });
        let places = self.partition.iter().flat_map(|partition| partition.sides.iter().flatten());
        let places = places.filter_map(|place| match place {
            Place::Node(node) => Some(*node),
            Place::Client | Place::Store => None,
        });
        targets.chain(places).chain(self.skew.iter().map(|skew| skew.node))
    }
}

/// Returns what is shown if nothing is asked for: a leader that is stopped until another has long written.
fn story(timing: Timing) -> Pause {
    let three = Duration::from_secs(3);
    let lasts = three.max(timing.lease.max(timing.detection) + timing.detection * 2);
    Pause { target: Target::Leader, at: three, lasts }
}

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(60 * 60);

fn nodes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(nodes) if (3..=9).contains(&nodes) => Ok(nodes),
        _ => Err("it must be a number from 3 to 9".to_owned()),
    }
}

/// Checks a text that the processes read again.
fn checked<T: core::str::FromStr<Err: core::fmt::Display>>(text: &str) -> Result<String, String> {
    text.parse::<T>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}
