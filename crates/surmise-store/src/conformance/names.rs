//! Names that a store could mistake for each other, or for something of its own.

use surmise_fence::{FencingToken, Pass};

use super::{
    Case, Flaw, Timer,
    trial::{LONG, Trial, same},
};
use crate::{Entry, FencedStore, LeaseStore};

pub(super) fn cases<S: LeaseStore + FencedStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![
        Case::new("resources-are-told-apart", |trial| Box::pin(resources(trial))),
        Case::new("keys-are-told-apart", |trial| Box::pin(keys(trial))),
    ]
}

/// What quotes, escapes, patterns, tags, paths and collations are made of.
const NAMES: [&str; 28] = [
    "a",
    "A",
    "a ",
    " a",
    "a/",
    "a/b",
    "a//b",
    "a:b",
    "a.b",
    "{a}",
    "{a}b",
    "{}a",
    "}{",
    "a%",
    "a_",
    "a*",
    "a?",
    "[a]",
    "'a",
    "\"a",
    "\\a",
    "a\\",
    "a\n",
    "--",
    "ä",
    "a\u{308}",
    "\u{10ffff}",
    ";",
];

async fn resources<S, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw>
where
    S: LeaseStore + FencedStore,
    T: Timer,
{
    for (nonce, name) in (1..).zip(NAMES) {
        let resource = trial.resource(name);
        let what = format!("the lease on {resource:?}");
        same(&what, trial.holding(&resource).await?, None)?;
        let grant = trial.acquire(&resource, nonce, LONG).await?;
        let pass = Pass::from(grant.token).with_nonce(nonce);
        same(&format!("the floor under {resource:?}"), trial.floor(&resource).await?, None)?;
        same("a raise", trial.raise(&resource, pass).await?, Ok(()))?;
        same(&format!("a key of {resource:?}"), trial.read(&resource, b"key").await?, None)?;
        let write = trial.write(&resource, b"key", name.as_bytes(), pass).await?;
        same("a write", write, Ok(()))?;
    }
    for (nonce, name) in (1..).zip(NAMES) {
        let resource = trial.resource(name);
        let Some(Entry { value, pass, .. }) = trial.read(&resource, b"key").await? else {
            return Err(Flaw(format!("what was written to {resource:?} is gone")));
        };
        let what = format!("a key of {resource:?}");
        same(&what, (value, pass.nonce), (Some(name.as_bytes().to_vec()), nonce))?;
        same(&format!("the floor under {resource:?}"), trial.floor(&resource).await?, Some(pass))?;
        trial.must_hold(&resource, pass.token, nonce).await?;
    }
    Ok(())
}

async fn keys<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    // A resource and a key that, one after the other, are the same bytes as others.
    let resources = ["a", "ab", "a/b"].map(|name| trial.resource(name));
    let mut keys: Vec<Vec<u8>> = NAMES.iter().map(|name| name.as_bytes().to_vec()).collect();
    keys.extend([b"bb".to_vec(), b"b".to_vec(), b"/b".to_vec(), b"b/b".to_vec()]);
    keys.extend([vec![0], vec![0, 0], vec![0xff], vec![0xff, 0xff], vec![0x80], b"a\0".to_vec()]);
    keys.extend([b"floor", b"lease", b"token", b"epoch"].map(|key| key.to_vec()));
    let pass = Pass::from(FencingToken::first(1));
    for resource in &resources {
        for key in &keys {
            let what = format!("key {:?} of {resource:?}", key.escape_ascii().to_string());
            same(&what, trial.read(resource, key).await?, None)?;
            let value = [resource.as_bytes(), b"\0", key].concat();
            same("a write", trial.write(resource, key, &value, pass).await?, Ok(()))?;
        }
        same("a floor that was never raised", trial.floor(resource).await?, None)?;
    }
    for resource in &resources {
        for key in &keys {
            let what = format!("key {:?} of {resource:?}", key.escape_ascii().to_string());
            let value = [resource.as_bytes(), b"\0", key].concat();
            let entry = Some(Entry::new(Some(value), pass));
            same(&what, trial.read(resource, key).await?, entry)?;
        }
    }
    Ok(())
}
