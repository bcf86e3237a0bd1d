//! Stores on a disk whose power fails: what was acknowledged is there, what is there was asked for, and no token
//! is issued twice.

mod disk;
mod executions;
mod failing;
mod model;
mod mutants;

use alloc::sync::Arc;
use core::{
    num::NonZeroU64,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use fastrand::Rng;
use surmise_fence::{FencingToken, Pass};
use surmise_time::{Instant, WallTime};

use self::{
    disk::Disk,
    executions::Callers,
    model::{Promises, Step, Values},
    mutants::{CheckThenWrite, ForgetTokens, Strict},
};
use super::{
    RedbConfig,
    clocks::Reading,
    engine::{Engine, Shared},
    file,
    operation::{Acquire, AdvanceEpoch, Extend, Operation, Raise, Revoke, Waiting, Write, ask},
};
use crate::{Change, Extended, Granted, LeaseRequest, Outcome, Resource, Revoked, StoreError, Ttl};

const CONFIG: RedbConfig = RedbConfig {
    create: true,
    verify: true,
    write_in_caller: false,
    lock_delay: Duration::ZERO,
    max_leases: core::num::NonZeroUsize::new(100).unwrap(),
    max_executions: core::num::NonZeroU64::new(1000).unwrap(),
    max_waiting_bytes: 1 << 20,
    cache_bytes: 1 << 20,
};

/// A mistake that the tests must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    AcknowledgesBeforeSync,
    ChecksThenWrites,
    RefusesEqualTokens,
    ForgetsTokensOnRelease,
    ForgetsCompletions,
    ForgetsReleasedRecoveries,
    ExecutesInFlight,
}

#[test]
fn a_thousand_power_losses_lose_nothing_that_was_acknowledged() {
    let mut tally = Tally::default();
    for seed in 0..140 {
        if let Err(violation) = live(seed, Mutant::None, Pace::MIXED, &mut tally) {
            panic!("seed {seed}: {violation}");
        }
    }
    assert!(tally.losses >= 1000, "{tally:?}");
    // It is of no use if nothing happened.
    assert!(tally.acknowledged > 10_000 && tally.indeterminate > 500, "{tally:?}");
    assert!(tally.refused > 1000 && tally.granted > 1000, "{tally:?}");
}

/// As many operations as the environment's `SURMISE_TEST_OPERATIONS` says, or a hundred thousand.
#[test]
fn over_many_power_losses_effects_happen_once_and_results_stay_the_same() {
    let operations = std::env::var("SURMISE_TEST_OPERATIONS").ok();
    let operations = operations.map_or(100_000, |operations| operations.parse().unwrap());
    let mut tally = Tally::default();
    for seed in 0.. {
        let mut life = Life::new(seed, Mutant::None, Pace::EXECUTIONS);
        for _ in 0..20 {
            if let Err(violation) = life.until_power_loss(&mut tally) {
                panic!("seed {seed}: {violation}");
            }
        }
        if tally.executions >= operations {
            break;
        }
    }
    let Tally { executed, completed, replayed, recovered, fenced, losses, .. } = tally;
    for count in [executed, completed, replayed, recovered, fenced, 20 * losses] {
        assert!(count > operations / 100, "{tally:?}");
    }
}

#[test]
fn mistakes_are_noticed() {
    for mutant in [
        Mutant::AcknowledgesBeforeSync,
        Mutant::ChecksThenWrites,
        Mutant::RefusesEqualTokens,
        Mutant::ForgetsTokensOnRelease,
        Mutant::ForgetsCompletions,
        Mutant::ForgetsReleasedRecoveries,
        Mutant::ExecutesInFlight,
    ] {
        let pace = match mutant {
            Mutant::ForgetsReleasedRecoveries => Pace::EXECUTIONS,
            _ => Pace::MIXED,
        };
        let noticed = (0..20).any(|seed| live(seed, mutant, pace, &mut Tally::default()).is_err());
        assert!(noticed, "{mutant:?}");
    }
}

#[derive(Debug, Default)]
struct Tally {
    losses: u32,
    acknowledged: u32,
    refused: u32,
    indeterminate: u32,
    granted: u32,
    /// Claims and settlements that were answered.
    executions: u32,
    executed: u32,
    completed: u32,
    replayed: u32,
    recovered: u32,
    fenced: u32,
}

/// Lets a store live through several power losses, and says what went wrong.
fn live(seed: u64, mutant: Mutant, pace: Pace, tally: &mut Tally) -> Result<(), String> {
    let mut life = Life::new(seed, mutant, pace);
    for _ in 0..8 {
        life.until_power_loss(tally)?;
    }
    life.open().map(drop)
}

struct Life {
    rng: Rng,
    mutant: Mutant,
    disk: Disk,
    pace: Pace,
    now: Instant,
    wall: WallTime,
    callers: Callers,
    /// What the store may hold: one of two, if it did not say.
    values: Vec<Values>,
    promises: Promises,
    /// Tokens are drawn from a window that moves on.
    first_token: u64,
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// How many of 12 operations are about executions.
    executions: u8,
    /// How many are in a batch, less one.
    batch: usize,
    /// How many calls of the disk are between power losses.
    calls: u64,
    /// How many milliseconds are between batches.
    millis: u64,
}

impl Pace {
    const MIXED: Self = Self { executions: 3, batch: 8, calls: 150, millis: 40 };
    const EXECUTIONS: Self = Self { executions: 11, batch: 30, calls: 400, millis: 300 };
}

const RESOURCES: [&str; 2] = ["ledger", "queue"];

impl Life {
    fn new(seed: u64, mutant: Mutant, pace: Pace) -> Self {
        let disk = Disk::default();
        file::initialise(disk.clone(), &CONFIG, 1, "test").unwrap().close().unwrap();
        Self {
            rng: Rng::with_seed(seed),
            mutant,
            disk,
            pace,
            now: Instant::from_nanos(1_000_000_000),
            wall: WallTime::from_nanos(1 << 60),
            callers: Callers::new(seed % 2 == 1),
            values: vec![Values::default()],
            promises: Promises::default(),
            first_token: 1,
        }
    }

    /// Opens the store, has it do things until the power fails, and finds the disk that is left.
    fn until_power_loss(&mut self, tally: &mut Tally) -> Result<(), String> {
        if self.rng.u8(..4) == 0 {
            // The power fails while the file is opened or closed.
            let calls = self.rng.u64(..20);
            self.disk.fail_after(calls, &mut self.rng);
            drop(file::open_storage(self.disk.clone(), &CONFIG, "test"));
            self.lose_power(tally);
        }
        let shared = self.open()?;
        let engine = Engine::new(Arc::clone(&shared), &CONFIG, self.reading());
        let mut engine = engine.map_err(|error| format!("leases are not put back: {error}"))?;
        self.callers.opened(self.now);
        engine.acknowledges_early = self.mutant == Mutant::AcknowledgesBeforeSync;
        let calls = self.rng.u64(..self.pace.calls);
        self.disk.fail_after(calls, &mut self.rng);
        // Without syncs, it would take long.
        for _ in 0..50 {
            if !self.batch(&mut engine, &shared, tally)? {
                break;
            }
        }
        self.lose_power(tally);
        Ok(())
    }

    fn lose_power(&mut self, tally: &mut Tally) {
        tally.losses += 1;
        self.disk = self.disk.after_power_loss(&mut self.rng);
        let millis = self.rng.u64(..2000);
        self.pass(millis);
        if self.callers.is_set_back && self.rng.u8(..3) == 0 {
            self.wall -= Duration::from_millis(self.rng.u64(..5000));
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.wall += Duration::from_millis(millis);
    }

    const fn reading(&self) -> Reading {
        Reading { now: self.now, wall: self.wall }
    }

    /// Opens the store, and looks whether everything is there.
    fn open(&mut self) -> Result<Arc<Shared>, String> {
        let database = file::open_storage(self.disk.clone(), &CONFIG, "test");
        let database = database.map_err(|error| format!("it does not open again: {error}"))?;
        let shared = Arc::new(Shared::new(database, "test".to_owned()));
        self.check(&shared)?;
        executions::check(&shared)?;
        Ok(shared)
    }

    fn check(&mut self, shared: &Shared) -> Result<(), String> {
        let found = Values::of(shared);
        if !self.values.contains(&found) {
            return Err(format!("expected one of {:#?}, found {found:#?}", self.values));
        }
        self.values = vec![found];
        Ok(())
    }

    /// Has some operations performed, and returns whether the store goes on.
    fn batch(
        &mut self,
        engine: &mut Engine,
        shared: &Shared,
        tally: &mut Tally,
    ) -> Result<bool, String> {
        let millis = self.rng.u64(..self.pace.millis);
        self.pass(millis);
        self.callers.latest = self.now;
        let (before, callers) = (self.values[0].clone(), self.callers.clone());
        let (mut after, mut waiting, mut replies) = (before.clone(), Vec::new(), Vec::new());
        for _ in 0..self.rng.usize(1..self.pace.batch) {
            let (operation, reply) = match self.rng.u8(..12) {
                drawn if drawn < self.pace.executions => self.execution(),
                _ if self.rng.u8(..3) > 0 => self.step(&mut after, shared),
                _ => self.lease(),
            };
            waiting.push(operation);
            replies.push(reply);
        }
        self.first_token += u64::from(self.rng.u8(..4) == 0);
        engine.run(waiting, self.reading()).send();
        let mut ended = Vec::new();
        for reply in replies {
            ended.push(reply(self, tally)?);
        }
        let is_unknown = ended.contains(&Ended::Indeterminate);
        if is_unknown {
            self.callers.unless_undone(&callers);
        } else if ended.contains(&Ended::Failed) {
            self.callers = callers;
        }
        self.values = match () {
            () if is_unknown => vec![before, after],
            () if ended.contains(&Ended::Failed) => vec![before],
            () => vec![after],
        };
        Ok(!is_unknown && !ended.contains(&Ended::Failed))
    }

    fn step(&mut self, after: &mut Values, shared: &Shared) -> (Box<dyn Waiting>, Reply) {
        let step = self.draw_step();
        let expected = after.take(&step);
        let resource = Resource::new(step.resource).unwrap();
        let Some(key) = &step.key else {
            return asked(Raise::new(resource, step.pass), move |_, tally, outcome| {
                judge(outcome, &expected, tally)
            });
        };
        let change = Change::new(step.resource, key, step.value.as_deref(), step.pass).unwrap();
        let judged =
            move |_: &mut Self, tally: &mut Tally, outcome| judge(outcome, &expected, tally);
        match self.mutant {
            Mutant::ChecksThenWrites => {
                let refused = Values::of(shared).take(&step);
                asked(CheckThenWrite { step, refused: !refused.is_done() }, judged)
            }
            Mutant::RefusesEqualTokens => asked(Strict(step), judged),
            _ => asked(Write::from(change), judged),
        }
    }

    fn draw_step(&mut self) -> Step {
        let rng = &mut self.rng;
        let counter = NonZeroU64::new(self.first_token + rng.u64(..3)).unwrap();
        let key = (rng.u8(..8) > 0).then(|| vec![rng.u8(..3)]);
        let len = rng.choice([0, 10, 300, 5000]).unwrap();
        let value = (rng.u8(..6) > 0).then(|| (0..len).map(|_| rng.u8(..)).collect());
        let pass = Pass::from(FencingToken::new(1, counter))
            .with_nonce(u64::from(rng.u8(..20) == 0))
            .with_sequence(rng.u64(..3) * u64::from(rng.bool()));
        Step { resource: RESOURCES[rng.usize(..2)], key, value, pass }
    }

    fn lease(&mut self) -> (Box<dyn Waiting>, Reply) {
        let now = self.now;
        let name = RESOURCES[self.rng.usize(..2)];
        let (resource, ttl) =
            (Resource::new(name).unwrap(), Duration::from_millis(self.rng.u64(10..200)));
        match (self.rng.u8(..8), self.promises.last(name)) {
            (0, _) => asked(AdvanceEpoch { now: WallTime::UNIX_EPOCH }, |life, _, epoch| {
                if let Ok(epoch) = epoch {
                    life.promises.advanced(epoch)?;
                }
                Ok(Ended::of(&epoch, |_| false))
            }),
            (1 | 2, Some((token, _))) => {
                let extend = Extend::new(resource, token, Ttl::new(ttl).unwrap());
                asked(extend, move |life, _, extended| {
                    if let Ok(Extended::Extended(grant)) = &extended
                        && life.promises.last(name).is_some_and(|(held, _)| held == grant.token)
                    {
                        life.promises.extended(name, grant.token, now, grant.valid_for);
                    }
                    Ok(Ended::of(&extended, |it| matches!(it, Extended::Indeterminate(_))))
                })
            }
            (3 | 4, Some((token, _))) => {
                let released =
                    move |life: &mut Self, _: &mut Tally, revoked: Result<Revoked, _>| {
                        if matches!(revoked, Ok(Revoked::Revoked | Revoked::Indeterminate(_)))
                            && life.promises.last(name).is_some_and(|(held, _)| held == token)
                        {
                            life.promises.released(name);
                        }
                        Ok(Ended::of(&revoked, |it| matches!(it, Revoked::Indeterminate(_))))
                    };
                let revoke = Revoke::new(resource, token);
                match self.mutant {
                    Mutant::ForgetsTokensOnRelease => asked(ForgetTokens(revoke), released),
                    _ => asked(revoke, released),
                }
            }
            (_, last) => {
                let fresh = self.rng.u64(1..);
                let nonce =
                    if self.rng.u8(..4) == 0 { last.map_or(fresh, |(_, it)| it) } else { fresh };
                let request = LeaseRequest::new(name, "holder", nonce, ttl).unwrap();
                asked(Acquire::from(request), move |life, tally, granted| {
                    if let Ok(granted) = &granted {
                        life.promises.granted(name, nonce, now, granted)?;
                        tally.granted += u32::from(matches!(granted, Granted::Granted(_)));
                    }
                    Ok(Ended::of(&granted, |it| matches!(it, Granted::Indeterminate(_))))
                })
            }
        }
    }
}

/// What an operation's caller heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Known,
    Indeterminate,
    /// It did not happen, and the store goes no further.
    Failed,
}

impl Ended {
    fn of<T>(reply: &Result<T, StoreError>, is_indeterminate: impl Fn(&T) -> bool) -> Self {
        match reply {
            Ok(reply) if is_indeterminate(reply) => Self::Indeterminate,
            Ok(_) => Self::Known,
            // The next epoch may have begun.
            Err(StoreError::Unavailable { .. }) => Self::Indeterminate,
            Err(_) => Self::Failed,
        }
    }
}

/// Looks at the answer, once there is one.
type Reply = Box<dyn FnOnce(&mut Life, &mut Tally) -> Result<Ended, String>>;

fn asked<O: Operation>(
    operation: O,
    look: impl FnOnce(&mut Life, &mut Tally, Result<O::Reply, StoreError>) -> Result<Ended, String>
    + 'static,
) -> (Box<dyn Waiting>, Reply) {
    let (waiting, mut receiver) = ask(operation);
    let look = move |life: &mut Life, tally: &mut Tally| {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut receiver).poll(&mut context) {
            Poll::Ready(Some(reply)) => look(life, tally, reply),
            other => Err(format!("there is no answer: {}", other.is_pending())),
        }
    };
    (waiting, Box::new(look))
}

fn judge(
    outcome: Result<Outcome, StoreError>,
    expected: &Outcome,
    tally: &mut Tally,
) -> Result<Ended, String> {
    match outcome {
        Err(StoreError::Unusable { .. }) => Ok(Ended::Failed),
        Ok(Outcome::Indeterminate(_)) => {
            tally.indeterminate += 1;
            Ok(Ended::Indeterminate)
        }
        Ok(outcome) if format!("{outcome:?}") == format!("{expected:?}") => {
            *if outcome.is_done() { &mut tally.acknowledged } else { &mut tally.refused } += 1;
            Ok(Ended::Known)
        }
        other => Err(format!("expected {expected:?}, not {other:?}")),
    }
}
