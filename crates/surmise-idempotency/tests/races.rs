//! The core loses none of the races.

mod support {
    pub(crate) mod races;
}

use core::{
    cell::{Cell, RefCell},
    num::NonZeroUsize,
    time::Duration,
};

use surmise_fence::FencingToken;
use surmise_idempotency::{
    Begin, CacheConfig, Fingerprint, IdempotencyCache, Keep, Ticket, WhenFull,
};
use surmise_time::Instant;

use self::support::races::{self, Begun, Contender, at_once};

/// The cache itself, whose time is what it is told.
struct Core {
    cache: RefCell<IdempotencyCache<String, String, String>>,
    now: Cell<Instant>,
}

/// Returns an empty cache with room for so many keys.
fn core(room: usize, when_full: WhenFull) -> Core {
    let config = CacheConfig {
        lease: Duration::from_secs(30),
        retention: Duration::from_secs(100),
        brief_retention: Duration::from_secs(10),
        capacity: NonZeroUsize::new(room).expect("there is room"),
        when_full,
        epoch: 1,
    };
    let cache = IdempotencyCache::with_checkpoints(config).expect("it is a cache");
    Core { cache: RefCell::new(cache), now: Cell::new(Instant::ORIGIN) }
}

impl Contender for Core {
    type Ticket = Ticket<String>;

    const TICK: Duration = Duration::from_nanos(1);

    fn config(&self) -> CacheConfig {
        self.cache.borrow().config()
    }

    async fn begin(&self, key: &str, payload: u8) -> Begun<Self::Ticket> {
        let fingerprint = Fingerprint::from_bytes([payload; 16]);
        match self.cache.borrow_mut().begin(key, fingerprint, self.now.get()) {
            Begin::Execute(ticket) => Begun::Execute(ticket),
            Begin::Replay(value) => Begun::Replay(value),
            Begin::InFlight { retry_after } => Begun::InFlight(retry_after),
            Begin::Mismatch => Begun::Mismatch,
            Begin::Recover(ticket) => {
                let checkpoint = ticket.checkpoint().cloned();
                Begun::Recover(ticket, checkpoint)
            }
            Begin::Full => Begun::Full,
        }
    }

    async fn complete(&self, ticket: Self::Ticket, value: &str, keep: Keep) -> Result<(), String> {
        let mut cache = self.cache.borrow_mut();
        let completed = cache.complete_for(ticket, value.to_owned(), keep, self.now.get());
        completed.map_err(|fenced| fenced.rejected)
    }

    async fn release(&self, ticket: Self::Ticket) -> bool {
        self.cache.borrow_mut().release(ticket).is_ok()
    }

    async fn renew(&self, ticket: &Self::Ticket) -> bool {
        self.cache.borrow_mut().renew(ticket, self.now.get()).is_ok()
    }

    async fn save(&self, ticket: &Self::Ticket, checkpoint: &str) -> Result<(), String> {
        let saved = self.cache.borrow_mut().save(ticket, checkpoint.to_owned());
        saved.map_err(|fenced| fenced.rejected)
    }

    fn token(&self, ticket: &Self::Ticket) -> FencingToken {
        ticket.token()
    }

    async fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    fn set_back(&self, time: Duration) {
        self.now.set(self.now.get() - time);
    }
}

fn roomy() -> Core {
    core(10, WhenFull::Refuse)
}

#[test]
fn checkpoints_are_handed_on() {
    at_once(races::checkpoints_are_handed_on(&roomy()));
}

#[test]
fn crash_midway() {
    at_once(races::crash_midway(&roomy()));
}

#[test]
fn crash_of_the_recoverer() {
    at_once(races::crash_of_the_recoverer(&roomy()));
}

#[test]
fn late_but_not_superseded() {
    at_once(races::late_but_not_superseded(&roomy()));
}

#[test]
fn released_recovery() {
    at_once(races::released_recovery(&roomy()));
}

#[test]
fn renewed_lease() {
    at_once(races::renewed_lease(&roomy()));
}

#[test]
fn the_abandoned_is_forgotten_in_the_end() {
    at_once(races::the_abandoned_is_forgotten_in_the_end(&roomy()));
}

#[test]
fn concurrent_duplicate() {
    at_once(races::concurrent_duplicate(&roomy()));
}

#[test]
fn other_payload_while_done() {
    at_once(races::other_payload_while_done(&roomy()));
}

#[test]
fn other_payload_while_in_flight() {
    at_once(races::other_payload_while_in_flight(&roomy()));
}

#[test]
fn other_payload_while_indeterminate() {
    at_once(races::other_payload_while_indeterminate(&roomy()));
}

#[test]
fn error_is_kept_briefly() {
    at_once(races::error_is_kept_briefly(&roomy()));
}

#[test]
fn error_is_kept_like_a_result() {
    at_once(races::error_is_kept_like_a_result(&roomy()));
}

#[test]
fn error_is_released() {
    at_once(races::error_is_released(&roomy()));
}

#[test]
fn retention_counts_from_completion() {
    at_once(races::retention_counts_from_completion(&roomy()));
}

#[test]
fn time_steps_back() {
    at_once(races::time_steps_back(&roomy()));
}

#[test]
fn time_steps_back_in_flight() {
    at_once(races::time_steps_back_in_flight(&roomy()));
}

#[test]
fn fresh_among_hot() {
    for room in [100, 1000] {
        at_once(races::fresh_among_hot(&core(room, WhenFull::EvictOldest)));
    }
}

#[test]
fn full_of_what_is_in_flight() {
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        at_once(races::full_of_what_is_in_flight(&core(100, when_full)));
    }
}

#[test]
fn full_of_what_was_promised() {
    at_once(races::full_of_what_was_promised(&core(1000, WhenFull::Refuse)));
}

#[test]
fn room_of_the_expired() {
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        at_once(races::room_of_the_expired(&core(100, when_full)));
    }
}

#[test]
fn expiry_while_running() {
    at_once(races::expiry_while_running(&roomy()));
}

#[test]
fn zombie_after_completion() {
    at_once(races::zombie_after_completion(&roomy()));
}

#[test]
fn zombie_after_oblivion() {
    at_once(races::zombie_after_oblivion(&roomy()));
}

#[test]
fn zombie_after_release() {
    at_once(races::zombie_after_release(&roomy()));
}
