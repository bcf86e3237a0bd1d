use core::time::Duration;

use surmise_fence::Pass;
use surmise_store::{
    Change, Entry, FencedStore, LimitExceeded, Outcome, Resource, StoreError,
    conformance::Timer as _,
};

use super::{Broken, Fault};

impl FencedStore for Broken<'_> {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let place = self.place(change.resource().as_str(), change.key());
        let floor_name = self.floor_name(change.resource().as_str());
        let pass = change.pass();
        let verdict = {
            let state = self.state();
            let no_floor = self.has(Fault::NoFloor)
                || self.has(Fault::NoFloorUnderRemovals) && change.value().is_none();
            let floor = state.floors.get(&floor_name).copied().filter(|_| !no_floor);
            let last = state.entries.get(&place).and_then(|entries| entries.last());
            let last =
                last.filter(|last| !(self.has(Fault::ForgetsRemoval) && last.value.is_none()));
            self.check_floor(pass, floor)
                .and_then(|()| self.check(pass, last.map(|last| last.pass)))
        };
        if self.has(Fault::ChecksThenWrites) {
            self.simulation.sleep(Duration::from_millis(50)).await;
        }
        if verdict.is_ok() || self.has(Fault::RefusedIsDone) {
            let mut value = change.value().map(<[u8]>::to_vec);
            match self.fault {
                Fault::EmptyIsNone => value = value.filter(|value| !value.is_empty()),
                Fault::CutsValues => value.as_mut().unwrap_or(&mut Vec::new()).truncate(65_536),
                _ => {}
            }
            let mut state = self.state();
            state.entries.entry(place).or_default().push(Entry::new(value, pass));
            if self.has(Fault::WriteRaises) {
                state.floors.insert(floor_name, pass.with_sequence(0));
            }
        }
        Ok(verdict.map_or_else(Outcome::from, |()| Outcome::Applied))
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        let name = self.floor_name(resource.as_str());
        let mut state = self.state();
        let checked = self.check_floor(pass, state.floors.get(&name).copied());
        if checked.is_err() && !self.has(Fault::Lowers) {
            return Ok(checked.map_or_else(Outcome::from, |()| Outcome::Applied));
        }
        state.floors.insert(name, pass);
        Ok(Outcome::Applied)
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        Ok(self.state().floors.get(&self.floor_name(resource.as_str())).copied())
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        if !self.has(Fault::NoLimits) {
            Resource::new(resource)?;
            if key.is_empty() || key.len() > Change::MAX_KEY_BYTES {
                return Err(StoreError::Limit(LimitExceeded::Key { bytes: key.len() }));
            }
        }
        let state = self.state();
        let entries = state.entries.get(&self.place(resource, key));
        let Some(entries) = entries else { return Ok(None) };
        let late = self.has(Fault::ReadsLate) && entries.len() > 1;
        let entry = entries.iter().rev().nth(late.into()).cloned();
        let forgets = self.has(Fault::ForgetsRemoval);
        Ok(entry.filter(|entry| entry.value.is_some() || !forgets))
    }
}
