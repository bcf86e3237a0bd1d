//! What the benches take for granted of timeouts. One test: the allocations of others would be counted
//! too.

use benches::timeouts;

#[test]
fn timeouts_and_quantiles_are_what_they_should_be_and_ours_do_not_allocate() {
    timeouts::check();
}
