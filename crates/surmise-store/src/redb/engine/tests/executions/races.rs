//! The store in a file loses none of the races that the idempotency cache does not, each on clocks of its own.

#[path = "../../../../../tests/support"]
mod support {
    pub(super) mod races;
}

use core::{
    cell::RefCell,
    num::{NonZeroU64, NonZeroUsize},
    time::Duration,
};

use surmise_fence::FencingToken;
use surmise_idempotency::{CacheConfig, Fingerprint, Keep, Key, WhenFull};

use self::support::races::{self, Begun, Contender, at_once};
use super::{Machine, TERMS};
use crate::{
    Claim, Claimed, Settlement, Ticket,
    redb::{RedbConfig, operation::Execute},
};

/// Returns an empty store with room for so many requests.
fn store(room: u64) -> RefCell<Machine> {
    let max_executions = NonZeroU64::new(room).expect("there is room");
    RefCell::new(Machine::with(RedbConfig { max_executions, ..RedbConfig::default() }))
}

impl Contender for RefCell<Machine> {
    type Ticket = Ticket;

    const TICK: Duration = Duration::from_nanos(1);

    fn config(&self) -> CacheConfig {
        let room =
            usize::try_from(self.borrow().config.max_executions.get()).expect("it is little");
        CacheConfig {
            lease: TERMS.lease,
            retention: TERMS.retention,
            brief_retention: TERMS.brief_retention,
            capacity: NonZeroUsize::new(room).expect("there is room"),
            when_full: WhenFull::Refuse,
            epoch: 1,
        }
    }

    async fn begin(&self, key: &str, payload: u8) -> Begun<Ticket> {
        let key = Key::new("tenant", "operation", key).expect("it is short");
        let fingerprint = Fingerprint::from_bytes([payload; 16]);
        let claim = Claim::new(&key, fingerprint, 0, TERMS).expect("as it should be");
        match self.borrow_mut().run(Execute::from(claim)).expect("it is in memory") {
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
            Claimed::Indeterminate(lost) => panic!("{lost}"),
        }
    }

    async fn complete(&self, ticket: Ticket, value: &str, keep: Keep) -> Result<(), String> {
        let retention = match keep {
            Keep::Briefly => TERMS.brief_retention,
            _ => TERMS.retention,
        };
        let completion = Settlement::complete(value.as_bytes(), retention).expect("it is short");
        let is_done = self.borrow_mut().settle(&ticket, completion);
        if is_done { Ok(()) } else { Err(value.to_owned()) }
    }

    async fn release(&self, ticket: Ticket) -> bool {
        self.borrow_mut().settle(&ticket, Settlement::release())
    }

    async fn renew(&self, ticket: &Ticket) -> bool {
        self.borrow_mut().settle(ticket, Settlement::renew())
    }

    async fn save(&self, ticket: &Ticket, checkpoint: &str) -> Result<(), String> {
        let saving = Settlement::save(checkpoint.as_bytes()).expect("it is short");
        let is_done = self.borrow_mut().settle(ticket, saving);
        if is_done { Ok(()) } else { Err(checkpoint.to_owned()) }
    }

    fn token(&self, ticket: &Ticket) -> FencingToken {
        ticket.token()
    }

    async fn pass(&self, time: Duration) {
        let reading = &mut self.borrow_mut().reading;
        reading.now += time;
        reading.wall += time;
    }

    fn set_back(&self, time: Duration) {
        let reading = &mut self.borrow_mut().reading;
        reading.now -= time;
        reading.wall -= time;
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
