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
}

/// Which script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Open,
    Grant,
    Extend,
    Revoke,
    Holding,
    AdvanceEpoch,
    Write,
    Raise,
}

impl<T> Scripts<T> {
    pub(super) fn new(script: impl Fn(Which) -> T) -> Self {
        Self {
            open: script(Which::Open),
            grant: script(Which::Grant),
            extend: script(Which::Extend),
            revoke: script(Which::Revoke),
            holding: script(Which::Holding),
            advance_epoch: script(Which::AdvanceEpoch),
            write: script(Which::Write),
            raise: script(Which::Raise),
        }
    }

    pub(super) const fn get(&self, which: Which) -> &T {
        match which {
            Which::Open => &self.open,
            Which::Grant => &self.grant,
            Which::Extend => &self.extend,
            Which::Revoke => &self.revoke,
            Which::Holding => &self.holding,
            Which::AdvanceEpoch => &self.advance_epoch,
            Which::Write => &self.write,
            Which::Raise => &self.raise,
        }
    }
}

/// The scripts as they are.
///
/// Each writes by one command at most, after all that it reads: there is no roll-back, and what the server refuses for
/// want of memory or of replicas, it refuses there.
pub(super) const LUA: Scripts<&str> = Scripts {
    open: concat!(include_str!("scripts/lease.lua"), include_str!("scripts/open.lua")),
    grant: concat!(include_str!("scripts/lease.lua"), include_str!("scripts/grant.lua")),
    extend: concat!(include_str!("scripts/lease.lua"), include_str!("scripts/extend.lua")),
    revoke: concat!(include_str!("scripts/lease.lua"), include_str!("scripts/revoke.lua")),
    holding: concat!(include_str!("scripts/lease.lua"), include_str!("scripts/holding.lua")),
    advance_epoch: concat!(
        include_str!("scripts/lease.lua"),
        include_str!("scripts/advance_epoch.lua")
    ),
    write: concat!(include_str!("scripts/fence.lua"), include_str!("scripts/write.lua")),
    raise: concat!(include_str!("scripts/fence.lua"), include_str!("scripts/raise.lua")),
};
