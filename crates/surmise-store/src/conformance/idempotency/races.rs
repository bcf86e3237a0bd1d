//! Callers that are at it at once, and those that ask again because they heard nothing.

use surmise_idempotency::Key;

use super::trial::{done, long, request, short, unexpected};
use crate::{
    Claimed, IdempotencyStore, Ticket,
    conformance::{
        Case, Flaw, Timer,
        join::join_all,
        trial::{SHORT, STEP, Trial, must_grow, same},
    },
};

pub(super) fn cases<S: IdempotencyStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("of-many-who-claim-one-executes", |trial| Box::pin(duplicates(trial))),
        Case::new("of-many-who-wait-all-have-one-result", |trial| Box::pin(waiting(trial))),
        Case::new("of-many-who-recover-one-does", |trial| Box::pin(recoveries(trial))),
        Case::new("what-is-new-is-kept-among-what-is-hot", |trial| Box::pin(fresh(trial))),
        Case::new("a-claim-whose-reply-was-lost-is-the-same", |trial| Box::pin(retry(trial))),
        Case::new("a-recovery-whose-reply-was-lost-is-one", |trial| Box::pin(recovery(trial))),
        Case::new("a-claim-without-a-nonce-is-no-retry", |trial| Box::pin(no_nonce(trial))),
        Case::new("a-settlement-whose-reply-was-lost-is-done", |trial| Box::pin(again(trial))),
    ]
}

/// How many claims are under way at once.
const WIDTH: u64 = 12;
/// How often that is tried.
const ROUNDS: u8 = 10;
/// How many keys are hot, and how many are new.
const FRESH: u8 = 100;

async fn duplicates<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let mut last: Option<Ticket> = None;
    for round in 0..ROUNDS {
        let claims = (1..=WIDTH).map(|nonce| {
            let nonce = nonce + u64::from(round) * WIDTH;
            trial.claim(&key, request(1), nonce, long())
        });
        let mut tickets = Vec::new();
        for claimed in join_all(claims).await {
            match claimed? {
                Claimed::Execute(ticket) => tickets.push(ticket),
                Claimed::InFlight { .. } => {}
                other => return Err(unexpected("a key that others claim too", &other)),
            }
        }
        same("how many of many execute", tickets.len(), 1)?;
        let Some(ticket) = tickets.pop() else { return Ok(()) };
        if let Some(last) = &last {
            must_grow(last.token(), ticket.token())?;
        }
        done(trial.store.release(&ticket).await)?;
        last = Some(ticket);
    }
    Ok(())
}

async fn waiting<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let callers = (1..=WIDTH).map(|nonce| call(trial, &key, nonce));
    let mut executed = 0;
    for called in join_all(callers).await {
        executed += usize::from(called?);
    }
    same("how many of many execute", executed, 1)
}

/// Executes, or asks until somebody else has, and returns whether it executed.
async fn call<S: IdempotencyStore, T: Timer>(
    trial: &Trial<'_, S, T>,
    key: &Key,
    nonce: u64,
) -> Result<bool, Flaw> {
    loop {
        match trial.claim(key, request(1), nonce, long()).await? {
            Claimed::Execute(ticket) => {
                trial.timer.sleep(STEP).await;
                done(trial.store.complete(&ticket, b"once").await)?;
                return Ok(true);
            }
            Claimed::Replay(result) => {
                same("the result", result.as_slice(), b"once")?;
                return Ok(false);
            }
            Claimed::InFlight { .. } => trial.timer.sleep(STEP).await,
            other => return Err(unexpected("a key that others claim too", &other)),
        }
    }
}

async fn recoveries<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let dead = trial.execute(&key, 1, short()).await?;
    trial.timer.sleep(2 * SHORT).await;
    let claims = (2..2 + WIDTH).map(|nonce| trial.claim(&key, request(1), nonce, long()));
    let mut recovered = 0;
    for claimed in join_all(claims).await {
        match claimed? {
            Claimed::Recover(ticket) => {
                must_grow(dead.token(), ticket.token())?;
                recovered += 1;
            }
            Claimed::InFlight { .. } => {}
            other => return Err(unexpected("a key whose executor died", &other)),
        }
    }
    same("how many of many recover", recovered, 1)
}

/// Where there is no room, that is said; but none that is new is lost because the old ones are asked for.
async fn fresh<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let named = |name: &str, nth: u8| trial.key(&format!("{name}-{nth}"));
    for nth in 0..FRESH {
        let ticket = trial.execute(&named("hot", nth)?, 1, long()).await?;
        done(trial.store.complete(&ticket, b"hot").await)?;
    }
    for nth in 0..FRESH {
        for hot in 0..3 {
            trial.must_replay(&named("hot", (nth / 4 + hot) % FRESH)?, b"hot").await?;
        }
        let ticket = trial.execute(&named("fresh", nth)?, 1, long()).await?;
        done(trial.store.complete(&ticket, &[nth]).await)?;
    }
    for nth in 0..FRESH {
        trial.must_replay(&named("fresh", nth)?, &[nth]).await?;
    }
    Ok(())
}

async fn retry<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let first = trial.execute(&key, u64::MAX, long()).await?;
    let again = trial.execute(&key, u64::MAX, long()).await?;
    same("the token of a claim that is sent again", again.token(), first.token())?;
    trial.must_be_in_flight(&key, long().lease).await?;
    done(trial.store.complete(&again, b"once").await)?;
    trial.must_replay(&key, b"once").await
}

/// Whoever is told to execute does not look whether somebody did before.
async fn recovery<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let dead = trial.execute(&key, 1, short()).await?;
    let first = trial.recover(&key, 2, long()).await?;
    must_grow(dead.token(), first.token())?;
    for checkpoint in [None, Some(&b"charged"[..])] {
        if let Some(checkpoint) = checkpoint {
            done(trial.store.save(&first, checkpoint).await)?;
            done(trial.store.renew(&first).await)?;
        }
        match trial.claim(&key, request(1), 2, long()).await? {
            Claimed::Recover(again) => {
                same("the token of a recovery that is sent again", again.token(), first.token())?;
                same("the checkpoint", again.checkpoint(), checkpoint)?;
            }
            other => return Err(unexpected("a key by who recovers from another", &other)),
        }
    }
    trial.must_be_in_flight(&key, long().lease).await
}

async fn no_nonce<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let _first = trial.execute(&key, 0, long()).await?;
    match trial.claim(&key, request(1), 0, long()).await? {
        Claimed::InFlight { .. } => Ok(()),
        other => Err(unexpected("a key that another without a nonce works at", &other)),
    }
}

async fn again<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("released")?;
    let ticket = trial.execute(&key, 1, long()).await?;
    for _ in 0..2 {
        done(trial.store.release(&ticket).await)?;
    }
    let key = trial.key("completed")?;
    let ticket = trial.execute(&key, 1, long()).await?;
    for _ in 0..2 {
        done(trial.store.complete(&ticket, b"once").await)?;
    }
    let store = trial.store;
    let saved = trial.execute(&trial.key("saved")?, 1, long()).await?;
    for _ in 0..2 {
        done(store.save(&saved, b"half").await)?;
        done(store.renew(&saved).await)?;
    }
    trial.must_replay(&key, b"once").await
}
