//! What is remembered of a key.

use surmise_idempotency::{Fingerprint, Key};

use super::trial::{done, long, request, short, unexpected};
use crate::{
    Claimed, IdempotencyStore, Settlement,
    conformance::{
        Case, Flaw, Timer,
        trial::{SHORT, Trial, flaw, must_grow, same},
    },
};

pub(super) fn cases<S: IdempotencyStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("a-result-is-replayed", |trial| Box::pin(replay(trial))),
        Case::new("a-result-of-any-length-is-kept", |trial| Box::pin(lengths(trial))),
        Case::new("another-request-is-no-match-in-flight", |trial| Box::pin(in_flight(trial))),
        Case::new("nor-while-nobody-knows", |trial| Box::pin(indeterminate(trial))),
        Case::new("nor-once-it-is-done", |trial| Box::pin(completed(trial))),
        Case::new("a-released-key-is-executed-again", |trial| Box::pin(release(trial))),
        Case::new("a-released-recovery-is-recovered-from", |trial| Box::pin(given_up(trial))),
        Case::new("keys-of-others-are-others", |trial| Box::pin(scopes(trial))),
        Case::new("a-settled-ticket-settles-nothing-else", |trial| Box::pin(settled(trial))),
    ]
}

async fn replay<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let ticket = trial.execute(&key, 1, long()).await?;
    same("the key of a ticket", ticket.key(), &key)?;
    same("the checkpoint of a new execution", ticket.checkpoint(), None)?;
    trial.must_be_in_flight(&key, long().lease).await?;
    done(trial.store.complete(&ticket, b"100").await)?;
    for _ in 0..2 {
        trial.must_replay(&key, b"100").await?;
    }
    Ok(())
}

async fn lengths<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    for bytes in [0, 1, 100_000, Settlement::MAX_BYTES] {
        let key = trial.key(&bytes.to_string())?;
        let result: Vec<u8> = (0..=u8::MAX).cycle().take(bytes).collect();
        let ticket = trial.execute(&key, 1, short()).await?;
        done(trial.store.save(&ticket, &result).await)?;
        let ticket = trial.recover(&key, 2, long()).await?;
        same("the length of a checkpoint", ticket.checkpoint().map(<[u8]>::len), Some(bytes))?;
        done(trial.store.complete(&ticket, &result).await)?;
        trial.must_replay(&key, &result).await?;
    }
    Ok(())
}

async fn in_flight<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let ticket = trial.execute(&key, 1, long()).await?;
    trial.must_mismatch(&key).await?;
    trial.must_be_in_flight(&key, long().lease).await?;
    done(trial.store.complete(&ticket, b"done").await)?;
    trial.must_replay(&key, b"done").await
}

/// Another request does not take over what is not its own.
async fn indeterminate<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let late = trial.execute(&key, 1, short()).await?;
    trial.timer.sleep(2 * SHORT).await;
    trial.must_mismatch(&key).await?;
    done(trial.store.renew(&late).await)?;
    trial.timer.sleep(2 * SHORT).await;
    trial.must_mismatch(&key).await?;
    let _recoverer = trial.recover(&key, 2, long()).await?;
    trial.must_mismatch(&key).await
}

async fn completed<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let ticket = trial.execute(&key, 1, long()).await?;
    done(trial.store.complete(&ticket, b"done").await)?;
    trial.must_mismatch(&key).await?;
    match trial.claim(&key, Fingerprint::NONE, 3, long()).await? {
        Claimed::Mismatch => {}
        other => return Err(unexpected("a key of another request", &other)),
    }
    trial.must_replay(&key, b"done").await
}

async fn release<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let first = trial.execute(&key, 1, long()).await?;
    done(trial.store.release(&first).await)?;
    // Nothing was done for the first request, so that the key may be another's.
    let second = match trial.claim(&key, request(2), 2, long()).await? {
        Claimed::Execute(ticket) => ticket,
        other => return Err(unexpected("a released key", &other)),
    };
    must_grow(first.token(), second.token())?;
    same("the checkpoint of a new execution", second.checkpoint(), None)?;
    trial.must_be_void(&first).await?;
    done(trial.store.release(&second).await)?;
    let third = trial.execute(&key, 3, long()).await?;
    must_grow(second.token(), third.token())
}

/// Whoever recovers and did nothing says nothing of what was done before.
async fn given_up<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    for checkpoint in [None, Some(&b"charged"[..])] {
        let key = trial.key(if checkpoint.is_some() { "saved" } else { "unsaved" })?;
        let dead = trial.execute(&key, 1, short()).await?;
        if let Some(checkpoint) = checkpoint {
            done(trial.store.save(&dead, checkpoint).await)?;
        }
        let mut last = trial.recover(&key, 2, long()).await?;
        for nonce in [3, 4] {
            for _ in 0..2 {
                done(trial.store.release(&last).await)?;
            }
            trial.must_mismatch(&key).await?;
            let next = match trial.claim(&key, request(1), nonce, long()).await? {
                Claimed::Recover(ticket) => ticket,
                other => return Err(unexpected("a key whose recovery was given up", &other)),
            };
            must_grow(last.token(), next.token())?;
            same("the checkpoint", next.checkpoint(), checkpoint)?;
            trial.must_be_void(&last).await?;
            last = next;
        }
        done(trial.store.complete(&last, b"once").await)?;
        trial.must_replay(&key, b"once").await?;
    }
    Ok(())
}

async fn scopes<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let name = trial.resource("");
    let scoped = |tenant, operation| Key::new(tenant, operation, &name).map_err(flaw);
    let keys = [scoped("a", "bc")?, scoped("ab", "c")?, scoped("a", "b")?, scoped("", "")?];
    for (number, key) in keys.iter().enumerate() {
        let ticket = trial.execute(key, 1, long()).await?;
        done(trial.store.complete(&ticket, number.to_string().as_bytes()).await)?;
    }
    for (number, key) in keys.iter().enumerate() {
        trial.must_replay(key, number.to_string().as_bytes()).await?;
    }
    Ok(())
}

async fn settled<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let ticket = trial.execute(&key, 1, long()).await?;
    done(trial.store.complete(&ticket, b"done").await)?;
    let store = trial.store;
    for settled in [
        store.renew(&ticket).await,
        store.save(&ticket, b"late").await,
        store.release(&ticket).await,
    ] {
        match settled.map_err(flaw)? {
            crate::Settled::Fenced => {}
            other => return Err(Flaw(format!("a completed ticket did more: {other:?}"))),
        }
    }
    // Its reply was lost, perhaps.
    done(store.complete(&ticket, b"done").await)?;
    for other in [&b"other"[..], b"don", b""] {
        for settled in
            [store.complete(&ticket, other).await, store.complete_briefly(&ticket, other).await]
        {
            match settled.map_err(flaw)? {
                crate::Settled::AlreadyCompleted => {}
                settled => return Err(Flaw(format!("another result: {settled:?}"))),
            }
        }
    }
    trial.must_replay(&key, b"done").await
}
