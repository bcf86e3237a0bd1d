//! The races that an idempotency cache can lose, to be run on every form of one, and on every store.
//!
//! A form says by [`Contender`] how it is asked. Each race is a function that wants an empty cache and panics where it
//! is lost; a form that leaves one out does not compile without a warning. Caches that nobody waits for return at once,
//! so that [`at_once`] runs their races.

mod crashes;
mod duplicates;
mod results;
mod room;
mod zombies;

use core::{
    fmt::Debug,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use surmise_fence::FencingToken;
use surmise_idempotency::{CacheConfig, Keep};

pub(crate) use self::{
    crashes::{
        checkpoints_are_handed_on, crash_midway, crash_of_the_recoverer, late_but_not_superseded,
        released_recovery, renewed_lease, the_abandoned_is_forgotten_in_the_end,
    },
    duplicates::{
        concurrent_duplicate, other_payload_while_done, other_payload_while_in_flight,
        other_payload_while_indeterminate,
    },
    results::{
        error_is_kept_briefly, error_is_kept_like_a_result, error_is_released,
        retention_counts_from_completion, time_steps_back, time_steps_back_in_flight,
    },
    room::{
        fresh_among_hot, full_of_what_is_in_flight, full_of_what_was_promised, room_of_the_expired,
    },
    zombies::{
        expiry_while_running, zombie_after_completion, zombie_after_oblivion, zombie_after_release,
    },
};

/// A form of the cache, or a store, with its clock.
pub(crate) trait Contender {
    /// The right to execute.
    type Ticket: Debug;

    /// The shortest time that it tells apart.
    const TICK: Duration;

    /// Returns its lease, its retentions, and how much room there is.
    fn config(&self) -> CacheConfig;

    /// Asks what to do about a request. The same payload has the same fingerprint.
    async fn begin(&self, key: &str, payload: u8) -> Begun<Self::Ticket>;

    /// Completes an execution, or returns the value.
    async fn complete(&self, ticket: Self::Ticket, value: &str, keep: Keep) -> Result<(), String>;

    /// Returns whether an execution was given up.
    async fn release(&self, ticket: Self::Ticket) -> bool;

    /// Returns whether a lease began anew.
    async fn renew(&self, ticket: &Self::Ticket) -> bool;

    /// Saves a checkpoint, or returns it.
    async fn save(&self, ticket: &Self::Ticket, checkpoint: &str) -> Result<(), String>;

    /// Returns the token of a ticket.
    fn token(&self, ticket: &Self::Ticket) -> FencingToken;

    /// Lets time pass.
    async fn pass(&self, time: Duration);

    /// Sets the clock back, where that can be done.
    fn set_back(&self, time: Duration);
}

/// What is said to a request.
#[derive(Debug)]
pub(crate) enum Begun<T> {
    Execute(T),
    Replay(String),
    InFlight(Duration),
    Mismatch,
    /// With the checkpoint.
    Recover(T, Option<String>),
    Full,
}

impl<T: Debug> Begun<T> {
    pub(crate) fn execute(self) -> T {
        match self {
            Self::Execute(ticket) => ticket,
            other => panic!("to be executed, but it says {other:?}"),
        }
    }

    pub(crate) fn recover(self) -> (T, Option<String>) {
        match self {
            Self::Recover(ticket, checkpoint) => (ticket, checkpoint),
            other => panic!("to be recovered, but it says {other:?}"),
        }
    }

    pub(crate) fn in_flight(self) -> Duration {
        match self {
            Self::InFlight(retry_after) => retry_after,
            other => panic!("in flight, but it says {other:?}"),
        }
    }

    pub(crate) fn replays(self, value: &str) {
        match self {
            Self::Replay(replayed) if replayed == value => {}
            other => panic!("to be answered with {value}, but it says {other:?}"),
        }
    }

    pub(crate) fn mismatches(self) {
        assert!(matches!(self, Self::Mismatch), "another payload, but it says {self:?}");
    }

    pub(crate) fn refuses(self) {
        assert!(matches!(self, Self::Full), "there is no room, but it says {self:?}");
    }
}

/// Runs what never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
