//! What the benches take for granted of the interval clocks. One test: the allocations of others would
//! be counted too.

use benches::intervals;

#[test]
fn interval_clocks_tell_what_they_should_and_ours_do_not_allocate() {
    intervals::check();
}
