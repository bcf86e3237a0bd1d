use core::fmt::Debug;

use surmise_time::WallTime;

use crate::Origin;

/// A hybrid clock that is measured: one of ours or a peer's.
pub trait HybridContender: 'static {
    /// Who wrote it.
    const ORIGIN: Origin;

    /// A physical time as it takes it.
    type Physical: Copy;

    /// A stamp.
    type Stamp: Copy + Debug + Ord;

    /// What it says of a remote stamp that it takes in.
    type Observed;

    /// What it says of a remote stamp that it takes in and answers with one of its own.
    type Witnessed;

    /// Returns a physical time as it takes it.
    fn physical(at: WallTime) -> Self::Physical;

    /// Returns the stamp of another clock that was first used at `at`.
    fn remote(at: WallTime) -> Self::Stamp;

    /// Returns the stamp of an event.
    fn tick(&mut self, physical: Self::Physical) -> Self::Stamp;

    /// Takes in a remote stamp.
    fn observe(&mut self, remote: Self::Stamp, physical: Self::Physical) -> Self::Observed;

    /// Takes in a remote stamp, and gives one that is later.
    fn witness(&mut self, remote: Self::Stamp, physical: Self::Physical) -> Self::Witnessed;
}

/// Does something with every hybrid clock, whatever its type.
pub trait Visitor {
    /// Visits a clock.
    fn visit<C: HybridContender>(&mut self, name: &'static str, make: impl Fn() -> C);
}
