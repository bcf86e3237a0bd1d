//! What is tried at random.

use core::{num::NonZeroUsize, time::Duration};

use quickcheck::{Arbitrary, Gen};
use surmise_idempotency::{CacheConfig, Keep, WhenFull};

use crate::world::Action;

/// A cache of few keys, whose times are over soon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config(pub(crate) CacheConfig);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) forth: u8,
    pub(crate) back: u8,
    pub(crate) action: Action,
}

/// How many keys there are.
const KEYS: u8 = 6;

impl Arbitrary for Config {
    fn arbitrary(random: &mut Gen) -> Self {
        let mut nanos = |most: u8| Duration::from_nanos((1 + u8::arbitrary(random) % most).into());
        let (lease, retention, brief_retention) = (nanos(8), nanos(20), nanos(6));
        let room = usize::arbitrary(random) % usize::from(KEYS);
        let when_full =
            if bool::arbitrary(random) { WhenFull::Refuse } else { WhenFull::EvictOldest };
        Self(CacheConfig {
            lease,
            retention,
            brief_retention,
            capacity: NonZeroUsize::MIN.saturating_add(room),
            when_full,
            epoch: 3,
        })
    }
}

impl Arbitrary for Op {
    fn arbitrary(random: &mut Gen) -> Self {
        let mut below = |end: u8| u8::arbitrary(random) % end;
        let (key, payload, ticket) = (below(KEYS), below(8) / 7, below(4));
        let keep = if below(3) == 0 { Keep::Briefly } else { Keep::Long };
        let action = match below(32) {
            0..18 => Action::Begin { key, payload },
            18..24 => Action::Complete { ticket, keep },
            24 | 25 => Action::Release { ticket },
            26 | 27 => Action::Renew { ticket },
            28 | 29 => Action::Save { ticket },
            _ => Action::Expire { at_most: below(4) },
        };
        let back = if below(24) == 0 { below(30) } else { 0 };
        Self { forth: below(4), back, action }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let Self { forth, back, action } = *self;
        let smaller = (forth, back).shrink();
        Box::new(smaller.map(move |(forth, back)| Self { forth, back, action }))
    }
}
