//! Leases, as far as they do not end by themselves.

use core::time::Duration;

use super::{
    Case, Flaw, Timer,
    trial::{LONG, Trial, flaw, holder, must_grow, same},
};
use crate::{FencedStore, Granted, LeaseStore, Ttl};

pub(super) fn cases<S: LeaseStore + FencedStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("a-lease-has-one-holder", |trial| Box::pin(one_holder(trial))),
        Case::new("a-retry-is-granted-the-same-token", |trial| Box::pin(retry(trial))),
        Case::new("a-request-without-a-nonce-is-no-retry", |trial| Box::pin(no_nonce(trial))),
        Case::new("a-token-is-never-granted-again", |trial| Box::pin(tokens_grow(trial))),
        Case::new("a-released-lease-is-lost", |trial| Box::pin(released(trial))),
        Case::new("a-token-that-was-not-granted-is-lost", |trial| Box::pin(foreign(trial))),
        Case::new("leases-on-two-resources-are-two", |trial| Box::pin(two_resources(trial))),
        Case::new("the-next-epoch-is-above-all-tokens", |trial| Box::pin(epochs(trial))),
        Case::new("the-next-epoch-is-above-forgotten-ones", |trial| Box::pin(forgotten(trial))),
    ]
}

async fn one_holder<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    same("who holds a lease before it was granted", trial.holding(&resource).await?, None)?;
    let first = trial.acquire(&resource, 1, LONG).await?;
    for nonce in [2, 3, u64::MAX] {
        match trial.grant(&resource, nonce, LONG).await? {
            Granted::Held(holding) => {
                let found = (holding.token, holding.nonce, holding.holder);
                same("who holds the lease", found, (first.token, 1, holder(1)))?;
                if holding.remaining.is_zero() || holding.remaining > first.valid_for {
                    return Err(Flaw(format!(
                        "{:?} remain of a lease of {:?}",
                        holding.remaining, first.valid_for
                    )));
                }
            }
            other => return Err(Flaw(format!("a lease that is held gave {other:?} to another"))),
        }
    }
    trial.must_hold(&resource, first.token, 1).await?;
    trial.renew(&resource, first.token, LONG).await?;
    trial.must_hold(&resource, first.token, 1).await
}

async fn retry<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let first = trial.acquire(&resource, u64::MAX, LONG).await?;
    let again = trial.acquire(&resource, u64::MAX, LONG).await?;
    same("the token of a request that is sent again", again.token, first.token)?;
    trial.must_hold(&resource, first.token, u64::MAX).await?;
    // What is renewed is still the answer to the request.
    trial.renew(&resource, first.token, LONG).await?;
    let again = trial.acquire(&resource, u64::MAX, LONG).await?;
    same("the token of a request that is sent again", again.token, first.token)?;
    // Once it is given back, it is a request like any other.
    trial.release(&resource, first.token).await?;
    let next = trial.take_over(&resource, u64::MAX, trial.timer.now()).await?;
    must_grow(first.token, next.token)
}

/// Two who ask without a nonce are two.
async fn no_nonce<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let first = trial.acquire(&resource, 0, LONG).await?;
    for nonce in [0, 1, 0] {
        match trial.grant(&resource, nonce, LONG).await? {
            Granted::Held(holding) => {
                same("who holds the lease", (holding.token, holding.nonce), (first.token, 0))?;
            }
            other => return Err(Flaw(format!("a lease that is held gave {other:?} to another"))),
        }
    }
    trial.renew(&resource, first.token, LONG).await?;
    trial.release(&resource, first.token).await?;
    let next = trial.take_over(&resource, 0, trial.timer.now()).await?;
    must_grow(first.token, next.token)
}

async fn tokens_grow<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let mut last = None;
    for nonce in 1..=20 {
        let grant = trial.take_over(&resource, nonce, trial.timer.now()).await?;
        if let Some(last) = last {
            must_grow(last, grant.token)?;
            trial.must_be_lost(&resource, last).await?;
        }
        last = Some(grant.token);
        trial.must_hold(&resource, grant.token, nonce).await?;
        trial.release(&resource, grant.token).await?;
    }
    Ok(())
}

async fn released<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let first = trial.acquire(&resource, 1, LONG).await?;
    trial.release(&resource, first.token).await?;
    same("who holds a lease that was given back", trial.holding(&resource).await?, None)?;
    trial.must_be_lost(&resource, first.token).await?;
    let second = trial.take_over(&resource, 2, trial.timer.now()).await?;
    must_grow(first.token, second.token)?;
    trial.renew(&resource, second.token, LONG).await?;
    trial.must_be_lost(&resource, first.token).await?;
    trial.must_hold(&resource, second.token, 2).await
}

async fn foreign<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let [mine, other] = ["mine", "other"].map(|name| trial.resource(name));
    let grant = trial.acquire(&mine, 1, LONG).await?;
    trial.must_be_lost(&other, grant.token).await?;
    let Ok(next) = grant.token.next() else { return Ok(()) };
    trial.must_be_lost(&mine, next).await?;
    trial.must_hold(&mine, grant.token, 1).await
}

async fn two_resources<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let [one, two] = ["one", "two"].map(|name| trial.resource(name));
    let first = trial.acquire(&one, 1, LONG).await?;
    let second = trial.acquire(&two, 1, LONG).await?;
    trial.release(&one, first.token).await?;
    same("who holds the lease that was given back", trial.holding(&one).await?, None)?;
    trial.must_hold(&two, second.token, 1).await?;
    // The longest and the shortest time are granted too.
    for ttl in [Ttl::MAX, Ttl::MIN] {
        trial.renew(&two, second.token, Duration::max(ttl, LONG)).await?;
        let resource = trial.resource(if ttl == Ttl::MAX { "longest" } else { "shortest" });
        trial.acquire(&resource, 1, ttl).await?;
    }
    Ok(())
}

async fn epochs<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let [held, free] = ["held", "free"].map(|name| trial.resource(name));
    let before = trial.acquire(&held, 1, LONG).await?;
    let released = trial.acquire(&free, 1, LONG).await?;
    trial.release(&free, released.token).await?;
    let mut last = before.token.epoch().max(released.token.epoch());
    for nonce in [2, 3] {
        let epoch = trial.store.advance_epoch().await.map_err(flaw)?;
        if epoch <= last {
            return Err(Flaw(format!("epoch {epoch} came after epoch {last}")));
        }
        last = epoch;
        trial.must_hold(&held, before.token, 1).await?;
        trial.renew(&held, before.token, LONG).await?;
        let again = trial.acquire(&held, 1, LONG).await?;
        same("the token of a lease that stays held", again.token, before.token)?;
        let grant = trial.take_over(&free, nonce, trial.timer.now()).await?;
        // Somebody else may have begun another in the meantime.
        if grant.token.epoch() < epoch {
            return Err(Flaw(format!("token {} was granted in epoch {epoch}", grant.token)));
        }
        trial.release(&free, grant.token).await?;
    }
    trial.release(&held, before.token).await?;
    let grant = trial.take_over(&held, 2, trial.timer.now()).await?;
    if grant.token.epoch() < last {
        return Err(Flaw(format!("token {} was granted in epoch {last}", grant.token)));
    }
    Ok(())
}

/// A store that was restored twice from one backup would count to the same epoch twice.
async fn forgotten<S: LeaseStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let epoch = trial.store.advance_epoch().await.map_err(flaw)?;
    if epoch < LONG_AGO {
        let what = "is no number of seconds since 1970, and can have been before";
        return Err(Flaw(format!("the next epoch is {epoch}, which {what}")));
    }
    Ok(())
}

/// The year 2020: no clock that can be relied on is before it, and no epochs were counted so far.
const LONG_AGO: u64 = 1_577_836_800;
