//! Executors that die, are late, or come back too late.

use super::trial::{done, long, short};
use crate::{
    IdempotencyStore,
    conformance::{
        Case, Flaw, Timer,
        trial::{SHORT, Trial, must_grow, same},
    },
};

pub(super) fn cases<S: IdempotencyStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("who-died-is-recovered-from", |trial| Box::pin(crash(trial))),
        Case::new("who-recovers-may-die-as-well", |trial| Box::pin(crashes(trial))),
        Case::new("checkpoints-are-handed-on", |trial| Box::pin(checkpoints(trial))),
        Case::new("a-zombie-settles-nothing", |trial| Box::pin(zombie(trial))),
        Case::new("nor-does-one-whose-successor-released", |trial| {
            Box::pin(zombie_of_release(trial))
        }),
        Case::new("who-is-late-and-alone-completes", |trial| Box::pin(late(trial))),
        Case::new("a-renewed-execution-goes-on", |trial| Box::pin(renewal(trial))),
    ]
}

async fn crash<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let dead = trial.execute(&key, 1, short()).await?;
    for step in ["reserved", "charged"] {
        done(trial.store.save(&dead, step.as_bytes()).await)?;
    }
    trial.must_be_in_flight(&key, SHORT).await?;
    let successor = trial.recover(&key, 2, long()).await?;
    same("the checkpoint", successor.checkpoint(), Some(&b"charged"[..]))?;
    must_grow(dead.token(), successor.token())?;
    done(trial.store.complete(&successor, b"once").await)?;
    trial.must_replay(&key, b"once").await
}

/// Whoever recovers may die as well.
async fn crashes<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let mut last = trial.execute(&key, 1, short()).await?;
    for nonce in 2..5 {
        let recoverer = trial.recover(&key, nonce, short()).await?;
        must_grow(last.token(), recoverer.token())?;
        trial.must_be_void(&last).await?;
        last = recoverer;
    }
    done(trial.store.complete(&last, b"once").await)?;
    trial.must_replay(&key, b"once").await
}

/// Whoever recovers is told how far the one before came, or the one before that; but whoever executes anew is not.
async fn checkpoints<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let first = trial.execute(&key, 1, short()).await?;
    done(trial.store.save(&first, b"charged").await)?;
    done(trial.store.renew(&first).await)?;
    let mut recoverer = trial.recover(&key, 2, short()).await?;
    same("the checkpoint", recoverer.checkpoint(), Some(&b"charged"[..]))?;
    recoverer = trial.recover(&key, 3, long()).await?;
    same("the checkpoint of two before", recoverer.checkpoint(), Some(&b"charged"[..]))?;
    trial.must_be_void(&first).await?;
    done(trial.store.save(&recoverer, b"shipped").await)?;
    done(trial.store.release(&recoverer).await)?;
    let next = trial.recover(&key, 4, long()).await?;
    same("the checkpoint of who gave up", next.checkpoint(), Some(&b"shipped"[..]))?;
    let key = trial.key("anew")?;
    let first = trial.execute(&key, 1, long()).await?;
    done(trial.store.save(&first, b"charged").await)?;
    done(trial.store.release(&first).await)?;
    let fresh = trial.execute(&key, 2, short()).await?;
    same("the checkpoint of a new execution", fresh.checkpoint(), None)?;
    let recoverer = trial.recover(&key, 3, long()).await?;
    same("the checkpoint of who saved none", recoverer.checkpoint(), None)
}

async fn zombie<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let zombie = trial.execute(&key, 1, short()).await?;
    let successor = trial.recover(&key, 2, long()).await?;
    trial.must_be_void(&zombie).await?;
    trial.must_be_in_flight(&key, long().lease).await?;
    done(trial.store.complete(&successor, b"once").await)?;
    trial.must_be_void(&zombie).await?;
    trial.must_replay(&key, b"once").await
}

async fn zombie_of_release<S, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw>
where
    S: IdempotencyStore,
    T: Timer,
{
    let key = trial.key("")?;
    let zombie = trial.execute(&key, 1, short()).await?;
    let successor = trial.recover(&key, 2, long()).await?;
    done(trial.store.release(&successor).await)?;
    trial.must_be_void(&zombie).await?;
    let third = trial.recover(&key, 3, long()).await?;
    must_grow(successor.token(), third.token())?;
    for void in [&zombie, &successor] {
        trial.must_be_void(void).await?;
    }
    trial.must_be_in_flight(&key, long().lease).await?;
    done(trial.store.complete(&third, b"once").await)?;
    trial.must_replay(&key, b"once").await
}

async fn late<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let [completed, released] = [trial.key("completed")?, trial.key("released")?];
    let first = trial.execute(&completed, 1, short()).await?;
    let second = trial.execute(&released, 1, short()).await?;
    trial.timer.sleep(2 * SHORT).await;
    done(trial.store.complete(&first, b"late").await)?;
    trial.must_replay(&completed, b"late").await?;
    done(trial.store.release(&second).await)?;
    let next = trial.execute(&released, 2, long()).await?;
    must_grow(second.token(), next.token())
}

async fn renewal<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let ticket = trial.execute(&key, 1, short()).await?;
    for _ in 0..3 {
        trial.timer.sleep(SHORT * 2 / 3).await;
        done(trial.store.renew(&ticket).await)?;
        trial.must_be_in_flight(&key, SHORT).await?;
    }
    // It does not matter that the lease is over, if nobody took over.
    trial.timer.sleep(2 * SHORT).await;
    done(trial.store.renew(&ticket).await)?;
    trial.must_be_in_flight(&key, SHORT).await?;
    let successor = trial.recover(&key, 2, long()).await?;
    must_grow(ticket.token(), successor.token())?;
    trial.must_be_void(&ticket).await
}
