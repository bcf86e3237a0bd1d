//! The conformance suite: stores that do what they have to pass it, and any that does not fails.

#![cfg(feature = "conformance")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

#[path = "support/broken.rs"]
mod broken;
#[path = "support/simulation.rs"]
mod simulation;

use core::time::Duration;
use std::collections::BTreeSet;

use surmise_store::{
    conformance,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::ManualClock;

use self::{
    broken::{Broken, Fault},
    simulation::Simulation,
};

#[tokio::test]
async fn memory_conforms() {
    let clock = ManualClock::default();
    let store = MemoryStore::new(MemoryConfig::default(), &clock).unwrap();
    conformance::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
    // The suite can be run again on a store that has seen it.
    conformance::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
}

#[tokio::test]
async fn so_it_does_with_a_lock_delay() {
    let clock = ManualClock::default();
    let config = MemoryConfig { lock_delay: Duration::from_secs(5), ..MemoryConfig::default() };
    let store = MemoryStore::new(config, &clock).unwrap();
    conformance::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
}

/// What each fault is found by, at least.
const FOUND_BY: &[(Fault, &[&str])] = &[
    (Fault::GreaterOnly, &["a-lesser-token-is-stale", "what-is-at-a-limit-is-kept"]),
    (Fault::ForgetsOnRelease, &["a-token-is-never-granted-again", "a-released-lease-is-lost"]),
    (
        Fault::ChecksThenWrites,
        &[
            "of-many-copies-one-is-done",
            "of-many-writes-the-greatest-stays",
            "no-write-slips-below-a-raise",
        ],
    ),
    (
        Fault::ComparesDoubles,
        &["tokens-are-compared-to-the-last-digit", "random-changes-do-what-the-rule-says"],
    ),
    (Fault::CountsFromReply, &["a-lease-lasts-as-long-as-was-said"]),
    (Fault::ChecksThenGrants, &["of-many-who-ask-one-is-granted"]),
    (Fault::GrantsHeld, &["a-lease-has-one-holder", "a-lease-lasts-as-long-as-was-said"]),
    (Fault::HidesHolder, &["a-lease-has-one-holder", "of-many-who-ask-one-is-granted"]),
    (
        Fault::RetryIsAnother,
        &["a-retry-is-granted-the-same-token", "a-retried-request-lasts-from-its-retry"],
    ),
    (Fault::ZeroIsANonce, &["a-request-without-a-nonce-is-no-retry"]),
    (Fault::RetryIsNoLonger, &["a-retried-request-lasts-from-its-retry"]),
    (Fault::RenewalIsNoLonger, &["a-renewed-lease-lasts-from-its-renewal"]),
    (Fault::RenewsWhatIsOver, &["a-lease-that-is-over-stays-over"]),
    (Fault::AnyTokenHolds, &["a-released-lease-is-lost", "a-lease-lasts-as-long-as-was-said"]),
    (Fault::LaterTokenHolds, &["a-token-that-was-not-granted-is-lost"]),
    (Fault::EndsEarly, &["a-lease-lasts-as-long-as-was-said", "a-lease-that-is-over-stays-over"]),
    (Fault::ReleasesAll, &["leases-on-two-resources-are-two"]),
    (Fault::EpochStays, &["the-next-epoch-is-above-all-tokens"]),
    (Fault::EpochIsACount, &["the-next-epoch-is-above-forgotten-ones"]),
    (Fault::EpochForgets, &["the-next-epoch-is-above-all-tokens"]),
    (
        Fault::NoFloor,
        &[
            "a-raised-floor-is-under-every-key",
            "a-replaced-holder-writes-nothing",
            "no-write-slips-below-a-raise",
        ],
    ),
    (
        Fault::NoFloorUnderRemovals,
        &["a-raised-floor-is-under-every-key", "a-replaced-holder-writes-nothing"],
    ),
    (Fault::OneFloor, &["a-raised-floor-is-under-every-key", "resources-are-told-apart"]),
    (Fault::WriteRaises, &["a-write-raises-no-floor"]),
    (Fault::Lowers, &["a-raised-floor-is-under-every-key", "a-replaced-holder-writes-nothing"]),
    (Fault::ForgetsRemoval, &["a-removal-leaves-its-pass"]),
    (Fault::EmptyIsNone, &["what-was-written-is-read", "what-is-at-a-limit-is-kept"]),
    (Fault::NoNonce, &["a-token-that-was-issued-twice-is-told"]),
    (
        Fault::NoSequence,
        &["a-numbered-write-is-done-once-and-in-order", "of-many-copies-one-is-done"],
    ),
    (Fault::SequenceOfFloor, &["a-numbered-write-is-done-once-and-in-order"]),
    (
        Fault::RefusedIsDone,
        &["a-lesser-token-is-stale", "a-numbered-write-is-done-once-and-in-order"],
    ),
    (Fault::BlamesItself, &["a-lesser-token-is-stale", "random-changes-do-what-the-rule-says"]),
    (Fault::ReadsLate, &["what-was-written-is-read", "of-many-writes-the-greatest-stays"]),
    (Fault::CutsValues, &["what-is-at-a-limit-is-kept"]),
    (Fault::CutsNames, &["what-is-at-a-limit-is-kept", "the-longest-names-of-leases-are-kept"]),
    (Fault::NoLimits, &["what-is-beyond-a-limit-is-refused"]),
    (Fault::JoinsNames, &["keys-are-told-apart"]),
    (Fault::FoldsCase, &["resources-are-told-apart"]),
];

fn run(fault: Fault) -> BTreeSet<&'static str> {
    let simulation = Simulation::default();
    let store = Broken::new(fault, &simulation);
    let violations = simulation.run(conformance::run(&store, &simulation)).err();
    violations.iter().flat_map(|violations| violations.as_slice()).map(|found| found.case).collect()
}

#[test]
fn a_fault_is_found_by_the_cases_that_are_about_it() {
    assert_eq!(run(Fault::None), BTreeSet::new());
    for (fault, cases) in FOUND_BY {
        let found = run(*fault);
        assert!(cases.iter().all(|case| found.contains(case)), "{fault:?} is found by {found:?}");
    }
}

#[test]
fn each_case_finds_something() {
    let finds: BTreeSet<&str> = FOUND_BY.iter().flat_map(|(_, cases)| *cases).copied().collect();
    let all = conformance::cases::<Broken<'_>, Simulation>();
    let all: BTreeSet<&str> = all.iter().map(|case| case.name()).collect();
    assert_eq!(finds, all);
}
