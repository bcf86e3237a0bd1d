//! What the benches take for granted of the clocks. One test: the allocations of others would be
//! counted too.

use benches::clocks;

#[test]
fn clocks_give_what_they_should_and_ours_do_not_allocate() {
    clocks::check();
}
