use super::budget::{Budget, at_most, times_fewer};

/// What timeouts may take, and what else there is about them.
///
/// Promised are the bytes of a timeout for each destination and of the bucketed window, `record and read`
/// of both windows, the timeout that is read as nanoseconds, TCP's round-trip times, and withdrawals. To
/// record for many threads is to take 25 where no renewal is due, and does where it is inlined; here it is
/// a function that is called with an outcome in memory, which is 13 more. The rest lies a little above
/// what was measured, so that a new compiler need not break it: lower it after an improvement.
pub(super) const BUDGETS: &[Budget] = &[
    at_most("timeout-shared", "bytes", 3072.0),
    at_most("timeout", "bytes", 3072.0),
    at_most("twice-p99-100", "bytes", 1100.0),
    at_most("p99-and-deviation", "bytes", 10_200.0),
    at_most("window-bucketed", "bytes", 3072.0),
    at_most("window-exact", "bytes", 10_200.0),
    at_most("rtt-tcp", "bytes", 64.0),
    at_most("rtt-quic", "bytes", 80.0),
    at_most("budget-atomic", "bytes", 128.0),
    at_most("budget", "bytes", 32.0),
    at_most("backoff", "bytes", 96.0),
    at_most("timeout-shared", "record unrenewed", 40.0),
    at_most("timeout-shared", "record", 70.0),
    at_most("timeout", "record", 190.0),
    at_most("twice-p99-100", "record", 170.0),
    at_most("p99-and-deviation", "record", 330.0),
    at_most("window-bucketed", "record", 60.0),
    at_most("window-exact", "record", 250.0),
    at_most("timeout-shared", "read nanos", 5.0),
    at_most("timeout-shared", "read", 14.0),
    at_most("timeout", "read", 14.0),
    at_most("twice-p99-100", "read", 40.0),
    at_most("p99-and-deviation", "read", 280.0),
    at_most("window-bucketed", "read", 10.0),
    at_most("window-exact", "read", 20.0),
    at_most("timeout-shared", "call", 130.0),
    at_most("timeout", "call", 230.0),
    at_most("twice-p99-100", "call", 230.0),
    at_most("p99-and-deviation", "call", 630.0),
    at_most("window-bucketed", "record and read", 70.0),
    at_most("window-exact", "record and read", 260.0),
    at_most("rtt-tcp", "update and read", 60.0),
    at_most("rtt-quic", "update and read", 70.0),
    at_most("budget-atomic", "withdraw", 25.0),
    at_most("budget", "withdraw", 25.0),
    at_most("budget-atomic", "deposit", 25.0),
    at_most("budget", "deposit", 25.0),
    at_most("backoff", "delay", 380.0),
    times_fewer("timeout-shared", "record", 5.0, "adaptive-timeout"),
    times_fewer("timeout-shared", "read", 40.0, "adaptive-timeout"),
    times_fewer("timeout-shared", "call", 7.0, "adaptive-timeout"),
    times_fewer("window-bucketed", "record and read", 20.0, "sketches-ddsketch"),
    times_fewer("window-bucketed", "record and read", 500.0, "hdrhistogram"),
    times_fewer("window-exact", "record and read", 200.0, "sorted-window"),
    times_fewer("rtt-quic", "update and read", 2.0, "s2n-quic-core"),
];
