//! Each case of the suite for executions finds what it is about.

#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a store in memory answers")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

#[path = "support/broken_executions.rs"]
mod broken_executions;

use std::collections::BTreeSet;

use surmise_store::conformance::idempotency;
use surmise_time::ManualClock;

use self::broken_executions::{Broken, Fault};

/// What each fault is found by, at least.
const FOUND_BY: &[(Fault, &[&str])] = &[
    (
        Fault::ExecutesInFlight,
        &[
            "a-result-is-replayed",
            "of-many-who-claim-one-executes",
            "a-claim-without-a-nonce-is-no-retry",
        ],
    ),
    (
        Fault::ExecutesAbandoned,
        &[
            "who-died-is-recovered-from",
            "who-recovers-may-die-as-well",
            "of-many-who-recover-one-does",
        ],
    ),
    (
        Fault::ForgetsCheckpoints,
        &[
            "who-died-is-recovered-from",
            "checkpoints-are-handed-on",
            "a-result-of-any-length-is-kept",
        ],
    ),
    (
        Fault::ZombieSettles,
        &[
            "a-zombie-settles-nothing",
            "nor-does-one-whose-successor-released",
            "a-zombie-settles-nothing-of-what-is-forgotten",
        ],
    ),
    (Fault::RefusedIsDone, &["a-zombie-settles-nothing", "a-settled-ticket-settles-nothing-else"]),
    (Fault::IgnoresFingerprints, &["nor-once-it-is-done", "nor-while-nobody-knows"]),
    (Fault::IgnoresFingerprintsInFlight, &["another-request-is-no-match-in-flight"]),
    (Fault::RetryExecutes, &["a-recovery-whose-reply-was-lost-is-one"]),
    (Fault::RetryIsAnother, &["a-claim-whose-reply-was-lost-is-the-same"]),
    (Fault::ZeroIsANonce, &["a-claim-without-a-nonce-is-no-retry"]),
    (Fault::RenewsNothing, &["a-renewed-execution-goes-on"]),
    (Fault::KeepsReleased, &["a-released-key-is-executed-again"]),
    (Fault::ForgetsReleasedRecoveries, &["a-released-recovery-is-recovered-from"]),
    (Fault::CutsResults, &["a-result-of-any-length-is-kept"]),
    (Fault::JoinsTenants, &["keys-of-others-are-others"]),
    (
        Fault::ForgetsResults,
        &[
            "a-result-is-replayed",
            "a-retention-begins-with-the-completion",
            "of-many-who-wait-all-have-one-result",
            "what-is-new-is-kept-among-what-is-hot",
        ],
    ),
    (Fault::RetriedSettlementIsVoid, &["a-settlement-whose-reply-was-lost-is-done"]),
    (Fault::LateIsVoid, &["who-is-late-and-alone-completes"]),
    (
        Fault::ForgetsNothing,
        &[
            "a-brief-retention-is-brief",
            "a-retention-ends-however-often-it-is-asked",
            "what-was-abandoned-is-forgotten-in-the-end",
        ],
    ),
];

async fn run(fault: Fault) -> BTreeSet<&'static str> {
    let clock = ManualClock::default();
    let store = Broken::new(fault, &clock);
    let violations = idempotency::run(&store, &clock).await.err();
    violations.iter().flat_map(|violations| violations.as_slice()).map(|found| found.case).collect()
}

#[tokio::test]
async fn a_fault_is_found_by_the_cases_that_are_about_it() {
    assert_eq!(run(Fault::None).await, BTreeSet::new());
    for (fault, cases) in FOUND_BY {
        let found = run(*fault).await;
        assert!(cases.iter().all(|case| found.contains(case)), "{fault:?} is found by {found:?}");
    }
}

#[test]
fn each_case_finds_something() {
    let finds: BTreeSet<&str> = FOUND_BY.iter().flat_map(|(_, cases)| *cases).copied().collect();
    let all = idempotency::cases::<Broken<'_>, ManualClock>();
    let all: BTreeSet<&str> = all.iter().map(|case| case.name()).collect();
    assert_eq!(finds, all);
}
