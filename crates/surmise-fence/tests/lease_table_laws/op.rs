//! What is tried at random.

use core::{num::NonZeroU64, time::Duration};

use quickcheck::{Arbitrary, Gen};

use crate::world::{Action, RESOURCES};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) forth: u8,
    pub(crate) back: u8,
    pub(crate) action: Action,
}

impl Arbitrary for Op {
    fn arbitrary(random: &mut Gen) -> Self {
        let mut below = |end: u8| u8::arbitrary(random) % end;
        let (resource, token) = (below(RESOURCES), below(6));
        // 0 and 11 are no TTLs.
        let ttl = Duration::from_nanos(below(12).into());
        let action = match below(32) {
            0..16 => Action::Acquire { resource, nonce: below(3).into(), ttl },
            16..22 => Action::Renew { resource, token, ttl },
            22..25 => Action::Release { resource, token },
            25..28 => Action::Expire { at_most: usize::from(below(4)) },
            28 => Action::Reserve { size: size(below(6)) },
            29 => Action::Restore { resource, above: size(below(6)), ttl },
            30 => {
                let reserve = below(4);
                Action::Restart { reserve: (reserve > 0).then(|| size(reserve)) }
            }
            _ => Action::AdvanceEpoch { by: u64::from(below(4) / 2) },
        };
        let back = if below(12) == 0 { below(20) } else { 0 };
        Self { forth: below(4), back, action }
    }
}

/// Returns a number from 1.
fn size(more: u8) -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(more.into())
}
