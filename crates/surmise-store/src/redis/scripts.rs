//! What the server does in one step, for each operation.

/// One of each, by operation.
#[derive(Clone, Debug)]
pub(super) struct Scripts<T> {
    pub(super) open: T,
    pub(super) grant: T,
    pub(super) extend: T,
    pub(super) revoke: T,
    pub(super) holding: T,
    pub(super) advance_epoch: T,
    pub(super) write: T,
    pub(super) raise: T,
    pub(super) get: T,
    pub(super) look_up: T,
    pub(super) exchange: T,
}

impl<T> Scripts<T> {
    pub(super) fn map<U>(&self, mut script: impl FnMut(&T) -> U) -> Scripts<U> {
        Scripts {
            open: script(&self.open),
            grant: script(&self.grant),
            extend: script(&self.extend),
            revoke: script(&self.revoke),
            holding: script(&self.holding),
            advance_epoch: script(&self.advance_epoch),
            write: script(&self.write),
            raise: script(&self.raise),
            get: script(&self.get),
            look_up: script(&self.look_up),
            exchange: script(&self.exchange),
        }
    }
}

/// Says which script.
pub(super) type Which<T> = fn(&Scripts<T>) -> &T;

/// The scripts as they are.
///
/// Each writes by one command at most, after all that it reads: there is no roll-back, and what the server refuses for
/// want of memory or of replicas, it refuses there. `exchange` writes by two, the first of which does no harm alone.
pub(super) const LUA: Scripts<&str> = Scripts {
    open: concat!(include_str!("scripts/lease.lua"), include_str!("scripts/open.lua")),
    grant: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/lease.lua"),
        include_str!("scripts/grant.lua"),
    ),
    extend: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/lease.lua"),
        include_str!("scripts/extend.lua"),
    ),
    revoke: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/lease.lua"),
        include_str!("scripts/revoke.lua"),
    ),
    holding: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/lease.lua"),
        include_str!("scripts/holding.lua"),
    ),
    advance_epoch: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/lease.lua"),
        include_str!("scripts/advance_epoch.lua"),
    ),
    write: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/fence.lua"),
        include_str!("scripts/write.lua"),
    ),
    raise: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/fence.lua"),
        include_str!("scripts/raise.lua"),
    ),
    get: concat!(include_str!("scripts/same.lua"), include_str!("scripts/get.lua")),
    look_up: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/lease.lua"),
        include_str!("scripts/execution.lua"),
        include_str!("scripts/look_up.lua"),
    ),
    exchange: concat!(
        include_str!("scripts/same.lua"),
        include_str!("scripts/lease.lua"),
        include_str!("scripts/execution.lua"),
        include_str!("scripts/exchange.lua"),
    ),
};
