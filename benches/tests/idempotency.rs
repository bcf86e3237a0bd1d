//! What the benches take for granted of idempotency caches. One test: the allocations of others would be counted too.

use benches::idempotency;

#[test]
fn results_are_replayed_and_ours_do_not_allocate() {
    idempotency::check().expect("every cache can be made");
}
