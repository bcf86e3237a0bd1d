//! Requests that are under way at once.

use core::{num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Grant, Pass, Refusal};

use super::{
    Case, Flaw, Timer,
    join::join_all,
    trial::{LONG, Trial, must_grow, same},
};
use crate::{FencedStore, Granted, LeaseStore};

pub(super) fn cases<S: LeaseStore + FencedStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("of-many-who-ask-one-is-granted", |trial| Box::pin(grants(trial))),
        Case::new("of-many-writes-the-greatest-stays", |trial| Box::pin(writes(trial))),
        Case::new("of-many-copies-one-is-done", |trial| Box::pin(copies(trial))),
        Case::new("no-write-slips-below-a-raise", |trial| Box::pin(raises(trial))),
    ]
}

/// How often each of them is tried.
const ROUNDS: u8 = 20;
/// How many requests are under way at once.
const WIDTH: u64 = 12;

async fn grants<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let mut last: Option<FencingToken> = None;
    for round in 0..ROUNDS {
        let (nonce, grant) = loop {
            match race(trial, &resource, round).await? {
                Ok(winner) => break winner,
                // A store may delay every next grant.
                Err(Some(delay)) => trial.timer.sleep(delay).await,
                Err(None) => {
                    return Err(Flaw("a lease that was free was granted to none of many".into()));
                }
            }
        };
        if let Some(last) = last {
            must_grow(last, grant.token)?;
        }
        last = Some(grant.token);
        trial.must_hold(&resource, grant.token, nonce).await?;
        trial.release(&resource, grant.token).await?;
    }
    Ok(())
}

/// Asks for one lease many times at once, and returns who was granted it, or for how long nobody is.
async fn race<S: LeaseStore, T: Timer>(
    trial: &Trial<'_, S, T>,
    resource: &str,
    round: u8,
) -> Result<Result<(u64, Grant), Option<Duration>>, Flaw> {
    let nonces = (1..=WIDTH).map(|nonce| nonce + u64::from(round) * WIDTH);
    let asked =
        nonces.map(|nonce| async move { (nonce, trial.grant(resource, nonce, LONG).await) });
    let mut winner: Option<(u64, Grant)> = None;
    let mut seen = Vec::new();
    let mut delay = None;
    for (nonce, granted) in join_all(asked).await {
        match granted? {
            Granted::Granted(grant) => {
                if let Some((other, before)) = winner.replace((nonce, grant)) {
                    return Err(Flaw(format!(
                        "nonces {other} and {nonce} both hold the lease, by {before:?} and {grant:?}"
                    )));
                }
            }
            Granted::Held(holding) => seen.push((holding.nonce, holding.token)),
            Granted::Delayed { remaining } => delay = delay.max(Some(remaining)),
            other => return Err(Flaw(format!("expected a lease or its holder, not {other:?}"))),
        }
    }
    let Some((nonce, grant)) = winner else { return Ok(Err(delay)) };
    for held in seen {
        same("who is said to hold the lease", held, (nonce, grant.token))?;
    }
    Ok(Ok((nonce, grant)))
}

async fn writes<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    for round in 0..ROUNDS {
        let key = [round];
        let asked =
            tokens().map(|token| {
                let resource = &resource;
                async move {
                    (token, trial.write(resource, &key, &token.to_bytes(), token.into()).await)
                }
            });
        let mut greatest = None;
        for (token, written) in join_all(asked).await {
            greatest = greatest.max(Some(token));
            match written? {
                Ok(()) => {}
                Err(Refusal::Stale { offered, highest }) if offered == token && highest > token => {
                }
                Err(other) => return Err(Flaw(format!("token {token} was refused by {other:?}"))),
            }
        }
        let entry = trial.read(&resource, &key).await?;
        let found = entry.map(|entry| (entry.value, entry.pass));
        let expected = greatest.map(|token| (Some(token.to_bytes().to_vec()), Pass::from(token)));
        same("what many writers leave", found, expected)?;
    }
    Ok(())
}

async fn copies<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let pass = Pass::from(FencingToken::first(1)).with_sequence(1);
    for round in 0..ROUNDS {
        let key = [round];
        let asked = (1..=WIDTH).map(|copy| {
            let resource = &resource;
            async move { (copy, trial.write(resource, &key, &copy.to_be_bytes(), pass).await) }
        });
        let mut done = None;
        for (copy, written) in join_all(asked).await {
            match written? {
                Ok(()) if done.is_none() => done = Some(copy),
                Ok(()) => return Err(Flaw(format!("copies {done:?} and {copy} are both applied"))),
                refused => same("a copy", refused, Err(Refusal::Duplicate { sequence: 1 }))?,
            }
        }
        let entry = trial.read(&resource, &key).await?.and_then(|entry| entry.value);
        same("what is read", entry, done.map(|copy| copy.to_be_bytes().to_vec()))?;
    }
    Ok(())
}

/// Whether a write with a lesser token that is under way with a raise is applied is open. What is not: that it was
/// applied after the raise; so all who read after it read the same.
async fn raises<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    for round in 0..ROUNDS {
        let resource = trial.resource(&format!("{round}"));
        let [old, new] = [1, 2].map(FencingToken::first);
        let key = b"key";
        let asked = (0..=WIDTH).map(|number| {
            let resource = &resource;
            async move {
                if number != WIDTH / 2 {
                    let pass = Pass::from(old).with_sequence(number + 1);
                    let written = trial.write(resource, key, &number.to_be_bytes(), pass).await?;
                    return Ok((written, None));
                }
                let raised = trial.raise(resource, new.into()).await?;
                Ok((raised, Some(trial.read(resource, key).await?)))
            }
        });
        let outcomes: Vec<_> = join_all(asked).await.into_iter().collect::<Result<_, Flaw>>()?;
        let after = trial.read(&resource, key).await?;
        for (outcome, read) in outcomes {
            if let Some(read) = read {
                same("the raise", outcome, Ok(()))?;
                same("what is read later", &after, &read)?;
            } else if let Err(Refusal::Collision { .. } | Refusal::Duplicate { .. }) = outcome {
                return Err(Flaw(format!("a write was refused by {outcome:?}")));
            }
        }
    }
    Ok(())
}

/// Returns tokens, the greatest neither first nor last.
fn tokens() -> impl Iterator<Item = FencingToken> {
    let counters = (0..WIDTH).map(|number| NonZeroU64::MIN.saturating_add(number * 5 % WIDTH));
    counters.map(|counter| FencingToken::new(1, counter))
}
