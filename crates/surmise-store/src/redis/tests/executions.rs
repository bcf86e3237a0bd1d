//! What the scripts of executions must not be.

#![expect(clippy::std_instead_of_alloc, reason = "a test has the standard library")]

use core::{sync::atomic::Ordering, time::Duration};
use std::sync::Arc;

use redis::cmd;
use surmise_idempotency::{Fingerprint, Key};

use super::{HOUR, Lua, Mutant, Trial, between::Gate, holds_but_for, mutated, open};
use crate::{
    Claim, Claimed, IdempotencyStore as _, LeaseStore as _, Settled, StoreError, Terms, Ticket,
    redis::{RedisStore, scripts::LUA},
    servers::{Redis, Server},
    stream::{boxed, plain},
};

const TERMS: Terms = Terms {
    lease: HOUR,
    retention: Duration::from_secs(24 * 3600),
    brief_retention: Duration::from_millis(10),
};

fn key() -> Key {
    Key::new("tenant", "charge", "1").unwrap()
}

async fn claim(store: &RedisStore, nonce: u64, terms: Terms) -> Claimed {
    let key = key();
    let claim = Claim::new(&key, Fingerprint::NONE, nonce, terms).unwrap();
    store.claim(claim).await.unwrap()
}

async fn execute(store: &RedisStore, terms: Terms) -> Ticket {
    match claim(store, 1, terms).await {
        Claimed::Execute(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

fn done(settled: Result<Settled, StoreError>) {
    assert!(matches!(settled, Ok(Settled::Done)), "{settled:?}");
}

impl Trial {
    fn execution(&self) -> Vec<u8> {
        let prefix = format!("{{{}}}execution/", self.config.prefix);
        [prefix.as_bytes(), key().as_bytes()].concat()
    }

    /// Returns what is kept of the execution: of when its times are, in microseconds, and when the server forgets it.
    async fn kept(&self) -> (Vec<u8>, u64, u64) {
        let mut bare = self.bare.clone();
        let bytes: Vec<u8> = cmd("GET").arg(self.execution()).query_async(&mut bare).await.unwrap();
        let begins = str::from_utf8(&bytes[80..100]).unwrap().parse().unwrap();
        let end: i64 =
            cmd("PEXPIRETIME").arg(self.execution()).query_async(&mut bare).await.unwrap();
        (bytes, begins, u64::try_from(end).unwrap_or(0) * 1_000)
    }

    /// Waits until the server has forgotten the execution.
    async fn until_forgotten(&self) {
        while cmd("EXISTS").arg(self.execution()).query_async(&mut self.bare.clone()).await == Ok(1)
        {
            tokio::task::yield_now().await;
        }
    }
}

/// Over forgetting, over epochs, and where numbers of Lua do not count.
async fn each_execution_has_a_greater_token(trial: &Trial) -> bool {
    let store = &trial.store;
    let first = execute(store, TERMS).await;
    done(store.complete_briefly(&first, b"declined").await);
    trial.until_forgotten().await;
    let second = execute(store, TERMS).await;
    done(store.release(&second).await);
    let epoch = store.advance_epoch().await.unwrap();
    let third = execute(store, TERMS).await;
    done(store.release(&third).await);
    // As after a loss of the epoch alone.
    trial.put("epoch", format!("{:020}", epoch - 1).as_bytes()).await;
    let fourth = execute(store, TERMS).await;
    done(store.release(&fourth).await);
    let mut greater = third.token().epoch() == epoch;
    for last in [9, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, u64::MAX - 1] {
        trial.put("executions", format!("{epoch:020}{last:020}").as_bytes()).await;
        let Claimed::Execute(ticket) = claim(store, 1, TERMS).await else { return false };
        greater &= ticket.token().counter().get() == last + 1;
        cmd("DEL").arg(trial.execution()).exec_async(&mut trial.bare.clone()).await.unwrap();
    }
    greater
        && first.token() < second.token()
        && second.token() < third.token()
        && third.token() < fourth.token()
}

#[tokio::test]
async fn a_token_is_issued_once() {
    let mutants: [Mutant; 4] = [
        (|lua| &mut lua.exchange, "redis.call('SET', KEYS[2], number)", ""),
        (|lua| &mut lua.exchange, "counter = next_number(counter)", "counter = next_number(NONE)"),
        (
            |lua| &mut lua.exchange,
            "counter = next_number(counter)",
            "counter = text(tonumber(counter) + 1)",
        ),
        (|lua| &mut lua.exchange, ">= epoch then", "== epoch then"),
    ];
    holds_but_for(each_execution_has_a_greater_token, &mutants).await;
}

/// Not before the retention is over, and not much later.
async fn what_is_over_is_forgotten_by_the_server(trial: &Trial) -> bool {
    let store = &trial.store;
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap();
    let ends = |begins: u64, time: Duration, end: u64| {
        let lasts = begins + micros(time);
        lasts <= end && end < lasts + 1_000
    };
    let mut right = true;
    for _ in 0..5 {
        let ticket = execute(store, TERMS).await;
        let (_, claimed, end) = trial.kept().await;
        right &= ends(claimed, TERMS.lease + TERMS.retention, end);
        // A note does not let anything last for longer.
        done(store.save(&ticket, b"half").await);
        let (_, saved, end) = trial.kept().await;
        right &= saved == claimed && ends(claimed, TERMS.lease + TERMS.retention, end);
        done(store.renew(&ticket).await);
        let (_, renewed, end) = trial.kept().await;
        right &= renewed > saved && ends(renewed, TERMS.lease + TERMS.retention, end);
        done(store.complete(&ticket, b"done").await);
        let (bytes, completed, end) = trial.kept().await;
        right &= ends(completed, TERMS.retention, end) && bytes.ends_with(b"done");
        cmd("DEL").arg(trial.execution()).exec_async(&mut trial.bare.clone()).await.unwrap();
        let ticket = execute(store, Terms { brief_retention: HOUR, ..TERMS }).await;
        done(store.release(&ticket).await);
        let (_, released, end) = trial.kept().await;
        right &= ends(released, HOUR, end);
        cmd("DEL").arg(trial.execution()).exec_async(&mut trial.bare.clone()).await.unwrap();
    }
    right
}

#[tokio::test]
async fn records_end_when_they_are_over() {
    let mutants: [Mutant; 4] = [
        (|lua| &mut lua.exchange, "math.ceil(", "math.floor("),
        (|lua| &mut lua.exchange, ", 'PXAT', ('%.0f'):format(forgotten_at)", ""),
        (|lua| &mut lua.exchange, "if begins == '' then begins", "do begins"),
        (|lua| &mut lua.exchange, "'PXAT', ('%.0f'):format(forgotten_at)", "'PX', 3600000"),
    ];
    holds_but_for(what_is_over_is_forgotten_by_the_server, &mutants).await;
}

/// What another does between the look of a settlement and what it does, whichever request it is that is late.
async fn nothing_is_lost_in_between(server: &Server, lua: &Lua) -> bool {
    let mut kept = true;
    for before in 1..=2 {
        // A note of the same executor, while it renews.
        let case = Late::new(server, lua, TERMS, before).await;
        let other = async |case: &Late| done(case.trial.store.save(&case.ticket, b"half").await);
        let late = async |case: &Late| case.gated.renew(&case.ticket).await;
        done(case.run(other, late).await);
        kept &= match case.takes_over().await {
            Claimed::Recover(ticket) => ticket.checkpoint() == Some(b"half"),
            _ => false,
        };
        // A completion beside another one.
        let case = Late::new(server, lua, TERMS, before).await;
        let other = async |case: &Late| done(case.trial.store.complete(&case.ticket, b"1").await);
        let late = async |case: &Late| case.gated.complete(&case.ticket, b"2").await;
        kept &= matches!(case.run(other, late).await, Ok(Settled::AlreadyCompleted));
        kept &=
            matches!(claim(&case.trial.store, 2, TERMS).await, Claimed::Replay(it) if it == b"1");
        // A takeover.
        let case = Late::new(server, lua, Terms { lease: SHORT, ..TERMS }, before).await;
        let other = async |case: &Late| {
            assert!(matches!(case.takes_over().await, Claimed::Recover(_)));
        };
        let settled = case.run(other, late).await;
        kept &= matches!(settled, Ok(Settled::Fenced));
        kept &= matches!(claim(&case.trial.store, 9, TERMS).await, Claimed::InFlight { .. });
        // A renewal, while another takes over.
        let case = Late::new(server, lua, Terms { lease: SHORT, ..TERMS }, before).await;
        tokio::time::sleep(2 * SHORT).await;
        let other = async |case: &Late| {
            let long = Ticket::new(key(), case.ticket.token(), TERMS, None);
            done(case.trial.store.renew(&long).await);
        };
        let late = async |case: &Late| claim(&case.gated, 7, TERMS).await;
        kept &= matches!(case.run(other, late).await, Claimed::InFlight { .. });
        // A claim beside another one.
        let case = Late::new(server, lua, TERMS, before).await;
        done(case.trial.store.release(&case.ticket).await);
        let other = async |case: &Late| {
            assert!(matches!(claim(&case.trial.store, 8, TERMS).await, Claimed::Execute(_)));
        };
        kept &= matches!(case.run(other, late).await, Claimed::InFlight { .. });
    }
    kept
}

const SHORT: Duration = Duration::from_millis(10);

/// An execution, and a caller some request of whom is late.
struct Late {
    trial: Trial,
    gate: Arc<Gate>,
    gated: RedisStore,
    ticket: Ticket,
    before: u64,
}

impl Late {
    async fn new(server: &Server, lua: &Lua, terms: Terms, before: u64) -> Self {
        let trial = Trial::new(server, &LUA).await;
        let gate = Arc::new(Gate::default());
        let gated = open(&trial.config, gate.connector(), lua).await;
        let ticket = execute(&trial.store, terms).await;
        // The server is to know the scripts.
        let other = Key::new("", "", "other").unwrap();
        let claimed = gated.begin(&other, Fingerprint::NONE, TERMS).await.unwrap();
        let Claimed::Execute(first) = claimed else { panic!("{claimed:?}") };
        done(gated.save(&first, b"").await);
        Self { trial, gate, gated, ticket, before }
    }

    /// Has something done late, and before it what another does.
    async fn run<T>(&self, other: impl AsyncFn(&Self), late: impl AsyncFn(&Self) -> T) -> T {
        self.gate.before.store(self.before, Ordering::SeqCst);
        let mut late = core::pin::pin!(late(self));
        tokio::select! {
            // It has no more requests.
            outcome = &mut late => {
                self.gate.before.store(0, Ordering::SeqCst);
                other(self).await;
                return outcome;
            }
            () = self.gate.reached.notified() => {}
        }
        other(self).await;
        self.gate.open.notify_one();
        late.await
    }

    async fn takes_over(&self) -> Claimed {
        // As if the lease were over: renewed under terms that end soon.
        let short = Ticket::new(key(), self.ticket.token(), Terms { lease: SHORT, ..TERMS }, None);
        done(self.trial.store.renew(&short).await);
        loop {
            match claim(&self.trial.store, 5, TERMS).await {
                Claimed::InFlight { retry_after } => tokio::time::sleep(retry_after).await,
                other => return other,
            }
        }
    }
}

#[tokio::test]
async fn what_came_in_between_is_seen() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&[]);
    assert!(nothing_is_lost_in_between(&server, &LUA).await);
    let compare = "redis.call('GETRANGE', KEYS[1], 0, EXECUTION - 1) ~= ARGV[1]";
    for instead in [
        "ARGV[1] == '' and redis.call('GET', KEYS[1])",
        // Whoever has the same token is the same, but did something else.
        "redis.call('GETRANGE', KEYS[1], 0, TOKEN - 1) ~= ARGV[1]:sub(1, TOKEN)",
    ] {
        let lua = mutated(|lua| &mut lua.exchange, compare, instead);
        assert!(!nothing_is_lost_in_between(&server, &lua).await, "{instead:?} is not caught");
    }
}

/// Clocks of servers are set, forward and back.
#[tokio::test]
async fn a_clock_that_is_set_back_only_lengthens_leases() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&[]);
    let trial = Trial::new(&server, &LUA).await;
    let skewed = async |seconds: i32| {
        let clock = "return tonumber(now[1])";
        let wrong = format!("return ({seconds} + tonumber(now[1]))");
        let lua = mutated(|lua| &mut lua.exchange, clock, &wrong);
        let look_up = mutated(|lua| &mut lua.look_up, clock, &wrong).look_up;
        open(&trial.config, boxed(plain), &Lua { look_up, ..lua }).await
    };
    let [behind, ahead] = [skewed(-5_400).await, skewed(5_400).await];
    let ticket = execute(&trial.store, TERMS).await;
    // It is in flight for longer, and not for its holder alone.
    let left = async |store| match claim(store, 2, TERMS).await {
        Claimed::InFlight { retry_after } => retry_after,
        other => panic!("{other:?}"),
    };
    assert!(left(&behind).await > 2 * HOUR);
    done(behind.renew(&ticket).await);
    assert!(left(&behind).await <= HOUR);
    // Set right again, it has ended early; who was at it and is alone goes on.
    done(trial.store.renew(&ticket).await);
    assert!(left(&trial.store).await > HOUR / 2);
    done(behind.save(&ticket, b"half").await);
    assert!(left(&trial.store).await <= HOUR);
    let Claimed::Recover(next) = claim(&ahead, 3, TERMS).await else { panic!() };
    assert_eq!(next.checkpoint(), Some(&b"half"[..]));
    assert!(next.token() > ticket.token());
    for store in [&behind, &trial.store, &ahead] {
        let late = store.complete(&ticket, b"late").await;
        assert!(matches!(late, Ok(Settled::Fenced)), "{late:?}");
    }
    // A recovery that is given back is over by any clock.
    done(behind.release(&next).await);
    let Claimed::Recover(next) = claim(&trial.store, 5, TERMS).await else { panic!() };
    done(behind.complete(&next, b"done").await);
    for store in [&behind, &trial.store, &ahead] {
        assert!(
            matches!(claim(store, 4, TERMS).await, Claimed::Replay(result) if result == b"done")
        );
    }
}
