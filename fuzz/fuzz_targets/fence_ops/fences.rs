//! Fences beside the list of all that they admitted.

use core::num::NonZeroU64;

use arbitrary::Arbitrary;
use surmise_fence::{Fence, FencingToken, Pass, StrictFence, sync::AtomicFence};

use crate::maps::Few;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Op {
    shown: Shown,
    is_raise: bool,
}

/// Mostly one of few passes, so that they meet.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Shown {
    Few(Few),
    Fewer(Few),
    Any { epoch: u64, counter: NonZeroU64, nonce: u64, sequence: u64 },
}

impl Shown {
    fn pass(self) -> Pass {
        match self {
            Self::Few(few) | Self::Fewer(few) => few.pass(),
            Self::Any { epoch, counter, nonce, sequence } => {
                Pass { token: FencingToken::new(epoch, counter), nonce, sequence }
            }
        }
    }
}

pub(crate) fn check(ops: &[Op]) {
    check_plain(ops);
    check_strict(ops);
}

fn check_plain(ops: &[Op]) {
    let (mut one, many) = (Fence::new(), AtomicFence::new());
    let mut highest = None;
    for op in ops {
        let token = op.shown.pass().token;
        let (answer, shared) = if op.is_raise {
            (one.raise(token), many.raise(token))
        } else {
            (one.admit(token), many.admit(token))
        };
        assert_eq!((answer.is_ok(), answer), (highest <= Some(token), shared));
        highest = highest.max(Some(token));
        assert_eq!((one.highest(), many.highest()), (highest, highest));
    }
}

fn check_strict(ops: &[Op]) {
    let mut fence = StrictFence::new();
    let mut admitted = Vec::<(Pass, bool)>::new();
    // The reference takes time in the square of the operations.
    for op in ops.iter().take(300) {
        let pass = op.shown.pass();
        let expected = admitted.iter().all(|&(earlier, was_raise)| {
            let is_in_order = pass.sequence > earlier.sequence
                || pass.sequence == 0 && earlier.sequence == 0
                || op.is_raise
                || was_raise;
            let is_same_grant = (pass.token, pass.nonce) == (earlier.token, earlier.nonce);
            pass.token > earlier.token || is_same_grant && is_in_order
        });
        let answer = if op.is_raise { fence.raise(pass) } else { fence.admit(pass) };
        assert_eq!(answer.is_ok(), expected, "{pass:?} after {admitted:?}");
        if expected {
            admitted.push((pass, op.is_raise));
        }
        assert_eq!(Pass::from_bytes(pass.to_bytes()), Ok(pass));
    }
}
