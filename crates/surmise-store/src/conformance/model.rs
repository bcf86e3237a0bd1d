//! A store beside the simplest one there is.

use std::collections::HashMap;

use surmise_fence::{FencingToken, Pass, Refusal};

use super::{
    Case, Flaw, Timer,
    draws::Draws,
    fences::ascending,
    trial::{Trial, same},
};
use crate::{Entry, FencedStore, LeaseStore};

pub(super) fn cases<S: LeaseStore + FencedStore, T: Timer>() -> Vec<Case<S, T>> {
    vec![Case::new("random-changes-do-what-the-rule-says", |trial| Box::pin(random(trial)))]
}

/// Values under the rule of [`Pass::check`], one resource's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    floor: Option<Pass>,
    entries: HashMap<Vec<u8>, Entry>,
}

impl Model {
    pub(super) fn raise(&mut self, pass: Pass) -> Result<(), Refusal> {
        pass.check_floor(self.floor)?;
        self.floor = Some(pass.with_sequence(0));
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        key: &[u8],
        value: Option<&[u8]>,
        pass: Pass,
    ) -> Result<(), Refusal> {
        pass.check_floor(self.floor)?;
        pass.check(self.read(key).map(|entry| entry.pass))?;
        self.entries.insert(key.to_vec(), Entry::new(value.map(<[u8]>::to_vec), pass));
        Ok(())
    }

    pub(super) fn floor(&self) -> Option<Pass> {
        self.floor
    }

    pub(super) fn read(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }
}

async fn random<S: FencedStore, T>(trial: &Trial<'_, S, T>) -> Result<(), Flaw> {
    // Always the same, so that what fails fails again.
    let mut draws = Draws::new(0x5eed);
    for round in 0..5_u8 {
        let resource = trial.resource(&format!("{round}"));
        let mut model = Model::default();
        for step in 0..120_u8 {
            let pass = pass(&mut draws);
            let key = [b'k', draws.below(3)];
            let value = [round, step];
            let (what, found, expected) = match draws.below(8) {
                0 => ("raise", trial.raise(&resource, pass).await?, model.raise(pass)),
                1 | 2 => (
                    "removal",
                    trial.remove(&resource, &key, pass).await?,
                    model.change(&key, None, pass),
                ),
                _ => (
                    "write",
                    trial.write(&resource, &key, &value, pass).await?,
                    model.change(&key, Some(&value), pass),
                ),
            };
            let what = format!("round {round}, step {step}, {what} of {key:?} with {pass:?}:");
            same(&format!("{what} the outcome"), found, expected)?;
            same(&format!("{what} the floor"), trial.floor(&resource).await?, model.floor())?;
            let entry = trial.read(&resource, &key).await?;
            same(&format!("{what} the entry"), entry.as_ref(), model.read(&key))?;
        }
    }
    Ok(())
}

/// Returns a pass such that any two of them are close.
fn pass(draws: &mut Draws) -> Pass {
    let at = usize::from(draws.below(4)) * 13 + usize::from(draws.below(3));
    let token = ascending().nth(at).unwrap_or(FencingToken::MAX);
    let sequence = [0, 0, 1, 2, u64::MAX].into_iter().nth(draws.below(5).into());
    let nonce = if draws.below(5) == 0 { 8 } else { 7 };
    Pass { token, nonce, sequence: sequence.unwrap_or(0) }
}
