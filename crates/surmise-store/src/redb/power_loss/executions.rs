//! Callers whose requests are to be executed once, over power losses.

mod callers;
mod fate;

use core::time::Duration;

use ::redb::{ReadableTable as _, TableError};
use fastrand::Rng;
use surmise_idempotency::{Fingerprint, Key};
use surmise_time::Instant;

pub(super) use self::callers::Callers;
use super::{
    super::{
        engine::Shared,
        format::{EXECUTION_ENDS, EXECUTIONS},
        operation::{Execute, Settle, Waiting},
    },
    Ended, Life, Mutant, Reply, Tally, asked,
    mutants::{ExecuteInFlight, ForgetCompletion, ForgetRecovery},
};
use crate::{
    Claim, Claimed, Settled, Settlement, Terms,
    idempotency_store::{Record, Verb},
};

/// A claim, as the model has it.
#[derive(Clone, Copy, Debug)]
struct Asked {
    name: u8,
    fingerprint: Fingerprint,
    nonce: u64,
    terms: Terms,
    now: Instant,
}

const KEYS: u8 = 40;
impl Life {
    /// Draws a claim or a settlement, and what to make of its answer.
    pub(super) fn execution(&mut self) -> (Box<dyn Waiting>, Reply) {
        let (name, now) = (self.rng.u8(..KEYS), self.now);
        let tickets = self.callers.tickets.get(&name).map_or(&[][..], Vec::as_slice);
        let latest = tickets.last().filter(|_| self.rng.u8(..4) > 0);
        match latest.or_else(|| self.rng.choice(tickets)).cloned() {
            Some(ticket) if self.rng.bool() => {
                let value = vec![self.rng.u8(..); self.rng.choice([0, 1, 40, 3000]).unwrap()];
                let brief = if self.rng.bool() { TERMS_MIN } else { ticket.terms().retention };
                let settle = match self.rng.u8(..8) {
                    0..=2 => OwnVerb::Complete(value, brief),
                    3 => OwnVerb::Release,
                    4 | 5 => OwnVerb::Renew,
                    _ => OwnVerb::Save(value),
                };
                let operation = Settle::new(&ticket, settle.settlement());
                let is_release = matches!(settle, OwnVerb::Release);
                let settled = move |life: &mut Self, tally: &mut Tally, settled: Result<_, _>| {
                    life.callers.settled(name, &ticket, &settle, now, &settled, tally)?;
                    Ok(Ended::of(&settled, |it| matches!(it, Settled::Indeterminate(_))))
                };
                match self.mutant {
                    Mutant::ForgetsCompletions => {
                        asked(ForgetCompletion(operation, key(name)), settled)
                    }
                    Mutant::ForgetsReleasedRecoveries if is_release => {
                        asked(ForgetRecovery(operation, key(name)), settled)
                    }
                    _ => asked(operation, settled),
                }
            }
            _ => {
                let asked_for = self.draw_claim(name);
                let Asked { fingerprint, nonce, terms, .. } = asked_for;
                let claim = Claim::new(&key(name), fingerprint, nonce, terms).map(Execute::from);
                let claimed = move |life: &mut Self, tally: &mut Tally, claimed: Result<_, _>| {
                    life.callers.claimed(&asked_for, &claimed, tally)?;
                    Ok(Ended::of(&claimed, |it| matches!(it, Claimed::Indeterminate(_))))
                };
                match self.mutant {
                    Mutant::ExecutesInFlight => {
                        asked(ExecuteInFlight(claim.unwrap(), key(name)), claimed)
                    }
                    _ => asked(claim.unwrap(), claimed),
                }
            }
        }
    }

    fn draw_claim(&mut self, name: u8) -> Asked {
        let rng = &mut self.rng;
        let last = self.callers.nonces.get(&name).copied();
        let nonce = last.filter(|_| rng.u8(..3) == 0).unwrap_or_else(|| rng.u64(..));
        let millis = |rng: &mut Rng, range| Duration::from_millis(rng.u64(range));
        let terms = Terms {
            lease: millis(rng, 10..300),
            retention: millis(rng, 1000..3000),
            brief_retention: TERMS_MIN,
        };
        self.callers.nonces.insert(name, nonce);
        let fingerprint = Fingerprint::from_bytes([u8::from(rng.u8(..10) == 0); 16]);
        Asked { name, fingerprint, nonce, terms, now: self.now }
    }
}

const TERMS_MIN: Duration = Duration::from_millis(10);

fn key(name: u8) -> Key {
    Key::new("tenant", "charge", [name; 3].escape_ascii().to_string()).unwrap()
}

#[derive(Clone, Debug)]
enum OwnVerb {
    Complete(Vec<u8>, Duration),
    Release,
    Renew,
    Save(Vec<u8>),
}

impl OwnVerb {
    fn settlement(&self) -> Settlement<'_> {
        Settlement(match self {
            Self::Complete(result, retention) => Verb::Complete { result, retention: *retention },
            Self::Release => Verb::Release,
            Self::Renew => Verb::Renew,
            Self::Save(checkpoint) => Verb::Save { checkpoint },
        })
    }
}

/// Looks whether each record has one end, and each end a record.
pub(super) fn check(shared: &Shared) -> Result<(), String> {
    let ends = shared.read(|transaction| {
        let (records, ends) =
            match (transaction.open_table(EXECUTIONS), transaction.open_table(EXECUTION_ENDS)) {
                (Err(TableError::TableDoesNotExist(_)), Err(TableError::TableDoesNotExist(_))) => {
                    return Ok((Vec::new(), Vec::new()));
                }
                (records, ends) => (records?, ends?),
            };
        let mut ends_of_records = Vec::new();
        for row in records.iter()? {
            let (key, row) = row?;
            let record = Record::from_bytes(row.value().1).unwrap();
            ends_of_records.push((record.forgotten_at.as_nanos(), key.value().to_vec()));
        }
        let mut found = Vec::new();
        for row in ends.iter()? {
            let key = row?.0;
            found.push((key.value().0, key.value().1.to_vec()));
        }
        ends_of_records.sort();
        Ok((ends_of_records, found))
    });
    let (expected, found) = ends.unwrap();
    if expected == found { Ok(()) } else { Err(format!("{expected:?} end, and not {found:?}")) }
}
