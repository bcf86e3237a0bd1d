//! The grantor: the real table of leases, with a disk.

use core::{hash, num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Grant, LeaseTable, LeaseTableConfig};
use surmise_time::Instant;

pub(crate) const TTL: Duration = Duration::from_nanos(8);

/// Without a lock-delay, which would hide that leases overlap.
const CONFIG: LeaseTableConfig =
    LeaseTableConfig { epoch: 1, max_ttl: TTL, lock_delay: Duration::ZERO, max_leases: 1 };

#[derive(Clone, Debug)]
pub(crate) struct Grantor {
    table: LeaseTable<()>,
    /// What the disk has: the last token that was reserved, and who holds the lease.
    reserved: FencingToken,
    held: Option<(FencingToken, u64)>,
}

impl Grantor {
    pub(crate) fn new() -> Self {
        let table = LeaseTable::new(CONFIG).expect("it can grant a lease");
        Self { table, reserved: FencingToken::first(1), held: None }.reserve()
    }

    pub(crate) fn acquire(&mut self, nonce: u64, now: Instant) -> Option<Grant> {
        if self.table.needs_block() {
            *self = self.clone().reserve();
        }
        let grant = self.table.acquire((), nonce, TTL, now).ok()?;
        self.held = Some((grant.token, nonce));
        Some(grant)
    }

    pub(crate) fn renew(&mut self, token: FencingToken, now: Instant) -> Option<Grant> {
        self.table.renew(&(), token, TTL, now).ok()
    }

    pub(crate) fn release(&mut self, token: FencingToken, now: Instant) -> bool {
        let released = self.table.release(&(), token, now).is_ok();
        if released {
            self.held = None;
        }
        released
    }

    pub(crate) fn restart(&mut self, now: Instant) {
        let Self { reserved, held, .. } = *self;
        self.table = LeaseTable::resume(CONFIG, reserved).expect("it could grant leases before");
        if let Some((token, nonce)) = held {
            self.table.restore((), token, nonce, TTL, now).expect("it was held before");
        }
    }

    /// Forgets who holds the lease.
    pub(crate) fn forget(&mut self) {
        self.held = None;
    }

    fn reserve(mut self) -> Self {
        let block = self.table.next_block(NonZeroU64::MIN.saturating_add(1));
        let block = block.expect("there are more tokens");
        self.reserved = block.last();
        self.table.reserve(block).expect("it is the next one");
        self
    }

    /// Returns all that decides what the table will do, as long as time does not step back.
    fn observed(&self) -> impl PartialEq + hash::Hash + use<> {
        (self.reserved, self.held, self.table.deadline(), self.table.issued())
    }
}

impl PartialEq for Grantor {
    fn eq(&self, other: &Self) -> bool {
        self.observed() == other.observed()
    }
}

impl hash::Hash for Grantor {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.observed().hash(state);
    }
}
