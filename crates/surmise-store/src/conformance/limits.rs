//! What is at a limit, and what is beyond.

use surmise_fence::{FencingToken, Pass};

use super::{
    Case, Flaw, Timer,
    trial::{LONG, Trial, flaw, same},
};
use crate::{
    Change, Entry, FencedStore, Granted, LeaseRequest, LeaseStore, LimitExceeded, Resource,
    StoreError,
};

pub(super) fn cases<S: LeaseStore + FencedStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("what-is-at-a-limit-is-kept", |trial| Box::pin(at_limits(trial))),
        Case::new("the-longest-names-of-leases-are-kept", |trial| Box::pin(long_names(trial))),
        Case::new("what-is-beyond-a-limit-is-refused", |trial| Box::pin(beyond_limits(trial))),
    ]
}

async fn at_limits<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let resource = longest(trial.resource(""));
    let pass = Pass::from(FencingToken::MAX).with_nonce(u64::MAX).with_sequence(u64::MAX);
    same("a raise", trial.raise(&resource, pass).await?, Ok(()))?;
    let key = vec![0xff; Change::MAX_KEY_BYTES];
    // Neither text nor easily compressed.
    let bytes = (0..).map(|at: u32| at.wrapping_mul(0x9e37_79b9).to_be_bytes());
    let value: Vec<u8> = bytes.map(|[byte, ..]| byte).take(Change::MAX_VALUE_BYTES).collect();
    same("the longest write", trial.write(&resource, &key, &value, pass).await?, Ok(()))?;
    let read = trial.read(&resource, &key).await?;
    if read != Some(Entry::new(Some(value), pass)) {
        return Err(Flaw("the longest value is not read as it was written".into()));
    }
    let shorter = vec![0xff; Change::MAX_KEY_BYTES - 1];
    let mut twin = key;
    twin.splice(Change::MAX_KEY_BYTES - 1.., [0xfe]);
    for key in [&[0][..], &[0xff], &shorter, &twin] {
        same("what was never written", trial.read(&resource, key).await?, None)?;
        same("a write", trial.write(&resource, key, &[], pass).await?, Ok(()))?;
        let entry = Some(Entry::new(Some(Vec::new()), pass));
        same("an empty value", trial.read(&resource, key).await?, entry)?;
    }
    let resource = last_byte_differs(&resource);
    same("another floor", trial.floor(&resource).await?, None)?;
    same("another resource", trial.read(&resource, &twin).await?, None)
}

async fn long_names<S: LeaseStore, T: Timer>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    for (which, holder) in [("full", "ß".repeat(127) + "s"), ("none", String::new())] {
        let resource = longest(trial.resource(which));
        let request = LeaseRequest::new(&resource, &holder, 1, LONG).map_err(flaw)?;
        match trial.store.grant(request).await.map_err(flaw)? {
            Granted::Granted(_) => {}
            other => return Err(Flaw(format!("expected a lease, and got {other:?}"))),
        }
        let found = trial.holding(&resource).await?.map(|holding| holding.holder);
        same("the name of the holder", found, Some(holder))?;
        // What differs in the last byte only is another.
        let twin = last_byte_differs(&resource);
        same("who holds the lease on another resource", trial.holding(&twin).await?, None)?;
    }
    Ok(())
}

async fn beyond_limits<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    let name = longest(trial.resource(""));
    let pass = Pass::from(FencingToken::first(1));
    let bytes = Change::MAX_KEY_BYTES + 1;
    for key in [Vec::new(), vec![0; bytes]] {
        let limit = LimitExceeded::Key { bytes: key.len() };
        beyond("read", trial.store.read(&name, &key).await, limit)?;
        beyond("write", trial.store.write(&name, &key, b"", pass).await, limit)?;
        beyond("remove", trial.store.remove(&name, &key, pass).await, limit)?;
    }
    let bytes = Change::MAX_VALUE_BYTES + 1;
    let limit = LimitExceeded::Value { bytes };
    beyond("write", trial.store.write(&name, b"key", &vec![0; bytes], pass).await, limit)?;
    let bytes = Resource::MAX_BYTES + 1;
    let names = [
        (String::new(), LimitExceeded::Resource { bytes: 0 }),
        (name.clone() + "x", LimitExceeded::Resource { bytes }),
        ("a\0b".into(), LimitExceeded::NulInResource { at: 1 }),
    ];
    for (name, limit) in names {
        beyond("read", trial.store.read(&name, b"key").await, limit)?;
        beyond("write", trial.store.write(&name, b"key", b"", pass).await, limit)?;
        beyond("remove", trial.store.remove(&name, b"key", pass).await, limit)?;
        beyond("raise", trial.store.raise(&name, pass).await, limit)?;
    }
    same("what was refused", trial.read(&name, b"key").await?, None)?;
    same("a floor that was refused", trial.floor(&name).await?, None)
}

/// Fills a name up to the longest.
fn longest(mut name: String) -> String {
    name.extend(core::iter::repeat_n('x', Resource::MAX_BYTES.saturating_sub(name.len())));
    name
}

fn last_byte_differs(name: &str) -> String {
    let mut twin = name.to_owned();
    twin.pop();
    twin + "y"
}

fn beyond<V: core::fmt::Debug>(
    what: &str,
    found: Result<V, StoreError>,
    limit: LimitExceeded,
) -> Result<(), Flaw> {
    match found {
        Err(StoreError::Limit(found)) => same(&format!("what refuses a {what}"), found, limit),
        other => Err(Flaw(format!("a {what} gave {other:?}, and should be refused: {limit}"))),
    }
}
