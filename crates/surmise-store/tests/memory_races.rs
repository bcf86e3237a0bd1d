//! The store in memory loses none of the races that the idempotency cache does not.

mod support {
    pub(crate) mod races;
}

use core::{cell::Cell, num::NonZeroUsize, time::Duration};

use surmise_fence::FencingToken;
use surmise_idempotency::{CacheConfig, Fingerprint, Keep, Key, WhenFull};
use surmise_store::{
    Claim, Claimed, IdempotencyStore as _, Settled, Terms, Ticket,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::{ManualClock, MonotonicClock as _};

use self::support::races::{self, Begun, Contender, at_once};

struct Store {
    clock: &'static ManualClock,
    store: MemoryStore<&'static ManualClock>,
    room: usize,
    nonce: Cell<u64>,
}

/// Returns an empty store with room for so many requests.
fn store(room: usize) -> Store {
    let clock = Box::leak(Box::default());
    let config = MemoryConfig { max_entries: room, ..MemoryConfig::default() };
    let store = MemoryStore::new(config, &*clock).expect("it is a store");
    Store { clock, store, room, nonce: Cell::new(0) }
}

const TERMS: Terms = Terms {
    lease: Duration::from_secs(30),
    retention: Duration::from_secs(100),
    brief_retention: Duration::from_secs(10),
};

impl Contender for Store {
    type Ticket = Ticket;

    const TICK: Duration = Duration::from_nanos(1);

    fn config(&self) -> CacheConfig {
        CacheConfig {
            lease: TERMS.lease,
            retention: TERMS.retention,
            brief_retention: TERMS.brief_retention,
            capacity: NonZeroUsize::new(self.room).expect("there is room"),
            when_full: WhenFull::Refuse,
            epoch: 1,
        }
    }

    async fn begin(&self, key: &str, payload: u8) -> Begun<Ticket> {
        self.nonce.update(|nonce| nonce + 1);
        let key = Key::new("tenant", "operation", key).expect("it is short");
        let fingerprint = Fingerprint::from_bytes([payload; 16]);
        let claim = Claim::new(&key, fingerprint, self.nonce.get(), TERMS).expect("as it should");
        match self.store.claim(claim).await.expect("it is in memory") {
            Claimed::Execute(ticket) => Begun::Execute(ticket),
            Claimed::Replay(value) => Begun::Replay(String::from_utf8_lossy(&value).into_owned()),
            Claimed::InFlight { retry_after } => Begun::InFlight(retry_after),
            Claimed::Mismatch => Begun::Mismatch,
            Claimed::Recover(ticket) => {
                let checkpoint = ticket.checkpoint().map(String::from_utf8_lossy);
                let checkpoint = checkpoint.map(|checkpoint| checkpoint.into_owned());
                Begun::Recover(ticket, checkpoint)
            }
            Claimed::Full => Begun::Full,
            other => panic!("{other:?}"),
        }
    }

    async fn complete(&self, ticket: Ticket, value: &str, keep: Keep) -> Result<(), String> {
        let settled = match keep {
            Keep::Briefly => self.store.complete_briefly(&ticket, value.as_bytes()).await,
            _ => self.store.complete(&ticket, value.as_bytes()).await,
        };
        if is_done(settled) { Ok(()) } else { Err(value.to_owned()) }
    }

    async fn release(&self, ticket: Ticket) -> bool {
        is_done(self.store.release(&ticket).await)
    }

    async fn renew(&self, ticket: &Ticket) -> bool {
        is_done(self.store.renew(ticket).await)
    }

    async fn save(&self, ticket: &Ticket, checkpoint: &str) -> Result<(), String> {
        let saved = self.store.save(ticket, checkpoint.as_bytes()).await;
        if is_done(saved) { Ok(()) } else { Err(checkpoint.to_owned()) }
    }

    fn token(&self, ticket: &Ticket) -> FencingToken {
        ticket.token()
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn set_back(&self, time: Duration) {
        self.clock.set(self.clock.now() - time);
    }
}

fn is_done<E: core::fmt::Debug>(settled: Result<Settled, E>) -> bool {
    match settled.expect("it is in memory") {
        Settled::Done => true,
        Settled::Fenced => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn checkpoints_are_handed_on() {
    at_once(races::checkpoints_are_handed_on(&store(10)));
}

#[test]
fn crash_midway() {
    at_once(races::crash_midway(&store(10)));
}

#[test]
fn crash_of_the_recoverer() {
    at_once(races::crash_of_the_recoverer(&store(10)));
}

#[test]
fn late_but_not_superseded() {
    at_once(races::late_but_not_superseded(&store(10)));
}

#[test]
fn released_recovery() {
    at_once(races::released_recovery(&store(10)));
}

#[test]
fn renewed_lease() {
    at_once(races::renewed_lease(&store(10)));
}

#[test]
fn the_abandoned_is_forgotten_in_the_end() {
    at_once(races::the_abandoned_is_forgotten_in_the_end(&store(10)));
}

#[test]
fn concurrent_duplicate() {
    at_once(races::concurrent_duplicate(&store(10)));
}

#[test]
fn other_payload_while_done() {
    at_once(races::other_payload_while_done(&store(10)));
}

#[test]
fn other_payload_while_in_flight() {
    at_once(races::other_payload_while_in_flight(&store(10)));
}

#[test]
fn other_payload_while_indeterminate() {
    at_once(races::other_payload_while_indeterminate(&store(10)));
}

#[test]
fn error_is_kept_briefly() {
    at_once(races::error_is_kept_briefly(&store(10)));
}

#[test]
fn error_is_kept_like_a_result() {
    at_once(races::error_is_kept_like_a_result(&store(10)));
}

#[test]
fn error_is_released() {
    at_once(races::error_is_released(&store(10)));
}

#[test]
fn retention_counts_from_completion() {
    at_once(races::retention_counts_from_completion(&store(10)));
}

#[test]
fn time_steps_back() {
    at_once(races::time_steps_back(&store(10)));
}

#[test]
fn time_steps_back_in_flight() {
    at_once(races::time_steps_back_in_flight(&store(10)));
}

#[test]
fn fresh_among_hot() {
    at_once(races::fresh_among_hot(&store(1000)));
}

#[test]
fn full_of_what_is_in_flight() {
    at_once(races::full_of_what_is_in_flight(&store(100)));
}

#[test]
fn full_of_what_was_promised() {
    at_once(races::full_of_what_was_promised(&store(1000)));
}

#[test]
fn room_of_the_expired() {
    at_once(races::room_of_the_expired(&store(100)));
}

#[test]
fn expiry_while_running() {
    at_once(races::expiry_while_running(&store(10)));
}

#[test]
fn zombie_after_completion() {
    at_once(races::zombie_after_completion(&store(10)));
}

#[test]
fn zombie_after_oblivion() {
    at_once(races::zombie_after_oblivion(&store(10)));
}

#[test]
fn zombie_after_release() {
    at_once(races::zombie_after_release(&store(10)));
}
