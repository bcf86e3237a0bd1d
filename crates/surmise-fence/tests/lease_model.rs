//! The lease protocol, model-checked: a grantor, holders, a store with a fence, and a network that keeps every message
//! and delivers it late, twice or never. Clocks go at rates of their own, and the grantor restarts.
//!
//! Grantor, guards and fence are the real ones. That a holder is paused need not be modelled apart: it may do nothing
//! at any time, and its writes may arrive at any time.

#![cfg(feature = "alloc")]

extern crate alloc;

#[path = "lease_model/grantor.rs"]
mod grantor;
#[path = "lease_model/holder.rs"]
mod holder;
#[path = "lease_model/message.rs"]
mod message;
#[path = "lease_model/model.rs"]
mod model;
#[path = "lease_model/state.rs"]
mod state;

use stateright::{Checker as _, HasDiscoveries, Model as _};

use self::model::{
    Fault, LANDED, LeaseModel, ONE_AT_ONCE, REFUSED, REISSUED, RENEWED, STALE, TWO_AT_ONCE,
};

/// As fast as the grantor's; slower by what the allowance just makes up for; slower than that.
const EXACT: u64 = 4;
const WITHIN: u64 = 3;
const BEYOND: u64 = 2;

/// Two holders whose clocks are as good as they must be.
const GOOD: LeaseModel = LeaseModel {
    rates: &[WITHIN, EXACT],
    ticks: 3,
    renewals: false,
    retries: false,
    restarts: false,
    fault: None,
    expected: &[LANDED, REFUSED],
};

/// Explores everything, and expects that each `always` holds and each `sometimes` happens.
fn check(model: LeaseModel) {
    // A failure may have begun something that never ends.
    let builder = model.checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
    let checker = builder.spawn_bfs().join();
    println!("{} states, {} deep", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

/// Expects that a mistake breaks a property, and says how.
fn assert_breaks(fault: Fault, property: &'static str) {
    let model = LeaseModel {
        renewals: fault == Fault::HungRenewalExtends,
        restarts: fault == Fault::ForgetOnRestart,
        fault: Some(fault),
        expected: &[],
        ..GOOD
    };
    let found = HasDiscoveries::AllOf([property].into());
    let checker = model.checker().finish_when(found).spawn_bfs().join();
    println!("{}", checker.assert_any_discovery(property));
}

#[test]
fn clocks_within_the_allowance_let_one_hold_at_once() {
    let expected = &[LANDED, REFUSED, RENEWED];
    check(LeaseModel { ticks: 4, renewals: true, expected, ..GOOD });
}

#[test]
fn a_clock_beyond_the_allowance_lets_two_hold_at_once_and_no_stale_write_land() {
    let expected = &[LANDED, REFUSED, RENEWED, TWO_AT_ONCE];
    check(LeaseModel { rates: &[BEYOND, EXACT], ticks: 4, renewals: true, expected, ..GOOD });
}

#[test]
fn three_holders_follow_each_other() {
    let expected = &[LANDED, REFUSED, TWO_AT_ONCE];
    check(LeaseModel { rates: &[BEYOND, EXACT, EXACT], ticks: 2, expected, ..GOOD });
}

#[test]
fn a_grantor_may_restart() {
    check(LeaseModel { restarts: true, ..GOOD });
}

#[test]
fn a_request_may_be_sent_again() {
    check(LeaseModel { retries: true, ..GOOD });
}

#[test]
fn to_delete_the_counter_on_release_is_caught() {
    assert_breaks(Fault::DeleteOnRelease, REISSUED);
    assert_breaks(Fault::DeleteOnRelease, STALE);
}

#[test]
fn to_count_the_validity_from_the_response_is_caught() {
    assert_breaks(Fault::ValidityFromResponse, ONE_AT_ONCE);
}

#[test]
fn to_extend_the_validity_when_a_renewal_is_sent_is_caught() {
    assert_breaks(Fault::HungRenewalExtends, ONE_AT_ONCE);
}

#[test]
fn to_restart_without_the_leases_is_caught() {
    assert_breaks(Fault::ForgetOnRestart, ONE_AT_ONCE);
}

/// The leases alone are not enough, even with good clocks.
#[test]
fn to_write_without_a_fence_is_caught() {
    assert_breaks(Fault::NoFence, STALE);
}
