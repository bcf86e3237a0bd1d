//! Any requests: a cache does what a naive one does, with tickets that are late, any times, and clocks that step back.

#![no_main]

#[path = "../../../crates/surmise-idempotency/tests/cache_laws/naive.rs"]
mod naive;
#[path = "../../../crates/surmise-idempotency/tests/cache_laws/world.rs"]
mod world;

use core::num::NonZeroUsize;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_fuzz::Span;
use surmise_idempotency::{CacheConfig, Keep, WhenFull};

use crate::world::{Action, World};

#[derive(Arbitrary, Debug)]
struct Input {
    lease: Time,
    retention: Time,
    brief_retention: Time,
    room: u8,
    evicts: bool,
    epoch: u64,
    ops: Vec<Op>,
}

/// Mostly a short one: requests are to meet the same records.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Time {
    Nanos(u8),
    Micros(u8),
    Any(Span),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Op {
    forth: Time,
    back: Option<Time>,
    kind: Kind,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Begin { key: u8 },
    BeginOther { key: u8, payload: u8 },
    Complete { ticket: u8 },
    CompleteBriefly { ticket: u8 },
    Release { ticket: u8 },
    Renew { ticket: u8 },
    Save { ticket: u8 },
    Expire { at_most: u8 },
}

/// How many keys there are.
const KEYS: u8 = 12;

impl Time {
    fn span(self) -> Span {
        match self {
            Self::Nanos(nanos) => Span::Nanos(nanos.into()),
            Self::Micros(micros) => Span::Magnitude { nanos: u64::from(micros) * 1000, shift: 0 },
            Self::Any(span) => span,
        }
    }
}

impl From<Kind> for Action {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Begin { key } => Self::Begin { key: key % KEYS, payload: 0 },
            Kind::BeginOther { key, payload } => {
                Self::Begin { key: key % KEYS, payload: payload % 3 }
            }
            Kind::Complete { ticket } => Self::Complete { ticket: ticket % 8, keep: Keep::Long },
            Kind::CompleteBriefly { ticket } => {
                Self::Complete { ticket: ticket % 8, keep: Keep::Briefly }
            }
            Kind::Release { ticket } => Self::Release { ticket: ticket % 8 },
            Kind::Renew { ticket } => Self::Renew { ticket: ticket % 8 },
            Kind::Save { ticket } => Self::Save { ticket: ticket % 8 },
            Kind::Expire { at_most } => Self::Expire { at_most },
        }
    }
}

fuzz_target!(|input: Input| {
    let [lease, retention, brief_retention] =
        [input.lease, input.retention, input.brief_retention].map(|time| time.span().duration());
    let config = CacheConfig {
        lease,
        retention,
        brief_retention,
        capacity: NonZeroUsize::MIN.saturating_add((input.room % KEYS).into()),
        when_full: if input.evicts { WhenFull::EvictOldest } else { WhenFull::Refuse },
        epoch: input.epoch,
    };
    let is_valid = !(lease.is_zero() || retention.is_zero() || brief_retention.is_zero());
    match World::new(config) {
        Ok(mut world) => {
            assert!(is_valid, "{config:?}");
            for op in &input.ops {
                let back = op.back.map_or(0, |back| back.span().nanos());
                world.step(op.forth.span().nanos(), back, op.kind.into());
            }
        }
        Err(error) => assert!(!is_valid, "{error}"),
    }
});
