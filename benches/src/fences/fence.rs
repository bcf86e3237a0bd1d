use core::num::NonZeroU64;

use surmise_fence::{Fence, FencingToken, sync::AtomicFence};

use super::peers::MutexNumber;
use crate::{Meter, Operation, Origin, Subject};

/// A fence that is measured: one of ours or a peer's.
pub trait FenceContender {
    /// Who wrote it.
    const ORIGIN: Origin = Origin::Ours;

    /// Returns whether a token is admitted.
    fn admit(&mut self, token: FencingToken) -> bool;
}

/// Does something with every fence, whatever its type.
pub trait FenceVisitor {
    /// Visits a fence.
    fn visit<C: FenceContender>(&mut self, name: &'static str, make: impl Fn() -> C);
}

/// Shows every fence to a visitor: ours first, then the peer.
pub fn visit_fences(visitor: &mut impl FenceVisitor) {
    visitor.visit("fence-atomic", AtomicFence::new);
    visitor.visit("fence", Fence::new);
    visitor.visit("mutex-u128", MutexNumber::default);
}

impl FenceContender for AtomicFence {
    #[inline]
    fn admit(&mut self, token: FencingToken) -> bool {
        Self::admit(self, token).is_ok()
    }
}

impl FenceContender for Fence {
    #[inline]
    fn admit(&mut self, token: FencingToken) -> bool {
        Self::admit(self, token).is_ok()
    }
}

impl FenceContender for MutexNumber {
    const ORIGIN: Origin = Origin::Peer;

    #[inline]
    fn admit(&mut self, token: FencingToken) -> bool {
        Self::admit(self, token)
    }
}

/// Shows the operations of each fence to a meter.
pub(super) struct Fences<'a, M>(pub(super) &'a mut M);

impl<M: Meter> FenceVisitor for Fences<'_, M> {
    fn visit<C: FenceContender>(&mut self, name: &'static str, make: impl Fn() -> C) {
        let subject = Subject { table: "fences", name, origin: C::ORIGIN };
        self.0.bytes(subject, size_of::<C>());
        self.0.operation(subject, "admit", Admits::<C, 0> { fence: make(), counter: 0 });
        self.0.operation(subject, "admit newer", Admits::<C, 1> { fence: make(), counter: 0 });
    }
}

/// Shows tokens of one epoch, each so much higher than the one before.
struct Admits<C, const STEP: u64> {
    fence: C,
    counter: u64,
}

impl<C: FenceContender, const STEP: u64> Operation for Admits<C, STEP> {
    type Subject = C;

    type Input = FencingToken;

    type Output = bool;

    fn subject(&mut self) -> &mut C {
        &mut self.fence
    }

    fn next_input(&mut self) -> FencingToken {
        self.counter += STEP;
        FencingToken::new(1, NonZeroU64::MIN.saturating_add(self.counter))
    }

    #[inline]
    fn call(fence: &mut C, token: FencingToken) -> bool {
        fence.admit(token)
    }
}
