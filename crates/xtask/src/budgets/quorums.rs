use super::budget::{Budget, at_most, times_fewer};

/// What ballots may take.
///
/// All lies a little above what was measured, so that a new compiler need not break it: lower it after an improvement. An
/// outcome takes about three times what a list of votes takes, which counts less.
pub(super) const BUDGETS: &[Budget] = &[
    at_most("ballot-3", "bytes", 192.0),
    at_most("ballot-5", "bytes", 272.0),
    at_most("ballot-9", "bytes", 432.0),
    at_most("ballot-101", "bytes", 4_200.0),
    at_most("ballot-3", "vote", 85.0),
    at_most("ballot-5", "vote", 95.0),
    at_most("ballot-9", "vote", 105.0),
    at_most("ballot-101", "vote", 140.0),
    at_most("ballot-3", "outcome", 115.0),
    at_most("ballot-5", "outcome", 175.0),
    at_most("ballot-9", "outcome", 280.0),
    at_most("ballot-101", "outcome", 2_700.0),
    times_fewer("ballot-101", "vote", 2.5, "list-101"),
];
