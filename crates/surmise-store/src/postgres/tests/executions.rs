//! What the statements of executions must not be.

use core::time::Duration;
use std::sync::Arc;

use surmise_fence::FencingToken;
use surmise_idempotency::{Fingerprint, Key};
use tokio_postgres::Transaction;

use super::{
    super::{claim, forget, settle, support::waiters},
    Mutant, SQL, Trial, Which, holds_but_for,
};
use crate::{
    Claim, Claimed, IdempotencyStore as _, LeaseStore as _, Settled, Settlement, Terms, Ticket,
};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(10);

fn key() -> Key {
    Key::new("tenant", "charge", "1").unwrap()
}

fn asked(key: &Key, lease: Duration, nonce: u64) -> Claim<'_> {
    let terms = Terms { lease, brief_retention: SHORT, ..Terms::default() };
    Claim::new(key, Fingerprint::NONE, nonce, terms).unwrap()
}

fn executed(claimed: Claimed) -> Ticket {
    let Claimed::Execute(ticket) = claimed else { panic!("{claimed:?}") };
    ticket
}

impl Trial {
    async fn execute(&self, lease: Duration) -> Ticket {
        executed(self.store.claim(asked(&key(), lease, 0)).await.unwrap())
    }

    async fn settle(&self, ticket: &Ticket, settlement: Settlement<'_>) -> Settled {
        self.store.settle(ticket, settlement).await.unwrap()
    }

    /// Has the record be over, and stay where it is.
    async fn is_over(&self) {
        let over = "UPDATE surmise.execution SET forgotten_at = clock_timestamp()";
        assert_eq!(self.client().await.execute(over, &[]).await.unwrap(), 1);
    }
}

/// Completes an execution for a moment, and forgets it, in one transaction.
async fn come_and_go(transaction: &Transaction<'_>, ticket: &Ticket) {
    let brief = Settlement::complete(b"brief", SHORT).unwrap();
    settle(transaction, ticket, brief).await.unwrap().unwrap();
    while forget(transaction, 1).await.unwrap() == 0 {}
}

/// Who claims a key that others claim, and of which nothing is left when they are done. Also returns when they were, and
/// when the lease began.
async fn after_others(trial: &Trial) -> (FencingToken, Ticket, bool) {
    let (watch, mut client) = (trial.client().await, trial.client().await);
    let transaction = client.transaction().await.unwrap();
    let key = key();
    let first = executed(claim(&transaction, asked(&key, LONG, 1)).await.unwrap());
    let store = Arc::clone(&trial.store);
    let late =
        tokio::spawn(
            async move { executed(store.claim(asked(&self::key(), LONG, 2)).await.unwrap()) },
        );
    while waiters(&watch).await == 0 {
        assert!(!late.is_finished(), "it does not wait");
    }
    trial.store.advance_epoch().await.unwrap();
    come_and_go(&transaction, &first).await;
    let second = executed(claim(&transaction, asked(&key, LONG, 1)).await.unwrap());
    come_and_go(&transaction, &second).await;
    let before = transaction.query_one("SELECT clock_timestamp()::text", &[]).await.unwrap();
    let before: String = before.get(0);
    transaction.commit().await.unwrap();
    let late = late.await.unwrap();
    let began = "SELECT lease_ends - interval '3600 s' >= $1::text::timestamptz
        FROM surmise.execution";
    let is_later = watch.query_one(began, &[&before]).await.unwrap().get(0);
    (second.token(), late, is_later)
}

/// Who would take over from an execution that is being settled.
async fn takes_over_nothing_that_is_completed(trial: &Trial) -> bool {
    let (watch, mut client) = (trial.client().await, trial.client().await);
    let ticket = trial.execute(SHORT).await;
    let transaction = client.transaction().await.unwrap();
    settle(&transaction, &ticket, Settlement::complete(b"once", LONG).unwrap())
        .await
        .unwrap()
        .unwrap();
    let store = Arc::clone(&trial.store);
    let late = tokio::spawn(async move {
        loop {
            let claimed = store.claim(asked(&key(), LONG, 2)).await.unwrap();
            if !matches!(claimed, Claimed::InFlight { .. }) {
                return claimed;
            }
        }
    });
    while waiters(&watch).await == 0 {
        assert!(!late.is_finished(), "it does not wait");
    }
    transaction.commit().await.unwrap();
    matches!(late.await.unwrap(), Claimed::Replay(result) if result == b"once")
}

/// Who would settle an execution that is being taken over.
async fn settles_nothing_that_is_taken_over(trial: &Trial) -> bool {
    let (watch, mut client) = (trial.client().await, trial.client().await);
    let zombie = trial.execute(SHORT).await;
    let transaction = client.transaction().await.unwrap();
    let key = key();
    let successor = loop {
        match claim(&transaction, asked(&key, LONG, 2)).await.unwrap() {
            Claimed::Recover(ticket) => break ticket,
            other => assert!(matches!(other, Claimed::InFlight { .. }), "{other:?}"),
        }
    };
    let store = Arc::clone(&trial.store);
    let late = tokio::spawn(async move {
        store.settle(&zombie, Settlement::complete(b"late", LONG).unwrap()).await.unwrap()
    });
    while waiters(&watch).await == 0 {
        assert!(!late.is_finished(), "it does not wait");
    }
    transaction.commit().await.unwrap();
    let is_void = matches!(late.await.unwrap(), Settled::Fenced);
    let completion = Settlement::complete(b"once", LONG).unwrap();
    is_void && matches!(trial.settle(&successor, completion).await, Settled::Done)
}

/// What is over: it is settled no more, and the next execution knows nothing of it.
async fn is_over_when_it_is(trial: &Trial) -> bool {
    let first = trial.execute(LONG).await;
    assert!(matches!(
        trial.settle(&first, Settlement::save(b"half").unwrap()).await,
        Settled::Done
    ));
    trial.is_over().await;
    let late = trial.settle(&first, Settlement::renew()).await;
    trial.is_over().await;
    let second = trial.execute(LONG).await;
    matches!(late, Settled::Fenced)
        && second.token() > first.token()
        && second.checkpoint().is_none()
        // A claim that is sent again is told what is in the row.
        && match trial.store.claim(asked(&key(), LONG, 0)).await.unwrap() {
            Claimed::InFlight { .. } => {
                let client = trial.client().await;
                let left = "SELECT count(value) FROM surmise.execution";
                client.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0
            }
            other => panic!("{other:?}"),
        }
}

/// A completion that is said twice, with other words.
async fn the_first_result_is_kept(trial: &Trial) -> bool {
    let ticket = trial.execute(LONG).await;
    let completion = |result| Settlement::complete(result, LONG).unwrap();
    for _ in 0..2 {
        assert!(matches!(trial.settle(&ticket, completion(b"first")).await, Settled::Done));
    }
    let other = trial.settle(&ticket, completion(b"other")).await;
    let replayed = trial.store.claim(asked(&key(), LONG, 2)).await.unwrap();
    matches!(other, Settled::AlreadyCompleted)
        && matches!(replayed, Claimed::Replay(result) if result == b"first")
}

/// A recovery that is given back, with what it was to recover from.
async fn what_is_given_back_stays(trial: &Trial) -> bool {
    let first = trial.execute(SHORT).await;
    assert!(matches!(
        trial.settle(&first, Settlement::save(b"half").unwrap()).await,
        Settled::Done
    ));
    let recovery = loop {
        match trial.store.claim(asked(&key(), LONG, 2)).await.unwrap() {
            Claimed::Recover(ticket) => break ticket,
            other => assert!(matches!(other, Claimed::InFlight { .. }), "{other:?}"),
        }
    };
    let client = trial.client().await;
    let forgotten = async || {
        let at = "SELECT forgotten_at::text FROM surmise.execution";
        client.query_one(at, &[]).await.unwrap().get::<_, String>(0)
    };
    let before = forgotten().await;
    assert!(matches!(trial.settle(&recovery, Settlement::release()).await, Settled::Done));
    let is_kept = forgotten().await == before;
    match trial.store.claim(asked(&key(), LONG, 3)).await.unwrap() {
        Claimed::Recover(next) => {
            is_kept && next.checkpoint() == Some(b"half") && next.token() > recovery.token()
        }
        _ => false,
    }
}

/// Keys that come and go, and one that is in flight.
async fn forgets_what_is_over_and_nothing_else(trial: &Trial) -> bool {
    let stays = trial.execute(LONG).await;
    let client = trial.client().await;
    let mut last = stays.token();
    for number in 0..10 {
        let key = Key::new("tenant", "brief", [number]).unwrap();
        let ticket = executed(trial.store.claim(asked(&key, LONG, 0)).await.unwrap());
        if ticket.token() <= last {
            return false;
        }
        last = ticket.token();
        _ = trial.settle(&ticket, Settlement::complete(b"", SHORT).unwrap()).await;
        let kept = "SELECT count(*) FROM surmise.execution WHERE forgotten_at > clock_timestamp()";
        while client.query_one(kept, &[]).await.unwrap().get::<_, i64>(0) > 1 {}
    }
    let rows = "SELECT count(*) FROM surmise.execution";
    let rows: i64 = client.query_one(rows, &[]).await.unwrap().get(0);
    rows <= 3 && matches!(trial.settle(&stays, Settlement::renew()).await, Settled::Done)
}

#[tokio::test]
async fn a_token_is_drawn_and_a_lease_begins_when_the_key_is_locked() {
    let lock = "pg_advisory_xact_lock(1937076846, hashtext(encode($1, 'hex')))";
    let epoch = "SELECT last_value FROM surmise.execution_epoch WHERE moment.now IS NOT NULL";
    let mutants: [Mutant; 4] = [
        (Which::Claim, lock, "1"),
        (Which::Claim, "clock_timestamp() AS now FROM turn", "now() AS now FROM turn"),
        (Which::Claim, epoch, "SELECT epoch FROM surmise.store"),
        (Which::Claim, "nextval('surmise.execution_counter')", "1"),
    ];
    let holds = async |trial: &Trial| {
        let epoch = "SELECT epoch FROM surmise.store";
        let (before, late, is_later) = after_others(trial).await;
        let epoch: i64 = trial.client().await.query_one(epoch, &[]).await.unwrap().get(0);
        let token = late.token();
        // With the epoch it would be above in any case.
        is_later && token.counter() > before.counter() && token.epoch() == epoch.cast_unsigned()
    };
    holds_but_for("late claim", holds, &mutants).await;
}

#[tokio::test]
async fn a_takeover_is_of_what_was_seen() {
    let mutants: [Mutant; 2] =
        [(Which::Take, "AND version = $4", ""), (Which::Take, "FOR UPDATE", "")];
    holds_but_for("takeover", takes_over_nothing_that_is_completed, &mutants).await;
}

#[tokio::test]
async fn a_settlement_is_of_the_latest_token() {
    let mutants: [Mutant; 2] = [
        (Which::Settle, "FOR UPDATE", ""),
        (Which::Settle, "AND epoch = $2 AND counter = $3", "AND $2 > 0 AND $3 > 0"),
    ];
    holds_but_for("settlement", settles_nothing_that_is_taken_over, &mutants).await;
}

#[tokio::test]
async fn what_is_over_is_over() {
    let mutants: [Mutant; 3] = [
        (Which::Settle, "AND now < moment.forgotten_at", ""),
        (Which::Take, "CASE WHEN $7 THEN value END", "value"),
        (Which::Take, "nextval('surmise.execution_counter')", "counter"),
    ];
    holds_but_for("over", is_over_when_it_is, &mutants).await;
}

#[tokio::test]
async fn what_is_completed_stays() {
    let mutants: [Mutant; 1] = [(Which::Settle, "moment.state = 'in flight'", "true")];
    holds_but_for("completed", the_first_result_is_kept, &mutants).await;
}

#[tokio::test]
async fn what_is_given_back_is_to_be_recovered() {
    let given_back = |part| format!("CASE WHEN gives_back THEN {part}");
    let parts = ["execution.state", "least(execution.lease_ends, now)", "execution.forgotten_at"];
    let mutants = parts.map(|part| {
        let [from, to] = [given_back(part), format!("CASE WHEN false THEN {part}")];
        (Which::Settle, &*String::leak(from), &*String::leak(to))
    });
    let others: [Mutant; 2] = [
        (Which::Settle, "AND recovers AS gives_back", "AND false AS gives_back"),
        (Which::Settle, "CASE WHEN gives_back OR", "CASE WHEN"),
    ];
    holds_but_for("given back", what_is_given_back_stays, &[&mutants[..], &others].concat()).await;
}

#[tokio::test]
async fn what_is_over_is_deleted() {
    let mutants: [Mutant; 3] = [
        (Which::Claim, "forgotten_at <= statement_timestamp()", "true"),
        (Which::Claim, "forgotten_at <= statement_timestamp()", "false"),
        (Which::Claim, "nextval('surmise.execution_counter')", "1"),
    ];
    holds_but_for("deleted", forgets_what_is_over_and_nothing_else, &mutants).await;
}

/// Clocks of servers are set, forward and back.
#[tokio::test]
async fn a_clock_that_is_set_back_only_lengthens_leases() {
    let Some(trial) = Trial::new("set back", SQL).await else { return };
    let (behind, ahead) = (trial.skewed("-90 minutes").await, trial.skewed("90 minutes").await);
    let left = async |trial: &Trial| match trial.store.claim(asked(&key(), LONG, 2)).await.unwrap()
    {
        Claimed::InFlight { retry_after } => retry_after,
        other => panic!("{other:?}"),
    };
    let done = async |trial: &Trial, ticket: &Ticket, settlement: Settlement<'_>| {
        let settled = trial.settle(ticket, settlement).await;
        assert!(matches!(settled, Settled::Done), "{settled:?}");
    };
    let completion = |result| Settlement::complete(result, 24 * LONG).unwrap();

    let ticket = trial.execute(LONG).await;
    // It is in flight for longer, and not for its holder alone.
    assert!(left(&behind).await > 2 * LONG);
    done(&behind, &ticket, Settlement::renew()).await;
    assert!(left(&behind).await <= LONG);
    // Set right again, it has ended early; who was at it and is alone goes on.
    done(&trial, &ticket, Settlement::renew()).await;
    assert!(left(&trial).await > LONG / 2);
    done(&behind, &ticket, Settlement::save(b"half").unwrap()).await;
    let recovery = ahead.store.claim(asked(&key(), LONG, 3)).await.unwrap();
    let Claimed::Recover(next) = recovery else { panic!("{recovery:?}") };
    assert_eq!(next.checkpoint(), Some(&b"half"[..]));
    assert!(next.token() > ticket.token());
    for trial in [&behind, &trial, &ahead] {
        let late = trial.settle(&ticket, completion(b"late")).await;
        assert!(matches!(late, Settled::Fenced), "{late:?}");
    }
    // A recovery that is given back is over by any clock that shows no earlier time.
    done(&behind, &next, Settlement::release()).await;
    let recovery = trial.store.claim(asked(&key(), LONG, 4)).await.unwrap();
    let Claimed::Recover(last) = recovery else { panic!("{recovery:?}") };
    done(&behind, &last, completion(b"done")).await;
    for trial in [&behind, &trial, &ahead] {
        let claimed = trial.store.claim(asked(&key(), LONG, 5)).await.unwrap();
        assert!(matches!(&claimed, Claimed::Replay(it) if it == b"done"), "{claimed:?}");
    }
}

impl Trial {
    /// Opens another store in the same database, to which the server's clock shows another time.
    async fn skewed(&self, by: &str) -> Self {
        let clock = format!("(clock_timestamp() + interval '{by}')");
        let sql = SQL.map(|mut sql| {
            sql.text = Box::leak(sql.text.replace("clock_timestamp()", &clock).into_boxed_str());
            sql
        });
        self.again_with(Box::leak(Box::new(sql))).await
    }
}
