//! Ours loses none of the races that the drill runs, but what it is told to forget.

use benches::drill::{Evicting, Ours, lost};

#[test]
fn ours_loses_no_race() {
    assert_eq!(lost::<Ours>(), []);
}

#[test]
fn one_that_evicts_loses_as_many_old_results_as_there_are_new_ones() {
    let hot = || "100 hot lost".to_owned();
    let expected = [("100 fresh among 1000 hot", hot()), ("100 fresh among 100 hot", hot())];
    assert_eq!(lost::<Evicting>(), expected);
}
