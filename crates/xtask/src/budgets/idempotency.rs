use super::budget::{Budget, at_most, times_fewer};

/// What idempotency caches may take: all of it is promised. The bytes are those of an entry.
///
/// `begin` of a million expiring records is the longest step there is, of six records that are put out: 10 µs are
/// some 20 000 instructions.
pub(super) const BUDGETS: &[Budget] = &[
    at_most("cache", "bytes", 64.0),
    at_most("cache", "replay", 140.0),
    at_most("cache", "execute", 430.0),
    at_most("cache-1m", "begin", 1000.0),
    times_fewer("cache", "replay", 8.0, "moka"),
    times_fewer("cache", "execute", 20.0, "moka"),
    times_fewer("cache", "execute", 1000.0, "textbook"),
];
