//! Columns of counters that belong to the same replicas, place by place.

use crate::CausalOrder;

/// The length from which on it pays to ask which instructions the machine has.
const LONG: usize = 16;

/// Returns the order of two sets of events.
#[inline]
pub(super) fn causal_order(first: &[u64], second: &[u64]) -> CausalOrder {
    if first.len() < LONG { order_short(first, second) } else { order_long(first, second) }
}

/// Raises each counter to the other, if that is greater.
#[inline]
pub(super) fn raise(counters: &mut [u64], others: &[u64]) {
    if counters.len() < LONG { raise_short(counters, others) } else { raise_long(counters, others) }
}

/// Looks at differences, until there are two that contradict each other.
#[inline]
fn order_short(first: &[u64], second: &[u64]) -> CausalOrder {
    let mut order = CausalOrder::Equal;
    for (first, second) in first.iter().zip(second) {
        if first != second {
            let here = if first < second { CausalOrder::Before } else { CausalOrder::After };
            if order == here.reverse() {
                return CausalOrder::Concurrent;
            }
            order = here;
        }
    }
    order
}

/// Counts the places where either is greater: with AVX2, a comparison is a mask of ones, which is -1 to
/// subtract. Counting takes two instructions less for every four counters than gathering booleans.
#[cfg_attr(feature = "std", multiversion::multiversion(targets("x86_64+avx2")))]
fn order_long(first: &[u64], second: &[u64]) -> CausalOrder {
    let mut first_greater = 0_u64;
    let mut second_greater = 0_u64;
    for (first, second) in first.iter().zip(second) {
        first_greater += u64::from(first > second);
        second_greater += u64::from(first < second);
    }
    CausalOrder::of(first_greater > 0, second_greater > 0)
}

/// Stores what is greater only, so that the compiler does not turn to SSE2.
#[inline]
fn raise_short(counters: &mut [u64], others: &[u64]) {
    for (counter, other) in counters.iter_mut().zip(others) {
        if *counter < *other {
            *counter = *other;
        }
    }
}

#[cfg_attr(feature = "std", multiversion::multiversion(targets("x86_64+avx2")))]
fn raise_long(counters: &mut [u64], others: &[u64]) {
    for (counter, other) in counters.iter_mut().zip(others) {
        *counter = (*counter).max(*other);
    }
}
