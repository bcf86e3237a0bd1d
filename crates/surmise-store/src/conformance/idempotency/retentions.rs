//! For how long what is remembered of a key.

use core::time::Duration;

use super::trial::{done, long, request};
use crate::{
    IdempotencyStore, Terms,
    conformance::{
        Case, Flaw, Timer,
        trial::{SHORT, Trial, must_grow},
    },
};

pub(super) fn cases<S: IdempotencyStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("a-brief-retention-is-brief", |trial| Box::pin(brief(trial))),
        Case::new("a-retention-ends-however-often-it-is-asked", |trial| Box::pin(whole(trial))),
        Case::new("a-retention-begins-with-the-completion", |trial| Box::pin(retention(trial))),
        Case::new("what-was-abandoned-is-forgotten-in-the-end", |trial| Box::pin(end(trial))),
        Case::new("a-zombie-settles-nothing-of-what-is-forgotten", |trial| Box::pin(zombie(trial))),
    ]
}

async fn brief<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let terms = Terms { brief_retention: SHORT, ..long() };
    let first = trial.execute(&key, 1, terms).await?;
    let until = trial.timer.now() + SHORT;
    done(trial.store.complete_briefly(&first, b"declined").await)?;
    let second = trial.execute_once_forgotten(&key, request(1), until).await?;
    must_grow(first.token(), second.token())?;
    trial.must_be_void(&first).await
}

/// A result is kept for its retention, and for no longer though it is asked for all the time.
async fn whole<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let first = trial.execute(&key, 1, Terms { retention: 2 * SHORT, ..long() }).await?;
    let until = trial.timer.now() + 2 * SHORT;
    done(trial.store.complete(&first, b"done").await)?;
    let second = trial.execute_once_forgotten(&key, request(1), until).await?;
    must_grow(first.token(), second.token())?;
    trial.must_be_void(&first).await
}

async fn retention<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let retention = Duration::from_secs(2);
    let ticket = trial.execute(&key, 1, Terms { retention, ..long() }).await?;
    trial.timer.sleep(retention * 3 / 2).await;
    done(trial.store.complete(&ticket, b"done").await)?;
    trial.timer.sleep(retention / 2).await;
    trial.must_replay(&key, b"done").await
}

/// That something was begun and never ended is remembered for a retention after its lease, as it was renewed last.
async fn end<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let dead = trial.execute(&key, 1, passing()).await?;
    trial.timer.sleep(SHORT / 2).await;
    let until = trial.timer.now() + 2 * SHORT;
    done(trial.store.renew(&dead).await)?;
    let next = trial.execute_once_forgotten(&key, request(2), until).await?;
    must_grow(dead.token(), next.token())
}

async fn zombie<S: IdempotencyStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let key = trial.key("")?;
    let until = trial.timer.now() + 2 * SHORT;
    let zombie = trial.execute(&key, 1, passing()).await?;
    let next = trial.execute_once_forgotten(&key, request(2), until).await?;
    trial.must_be_void(&zombie).await?;
    done(trial.store.complete(&next, b"done").await)?;
    trial.must_be_void(&zombie).await?;
    // It is the other request's now.
    trial.must_replay_to(&key, request(2), b"done").await
}

/// Terms under which what is abandoned is forgotten soon.
fn passing() -> Terms {
    Terms { lease: SHORT, retention: SHORT, ..Terms::default() }
}
