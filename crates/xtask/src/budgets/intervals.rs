use super::budget::{Budget, at_most};

/// What the interval clocks may take.
///
/// Promised is `now given` of the one that threads share. The rest lies a little above what was
/// measured, so that a new compiler need not break it: lower it after an improvement.
pub(super) const BUDGETS: &[Budget] = &[
    at_most("interval-shared", "bytes", 320.0),
    at_most("interval", "bytes", 96.0),
    at_most("interval-shared", "now given", 40.0),
    at_most("interval", "now given", 40.0),
    at_most("interval-shared", "remaining", 195.0),
    at_most("interval", "remaining", 150.0),
];
