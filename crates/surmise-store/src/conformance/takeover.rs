//! Leases that end by themselves.

use super::{
    Case, Flaw, Timer,
    trial::{LONG, SHORT, Trial, must_grow, same},
};
use crate::{FencedStore, Granted, LeaseStore};
use surmise_fence::{Pass, Refusal};

pub(super) fn cases<S: LeaseStore + FencedStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("a-lease-lasts-as-long-as-was-said", |trial| Box::pin(lasts(trial))),
        Case::new("a-renewed-lease-lasts-from-its-renewal", |trial| Box::pin(renewed(trial))),
        Case::new("a-retried-request-lasts-from-its-retry", |trial| Box::pin(retried(trial))),
        Case::new("a-lease-that-is-over-stays-over", |trial| Box::pin(over(trial))),
        Case::new("a-replaced-holder-writes-nothing", |trial| Box::pin(replaced(trial))),
    ]
}

async fn lasts<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let sent = trial.timer.now();
    let first = trial.acquire(&resource, 1, SHORT).await?;
    let second = trial.take_over(&resource, 2, sent + first.valid_for).await?;
    must_grow(first.token, second.token)?;
    trial.must_be_lost(&resource, first.token).await?;
    trial.renew(&resource, second.token, LONG).await?;
    trial.must_hold(&resource, second.token, 2).await?;
    match trial.grant(&resource, 1, SHORT).await? {
        Granted::Held(holding) => same("the token of the holder", holding.token, second.token),
        other => Err(Flaw(format!("a lease that is held gave {other:?} to another"))),
    }
}

async fn renewed<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let first = trial.acquire(&resource, 1, SHORT).await?;
    let mut until = trial.timer.now();
    for _ in 0..2 {
        trial.timer.sleep(first.valid_for / 2).await;
        let sent = trial.timer.now();
        let renewed = trial.renew(&resource, first.token, SHORT).await?;
        until = sent + renewed.valid_for;
    }
    let second = trial.take_over(&resource, 2, until).await?;
    must_grow(first.token, second.token)?;
    trial.must_be_lost(&resource, first.token).await
}

async fn retried<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let first = trial.acquire(&resource, 1, SHORT).await?;
    trial.timer.sleep(first.valid_for / 2).await;
    let sent = trial.timer.now();
    let again = trial.acquire(&resource, 1, SHORT).await?;
    same("the token of a request that is sent again", again.token, first.token)?;
    let second = trial.take_over(&resource, 2, sent + again.valid_for).await?;
    must_grow(first.token, second.token)
}

async fn over<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let sent = trial.timer.now();
    let first = trial.acquire(&resource, 1, SHORT).await?;
    trial.wait_until_over(&resource).await?;
    if trial.timer.now() < sent + first.valid_for {
        return Err(Flaw(format!("a lease of {:?} was over before", first.valid_for)));
    }
    trial.must_be_lost(&resource, first.token).await?;
    // Even the same request is another grant now: somebody may have held the lease in between.
    let second = trial.take_over(&resource, 1, trial.timer.now()).await?;
    must_grow(first.token, second.token)
}

async fn replaced<S, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw>
where
    S: LeaseStore + FencedStore,
    T: Timer,
{
    let resource = trial.resource("");
    let first = trial.acquire(&resource, 1, SHORT).await?;
    let paused = Pass::from(first.token).with_nonce(1);
    same("its raise", trial.raise(&resource, paused).await?, Ok(()))?;
    same("its write", trial.write(&resource, b"touched", b"1", paused).await?, Ok(()))?;

    let second = trial.take_over(&resource, 2, trial.timer.now()).await?;
    trial.renew(&resource, second.token, LONG).await?;
    let next = Pass::from(second.token).with_nonce(2);
    same("the next holder's raise", trial.raise(&resource, next).await?, Ok(()))?;
    let stale = Err(Refusal::Stale { offered: first.token, highest: second.token });
    for key in [&b"touched"[..], b"untouched"] {
        let late = trial.write(&resource, key, b"late", paused).await?;
        same("the write of a holder that was replaced", late, stale)?;
        let late = trial.remove(&resource, key, paused).await?;
        same("the removal by a holder that was replaced", late, stale)?;
    }
    let late = trial.raise(&resource, paused).await?;
    same("the raise of a holder that was replaced", late, stale)?;
    let kept = trial.read(&resource, b"touched").await?.and_then(|entry| entry.value);
    same("what the next holder reads", kept, Some(b"1".to_vec()))?;
    same("what was never written", trial.read(&resource, b"untouched").await?, None)?;
    same("its write", trial.write(&resource, b"touched", b"2", next).await?, Ok(()))
}
