use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

/// Counts what every program that links this crate allocates.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Makes a value, and returns it with the bytes that it takes: its own and those on the heap.
///
/// Counts wrongly while another thread allocates.
///
/// # Errors
///
/// If `make` fails.
pub fn footprint<T, E>(make: impl FnOnce() -> Result<T, E>) -> Result<(T, usize), E> {
    let region = Region::new(ALLOCATOR);
    let value = make()?;
    let change = region.change();
    let heap = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
    Ok((value, size_of::<T>() + heap))
}

/// Returns how often `f` asks the allocator for memory.
///
/// Counts wrongly while another thread allocates.
pub fn allocations(f: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    f();
    let change = region.change();
    change.allocations + change.reallocations
}
