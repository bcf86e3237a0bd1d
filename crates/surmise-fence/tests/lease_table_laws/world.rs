//! A table, a naive one beside it, and the disk that a grantor has.

use alloc::collections::BTreeMap;
use core::{num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, LeaseTable, LeaseTableConfig, LeaseTableError};
use surmise_time::Instant;

use crate::naive::Naive;

/// How many resources there are.
pub(crate) const RESOURCES: u8 = 4;

/// What can happen to a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Acquire {
        resource: u8,
        nonce: u64,
        ttl: Duration,
    },
    /// With one of the last tokens that were granted.
    Renew {
        resource: u8,
        token: u8,
        ttl: Duration,
    },
    Release {
        resource: u8,
        token: u8,
    },
    Expire {
        at_most: usize,
    },
    Reserve {
        size: NonZeroU64,
    },
    /// What it reserves at once, it does before it puts its leases back.
    Restart {
        reserve: Option<NonZeroU64>,
    },
    /// A lease whose token was never issued, as from a disk of another grantor's.
    Restore {
        resource: u8,
        /// By how much its token is above the last one issued.
        above: NonZeroU64,
        ttl: Duration,
    },
    AdvanceEpoch {
        by: u64,
    },
}

/// What survives a restart.
struct Disk {
    reserved: Option<FencingToken>,
    leases: BTreeMap<u8, (FencingToken, u64, Duration)>,
}

/// A table, the naive one and a disk.
pub(crate) struct World {
    table: LeaseTable<u8>,
    pub(crate) naive: Naive,
    disk: Disk,
    now: u64,
    /// The tokens of all grants, in order, after the last token that was reserved before.
    pub(crate) granted: Vec<FencingToken>,
}

impl World {
    /// Creates a table that goes on after what was reserved.
    pub(crate) fn new(
        config: LeaseTableConfig,
        reserved: Option<FencingToken>,
    ) -> Result<Self, LeaseTableError> {
        let table = resume(config, reserved)?;
        let naive = Naive::new(config, reserved);
        let disk = Disk { reserved, leases: BTreeMap::new() };
        Ok(Self { table, naive, disk, now: 0, granted: Vec::from_iter(reserved) })
    }

    /// Lets time pass, then step back, and then something happen.
    pub(crate) fn step(&mut self, forth: u64, back: u64, action: Action) {
        self.now = self.now.saturating_add(forth).saturating_sub(back);
        match action {
            Action::Acquire { resource, nonce, ttl } => self.acquire(resource, nonce, ttl),
            Action::Renew { resource, token, ttl } => self.renew(resource, token, ttl),
            Action::Release { resource, token } => self.release(resource, token),
            Action::Expire { at_most } => self.expire(at_most),
            Action::Reserve { size } => self.reserve(size),
            Action::Restart { reserve } => self.restart(reserve),
            Action::Restore { resource, above, ttl } => self.restore(resource, above, ttl),
            Action::AdvanceEpoch { by } => self.advance_epoch(by),
        }
        self.compare();
    }

    fn acquire(&mut self, resource: u8, nonce: u64, ttl: Duration) {
        let now = Instant::from_nanos(self.now);
        let grant = self.table.acquire(resource, nonce, ttl, now);
        assert_eq!(grant, self.naive.acquire(resource, nonce, ttl, self.now));
        let Ok(grant) = grant else { return };
        // A token is granted once, and again only to the retry of the request that it was granted to.
        let held = self.disk.leases.get(&resource).map(|&(token, nonce, _)| (token, nonce));
        if nonce == 0 || held != Some((grant.token, nonce)) {
            assert!(self.granted.last() < Some(&grant.token), "{grant:?} after {:?}", self.granted);
            self.granted.push(grant.token);
        }
        self.disk.leases.insert(resource, (grant.token, nonce, grant.valid_for.max(ttl)));
    }

    fn renew(&mut self, resource: u8, token: u8, ttl: Duration) {
        let token = self.token(token);
        let grant = self.table.renew(&resource, token, ttl, Instant::from_nanos(self.now));
        assert_eq!(grant, self.naive.renew(resource, token, ttl, self.now));
        if let (Ok(grant), Some(lease)) = (grant, self.disk.leases.get_mut(&resource)) {
            lease.2 = grant.valid_for.max(ttl);
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
        let block = self.table.next_block(size);
        assert_eq!(block.is_err(), self.naive.is_exhausted());
        let Ok(block) = block else { return };
        self.disk.reserved = Some(block.last());
        self.table.reserve(block).expect("it is the next one");
        self.naive.reserve(size.get());
        assert!(self.table.reserve(block).is_err(), "{block:?} was reserved twice");
    }

    /// Begins anew with what is on the disk.
    fn restart(&mut self, reserve: Option<NonZeroU64>) {
        let table = resume(self.naive.config(), self.disk.reserved);
        self.table = table.expect("it was valid before");
        self.naive.restart();
        if let Some(size) = reserve {
            self.reserve(size);
        }
        let now = Instant::from_nanos(self.now);
        for (&resource, &(token, nonce, ttl)) in &self.disk.leases {
            self.table.restore(resource, token, nonce, ttl, now).expect("it was held before");
            let restored = self.naive.restore(resource, token, nonce, ttl, self.now);
            restored.expect("it was held before");
        }
    }

    fn restore(&mut self, resource: u8, above: NonZeroU64, ttl: Duration) {
        let issued = self.naive.issued();
        let (epoch, last) = issued
            .map_or((self.naive.epoch(), 0), |issued| (issued.epoch(), issued.counter().get()));
        let token = FencingToken::new(epoch, above.saturating_add(last));
        let now = Instant::from_nanos(self.now);
        let restored = self.table.restore(resource, token, 1, ttl, now);
        assert_eq!(restored, self.naive.restore(resource, token, 1, ttl, self.now));
        if restored.is_ok() {
            self.disk.leases.insert(resource, (token, 1, ttl));
        }
    }

    fn advance_epoch(&mut self, by: u64) {
        let epoch = self.naive.epoch().saturating_add(by);
        let advanced = self.table.advance_epoch(epoch);
        assert_eq!(advanced.is_ok(), epoch > self.naive.epoch());
        self.naive.advance_epoch(epoch);
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

fn resume(
    config: LeaseTableConfig,
    reserved: Option<FencingToken>,
) -> Result<LeaseTable<u8>, LeaseTableError> {
    match reserved {
        Some(reserved) => LeaseTable::resume(config, reserved),
        None => LeaseTable::new(config),
    }
}
