use alloc::vec::Vec;
use core::task::Waker;

use super::{room::SharedRoom, waiters::Waiters};
use crate::{Begin, Fenced, Ticket, cache::Table};

/// Some of the keys of a cache, and who waits for them.
pub(super) struct Shard<K, V, C> {
    pub(super) table: Table<K, V, C, SharedRoom>,
    pub(super) waiters: Waiters,
}

/// Who is to be woken once the lock of the shard is given back.
#[must_use]
pub(super) struct Woken(Vec<Waker>);

impl<K, V, C> Shard<K, V, C> {
    /// Returns who waited for an execution that is another's now.
    pub(super) fn after_begin(&mut self, begin: &Begin<V, C>) -> Woken {
        match begin {
            Begin::Execute(ticket) | Begin::Recover(ticket) => self.woken(ticket),
            _ => Woken(Vec::new()),
        }
    }

    /// Returns who waited for an execution that ended, if it did.
    pub(super) fn after_end<T>(
        &mut self,
        ticket: &Ticket<C>,
        ended: &Result<(), Fenced<T>>,
    ) -> Woken {
        if ended.is_ok() { self.woken(ticket) } else { Woken(Vec::new()) }
    }

    fn woken(&mut self, ticket: &Ticket<C>) -> Woken {
        Woken(self.waiters.take(ticket.slot))
    }
}

impl Woken {
    pub(super) fn wake(self) {
        self.0.into_iter().for_each(Waker::wake);
    }
}
