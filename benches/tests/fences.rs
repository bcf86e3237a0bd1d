//! What the benches take for granted of fences and fenced maps. One test: the allocations of others would be counted
//! too.

use benches::fences;

#[test]
fn fences_and_maps_refuse_the_stale_and_ours_do_not_allocate() {
    fences::check();
}
