//! What is true of every history under faults, on a store in memory and simulated time.

#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a store in memory answers")]

#[path = "support/broken.rs"]
mod broken;
#[path = "support/simulation.rs"]
mod simulation;

use surmise_fence::Refusal;
use surmise_store::{
    conformance::{
        faults::{Odds, Workload},
        history::{Action, Answer, Event, History, Rule},
    },
    memory::{MemoryConfig, MemoryStore},
};

use self::{
    broken::{Broken, Fault},
    simulation::Simulation,
};

fn simulate(workload: &Workload) -> History {
    let simulation = Simulation::default();
    let store = MemoryStore::new(MemoryConfig::default(), &simulation).unwrap();
    simulation.run(workload.run(&store, &simulation)).unwrap()
}

fn count(histories: &[History], which: impl Fn(&Event) -> bool) -> usize {
    histories.iter().flat_map(History::events).filter(|event| which(event)).count()
}

#[test]
fn no_history_has_an_anomaly() {
    let histories: Vec<History> = (0..300).map(|seed| simulate(&Workload::new(seed))).collect();
    for (seed, history) in (0..).zip(&histories) {
        history.check().unwrap_or_else(|anomaly| panic!("seed {seed}: {anomaly}"));
    }
    // What was to go wrong did, and was noticed.
    let refused = |refusal: fn(&Refusal) -> bool| {
        count(&histories, |event| matches!(&event.answer, Answer::Refused(found) if refusal(found)))
    };
    let seen = [
        refused(|refusal| matches!(refusal, Refusal::Stale { .. })),
        refused(|refusal| matches!(refusal, Refusal::Duplicate { .. })),
        count(&histories, |event| event.answer == Answer::Unknown),
        count(&histories, |event| {
            matches!(event.action, Action::Extend { .. }) && event.answer == Answer::Free
        }),
        count(&histories, |event| {
            matches!(event.action, Action::Write { .. }) && event.answer == Answer::Done
        }),
    ];
    assert!(seen.iter().all(|&times| times >= 100), "{seen:?}");
}

#[test]
fn a_seed_decides_everything() {
    assert_eq!(simulate(&Workload::new(7)), simulate(&Workload::new(7)));
    assert_ne!(simulate(&Workload::new(7)), simulate(&Workload::new(8)));
}

#[test]
fn short_histories_are_linearizable() {
    for seed in 0..300 {
        let short = Workload { resources: 2, keys: 2, turns: 2, writes: 3, ..Workload::new(seed) };
        let history = simulate(&short);
        let linearizable = history.is_linearizable();
        assert_eq!(linearizable, Ok(true), "seed {seed}: {:#?}", history.events());
    }
}

#[test]
fn nothing_is_unknown_where_nothing_is_lost() {
    let histories: Vec<History> = (0..20)
        .map(|seed| simulate(&Workload { odds: Odds::NONE, ..Workload::new(seed) }))
        .collect();
    // Each event is noted before and after, in one place.
    assert_eq!(count(&histories, |event| event.returned.is_none()), 0);
    assert_eq!(count(&histories, |event| event.answer == Answer::Unknown), 0);
}

/// What the histories of a store with a fault are found to have, each by its first anomaly.
fn anomalies(fault: Fault) -> Vec<Rule> {
    let mut rules = Vec::new();
    for seed in 0..60 {
        let simulation = Simulation::default();
        let store = Broken::new(fault, &simulation);
        let history = simulation.run(Workload::new(seed).run(&store, &simulation)).unwrap();
        rules.extend(history.check().err().map(|anomaly| anomaly.rule));
    }
    rules
}

#[test]
fn faults_show_in_histories() {
    assert_eq!(anomalies(Fault::None), []);
    for (fault, rule) in [
        (Fault::GreaterOnly, Rule::UnfoundedRefusal),
        (Fault::ForgetsOnRelease, Rule::TokenReissued),
        (Fault::AcknowledgesBeforeSync, Rule::WriteLost),
        (Fault::AcknowledgesBeforeSync, Rule::TokenReissued),
        (Fault::CountsFromReply, Rule::LeasesOverlap),
        (Fault::ChecksThenGrants, Rule::LeasesOverlap),
        (Fault::GrantsHeld, Rule::LeasesOverlap),
        (Fault::HidesHolder, Rule::TokenReissued),
        (Fault::RenewalIsNoLonger, Rule::LeasesOverlap),
        (Fault::AnyTokenHolds, Rule::LostLeaseKept),
        (Fault::EndsEarly, Rule::LeasesOverlap),
        (Fault::ReleasesAll, Rule::LeasesOverlap),
        (Fault::NoFloor, Rule::WriteBelowFloor),
        (Fault::OneFloor, Rule::ReadFromNowhere),
        (Fault::Lowers, Rule::StaleRaise),
        (Fault::ForgetsRemoval, Rule::WriteLost),
        (Fault::NoSequence, Rule::WriteLost),
        (Fault::RefusedIsDone, Rule::WriteLost),
        (Fault::BlamesItself, Rule::UnfoundedRefusal),
        (Fault::ReadsLate, Rule::WriteLost),
    ] {
        let found = anomalies(fault);
        assert!(found.contains(&rule), "{fault:?} shows as {found:?}");
    }
}
