//! Fences beside the list of all that they admitted.

use core::num::NonZeroU64;

use arbitrary::Arbitrary;
use surmise_fence::{Fence, FencingToken, Pass, StrictFence, sync::AtomicFence};

use crate::reference::History;

#[derive(Arbitrary, Debug)]
pub(crate) struct Op {
    epoch: u64,
    counter: NonZeroU64,
    nonce: u8,
    sequence: u64,
    is_raise: bool,
}

pub(crate) fn check(ops: &[Op]) {
    let (mut one, many, mut strict) = (Fence::new(), AtomicFence::new(), StrictFence::new());
    let (mut admitted, mut history) = (Vec::<FencingToken>::new(), History::default());
    for op in ops {
        let token = FencingToken::new(op.epoch, op.counter);
        let expected = admitted.iter().all(|&earlier| token >= earlier);
        let (answer, shared) = if op.is_raise {
            (one.raise(token), many.raise(token))
        } else {
            (one.admit(token), many.admit(token))
        };
        assert_eq!((answer.is_ok(), answer), (expected, shared));
        if expected {
            admitted.push(token);
        }
        assert_eq!((one.highest(), many.highest()), (admitted.last().copied(), one.highest()));

        // A strict fence is one key without a floor.
        let pass = Pass { token, nonce: op.nonce.into(), sequence: op.sequence };
        let expected = history.admits_write(0, pass);
        assert_eq!(strict.admit(pass).is_ok(), expected);
        if expected {
            history.write(0, Some(0), pass);
        }
        assert_eq!(strict.highest(), history.get(0).map(|(_, pass)| pass));
        assert_eq!(Pass::from_bytes(pass.to_bytes()), Ok(pass));
    }
}
