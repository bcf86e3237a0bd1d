//! The lock, the atomics and the parking of threads, or their models when loom explores the interleavings.

#[cfg(not(loom))]
pub(super) use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
#[cfg(loom)]
use core::time::Duration;
#[cfg(not(loom))]
pub(super) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(loom))]
pub(super) use std::thread::{Thread, current, park_timeout};

#[cfg(loom)]
pub(super) use loom::{
    sync::{
        MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::{Thread, current},
};

/// loom's lock with the interface of parking_lot's.
#[cfg(loom)]
#[derive(Debug)]
pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(loom)]
impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("a model's panic ends the model")
    }
}

/// No time passes in a model: who is not woken waits for ever, which loom takes for a deadlock.
#[cfg(loom)]
pub(super) fn park_timeout(_: Duration) {
    loom::thread::park();
}
