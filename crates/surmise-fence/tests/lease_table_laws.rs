//! A table of leases against a naive one, over random schedules with restarts, new epochs and time that steps back.

#![cfg(feature = "alloc")]

extern crate alloc;

#[path = "lease_table_laws/naive.rs"]
mod naive;
#[path = "lease_table_laws/op.rs"]
mod op;

use alloc::collections::BTreeMap;
use core::{num::NonZeroU64, time::Duration};

use quickcheck::quickcheck;
use surmise_fence::{FencingToken, LeaseTable, LeaseTableConfig};
use surmise_time::Instant;

use self::{
    naive::Naive,
    op::{Action, Op, RESOURCES},
};

const CONFIG: LeaseTableConfig = LeaseTableConfig {
    epoch: 1,
    max_ttl: Duration::from_nanos(10),
    lock_delay: Duration::from_nanos(3),
    max_leases: 3,
};

/// What survives a restart.
#[derive(Default)]
struct Disk {
    reserved: Option<FencingToken>,
    leases: BTreeMap<u8, (FencingToken, u64, Duration)>,
}

/// A table, the naive one and a disk.
struct World {
    table: LeaseTable<u8>,
    naive: Naive,
    disk: Disk,
    now: u64,
    granted: Vec<FencingToken>,
}

impl World {
    fn new() -> Self {
        let table = LeaseTable::new(CONFIG).expect("it can grant leases");
        Self {
            table,
            naive: Naive::new(CONFIG),
            disk: Disk::default(),
            now: 0,
            granted: Vec::new(),
        }
    }

    fn step(&mut self, op: Op) {
        self.now = self.now.saturating_add(op.forth.into()).saturating_sub(op.back.into());
        match op.action {
            Action::Acquire { resource, nonce, ttl } => self.acquire(resource, nonce, ttl),
            Action::Renew { resource, token, ttl } => self.renew(resource, token, ttl),
            Action::Release { resource, token } => self.release(resource, token),
            Action::Expire { at_most } => self.expire(at_most),
            Action::Reserve { size } => self.reserve(size),
            Action::Restart => self.restart(),
            Action::AdvanceEpoch { by } => self.advance_epoch(by),
        }
        self.compare();
    }

    fn acquire(&mut self, resource: u8, nonce: u64, ttl: Duration) {
        let now = Instant::from_nanos(self.now);
        let grant = self.table.acquire(resource, nonce, ttl, now);
        assert_eq!(grant, self.naive.acquire(resource, nonce, ttl, self.now));
        let Ok(grant) = grant else { return };
        if !self.granted.contains(&grant.token) {
            assert!(self.granted.last() < Some(&grant.token), "{grant:?} after {:?}", self.granted);
            self.granted.push(grant.token);
        }
        self.disk.leases.insert(resource, (grant.token, nonce, grant.valid_for));
    }

    fn renew(&mut self, resource: u8, token: u8, ttl: Duration) {
        let token = self.token(token);
        let grant = self.table.renew(&resource, token, ttl, Instant::from_nanos(self.now));
        assert_eq!(grant, self.naive.renew(resource, token, ttl, self.now));
        if let (Ok(grant), Some(lease)) = (grant, self.disk.leases.get_mut(&resource)) {
            lease.2 = grant.valid_for;
        }
    }

    fn release(&mut self, resource: u8, token: u8) {
        let token = self.token(token);
        let released = self.table.release(&resource, token, Instant::from_nanos(self.now));
        assert_eq!(released, self.naive.release(resource, token, self.now));
        if released.is_ok() {
            self.disk.leases.remove(&resource);
        }
    }

    fn expire(&mut self, at_most: usize) {
        let now = Instant::from_nanos(self.now);
        let ended: Vec<_> = self.table.expire(now).take(at_most).collect();
        let ended: Vec<_> = ended.iter().map(|end| (end.resource, end.token, end.nonce)).collect();
        assert_eq!(ended, self.naive.expire(self.now, at_most));
        for (resource, ..) in ended {
            self.disk.leases.remove(&resource);
        }
    }

    fn reserve(&mut self, size: NonZeroU64) {
        let block = self.table.next_block(size).expect("there are more tokens");
        self.disk.reserved = Some(block.last());
        self.table.reserve(block).expect("it is the next one");
        self.naive.reserve(size.get());
        assert!(self.table.reserve(block).is_err(), "{block:?} was reserved twice");
    }

    /// Begins anew with what is on the disk.
    fn restart(&mut self) {
        let config = LeaseTableConfig { epoch: self.naive.epoch(), ..CONFIG };
        let table = match self.disk.reserved {
            Some(reserved) => LeaseTable::resume(config, reserved),
            None => LeaseTable::new(config),
        };
        self.table = table.expect("it was valid before");
        self.naive.restart();
        let now = Instant::from_nanos(self.now);
        for (&resource, &(token, nonce, ttl)) in &self.disk.leases {
            self.table.restore(resource, token, nonce, ttl, now).expect("it was held before");
            self.naive.restore(resource, token, nonce, ttl, self.now);
        }
    }

    fn advance_epoch(&mut self, by: u64) {
        let advanced = self.table.advance_epoch(self.naive.epoch() + by);
        assert_eq!(advanced.is_ok(), by > 0);
        self.naive.advance_epoch(by);
    }

    fn compare(&self) {
        let Self { table, naive, .. } = self;
        for resource in 0..RESOURCES {
            let holding = table.holding(&resource, Instant::from_nanos(self.now));
            let holding = holding.map(|held| (held.token, held.nonce, held.remaining));
            assert_eq!(holding, naive.holding(resource, self.now));
        }
        assert_eq!(table.deadline().map(Instant::as_nanos), naive.deadline());
        assert_eq!((table.len(), table.is_empty()), (naive.len(), naive.len() == 0));
        assert_eq!((table.epoch(), table.issued()), (naive.epoch(), naive.issued()));
        assert_eq!(table.tokens_left(), naive.tokens_left());
        assert_eq!(table.needs_block(), naive.tokens_left() == 0);
    }

    /// Returns one of the last tokens that were granted, or one that never was.
    fn token(&self, back: u8) -> FencingToken {
        let token = self.granted.iter().rev().nth(back.into());
        token.copied().unwrap_or(FencingToken::first(u64::from(back) / 2))
    }
}

quickcheck! {
    fn a_table_does_what_a_naive_one_does(ops: Vec<Op>) -> bool {
        let mut world = World::new();
        ops.into_iter().for_each(|op| world.step(op));
        true
    }
}

/// Restarts, epochs and grants come together often enough in what is tried.
#[test]
fn many_tokens_are_granted_over_restarts_and_epochs() {
    let mut random = quickcheck::Gen::from_size_and_seed(1_000, 6);
    let mut world = World::new();
    let ops: Vec<Op> = (0..5_000).map(|_| quickcheck::Arbitrary::arbitrary(&mut random)).collect();
    ops.into_iter().for_each(|op| world.step(op));
    assert!(world.granted.len() > 300, "{}", world.granted.len());
    assert!(world.naive.epoch() > 10, "{}", world.naive.epoch());
}
