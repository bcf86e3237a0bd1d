use core::{num::NonZeroUsize, time::Duration};

use dashmap::{DashMap, Entry};
use moka::sync::Cache as Moka;
use parking_lot::Mutex;
use quick_cache::sync::{Cache as QuickCache, GuardResult};
use surmise_idempotency::{
    Begin, CacheConfig, Fingerprint, WhenFull,
    sync::{ExecuteError, Finished, IdempotencyCache},
};
use surmise_time::{ManualClock, MonotonicClock as _};

use crate::idempotency::peers::{Known, Textbook};

/// What keeps requests from being executed twice.
pub trait Layer: Send + Sync + 'static {
    /// Whether it has no more than so much room.
    const IS_BOUNDED: bool = true;

    /// Makes an empty one with room for so many results, where it is bounded.
    fn with_room(room: usize) -> Self;

    /// Executes a request, or does not.
    fn execute(&self, key: u64, payload: u8, effect: &dyn Fn() -> Effect) -> Answer;

    /// Executes a request, and neither says what came of it nor panics, as a future that is dropped. Returns nothing where
    /// each execution is a closure, which ends or panics.
    fn vanish(&self, key: u64, effect: &dyn Fn() -> Effect) -> Option<()>;

    /// Returns whether it has a result, if that can be told without executing anything.
    fn knows(&self, _key: u64) -> bool {
        false
    }

    /// Lets so much time pass that whoever executes is given up, where anybody is.
    fn pass_lease(&self) {}

    /// Sets the clock back or forth by two days, where there is one to be set.
    fn step(&self, _direction: Step) -> Option<()> {
        None
    }

    /// Does what would be done in the background.
    fn settle(&self) {}
}

/// What comes of an effect: a result, an error that is one too, or nothing at all.
pub type Effect = Result<u64, NothingDone>;

/// An error after which anybody may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it says nothing more")]
pub struct NothingDone;

/// Where a clock is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no other direction")]
pub enum Step {
    /// To what is past.
    Back,
    /// To what is to come.
    Forth,
}

/// What a caller hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to hear")]
pub enum Answer {
    /// The result.
    Value(u64),
    /// The error after which anybody may try again.
    NothingDone,
    /// Another caller is at it.
    InFlight,
    /// The key was used for something else.
    Mismatch,
    /// Nobody knows how far another caller came.
    Recover,
    /// It took so long that another caller was told to recover.
    Fenced,
    /// There is no room.
    Full,
}

impl Answer {
    pub(super) const fn value(self) -> Option<u64> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl From<Effect> for Answer {
    fn from(effect: Effect) -> Self {
        effect.map_or(Self::NothingDone, Self::Value)
    }
}

const DAY: Duration = Duration::from_secs(86_400);
/// For longer than anything is kept.
const STEP: Duration = Duration::from_secs(2 * 86_400);

/// One of ours, with a clock that is set.
pub type Ours = IdempotencyCache<u64, Effect, ManualClock>;

fn ours(room: usize, when_full: WhenFull) -> Ours {
    let capacity = NonZeroUsize::new(room).unwrap_or(NonZeroUsize::MIN);
    let config = CacheConfig { capacity, when_full, ..CacheConfig::default() };
    let cache = Ours::new(config, ManualClock::default()).expect("there is not that much room");
    cache.clock().advance(2 * STEP);
    cache
}

const fn fingerprint(payload: u8) -> Fingerprint {
    Fingerprint::from_bytes([payload; 16])
}

impl Layer for Ours {
    fn with_room(room: usize) -> Self {
        ours(room, WhenFull::Refuse)
    }

    fn execute(&self, key: u64, payload: u8, effect: &dyn Fn() -> Effect) -> Answer {
        let judged = || match effect() {
            Ok(value) => Finished::kept(Ok(value)),
            Err(error) => Finished::released(Err(error)),
        };
        match Self::execute(self, &key, fingerprint(payload), judged) {
            Ok(effect) => effect.into(),
            Err(ExecuteError::InFlight { .. }) => Answer::InFlight,
            Err(ExecuteError::Mismatch) => Answer::Mismatch,
            Err(ExecuteError::Recover(_)) => Answer::Recover,
            Err(ExecuteError::Fenced(_)) => Answer::Fenced,
            Err(_) => Answer::Full,
        }
    }

    fn vanish(&self, key: u64, effect: &dyn Fn() -> Effect) -> Option<()> {
        if let Begin::Execute(_ticket) = self.begin(&key, fingerprint(0)) {
            // Nobody hears of it.
            let _ = effect();
        }
        Some(())
    }

    /// A new key would be put in, and is taken out again.
    fn knows(&self, key: u64) -> bool {
        match self.begin(&key, fingerprint(0)) {
            Begin::Replay(_) => true,
            Begin::Execute(ticket) => {
                self.release(ticket).expect("its lease has just begun");
                false
            }
            _ => false,
        }
    }

    fn pass_lease(&self) {
        self.clock().advance(self.config().lease);
    }

    fn step(&self, direction: Step) -> Option<()> {
        let now = self.clock().now();
        self.clock().set(match direction {
            Step::Back => now - STEP,
            Step::Forth => now + STEP,
        });
        Some(())
    }
}

/// One of ours that makes room by forgetting what was completed first.
#[derive(Debug)]
pub struct Evicting(Ours);

impl Layer for Evicting {
    fn with_room(room: usize) -> Self {
        Self(ours(room, WhenFull::EvictOldest))
    }

    fn execute(&self, key: u64, payload: u8, effect: &dyn Fn() -> Effect) -> Answer {
        Layer::execute(&self.0, key, payload, effect)
    }

    fn vanish(&self, key: u64, effect: &dyn Fn() -> Effect) -> Option<()> {
        self.0.vanish(key, effect)
    }

    fn knows(&self, key: u64) -> bool {
        self.0.knows(key)
    }

    fn pass_lease(&self) {
        self.0.pass_lease();
    }

    fn step(&self, direction: Step) -> Option<()> {
        self.0.step(direction)
    }
}

impl Layer for Moka<u64, u64> {
    fn with_room(room: usize) -> Self {
        Self::builder().max_capacity(room as u64).time_to_live(DAY).build()
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> Effect) -> Answer {
        self.try_get_with(key, effect).map_err(|error| *error).into()
    }

    fn vanish(&self, _: u64, _: &dyn Fn() -> Effect) -> Option<()> {
        None
    }

    fn knows(&self, key: u64) -> bool {
        self.contains_key(&key)
    }

    fn settle(&self) {
        self.run_pending_tasks();
    }
}

impl Layer for QuickCache<u64, u64> {
    fn with_room(room: usize) -> Self {
        Self::new(room)
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> Effect) -> Answer {
        self.get_or_insert_with(&key, effect).into()
    }

    fn vanish(&self, key: u64, effect: &dyn Fn() -> Effect) -> Option<()> {
        if let GuardResult::Guard(_guard) = self.get_value_or_guard(&key, None) {
            let _ = effect();
        }
        Some(())
    }

    fn knows(&self, key: u64) -> bool {
        self.contains_key(&key)
    }
}

pub(super) type Group = singleflight::Group<Effect>;

impl Layer for Group {
    const IS_BOUNDED: bool = false;

    fn with_room(_: usize) -> Self {
        Self::new()
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> Effect) -> Answer {
        self.work(&key.to_string(), effect).into()
    }

    fn vanish(&self, _: u64, _: &dyn Fn() -> Effect) -> Option<()> {
        None
    }
}

/// Its entry is locked while it executes.
impl Layer for DashMap<u64, u64> {
    const IS_BOUNDED: bool = false;

    fn with_room(_: usize) -> Self {
        Self::new()
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> Effect) -> Answer {
        self.entry(key).or_try_insert_with(effect).map(|value| *value).into()
    }

    fn vanish(&self, key: u64, effect: &dyn Fn() -> Effect) -> Option<()> {
        if let Entry::Vacant(_entry) = self.entry(key) {
            let _ = effect();
        }
        Some(())
    }
}

/// The layer of many a tutorial, which is not locked while it executes. A key is kept for so many seconds.
pub(super) type Tutorial = Mutex<Textbook>;

const KEPT: u64 = 60;

impl Layer for Tutorial {
    const IS_BOUNDED: bool = false;

    fn with_room(_: usize) -> Self {
        let mut textbook = Textbook::new(KEPT);
        textbook.set_time(2 * STEP.as_secs());
        Self::new(textbook)
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> Effect) -> Answer {
        match self.lock().begin(key) {
            Some(Known::InFlight) => return Answer::InFlight,
            Some(Known::Done(value)) => return Answer::Value(value),
            None => {}
        }
        let done = effect();
        let mut textbook = self.lock();
        match done {
            Ok(value) => textbook.remember(key, value),
            Err(NothingDone) => textbook.forget(key),
        }
        done.into()
    }

    fn vanish(&self, key: u64, effect: &dyn Fn() -> Effect) -> Option<()> {
        if self.lock().begin(key).is_none() {
            let _ = effect();
        }
        Some(())
    }

    fn pass_lease(&self) {
        let mut textbook = self.lock();
        let now = textbook.time();
        textbook.set_time(now + KEPT);
    }

    fn step(&self, direction: Step) -> Option<()> {
        let mut textbook = self.lock();
        let now = textbook.time();
        textbook.set_time(match direction {
            Step::Back => now - STEP.as_secs(),
            Step::Forth => now + STEP.as_secs(),
        });
        Some(())
    }
}
