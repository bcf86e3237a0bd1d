//! Whom an observer suspects that was itself stalled.
//!
//! A thousand peers send a heartbeat a second, over a network that loses nothing and delays little. The observer hears
//! of all of them for two minutes, looks at them every 100 ms, and is then stopped for a while. What arrives meanwhile waits
//! in a queue. When it goes on it either asks first whom it suspects and reads the queue then, or the other
//! way round: which of both an event loop does is mostly chance. Or it reads first, and the queue was soon full, as
//! that of a UDP socket is. One of the peers sends its last heartbeat in the middle of the stall. The other 999 are
//! healthy, and whoever is suspected of them is so falsely.
//!
//! Ours that stand alone are set to suspect after about 1.3 s of silence, as are those in a `Monitor`, which is
//! otherwise as it comes. `phi-accrual-failure-detector` keeps its defaults, but for a window that is long enough to hold
//! all intervals, since its mean is wrong once the window is full; chitchat's formula has its
//! defaults as well. They wait for about 5 and 9 s. Time is simulated, and every run comes to the same.

mod arrivals;
mod observers;
mod report;

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use surmise_time::Instant;

use self::arrivals::{Arrival, Arrivals, STALLED_AT, VICTIM};
pub use self::{
    observers::{Kind, MakeObserver, Observer, observers},
    report::Table,
};
use crate::Made;

/// How many peers there are.
pub const PEERS: u32 = 1000;

/// How the observer goes on after a stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the report has a table of each")]
pub enum GoesOn {
    /// It asks whom it suspects, and reads the queue then.
    AskingFirst,
    /// It reads the queue, and asks then.
    ReadingFirst,
    /// It reads the queue, which was full after 256 heartbeats, and asks then.
    Overflowed,
}

impl GoesOn {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::AskingFirst, Self::ReadingFirst, Self::Overflowed];

    /// Returns for how long the observer was stalled before.
    ///
    /// Where heartbeats were lost, it is not in whole intervals, lest the first to arrive after the stall come just
    /// when others would be due.
    #[must_use]
    pub const fn stalls(self) -> [Duration; 4] {
        const fn of([a, b, c, d]: [u64; 4]) -> [Duration; 4] {
            let millis = Duration::from_millis;
            [millis(a), millis(b), millis(c), millis(d)]
        }
        match self {
            Self::AskingFirst | Self::ReadingFirst => of([500, 5000, 20_000, 120_000]),
            Self::Overflowed => of([500, 5500, 20_500, 120_500]),
        }
    }

    /// Returns what to call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AskingFirst => "asking first",
            Self::ReadingFirst => "reading first",
            Self::Overflowed => "reading what fitted",
        }
    }

    /// Returns how many heartbeats fit into the queue.
    const fn queue(self) -> usize {
        match self {
            Self::AskingFirst | Self::ReadingFirst => usize::MAX,
            // About as many small datagrams as Linux has room for, unless it is told otherwise.
            Self::Overflowed => 256,
        }
    }
}

/// What came of a stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain record")]
pub struct Outcome {
    /// How many of the healthy are suspected when the observer first asks after the stall.
    pub at_once: usize,
    /// How many are within the minute after that.
    pub later: usize,
    /// How long after the end of the stall the dead one is suspected for good, if within the minute. Without
    /// a stall, how long after its last heartbeat.
    pub found_after: Option<Duration>,
}

/// What came of all stalls for one way to observe.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain record")]
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// Whose it is.
    pub kind: Kind,
    /// Without a stall.
    pub awake: Outcome,
    /// For each way to go on, after each of its stalls.
    pub stalled: BTreeMap<GoesOn, Vec<Outcome>>,
}

/// Lets every observer go through every stall.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn run() -> Made<Vec<Row>> {
    let awake = drill_all(Duration::ZERO, GoesOn::ReadingFirst)?;
    let row = |((name, kind, _), awake)| Row { name, kind, awake, stalled: BTreeMap::new() };
    let mut rows: Vec<Row> = observers().into_iter().zip(awake).map(row).collect();
    for goes_on in GoesOn::ALL {
        for stall in goes_on.stalls() {
            for (row, outcome) in rows.iter_mut().zip(drill_all(stall, goes_on)?) {
                row.stalled.entry(goes_on).or_default().push(outcome);
            }
        }
    }
    Ok(rows)
}

/// Lets every observer go through one stall.
fn drill_all(stall: Duration, goes_on: GoesOn) -> Made<Vec<Outcome>> {
    let arrivals = Arrivals::with_death_amid(stall, STALLED_AT + stall + AFTERWARDS);
    let outcome = |(_, _, make): (_, _, MakeObserver)| {
        Ok(drill(&mut *make()?, arrivals.clone(), stall, goes_on))
    };
    observers().into_iter().map(outcome).collect()
}

/// Lets an observer that has seen nothing yet go through one stall, and through the minute after it.
fn drill(
    observer: &mut dyn Observer,
    mut arrivals: Arrivals,
    stall: Duration,
    goes_on: GoesOn,
) -> Outcome {
    let woken_at = STALLED_AT + stall;
    for now in looks(Instant::ORIGIN, STALLED_AT) {
        hear(observer, arrivals.until(now));
        observer.poll(now);
    }

    let queued = arrivals.until(woken_at).take(goes_on.queue());
    let queued: Vec<Arrival> = queued.map(|beat| Arrival { at: woken_at, ..beat }).collect();
    arrivals.until(woken_at).for_each(drop); // what did not fit
    let at_once = if goes_on == GoesOn::AskingFirst {
        let at_once = ask(observer, woken_at);
        hear(observer, queued);
        at_once
    } else {
        hear(observer, queued);
        ask(observer, woken_at)
    };

    let mut later = BTreeSet::new();
    let mut found_at = None;
    for now in looks(woken_at, woken_at + AFTERWARDS) {
        hear(observer, arrivals.until(now));
        later.extend(ask(observer, now));
        found_at = observer.suspects(VICTIM, now).then(|| found_at.unwrap_or(now));
    }
    let found_after = found_at.map(|at| at - woken_at);
    Outcome { at_once: at_once.len(), later: later.len(), found_after }
}

fn hear(observer: &mut dyn Observer, arrivals: impl IntoIterator<Item = Arrival>) {
    for Arrival { peer, sequence, at } in arrivals {
        observer.heartbeat(peer, sequence, at);
    }
}

/// Returns who of the healthy is suspected.
fn ask(observer: &mut dyn Observer, now: Instant) -> Vec<u32> {
    observer.poll(now);
    let healthy = (0..PEERS).filter(|&peer| peer != VICTIM);
    healthy.filter(|&peer| observer.suspects(peer, now)).collect()
}

/// Returns when the observer looks, after `start`.
fn looks(start: Instant, end: Instant) -> impl Iterator<Item = Instant> {
    let look = move |&now: &Instant| Some(now + BETWEEN_LOOKS).filter(|&now| now <= end);
    core::iter::successors(look(&start), look)
}

/// The time between two looks, which no observer takes for a stall.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// For how long the outcome is watched.
const AFTERWARDS: Duration = Duration::from_secs(60);
