//! What the benches take for granted of ballots. One test: the allocations of others would be counted too.

use benches::quorums;

#[test]
fn ballots_convict_by_a_majority_and_do_not_allocate() {
    quorums::check();
}
