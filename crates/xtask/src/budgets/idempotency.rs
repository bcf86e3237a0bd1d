use super::budget::{Budget, at_most, times_fewer};

/// What idempotency caches may take. The bytes are those of an entry. What is said of `cache` is promised; that of the
/// shared form lies a little above what was measured, with room for an eighth more keys than it has.
///
/// `begin` of a million expiring records is the longest step there is, of six records that are put out: 10 µs are
/// some 20 000 instructions.
pub(super) const BUDGETS: &[Budget] = &[
    at_most("cache", "bytes", 64.0),
    at_most("cache", "replay", 140.0),
    at_most("cache", "execute", 430.0),
    at_most("cache-1m", "begin", 1000.0),
    at_most("cache-shared", "bytes", 80.0),
    at_most("cache-shared", "replay", 200.0),
    at_most("cache-shared", "execute", 850.0),
    times_fewer("cache", "replay", 8.0, "moka"),
    times_fewer("cache", "execute", 20.0, "moka"),
    times_fewer("cache-shared", "replay", 5.0, "moka"),
    times_fewer("cache-shared", "execute", 11.0, "moka"),
    times_fewer("cache", "execute", 1000.0, "textbook"),
];
