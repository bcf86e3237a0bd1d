//! What a store is expected to do, in the plainest way.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use surmise_fence::{FencingToken, Pass};
use surmise_time::Instant;

use super::super::{
    engine::Shared,
    format::{ENTRIES, FLOORS},
};
use crate::{Granted, Outcome};

/// The fenced values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    floors: BTreeMap<String, Pass>,
    entries: BTreeMap<Key, (Pass, Option<Vec<u8>>)>,
}

/// A resource, and a key of it.
type Key = (String, Vec<u8>);

/// A change to them, or to a floor if there is no key.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) resource: &'static str,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) pass: Pass,
}

impl Values {
    /// Takes a step, and returns what it ought to lead to.
    pub(super) fn take(&mut self, step: &Step) -> Outcome {
        let Step { resource, key, value, pass } = step.clone();
        if let Err(refusal) = pass.check_floor(self.floors.get(resource).copied()) {
            return refusal.into();
        }
        let Some(key) = key else {
            self.floors.insert(resource.to_owned(), pass.with_sequence(0));
            return Outcome::Applied;
        };
        let key = (resource.to_owned(), key);
        if let Err(refusal) = pass.check(self.entries.get(&key).map(|(pass, _)| *pass)) {
            return refusal.into();
        }
        self.entries.insert(key, (pass, value));
        Outcome::Applied
    }

    /// Reads all that is in a store.
    pub(super) fn of(shared: &Shared) -> Self {
        use ::redb::ReadableTable as _;
        let values = shared.read(|transaction| {
            let mut values = Self::default();
            for row in transaction.open_table(FLOORS)?.iter()? {
                let (resource, pass) = row?;
                let pass = Pass::from_bytes(*pass.value()).unwrap();
                values.floors.insert(resource.value().to_owned(), pass);
            }
            for row in transaction.open_table(ENTRIES)?.iter()? {
                let (key, row) = row?;
                let ((resource, key), (pass, value)) = (key.value(), row.value());
                let entry = (Pass::from_bytes(*pass).unwrap(), value.map(<[u8]>::to_vec));
                values.entries.insert((resource.to_owned(), key.to_vec()), entry);
            }
            Ok(values)
        });
        values.unwrap()
    }
}

/// What the holders of leases were told.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    highest: Option<FencingToken>,
    epoch: u64,
    /// Of each resource, the last token, its nonce, and until when it was promised.
    held: BTreeMap<&'static str, (FencingToken, u64, Instant)>,
    /// The nonces of requests whose reply was lost: their token may be told later.
    unsure: BTreeSet<u64>,
}

impl Promises {
    /// Checks a reply to a request, and remembers it.
    pub(super) fn granted(
        &mut self,
        resource: &'static str,
        nonce: u64,
        now: Instant,
        granted: &Granted,
    ) -> Result<(), String> {
        if matches!(granted, Granted::Indeterminate(_)) {
            self.unsure.insert(nonce);
        }
        let Granted::Granted(grant) = granted else { return Ok(()) };
        match self.held.get(resource) {
            // It is the retry of a request; the lease may have been put back after its time.
            Some((token, of, _)) if *of == nonce && *token == grant.token => {}
            Some(held) if now < held.2 => {
                return Err(format!("{resource} was granted while {held:?} held it"));
            }
            _ if Some(grant.token) <= self.highest && !self.unsure.contains(&nonce) => {
                return Err(format!("{} was issued after {:?}", grant.token, self.highest));
            }
            _ if grant.token.epoch() < self.epoch => {
                return Err(format!("{} was issued in epoch {}", grant.token, self.epoch));
            }
            _ => self.highest = self.highest.max(Some(grant.token)),
        }
        self.promised(resource, grant.token, nonce, now + grant.valid_for);
        Ok(())
    }

    pub(super) fn extended(
        &mut self,
        resource: &'static str,
        token: FencingToken,
        now: Instant,
        valid_for: Duration,
    ) {
        if let Some((held, nonce, _)) = self.held.get(resource).copied() {
            assert_eq!(held, token, "only the last holder asks");
            self.promised(resource, token, nonce, now + valid_for);
        }
    }

    /// Checks a new epoch, and remembers it.
    pub(super) fn advanced(&mut self, epoch: u64) -> Result<(), String> {
        if epoch <= self.epoch {
            return Err(format!("epoch {epoch} came after epoch {}", self.epoch));
        }
        self.epoch = epoch;
        Ok(())
    }

    pub(super) fn released(&mut self, resource: &'static str) {
        self.held.remove(resource);
    }

    pub(super) fn last(&self, resource: &'static str) -> Option<(FencingToken, u64)> {
        self.held.get(resource).map(|(token, nonce, _)| (*token, *nonce))
    }

    fn promised(
        &mut self,
        resource: &'static str,
        token: FencingToken,
        nonce: u64,
        until: Instant,
    ) {
        self.held.insert(resource, (token, nonce, until));
    }
}
