//! Executions over restarts: what lasts, for how long, and what is done to the wall clock meanwhile.

mod races;

use core::{num::NonZeroU64, time::Duration};

use ::redb::{ReadableTableMetadata as _, TableError};
use surmise_fence::FencingToken;
use surmise_idempotency::{Fingerprint, Key};
use surmise_time::WallTime;

use super::{super::*, at, now};
use crate::{
    Claim, Claimed, Settled, Settlement, Terms, Ticket,
    redb::{
        format::{EXECUTION_ENDS, EXECUTION_STATE, EXECUTIONS},
        operation::{AdvanceEpoch, Execute, Operation, Settle, ask},
    },
};

/// A store, and what its clocks say.
struct Machine {
    config: RedbConfig,
    engine: Engine,
    reading: Reading,
}

impl Machine {
    fn new() -> Self {
        Self::with(RedbConfig::default())
    }

    fn with(config: RedbConfig) -> Self {
        // Long after 1970, so that a clock can be set back.
        let reading = Reading { now: at(77), wall: WallTime::from_nanos(1 << 60) };
        let engine = super::engine(&config);
        Self { config, engine, reading }
    }

    /// Lets so many milliseconds pass, on both clocks.
    fn pass(&mut self, millis: u64) {
        self.reading.now += Duration::from_millis(millis);
        self.reading.wall += Duration::from_millis(millis);
    }

    /// Boots again after so many milliseconds, by the wall clock: the other one begins anew.
    fn restart(&mut self, millis: u64) {
        self.pass(millis);
        self.reading.now = at(5);
        self.open().unwrap();
    }

    fn open(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.engine.shared);
        self.engine = Engine::new(shared, &self.config, self.reading)?;
        Ok(())
    }

    fn run<O: Operation>(&mut self, operation: O) -> Result<O::Reply, StoreError> {
        let (waiting, answer) = ask(operation);
        self.engine.run(vec![waiting], self.reading).send();
        now::<O>(answer)
    }

    fn try_claim(&mut self, key: &str) -> Result<Claimed, StoreError> {
        let key = Key::new("tenant", "operation", key).unwrap();
        let fingerprint = Fingerprint::from_bytes([7; 16]);
        self.run(Execute::from(Claim::new(&key, fingerprint, 0, TERMS).unwrap()))
    }

    fn claim(&mut self, key: &str) -> Claimed {
        self.try_claim(key).unwrap()
    }

    fn execute(&mut self, key: &str) -> Ticket {
        match self.claim(key) {
            Claimed::Execute(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, ticket: &Ticket, settlement: Settlement<'_>) -> bool {
        match self.run(Settle::new(ticket, settlement)).unwrap() {
            Settled::Done => true,
            Settled::Fenced | Settled::AlreadyCompleted => false,
            Settled::Indeterminate(lost) => panic!("{lost}"),
        }
    }

    fn complete(&mut self, key: &str) -> Ticket {
        let ticket = self.execute(key);
        let completion = Settlement::complete(b"done", TERMS.retention).unwrap();
        assert!(self.settle(&ticket, completion));
        ticket
    }

    fn is_replayed(&mut self, key: &str) -> bool {
        match self.claim(key) {
            Claimed::Replay(result) => {
                assert_eq!(result, b"done");
                true
            }
            Claimed::Execute(_) => false,
            other => panic!("{other:?}"),
        }
    }

    /// Returns for how much longer a key is in flight, in milliseconds.
    fn in_flight(&mut self, key: &str) -> u128 {
        match self.claim(key) {
            Claimed::InFlight { retry_after } => retry_after.as_millis(),
            other => panic!("{other:?}"),
        }
    }

    /// Returns how many records there are, and as many ends.
    fn count(&self) -> u64 {
        let (records, ends) = self.counts();
        assert_eq!(records, ends);
        records
    }

    /// Returns the time and the wall clock's, as they are written down.
    fn state(&self) -> (u64, u64) {
        let state = self.engine.shared.read(|transaction| {
            let row = transaction.open_table(EXECUTION_STATE)?.get(())?.unwrap();
            let (time, wall, _) = row.value();
            Ok((time, wall))
        });
        state.unwrap()
    }

    fn counts(&self) -> (u64, u64) {
        let counts = self.engine.shared.read(|transaction| {
            let records = transaction.open_table(EXECUTIONS)?.len()?;
            Ok((records, transaction.open_table(EXECUTION_ENDS)?.len()?))
        });
        counts.unwrap()
    }
}

const TERMS: Terms = Terms {
    lease: Duration::from_millis(1000),
    retention: Duration::from_millis(10_000),
    brief_retention: Duration::from_millis(100),
};

#[test]
fn after_a_restart_what_is_in_flight_has_its_whole_lease_once_more() {
    let mut machine = Machine::new();
    let ticket = machine.execute("a");
    assert!(machine.settle(&ticket, Settlement::save(b"half").unwrap()));
    machine.pass(900);
    assert_eq!(machine.in_flight("a"), 100);
    for _ in 0..3 {
        machine.restart(300);
        assert_eq!(machine.in_flight("a"), 1000);
    }
    // A renewal is of this opening, and not of the next.
    machine.pass(500);
    assert!(machine.settle(&ticket, Settlement::renew()));
    machine.pass(400);
    assert_eq!(machine.in_flight("a"), 600);
    // What is saved leaves the lease as it is, also that of an earlier opening.
    machine.restart(1);
    machine.pass(300);
    assert!(machine.settle(&ticket, Settlement::save(b"more").unwrap()));
    assert_eq!(machine.in_flight("a"), 700);
    machine.pass(700);
    let Claimed::Recover(successor) = machine.claim("a") else { panic!() };
    assert_eq!(successor.checkpoint(), Some(&b"more"[..]));
    assert!(successor.token() > ticket.token());
    assert!(!machine.settle(&ticket, Settlement::renew()));
    assert_eq!(machine.count(), 1);
}

#[test]
fn a_lease_that_was_renewed_for_longer_is_held_for_that_long_after_a_restart() {
    let mut machine = Machine::new();
    let ticket = machine.execute("a");
    let terms = Terms { lease: TERMS.lease * 3, ..TERMS };
    let longer = Ticket::new(ticket.key().clone(), ticket.token(), terms, None);
    assert!(machine.settle(&longer, Settlement::renew()));
    machine.restart(2500);
    assert_eq!(machine.in_flight("a"), 3000);
}

#[test]
fn a_result_is_kept_for_its_retention_over_restarts() {
    for over in [false, true] {
        let mut machine = Machine::new();
        machine.complete("a");
        machine.pass(3000);
        // With this record it is written down how late it is.
        machine.complete("b");
        machine.restart(4000);
        machine.restart(2999);
        machine.pass(u64::from(over));
        assert_eq!(machine.is_replayed("a"), !over);
    }
}

#[test]
fn a_wall_clock_that_is_set_back_lets_no_time_pass() {
    let mut machine = Machine::new();
    machine.complete("a");
    machine.reading.wall = WallTime::UNIX_EPOCH;
    machine.restart(500_000);
    machine.pass(9999);
    assert!(machine.is_replayed("a"));
    machine.pass(1);
    assert!(!machine.is_replayed("a"));
}

#[test]
fn a_wall_clock_that_is_set_while_the_file_is_open_does_not_matter() {
    let day = Duration::from_secs(86_400);
    for set in [WallTime::from_nanos(1 << 60) + day, WallTime::from_nanos(1 << 60) - day] {
        let mut machine = Machine::new();
        machine.complete("a");
        machine.reading.wall = set;
        assert!(machine.is_replayed("a"));
        machine.complete("b");
        machine.restart(9999);
        assert!(machine.is_replayed("a"));
        machine.pass(1);
        assert!(!machine.is_replayed("a"));
    }
}

#[test]
fn a_wall_clock_that_is_set_is_noted_with_whatever_is_asked_next_or_at_the_end() {
    let year = Duration::from_secs(365 * 86_400);
    for (is_forward, is_ended) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut machine = Machine::new();
        machine.complete("a");
        if is_forward {
            machine.reading.wall += year;
        } else {
            machine.reading.wall -= year;
        }
        if is_ended {
            machine.engine.end(machine.reading);
        } else {
            assert!(machine.is_replayed("a"));
        }
        machine.restart(9999);
        assert!(machine.is_replayed("a"));
        machine.pass(1);
        assert!(!machine.is_replayed("a"));
    }
}

#[test]
fn clocks_that_go_together_are_not_noted_for_nothing() {
    let mut machine = Machine::new();
    machine.complete("a");
    let before = machine.state();
    for drift in [-1000, 0, 1000] {
        machine.pass(3000);
        let reading = machine.reading;
        machine.reading.wall =
            WallTime::from_nanos(reading.wall.as_nanos().strict_add_signed(drift * 1_000_000));
        assert!(machine.is_replayed("a"));
        assert_eq!(machine.state(), before);
        machine.reading = reading;
    }
    machine.reading.wall += Duration::from_millis(1001);
    assert!(machine.is_replayed("a"));
    assert_ne!(machine.state(), before);
}

#[test]
fn a_file_without_executions_gets_none_at_the_end() {
    let mut machine = Machine::new();
    machine.reading.wall += Duration::from_secs(86_400);
    machine.engine.end(machine.reading);
    machine.restart(1);
    let tables = machine.engine.shared.read(|transaction| {
        let missing = transaction.open_table(EXECUTION_STATE).err();
        assert!(matches!(missing, Some(TableError::TableDoesNotExist(_))));
        Ok(())
    });
    tables.unwrap();
}

#[test]
fn a_wall_clock_that_is_centuries_ahead_ends_results_and_nothing_in_flight() {
    let mut machine = Machine::new();
    let flying = machine.execute("flying");
    for round in 0..3 {
        let [before, meanwhile, after] = ["a", "b", "c"].map(|name| format!("{name}{round}"));
        machine.complete(&before);
        machine.reading.wall = WallTime::from_nanos(u64::MAX);
        machine.restart(0);
        // With a new key, what is over is forgotten.
        machine.complete(&meanwhile);
        assert!(!machine.is_replayed(&before));
        assert_eq!(machine.in_flight("flying"), 1000);
        assert!(machine.settle(&flying, Settlement::renew()));
        machine.pass(900);
        assert_eq!(machine.in_flight("flying"), 100);
        // It is mended, and that is noted with the next record.
        machine.reading.wall = WallTime::from_nanos(1 << 60);
        machine.complete(&after);
        machine.restart(1);
        assert!(machine.is_replayed(&meanwhile) && machine.is_replayed(&after));
        machine.restart(1);
    }
}

#[test]
fn tokens_go_on_over_restarts_and_epochs() {
    let mut machine = Machine::new();
    let first = machine.complete("a").token();
    assert_eq!(first, FencingToken::first(1));
    machine.restart(20_000);
    let second = machine.complete("a").token();
    assert_eq!(second, first.next().unwrap());
    machine.run(AdvanceEpoch { now: WallTime::UNIX_EPOCH }).unwrap();
    let third = machine.complete("b").token();
    assert_eq!(third, FencingToken::first(2));
    machine.restart(1);
    assert_eq!(machine.complete("c").token(), third.next().unwrap());
    // What is refused takes none.
    assert!(machine.is_replayed("c"));
    assert_eq!(machine.complete("d").token(), third.next().unwrap().next().unwrap());
}

#[test]
fn an_epoch_without_tokens_executes_nothing() {
    let mut machine = Machine::new();
    machine.complete("a");
    let last = FencingToken::new(1, NonZeroU64::MAX).to_bytes();
    write(&machine, |transaction| {
        let mut table = transaction.open_table(EXECUTION_STATE).unwrap();
        table.insert((), (0, 0, Some(&last))).unwrap();
    });
    machine.open().unwrap();
    let exhausted = machine.try_claim("b").unwrap_err();
    assert!(matches!(exhausted, StoreError::TokensExhausted { epoch: 1 }), "{exhausted}");
    assert_eq!(machine.count(), 1);
    machine.run(AdvanceEpoch { now: WallTime::UNIX_EPOCH }).unwrap();
    assert_eq!(machine.execute("b").token(), FencingToken::first(2));
}

#[test]
fn what_is_over_is_forgotten_a_few_with_each_new_key() {
    let mut machine = Machine::new();
    for key in 0..40 {
        machine.complete(&key.to_string());
    }
    machine.pass(9999);
    machine.complete("in time");
    assert_eq!(machine.count(), 41);
    machine.pass(1);
    // Neither an old key nor a settlement takes longer for it.
    assert!(machine.is_replayed("in time"));
    assert_eq!(machine.count(), 41);
    for new in 1..=10 {
        machine.execute(&format!("new {new}"));
        assert_eq!(machine.count(), 41 - 3 * new);
    }
    assert!(machine.is_replayed("in time"));
}

#[test]
fn what_is_in_flight_after_a_restart_is_not_forgotten_before_its_new_end() {
    let mut machine = Machine::new();
    let ticket = machine.execute("a");
    machine.restart(50_000);
    // By what is in the file, it is over; and whoever makes room learns that it is not.
    for key in ["b", "c"] {
        machine.complete(key);
    }
    assert_eq!((machine.count(), machine.in_flight("a")), (3, 1000));
    machine.pass(1000 + 9999);
    assert!(matches!(machine.claim("a"), Claimed::Recover(_)));
    assert!(!machine.settle(&ticket, Settlement::renew()));
    machine.restart(0);
    machine.pass(1000 + 10_000);
    machine.execute("a");
}

#[test]
fn there_are_as_many_executions_as_were_allowed() {
    let max_executions = NonZeroU64::new(2).unwrap();
    let mut machine = Machine::with(RedbConfig { max_executions, ..RedbConfig::default() });
    machine.complete("a");
    machine.pass(1);
    machine.complete("b");
    assert!(matches!(machine.claim("c"), Claimed::Full));
    assert!(machine.is_replayed("a"));
    machine.pass(9999);
    // There is room once one is over.
    let ticket = machine.execute("c");
    assert!(matches!(machine.claim("d"), Claimed::InFlight { .. } | Claimed::Full));
    assert!(machine.settle(&ticket, Settlement::release()));
    machine.execute("c");
    assert_eq!(machine.count(), 2);
}

#[test]
fn a_release_takes_up_room_for_as_long_as_it_may_be_retried() {
    let max_executions = NonZeroU64::MIN;
    let mut machine = Machine::with(RedbConfig { max_executions, ..RedbConfig::default() });
    let ticket = machine.execute("a");
    assert!(machine.settle(&ticket, Settlement::release()));
    machine.pass(99);
    assert!(machine.settle(&ticket, Settlement::release()));
    assert!(matches!(machine.claim("b"), Claimed::Full));
    machine.pass(1);
    assert!(!machine.settle(&ticket, Settlement::release()));
    let successor = machine.execute("b");
    assert!(successor.token() > ticket.token());
}

#[test]
fn a_file_without_executions_is_as_good_as_one_with_none() {
    let mut machine = Machine::new();
    let tables = machine.engine.shared.read(|transaction| {
        let is_missing = |error| matches!(error, Some(TableError::TableDoesNotExist(_)));
        assert!(is_missing(transaction.open_table(EXECUTIONS).err()));
        assert!(is_missing(transaction.open_table(EXECUTION_ENDS).err()));
        assert!(is_missing(transaction.open_table(EXECUTION_STATE).err()));
        Ok(())
    });
    tables.unwrap();
    let key = Key::new("", "", "a").unwrap();
    let ticket = Ticket::new(key, FencingToken::first(1), TERMS, None);
    assert!(!machine.settle(&ticket, Settlement::release()));
    machine.restart(1);
    machine.complete("a");
    machine.restart(1);
    assert!(machine.is_replayed("a"));
}

#[test]
fn what_is_damaged_is_said_to_be() {
    let corrupt = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Corrupt { .. })), "{result:?}");
    };
    let mut machine = Machine::new();
    let ticket = machine.complete("a");
    write(&machine, |transaction| {
        let mut table = transaction.open_table(EXECUTIONS).unwrap();
        table.insert(ticket.key().as_bytes(), (0, &b"no record"[..])).unwrap();
    });
    corrupt(machine.try_claim("a").map(drop));
    corrupt(machine.run(Settle::new(&ticket, Settlement::release())).map(drop));
    // The others are not the worse for it, nor once it would be forgotten.
    machine.complete("b");
    machine.pass(10_000);
    for key in ["c", "d"] {
        machine.complete(key);
    }
    assert_eq!(machine.counts(), (3, 2));
    corrupt(machine.try_claim("a").map(drop));
    write(&machine, |transaction| {
        let mut table = transaction.open_table(EXECUTION_STATE).unwrap();
        table.insert((), (0, 0, Some(&[0; 16]))).unwrap();
    });
    corrupt(machine.open());
}

fn write(machine: &Machine, write: impl FnOnce(&::redb::WriteTransaction)) {
    let database = machine.engine.shared.database.read();
    let transaction = database.as_ref().unwrap().begin_write().unwrap();
    write(&transaction);
    transaction.commit().unwrap();
}
