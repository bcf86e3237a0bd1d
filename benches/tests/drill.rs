//! Ours loses none of the races that the drill runs.

use benches::drill::{Ours, lost};

#[test]
fn ours_loses_no_race() {
    assert_eq!(lost::<Ours>(), []);
}
