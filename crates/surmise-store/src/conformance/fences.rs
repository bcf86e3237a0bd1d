//! Fenced writes, one rule after another.

use core::num::NonZeroU64;

use surmise_fence::{FencingToken, Pass, Refusal};

use super::{
    Case, Flaw, Timer,
    trial::{Trial, same},
};
use crate::{Entry, FencedStore, LeaseStore};

pub(super) fn cases<S: LeaseStore + FencedStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("what-was-written-is-read", |trial| Box::pin(read_after_write(trial))),
        Case::new("a-lesser-token-is-stale", |trial| Box::pin(stale(trial))),
        Case::new("tokens-are-compared-to-the-last-digit", |trial| Box::pin(digits(trial))),
        Case::new("a-raised-floor-is-under-every-key", |trial| Box::pin(floor(trial))),
        Case::new("a-write-raises-no-floor", |trial| Box::pin(write_is_no_raise(trial))),
        Case::new("a-removal-leaves-its-pass", |trial| Box::pin(removed(trial))),
        Case::new("a-numbered-write-is-done-once-and-in-order", |trial| Box::pin(numbered(trial))),
        Case::new("a-token-that-was-issued-twice-is-told", |trial| Box::pin(collision(trial))),
    ]
}

/// Returns tokens in their order: neighbours that differ where decimal text, doubles and signed numbers do not.
pub(super) fn ascending() -> impl Iterator<Item = FencingToken> {
    const DOUBLE: u64 = 1 << 53;
    const SIGNED: u64 = 1 << 63;
    let numbers = [1, 2, 9, 10, 99, 100, DOUBLE, DOUBLE + 1, SIGNED - 1, SIGNED, u64::MAX];
    [0].into_iter().chain(numbers).flat_map(move |epoch| {
        let counters = numbers.into_iter().filter_map(NonZeroU64::new);
        counters.map(move |counter| FencingToken::new(epoch, counter))
    })
}

async fn read_after_write<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let pass = Pass::from(FencingToken::first(1)).with_nonce(u64::MAX);
    same("what was never written", trial.read(&resource, b"key").await?, None)?;
    same("a floor that was never raised", trial.floor(&resource).await?, None)?;
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    for (sequence, value) in (1..).zip([b"first".to_vec(), Vec::new(), all_bytes]) {
        let pass = pass.with_sequence(sequence);
        same("a write", trial.write(&resource, b"key", &value, pass).await?, Ok(()))?;
        let expected = Some(Entry::new(Some(value), pass));
        same("what is read", trial.read(&resource, b"key").await?, expected)?;
        same("another key", trial.read(&resource, b"other").await?, None)?;
    }
    Ok(())
}

async fn stale<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let [old, new] = [1, 2].map(FencingToken::first);
    same("a write", trial.write(&resource, b"key", b"new", new.into()).await?, Ok(()))?;
    let refused = Err(Refusal::Stale { offered: old, highest: new });
    let late = trial.write(&resource, b"key", b"old", old.into()).await?;
    same("the write of a lesser token", late, refused)?;
    let late = trial.remove(&resource, b"key", old.into()).await?;
    same("the removal by a lesser token", late, refused)?;
    let entry = Some(Entry::new(Some(b"new".to_vec()), new.into()));
    same("what is read after a refusal", trial.read(&resource, b"key").await?, entry)?;
    // The holder itself goes on: an equal token is as good as a greater one.
    same("a second write", trial.write(&resource, b"key", b"newer", new.into()).await?, Ok(()))?;
    let entry = Some(Entry::new(Some(b"newer".to_vec()), new.into()));
    same("what is read after it", trial.read(&resource, b"key").await?, entry)
}

async fn digits<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let mut last: Option<FencingToken> = None;
    for token in ascending() {
        let step = format!("the raise to {token} after {last:?}");
        same(&step, trial.raise(&resource, token.into()).await?, Ok(()))?;
        same("the floor", trial.floor(&resource).await?, Some(token.into()))?;
        let step = format!("the write of {token} after {last:?}");
        same(&step, trial.write(&resource, b"key", b"value", token.into()).await?, Ok(()))?;
        let pass = trial.read(&resource, b"key").await?.map(|entry| entry.pass);
        same("the pass that is read", pass, Some(token.into()))?;
        if let Some(last) = last {
            let refused = Err(Refusal::Stale { offered: last, highest: token });
            let late = trial.write(&resource, b"other", b"", last.into()).await?;
            same("a write below the floor", late, refused)?;
            let late = trial.raise(&resource, last.into()).await?;
            same("a raise below the floor", late, refused)?;
        }
        last = Some(token);
    }
    Ok(())
}

async fn floor<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let [resource, elsewhere] = ["", "elsewhere"].map(|name| trial.resource(name));
    let [old, new] = [1, 2].map(FencingToken::first);
    same("a raise", trial.raise(&resource, old.into()).await?, Ok(()))?;
    same("a write", trial.write(&resource, b"touched", b"old", old.into()).await?, Ok(()))?;
    same("a raise", trial.raise(&resource, new.into()).await?, Ok(()))?;
    same("a raise that is repeated", trial.raise(&resource, new.into()).await?, Ok(()))?;
    let refused = Err(Refusal::Stale { offered: old, highest: new });
    for key in [&b"touched"[..], b"untouched"] {
        let late = trial.write(&resource, key, b"late", old.into()).await?;
        same("a write below the floor", late, refused)?;
        let late = trial.remove(&resource, key, old.into()).await?;
        same("a removal below the floor", late, refused)?;
    }
    same("a raise below the floor", trial.raise(&resource, old.into()).await?, refused)?;
    same("the floor", trial.floor(&resource).await?, Some(new.into()))?;
    let entry = Some(Entry::new(Some(b"old".to_vec()), old.into()));
    same("what is read", trial.read(&resource, b"touched").await?, entry)?;
    same("what was refused", trial.read(&resource, b"untouched").await?, None)?;
    // The floor is under one resource only.
    same("another floor", trial.floor(&elsewhere).await?, None)?;
    let write = trial.write(&elsewhere, b"touched", b"old", old.into()).await?;
    same("a write elsewhere", write, Ok(()))
}

async fn write_is_no_raise<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let [old, new] = [1, 2].map(FencingToken::first);
    same("a write", trial.write(&resource, b"key", b"new", new.into()).await?, Ok(()))?;
    same("the floor", trial.floor(&resource).await?, None)?;
    same("another key", trial.write(&resource, b"other", b"old", old.into()).await?, Ok(()))?;
    same("a raise", trial.raise(&resource, old.into()).await?, Ok(()))?;
    let refused = Err(Refusal::Stale { offered: old, highest: new });
    let late = trial.write(&resource, b"key", b"old", old.into()).await?;
    same("a write above the floor, but below the last", late, refused)
}

async fn removed<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let [old, new, next] = [1, 2, 3].map(FencingToken::first);
    let removal = Some(Entry::new(None, new.into()));
    for key in [&b"written"[..], b"never written"] {
        if key == b"written" {
            same("a write", trial.write(&resource, key, b"old", old.into()).await?, Ok(()))?;
        }
        same("a removal", trial.remove(&resource, key, new.into()).await?, Ok(()))?;
        same("what was removed", trial.read(&resource, key).await?, removal.clone())?;
        let late = trial.write(&resource, key, b"late", old.into()).await?;
        let refused = Err(Refusal::Stale { offered: old, highest: new });
        same("a late write to a removed key", late, refused)?;
        same("what was removed", trial.read(&resource, key).await?, removal.clone())?;
        same("a write", trial.write(&resource, key, b"", next.into()).await?, Ok(()))?;
        let entry = Some(Entry::new(Some(Vec::new()), next.into()));
        same("what was written anew", trial.read(&resource, key).await?, entry)?;
    }
    Ok(())
}

async fn numbered<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = trial.resource("");
    let grant = Pass::from(FencingToken::first(1)).with_nonce(7);
    let mut last = 0;
    for sequence in [1, 2, 9, 10, 1 << 53, (1 << 53) + 1, 1 << 63, u64::MAX] {
        let pass = grant.with_sequence(sequence);
        same("a write", trial.write(&resource, b"key", b"once", pass).await?, Ok(()))?;
        let again = trial.write(&resource, b"key", b"twice", pass).await?;
        same("a write that is repeated", again, Err(Refusal::Duplicate { sequence }))?;
        let again = trial.remove(&resource, b"key", pass).await?;
        same("a removal with its number", again, Err(Refusal::Duplicate { sequence }))?;
        let refused = Err(Refusal::OutOfOrder { offered: last, highest: sequence });
        let late = trial.write(&resource, b"key", b"late", grant.with_sequence(last)).await?;
        same("an earlier write that comes late", late, refused)?;
        let entry = Some(Entry::new(Some(b"once".to_vec()), pass));
        same("what is read", trial.read(&resource, b"key").await?, entry)?;
        last = sequence;
    }
    // Each key has numbers of its own, and so has each grant; a raise has none.
    let other = trial.write(&resource, b"other", b"", grant.with_sequence(1)).await?;
    same("the first write to another key", other, Ok(()))?;
    let raise = trial.raise(&resource, grant.with_sequence(5)).await?;
    same("a raise", raise, Ok(()))?;
    let raise = trial.raise(&resource, grant.with_sequence(1)).await?;
    same("a raise with a lesser number", raise, Ok(()))?;
    same("the floor", trial.floor(&resource).await?, Some(grant))?;
    let next = Pass::from(FencingToken::first(2)).with_sequence(1);
    let first = trial.write(&resource, b"key", b"next", next).await?;
    same("the next holder's first write", first, Ok(()))
}

async fn collision<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let [floor, key] = ["floor", "key"].map(|name| trial.resource(name));
    let token = FencingToken::first(1);
    let grant = Pass::from(token).with_nonce(u64::MAX).with_sequence(1);
    same("a raise", trial.raise(&floor, grant).await?, Ok(()))?;
    same("a write", trial.write(&key, b"key", b"value", grant).await?, Ok(()))?;
    for nonce in [0, 1, u64::MAX - 1] {
        let twin = grant.with_nonce(nonce).with_sequence(2);
        let told = Err(Refusal::Collision { token, offered: nonce, seen: u64::MAX });
        same("a raise by its twin", trial.raise(&floor, twin).await?, told)?;
        same("a write by its twin", trial.write(&floor, b"key", b"", twin).await?, told)?;
        same("a write by its twin", trial.write(&key, b"key", b"", twin).await?, told)?;
        same("a removal by its twin", trial.remove(&key, b"key", twin).await?, told)?;
    }
    same("the floor", trial.floor(&floor).await?, Some(grant.with_sequence(0)))?;
    let entry = Some(Entry::new(Some(b"value".to_vec()), grant));
    same("what is read", trial.read(&key, b"key").await?, entry)
}
