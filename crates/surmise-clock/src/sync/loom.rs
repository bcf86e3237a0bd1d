//! The atomic, or its model when loom explores the interleavings.

#[cfg(all(not(loom), target_has_atomic = "64"))]
pub(super) use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(all(not(loom), not(target_has_atomic = "64")))]
pub(super) use portable_atomic::{AtomicU64, Ordering};
