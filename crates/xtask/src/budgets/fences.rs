use super::budget::{Budget, at_most, times_fewer};

/// What fences, fenced maps and leases may take.
///
/// Promised are `admit` of both fences and `write` of both maps of 1000 keys. The rest lies a little above what was
/// measured, so that a new compiler need not break it: lower it after an improvement. Where the seed of the hashes
/// differs, so do the bytes of small shards.
pub(super) const BUDGETS: &[Budget] = &[
    at_most("fence-atomic", "bytes", 128.0),
    at_most("fence", "bytes", 16.0),
    at_most("map-sharded-1k", "bytes", 130_000.0),
    at_most("map-1k", "bytes", 125_000.0),
    at_most("map-sharded-1m", "bytes", 125e6),
    at_most("map-1m", "bytes", 125e6),
    at_most("fence-atomic", "admit", 20.0),
    at_most("fence", "admit", 20.0),
    at_most("fence-atomic", "admit newer", 75.0),
    at_most("fence", "admit newer", 20.0),
    at_most("map-sharded-1k", "write", 190.0),
    at_most("map-1k", "write", 190.0),
    at_most("map-sharded-1m", "write", 190.0),
    at_most("map-1m", "write", 190.0),
    at_most("map-sharded-1k", "refuse", 115.0),
    at_most("map-1k", "refuse", 80.0),
    at_most("lease-guard", "bytes", 40.0),
    at_most("lease-guard", "token", 12.0),
    at_most("lease-table-1k", "bytes", 120_000.0),
    at_most("lease-table-1k", "renew", 2_100.0),
    at_most("lease-table-1k", "acquire and release", 2_450.0),
    // With the same hash, a checked write to a shard takes a little more than to a map in one lock, and a refusal less
    // than where the key's entry is looked up first.
    times_fewer("map-sharded-1k", "write", 0.8, "dashmap-1k"),
    times_fewer("map-sharded-1k", "write", 0.8, "mutex-hashmap-1k"),
    times_fewer("map-sharded-1k", "refuse", 1.4, "dashmap-1k"),
];
