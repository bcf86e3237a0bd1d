//! The cache that threads share loses none of the races.
#![cfg(feature = "std")]

mod support {
    pub(crate) mod races;
}

use core::{num::NonZeroUsize, time::Duration};

use surmise_fence::FencingToken;
use surmise_idempotency::{
    Begin, CacheConfig, Fingerprint, Keep, Ticket, WhenFull, sync::IdempotencyCache,
};
use surmise_time::{ManualClock, MonotonicClock};

use self::support::races::{self, Begun, Contender, at_once};

type Cache = IdempotencyCache<String, String, ManualClock, String>;

/// Returns an empty cache with room for so many keys.
fn shared(room: usize, when_full: WhenFull) -> Cache {
    let config = CacheConfig {
        lease: Duration::from_secs(30),
        retention: Duration::from_secs(100),
        brief_retention: Duration::from_secs(10),
        capacity: NonZeroUsize::new(room).expect("there is room"),
        when_full,
        epoch: 1,
    };
    Cache::with_checkpoints(config, ManualClock::default()).expect("it is a cache")
}

fn roomy() -> Cache {
    shared(10, WhenFull::Refuse)
}

impl Contender for Cache {
    type Ticket = Ticket<String>;

    const TICK: Duration = Duration::from_nanos(1);

    fn config(&self) -> CacheConfig {
        Self::config(self)
    }

    async fn begin(&self, key: &str, payload: u8) -> Begun<Self::Ticket> {
        match Self::begin(self, key, Fingerprint::from_bytes([payload; 16])) {
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
        let completed = self.complete_for(ticket, value.to_owned(), keep);
        completed.map_err(|fenced| fenced.rejected)
    }

    async fn release(&self, ticket: Self::Ticket) -> bool {
        Self::release(self, ticket).is_ok()
    }

    async fn renew(&self, ticket: &Self::Ticket) -> bool {
        Self::renew(self, ticket).is_ok()
    }

    async fn save(&self, ticket: &Self::Ticket, checkpoint: &str) -> Result<(), String> {
        Self::save(self, ticket, checkpoint.to_owned()).map_err(|fenced| fenced.rejected)
    }

    fn token(&self, ticket: &Self::Ticket) -> FencingToken {
        ticket.token()
    }

    async fn pass(&self, time: Duration) {
        self.clock().advance(time);
    }

    fn set_back(&self, time: Duration) {
        let now = self.clock().now();
        self.clock().set(now - time);
    }
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
        at_once(races::fresh_among_hot(&shared(room, WhenFull::EvictOldest)));
    }
}

#[test]
fn full_of_what_is_in_flight() {
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        at_once(races::full_of_what_is_in_flight(&shared(100, when_full)));
    }
}

#[test]
fn full_of_what_was_promised() {
    at_once(races::full_of_what_was_promised(&shared(1000, WhenFull::Refuse)));
}

#[test]
fn room_of_the_expired() {
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        at_once(races::room_of_the_expired(&shared(100, when_full)));
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
