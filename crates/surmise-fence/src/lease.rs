//! Both sides of a lease: who grants it, and who holds it.

mod drift;
mod guard;
mod schedule;
#[cfg(feature = "alloc")]
mod table;
#[cfg(feature = "alloc")]
mod tokens;

pub use self::{
    drift::DriftAllowance,
    guard::{LeaseExpired, LeaseGuard, OtherToken},
    schedule::{RenewSchedule, Renewal, ZeroSpacing},
};
#[cfg(feature = "alloc")]
pub use self::{
    table::{
        AcquireError, EndedLease, Holding, LeaseTable, LeaseTableConfig, LeaseTableError,
        ReleaseError, RenewError, RestoreError,
    },
    tokens::{EpochNotHigher, TokenBlock, TokenBlockError},
};
