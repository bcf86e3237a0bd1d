//! Runs without processes: the same nodes and client, on a network, a store and clocks that are values, many thousand times
//! faster, and the same again with the same seed.

mod world;

use core::time::Duration;

use self::world::World;
use super::{
    checker::{Violation, check},
    faults::{Kill, Partition, Pause, Place, Target},
    history::{Entry, History, Note, Who, Why},
    outage::{Loss, Outage, Promise, Spread, outages},
    plan::{Faults, Plan},
    setup::{Setup, Timing},
};
use crate::processes::nanos;

const TIMING: Timing = Timing {
    heartbeat: Duration::from_millis(50),
    detection: Duration::from_millis(500),
    lease: Duration::from_millis(500),
    work: Duration::from_millis(20),
};

fn setup(seed: u64) -> Setup {
    Setup {
        nodes: if seed.is_multiple_of(3) { 5 } else { 3 },
        timing: TIMING,
        fenced: true,
        max_offset: Duration::from_secs(60),
        seed,
    }
}

fn run(setup: &Setup, faults: &Faults) -> History {
    let plan = Plan::new(faults, None, TIMING.detection * 3);
    World::new(setup, plan).run()
}

fn paused(at: u64, lasts: u64) -> Faults {
    let [at, lasts] = [at, lasts].map(Duration::from_millis);
    Faults { pauses: vec![Pause { target: Target::Leader, at, lasts }], ..Faults::default() }
}

/// Returns a run in which a leader is stopped, for tests of what is made of it.
pub(super) fn paused_run() -> (Setup, Plan, History) {
    let setup = setup(1);
    let plan = Plan::new(&paused(1500, 1500), None, TIMING.detection * 3);
    (setup.clone(), plan.clone(), World::new(&setup, plan).run())
}

fn count(history: &History, what: impl Fn(&Note) -> bool) -> usize {
    history.entries.iter().filter(|entry| what(&entry.note)).count()
}

/// Returns the one leader that was lost.
fn outage(setup: &Setup, history: &History) -> Outage {
    let found: [Outage; 1] = outages(history, setup.nodes).try_into().unwrap();
    let [outage] = found;
    outage
}

#[test]
fn nothing_happens_where_nothing_is_done() {
    let plan = Plan { duration: Duration::from_secs(5), ..Plan::default() };
    let history = World::new(&setup(1), plan).run();
    assert_eq!(check(&history), []);
    assert_eq!(count(&history, |note| matches!(note, Note::Leads { .. })), 1);
    assert_eq!(count(&history, |note| matches!(note, Note::Suspected { .. })), 0);
    assert!(count(&history, |note| matches!(note, Note::Acknowledged { .. })) > 100);
    assert!(count(&history, |note| matches!(note, Note::Read { .. })) > 20);
}

#[test]
fn reads_are_hedged_when_answers_are_late_and_seldom_else() {
    let hedged = |history: &History| {
        let reads = count(history, |note| matches!(note, Note::Read { .. }));
        (count(history, |note| matches!(note, Note::Read { hedged: true, .. })), reads)
    };
    let plan = Plan { duration: Duration::from_secs(20), ..Plan::default() };
    let (of_calm, reads) = hedged(&World::new(&setup(1), plan).run());
    assert!(of_calm * 10 < reads, "{of_calm} of {reads}");
    // A node that is stopped does not answer.
    let (of_paused, reads) = hedged(&run(&setup(1), &paused(1500, 3000)));
    assert!(of_paused > 5, "{of_paused} of {reads}");
}

#[test]
fn each_observer_keeps_the_contract_on_detection() {
    let promise = Promise { detection_ns: nanos(TIMING.detection), plus_delay: None };
    for seed in 0..RUNS / 4 {
        let setup = setup(seed);
        let outage = outage(&setup, &run(&setup, &paused(1500 + seed * 3, 1500)));
        let times: Spread = outage.detections(&promise).collect();
        assert_eq!((times.count, times.never), (setup.nodes - 1, 0), "seed {seed}: {outage:?}");
        assert!(times.worst < Some(nanos(TIMING.detection)), "seed {seed}: {outage:?}");
        // And it is no idle one: a heartbeat that was just sent vouches for so long.
        let least = nanos(TIMING.detection - TIMING.heartbeat * 2);
        assert!(times.median > Some(least), "seed {seed}: {outage:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let once = || run(&setup(6), &Faults::draw(6, 5, TIMING));
    assert_eq!(once().entries, once().entries);
}

#[test]
fn a_fault_meets_one_that_is_there_or_says_that_it_did_not() {
    let [one, two] = [1, 2].map(Duration::from_secs);
    let kill = |target, at| Kill { target, at, back_after: None };
    let pause = |target, at| Pause { target, at, lasts: two };
    // The second is for the next leader, when there is one; the others come as much later.
    let faults = Faults {
        kills: vec![kill(Target::Leader, one)],
        pauses: vec![pause(Target::Leader, one + Duration::from_millis(100))],
        ..Faults::default()
    };
    let history = run(&setup(3), &faults);
    let node = |what: fn(&Note) -> Option<usize>| {
        let found =
            history.entries.iter().find_map(|entry| Some((entry.at_ns, what(&entry.note)?)));
        found.unwrap()
    };
    let (_, killed) =
        node(|note| if let Note::Killed { node } = note { Some(*node) } else { None });
    let (at, paused) =
        node(|note| if let Note::Paused { node } = note { Some(*node) } else { None });
    let (end, resumed) =
        node(|note| if let Note::Resumed { node } = note { Some(*node) } else { None });
    assert_ne!(paused, killed);
    assert_eq!((resumed, Duration::from_nanos(end - at)), (paused, two));
    assert_eq!(count(&history, |note| matches!(note, Note::Missed { .. })), 0);

    let first = Target::Node(1);
    let faults = Faults {
        pauses: vec![pause(first, one), pause(first, two), pause(first, one * 5)],
        kills: vec![kill(first, one * 4), kill(first, one * 5)],
        ..Faults::default()
    };
    let history = run(&setup(1), &faults);
    let missed: Vec<_> = history
        .entries
        .iter()
        .filter_map(|entry| match &entry.note {
            Note::Missed { fault, node } => Some((fault.as_str(), *node)),
            _ => None,
        })
        .collect();
    assert_eq!(missed, [("pause", Some(1)), ("pause", Some(1)), ("kill", Some(1))]);
    let lasted: Vec<_> = history
        .entries
        .iter()
        .filter(|entry| matches!(entry.note, Note::Paused { .. } | Note::Resumed { .. }))
        .map(|entry| entry.at_ns)
        .collect();
    assert_eq!(lasted[1] - lasted[0], 2_000_000_000, "the second does not end the first");
    assert_eq!(lasted.len(), 2);
}

#[test]
fn no_fault_corrupts_anything() {
    bear_faults(0..RUNS);
}

/// `cargo test --release -p surmise-lab --lib failover::simulation -- --ignored`.
#[test]
#[ignore = "takes a minute even with optimisation"]
fn no_fault_corrupts_anything_in_ten_thousand_runs() {
    bear_faults(RUNS..10_000);
}

fn bear_faults(seeds: core::ops::Range<u64>) {
    for seed in seeds {
        let setup = setup(seed);
        let faults = Faults::draw(seed, setup.nodes, TIMING);
        let history = run(&setup, &faults);
        assert_eq!(check(&history), [], "seed {seed}: {faults:?}");
        assert_eq!(count(&history, |note| *note == Note::Drained), 1, "seed {seed}: {faults:?}");
        let done = count(&history, |note| matches!(note, Note::Acknowledged { .. }));
        let missed = count(&history, |note| matches!(note, Note::Missed { .. }));
        assert_eq!(missed, 0, "seed {seed}: {faults:?}");
        assert!(done > 20, "seed {seed}: {done} writes, {faults:?}");
    }
}

#[test]
fn a_leader_that_was_stopped_is_refused_and_steps_down() {
    let runs = RUNS / 2;
    let mut refused = 0;
    for seed in 0..runs {
        let history = run(&setup(seed), &paused(1500 + seed % 50, 1500));
        assert_eq!(check(&history), [], "seed {seed}");
        let mut entries = history.entries.iter();
        let (at_ns, who) = entries.find_map(resumed).unwrap();
        for entry in entries.clone() {
            // Nobody suspects anybody for what the one did not hear or send.
            assert!(!matches!(entry.note, Note::Suspected { .. }), "seed {seed}: {entry:?}");
        }
        let mut own = entries.filter(|entry| entry.who == who);
        let down = own.find(|entry| matches!(entry.note, Note::SteppedDown { .. })).unwrap();
        assert!(down.at_ns - at_ns < 200_000_000, "seed {seed}: {} ns", down.at_ns - at_ns);
        refused += u64::from(matches!(down.note, Note::SteppedDown { why: Why::Refused, .. }));
    }
    // Seldom it worked on nothing when it was stopped, and learns by the time that its lease is over.
    assert!(refused * 10 > runs * 9, "{refused} of {runs} were refused");
}

#[test]
fn a_leader_that_goes_on_when_the_next_one_begins_is_refused() {
    // As long as it takes to have another leader, before it has written anything.
    for lasts in (450..850).step_by(8) {
        let history = run(&setup(lasts), &paused(1500, lasts));
        assert_eq!(check(&history), [], "a pause of {lasts} ms");
    }
}

#[test]
fn a_leader_that_is_cut_off_gives_its_lease_back() {
    for seed in 0..RUNS / 10 {
        let setup = setup(seed);
        let start = Duration::from_secs(1);
        // Who leads is known only when it does.
        let plan = Plan { duration: start, ..Plan::default() };
        let leader = World::new(&setup, plan).run().entries.iter().find_map(leads).unwrap();
        let alone = |node: &Place| *node == Place::Node(leader);
        let (alone, others) = (0..setup.nodes).map(Place::Node).partition(alone);
        let partition = Partition { sides: vec![alone, others], at: start, lasts: start * 2 };
        let faults = Faults { partitions: vec![partition], ..Faults::default() };
        let history = run(&setup, &faults);
        assert_eq!(check(&history), [], "seed {seed}");
        let mut entries = history.entries.iter();
        let down = |entry: &Entry| matches!(entry.note, Note::SteppedDown { why: Why::CutOff, .. });
        let down = entries.find(|entry| down(entry)).unwrap();
        assert_eq!(down.who, Who::Node(leader), "seed {seed}");
        let next = entries.find(|entry| leads(entry).is_some_and(|next| next != leader)).unwrap();
        let after = Duration::from_nanos(next.at_ns - down.at_ns);
        assert!(after < TIMING.lease / 2, "seed {seed}: {after:?}");
        let outage = outage(&setup, &history);
        assert_eq!((outage.node, outage.how, outage.is_back), (leader, Loss::CutOff, true));
        assert_eq!(outage.observers.len(), setup.nodes - 1, "seed {seed}: {outage:?}");
        assert!(outage.replaced_ns < Some(nanos(TIMING.detection * 3)), "seed {seed}: {outage:?}");
    }
}

fn leads(entry: &Entry) -> Option<usize> {
    match (entry.who, &entry.note) {
        (Who::Node(node), Note::Leads { .. }) => Some(node),
        _ => None,
    }
}

fn resumed(entry: &Entry) -> Option<(u64, Who)> {
    match entry.note {
        Note::Resumed { node } => Some((entry.at_ns, Who::Node(node))),
        _ => None,
    }
}

#[test]
fn without_a_fence_the_checker_finds_what_pauses_corrupt() {
    let runs = RUNS / 2;
    let corrupt = (0..runs).filter(|&seed| {
        let setup = Setup { fenced: false, ..setup(seed) };
        let found = check(&run(&setup, &paused(1500 + seed % 50, 1500)));
        found.iter().any(Violation::is_corruption)
    });
    let corrupt = corrupt.count();
    assert!(corrupt * 10 > usize::try_from(runs).unwrap() * 9, "{corrupt} of {runs}");
}

#[test]
fn without_a_fence_and_without_a_fault_nothing_is_found() {
    for seed in 0..RUNS / 10 {
        let setup = Setup { fenced: false, ..setup(seed) };
        assert_eq!(check(&run(&setup, &Faults::default())), [], "seed {seed}");
    }
}

#[test]
fn without_a_fence_a_leader_that_does_not_come_back_corrupts_nothing() {
    for seed in 0..RUNS / 10 {
        let setup = Setup { fenced: false, ..setup(seed) };
        let at = Duration::from_millis(1500);
        let kill = Kill { target: Target::Leader, at, back_after: None };
        let found = check(&run(&setup, &Faults { kills: vec![kill], ..Faults::default() }));
        // All show the same token, which is what the store has of them.
        assert!(matches!(found[..], [Violation::TwoLeaders { .. }]), "seed {seed}: {found:?}");
    }
}

#[test]
fn what_is_drawn_corrupts_most_runs_without_a_fence() {
    let runs = RUNS / 2;
    let corrupt = (0..runs).filter(|&seed| {
        let setup = Setup { fenced: false, ..setup(seed) };
        // With a fence, these are clean.
        let faults = Faults::draw(seed, setup.nodes, TIMING);
        check(&run(&setup, &faults)).iter().any(Violation::is_corruption)
    });
    let corrupt = corrupt.count();
    assert!(corrupt * 10 > usize::try_from(runs).unwrap() * 9, "{corrupt} of {runs}");
}

#[test]
fn a_run_is_waited_for_as_long_as_its_lease_and_its_work_may_take() {
    let [second, long] = [1, 15].map(Duration::from_secs);
    let kill = Kill { target: Target::Leader, at: second, back_after: None };
    let faults = Faults { kills: vec![kill], ..Faults::default() };
    for timing in [Timing { lease: long, ..TIMING }, Timing { work: long, ..TIMING }] {
        let history = run(&Setup { timing, ..setup(1) }, &faults);
        assert_eq!(count(&history, |note| *note == Note::Drained), 1, "{timing:?}");
    }
}

#[test]
fn a_killed_leader_is_replaced_within_twice_the_detection_time() {
    let times: Vec<_> = (0..RUNS / 2)
        .map(|seed| {
            let kill = Kill {
                target: Target::Leader,
                at: Duration::from_millis(1500 + seed % 50),
                back_after: None,
            };
            let faults = Faults { kills: vec![kill], ..Faults::default() };
            let setup = setup(seed);
            let history = run(&setup, &faults);
            assert_eq!(check(&history), [], "seed {seed}");
            outage(&setup, &history).replaced_ns
        })
        .collect();
    let times: Spread = times.into_iter().collect();
    let promised = nanos(TIMING.detection * 2);
    assert!(times.median.is_some_and(|median| median <= promised), "{times:?}");
}

/// As many as take a few seconds without optimisation.
const RUNS: u64 = 100;
