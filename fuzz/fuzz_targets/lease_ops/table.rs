//! A table of leases, and what is done to it.

use core::num::NonZeroU64;

use arbitrary::Arbitrary;
use surmise_fence::{FencingToken, LeaseTableConfig};

use crate::{
    Span,
    world::{Action, RESOURCES, World},
};

#[derive(Arbitrary, Debug)]
pub(crate) struct Input {
    epoch: u64,
    max_ttl: Span,
    lock_delay: Span,
    max_leases: u8,
    /// The epoch and the counter of the last token that was reserved before.
    reserved: Option<(u64, NonZeroU64)>,
    ops: Vec<Op>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Op {
    forth: Span,
    back: Option<Span>,
    kind: Kind,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Acquire { resource: u8, nonce: u8, ttl: Span },
    Renew { resource: u8, token: u8, ttl: Span },
    Release { resource: u8, token: u8 },
    Expire { at_most: u8 },
    Reserve { size: u8 },
    ReserveMany { size: NonZeroU64 },
    Restart { reserve: Option<NonZeroU64> },
    Restore { resource: u8, above: NonZeroU64, ttl: Span },
    AdvanceEpoch { by: u8 },
    AdvanceEpochFar { by: u64 },
}

pub(crate) fn check(input: &Input) {
    let config = LeaseTableConfig {
        epoch: input.epoch,
        max_ttl: input.max_ttl.duration(),
        lock_delay: input.lock_delay.duration(),
        max_leases: usize::from(input.max_leases % 6),
    };
    let reserved = input.reserved.map(|(epoch, counter)| FencingToken::new(epoch, counter));
    let is_valid = !config.max_ttl.is_zero()
        && config.max_leases > 0
        && reserved.is_none_or(|reserved| reserved.epoch() <= config.epoch);
    match World::new(config, reserved) {
        Ok(mut world) => {
            assert!(is_valid, "{config:?} after {reserved:?}");
            for op in &input.ops {
                let back = op.back.map_or(0, Span::nanos);
                world.step(op.forth.nanos(), back, op.kind.into());
            }
        }
        Err(error) => assert!(!is_valid, "{error}"),
    }
}

impl From<Kind> for Action {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Acquire { resource, nonce, ttl } => {
                let (resource, nonce) = (resource % RESOURCES, u64::from(nonce % 3));
                Self::Acquire { resource, nonce, ttl: ttl.duration() }
            }
            Kind::Renew { resource, token, ttl } => {
                Self::Renew { resource: resource % RESOURCES, token, ttl: ttl.duration() }
            }
            Kind::Release { resource, token } => {
                Self::Release { resource: resource % RESOURCES, token }
            }
            Kind::Expire { at_most } => Self::Expire { at_most: at_most.into() },
            Kind::Reserve { size } => {
                Self::Reserve { size: NonZeroU64::MIN.saturating_add(size.into()) }
            }
            Kind::ReserveMany { size } => Self::Reserve { size },
            Kind::Restart { reserve } => Self::Restart { reserve },
            Kind::Restore { resource, above, ttl } => {
                Self::Restore { resource: resource % RESOURCES, above, ttl: ttl.duration() }
            }
            Kind::AdvanceEpoch { by } => Self::AdvanceEpoch { by: by.into() },
            Kind::AdvanceEpochFar { by } => Self::AdvanceEpoch { by },
        }
    }
}
