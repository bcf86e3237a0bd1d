use core::time::Duration;
use std::collections::BTreeMap;

use surmise_fence::{
    DriftAllowance, FencingToken, Grant, LeaseGuard, Pass, RenewSchedule, Renewal,
};
use surmise_time::Instant;

use super::service::Service;
use crate::failover::{history::Why, message::Record};

/// What a node is while it has a lease: first it shuts the one before out, then it reads what that one left, and then it
/// leads.
#[derive(Debug)]
pub(super) struct Tenure {
    guard: LeaseGuard,
    schedule: RenewSchedule,
    nonce: u64,
    /// The number of the last write.
    pub(super) sequence: u64,
    pub(super) phase: Phase,
    /// Why it takes no more requests, and ends when those are done that it works on.
    pub(super) over: Option<Why>,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// The floor is being raised.
    Raising,
    Loading(Loading),
    Serving(Box<Service>),
}

/// A log that is being read, many places at a time.
#[derive(Debug, Default)]
pub(super) struct Loading {
    records: BTreeMap<u64, Record>,
    next: u64,
    under_way: usize,
    /// The first place that is known to be free.
    end: Option<u64>,
}

impl Tenure {
    pub(super) fn new(grant: Grant, nonce: u64, sent: Instant, spacing: Duration) -> Option<Self> {
        let guard = LeaseGuard::new(grant, sent, DriftAllowance::default());
        let schedule = RenewSchedule::new(&guard, spacing).ok()?;
        Some(Self { guard, schedule, nonce, sequence: 0, phase: Phase::Raising, over: None })
    }

    pub(super) const fn token(&self) -> FencingToken {
        self.guard.token_unchecked()
    }

    /// Returns whether requests are taken: the last look at the lease before the write.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.over.is_none() && self.guard.token(now).is_ok()
    }

    /// Returns whether it is time to renew; takes note if the lease is over.
    pub(super) fn renews(&mut self, now: Instant) -> bool {
        match self.schedule.poll(now) {
            Renewal::Send => self.over.is_none(),
            Renewal::Wait { .. } => false,
            Renewal::Expired => {
                self.over.get_or_insert(Why::Expired);
                false
            }
        }
    }

    /// Takes note that somebody leads by a lease with this token.
    pub(super) fn hear_of(&mut self, token: FencingToken) {
        if token > self.token() {
            self.over.get_or_insert(Why::Superseded);
        }
    }

    /// Takes in a renewal, or that there is none any more.
    pub(super) fn renewed(&mut self, grant: Option<Grant>, sent: Instant) {
        match grant {
            Some(grant) if self.guard.renewed(grant, sent).is_ok() => {
                self.schedule.renewed(&self.guard);
            }
            _ => {
                self.guard.lost();
                self.schedule.lost();
                self.over.get_or_insert(Why::Expired);
            }
        }
    }

    /// Returns what to show when the floor is raised.
    pub(super) fn pass(&self) -> Pass {
        Pass::from(self.token()).with_nonce(self.nonce)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let service = match &self.phase {
            Phase::Serving(service) => service.deadline(),
            Phase::Raising | Phase::Loading(_) => None,
        };
        service.into_iter().chain(self.schedule.deadline()).min()
    }
}

impl Loading {
    /// Returns the next place to read, if more are to be read now.
    pub(super) fn next(&mut self) -> Option<u64> {
        if self.end.is_some() || self.under_way >= AT_A_TIME {
            return None;
        }
        self.under_way += 1;
        self.next += 1;
        Some(self.next - 1)
    }

    /// Takes in what is at a place.
    pub(super) fn loaded(&mut self, slot: u64, record: Option<Record>) {
        self.under_way = self.under_way.saturating_sub(1);
        match record {
            Some(record) => _ = self.records.insert(slot, record),
            None => self.end = Some(self.end.map_or(slot, |end| end.min(slot))),
        }
    }

    /// Returns the whole log, once it is known where it ends.
    pub(super) fn log(&self) -> Option<Vec<Record>> {
        let end = self.end.filter(|_| self.under_way == 0)?;
        Some(self.records.range(..end).map(|(_, record)| *record).collect())
    }
}

/// How many places are read at a time.
const AT_A_TIME: usize = 16;
