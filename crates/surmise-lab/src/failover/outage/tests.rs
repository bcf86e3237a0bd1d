use surmise_clock::HybridTimestamp;
use surmise_fence::FencingToken;

use super::*;
use crate::failover::{
    faults::Place,
    history::{Entry, History, Note, Who},
    message::{Op, Record, Writer},
};

const OP: Op = Op { session: 0, number: 0 };

/// 50 are promised.
const PROMISE: Promise = Promise { detection_ns: 50, plus_delay: None };

fn token(counter: u64) -> FencingToken {
    FencingToken::new(1, counter.try_into().unwrap())
}

fn leads(node: usize, counter: u64) -> (Who, Note) {
    (Who::Node(node), Note::Leads { token: token(counter), records: 0 })
}

fn steps_down(node: usize, counter: u64) -> (Who, Note) {
    let why = crate::failover::history::Why::Expired;
    (Who::Node(node), Note::SteppedDown { token: token(counter), why })
}

fn acknowledged() -> (Who, Note) {
    let stamp = HybridTimestamp::MIN;
    let note = Note::Acknowledged { op: OP, slot: 0, stamp, replayed: false, attempts: 1 };
    (Who::Client, note)
}

fn invoked() -> (Who, Note) {
    (Who::Client, Note::Invoked { op: OP, amount: 0, stamp: HybridTimestamp::MIN })
}

fn applied(node: usize, counter: u64, sent_ns: u64) -> (Who, Note) {
    let (writer, stamp) = (Writer { node, incarnation: 1 }, HybridTimestamp::MIN);
    let record = Record { op: OP, amount: 0, writer, token: token(counter), stamp };
    (Who::Node(node), Note::Applied { slot: 0, record, sent_ns })
}

fn suspected(observer: usize, peer: usize) -> (Who, Note) {
    (Who::Node(observer), Note::Suspected { peer, silent_ns: 0, phi: 0.0 })
}

fn trusted(observer: usize, peer: usize) -> (Who, Note) {
    (Who::Node(observer), Note::Trusted { peer, again: true })
}

fn convicted(subject: usize) -> (Who, Note) {
    (Who::Node(2), Note::Convicted { subject, suspecting: 2, nodes: 3 })
}

fn killed(node: usize) -> (Who, Note) {
    (Who::Director, Note::Killed { node })
}

fn restarted(node: usize) -> (Who, Note) {
    (Who::Director, Note::Restarted { node })
}

fn paused(node: usize) -> (Who, Note) {
    (Who::Director, Note::Paused { node })
}

fn resumed(node: usize) -> (Who, Note) {
    (Who::Director, Note::Resumed { node })
}

fn cut<const N: usize>(sides: [Vec<Place>; N]) -> (Who, Note) {
    (Who::Director, Note::Cut { sides: sides.to_vec() })
}

fn healed() -> (Who, Note) {
    (Who::Director, Note::Healed)
}

/// Returns the outages of three nodes.
fn found(notes: impl IntoIterator<Item = (u64, (Who, Note))>) -> Vec<Outage> {
    let entry = |(at_ns, (who, note))| Entry { at_ns, who, note };
    let entries = notes.into_iter().map(entry).collect();
    outages(&History { entries, ..History::default() }, 3)
}

fn one(notes: impl IntoIterator<Item = (u64, (Who, Note))>) -> Outage {
    let found: [Outage; 1] = found(notes).try_into().unwrap();
    let [outage] = found;
    outage
}

fn observers(outage: &Outage) -> Vec<(usize, Option<u64>)> {
    outage.observers.iter().map(|observer| (observer.node, observer.suspected_ns)).collect()
}

#[test]
fn an_outage_ends_with_the_first_write_of_the_next_leader() {
    let outage = one([
        (10, leads(0, 1)),
        (20, acknowledged()),
        (100, killed(0)),
        // On its way when the leader was killed.
        (110, acknowledged()),
        (145, suspected(2, 0)),
        (149, suspected(1, 0)),
        (150, convicted(0)),
        (155, convicted(0)),
        (200, leads(1, 2)),
        (230, acknowledged()),
        (240, acknowledged()),
    ]);
    assert_eq!((outage.node, outage.how, outage.is_back), (0, Loss::Killed, false));
    assert_eq!(observers(&outage), [(1, Some(49)), (2, Some(45))]);
    assert_eq!((outage.convicted_ns, outage.replaced_ns), (Some(50), Some(130)));
    assert_eq!(outage.lasted_ns, 140);
}

#[test]
fn what_was_heard_of_late_happened_when_it_did() {
    let outage = one([
        (100, killed(0)),
        (10, leads(0, 1)),
        (230, acknowledged()),
        (200, leads(1, 2)),
        (150, convicted(0)),
    ]);
    assert_eq!((outage.convicted_ns, outage.replaced_ns), (Some(50), Some(130)));
}

#[test]
fn a_node_that_does_not_lead_is_no_outage() {
    assert_eq!(found([(10, leads(0, 1)), (100, killed(1)), (150, convicted(1))]), []);
    // It led before it was killed, and not when it was killed again.
    let twice = [(10, leads(0, 1)), (20, killed(0)), (30, restarted(0)), (40, killed(0))];
    assert_eq!(found(twice).len(), 1);
}

#[test]
fn a_pause_that_nobody_noticed_has_nothing_of_the_next_fault() {
    // As of `--pause leader@1s+300ms --kill leader@3s`.
    for went_on in [true, false] {
        let mut notes = vec![
            (0, leads(0, 1)),
            (1000, paused(0)),
            (1030, resumed(0)),
            (3000, killed(0)),
            (3045, suspected(1, 0)),
            (3046, suspected(2, 0)),
            (3048, convicted(0)),
            (3060, leads(1, 2)),
            (3070, acknowledged()),
        ];
        // Also if that was asked for before.
        notes.push((1029, invoked()));
        notes.extend(went_on.then(|| (1041, applied(0, 1, 1040))));
        let found: [Outage; 2] = found(notes).try_into().unwrap();
        let [pause, kill] = &found;
        assert_eq!((pause.convicted_ns, pause.replaced_ns), (None, None));
        assert_eq!((pause.how, pause.lasted_ns, pause.is_back), (Loss::Stopped, 30, true));
        assert_eq!(observers(pause), [(1, None), (2, None)]);
        assert_eq!(pause.went_on, went_on);
        // They had no time to, so that nothing was promised.
        assert_eq!((pause.detections(&PROMISE).count(), pause.late(&PROMISE)), (0, 0));
        assert_eq!(pause.conviction(&PROMISE), None);
        assert_eq!((kill.convicted_ns, kill.replaced_ns), (Some(48), Some(70)));
        assert_eq!((kill.how, kill.late(&PROMISE)), (Loss::Killed, 0));
    }
}

#[test]
fn a_pause_after_which_the_lease_was_over_is_replaced_though_nobody_suspected_it() {
    let outage = one([
        (0, leads(0, 1)),
        (90, invoked()),
        (100, paused(0)),
        (145, resumed(0)),
        // It was in its queue, and the store took it, as nobody else had the lease yet.
        (147, applied(0, 1, 146)),
        (148, steps_down(0, 1)),
        (160, leads(1, 2)),
        (170, acknowledged()),
    ]);
    assert_eq!((outage.went_on, outage.convicted_ns), (false, None));
    assert_eq!(outage.replaced_ns, Some(70));
}

#[test]
fn a_leader_that_took_on_something_when_it_was_back_went_on_whatever_came_later() {
    let outage = one([
        (0, leads(0, 1)),
        (100, paused(0)),
        (120, resumed(0)),
        (130, invoked()),
        (141, applied(0, 1, 140)),
        (500, steps_down(0, 1)),
        (510, leads(1, 2)),
        (520, acknowledged()),
    ]);
    assert_eq!((outage.went_on, outage.replaced_ns), (true, None));
}

#[test]
fn what_is_suspected_when_the_leader_is_back_is_not_counted() {
    let late = [
        (0, leads(0, 1)),
        (100, paused(0)),
        (200, resumed(0)),
        (201, suspected(1, 0)),
        (202, convicted(0)),
    ];
    let outage = one(late);
    assert_eq!((observers(&outage), outage.convicted_ns), (vec![(1, None), (2, None)], None));
    // They had twice the time that is promised.
    assert_eq!((outage.late(&PROMISE), outage.conviction(&PROMISE)), (2, Some(None)));
    assert_eq!(outage.failover(), Some(None));
}

#[test]
fn the_last_suspicion_of_an_observer_counts() {
    let outage = one([
        (0, leads(0, 1)),
        // By mistake, and it did not change its mind.
        (90, suspected(2, 0)),
        (100, killed(0)),
        (110, suspected(1, 0)),
        // By a heartbeat that was long under way.
        (120, trusted(1, 0)),
        (151, suspected(1, 0)),
    ]);
    assert_eq!(observers(&outage), [(1, Some(51)), (2, Some(0))]);
    assert_eq!(outage.late(&PROMISE), 1);
    // There is none after it changed its mind for good.
    let notes = [(0, leads(0, 1)), (100, killed(0)), (110, suspected(1, 0)), (120, trusted(1, 0))];
    assert_eq!(observers(&one(notes)), [(1, None), (2, None)]);
    let delayed = Promise { plus_delay: Some("constant:5ms".to_owned()), ..PROMISE };
    assert_eq!(outage.late(&delayed), 0);
}

#[test]
fn who_cannot_tell_is_no_observer() {
    let outage = one([
        (0, leads(0, 1)),
        (90, paused(1)),
        (100, killed(0)),
        (120, killed(2)),
        (130, resumed(1)),
    ]);
    assert_eq!((observers(&outage), outage.conviction(&PROMISE)), (vec![], None));
    // It said so before.
    let outage =
        one([(0, leads(0, 1)), (100, killed(0)), (140, suspected(2, 0)), (150, killed(2))]);
    assert_eq!(observers(&outage), [(1, None), (2, Some(40))]);
    // One is no majority of three.
    let notes = [(0, leads(0, 1)), (100, killed(0)), (110, killed(2)), (145, suspected(1, 0))];
    let outage = one(notes.into_iter().chain([(300, acknowledged())]));
    assert_eq!((observers(&outage), outage.conviction(&PROMISE)), (vec![(1, Some(45))], None));
}

#[test]
fn a_leader_that_is_cut_off_from_the_others_is_lost() {
    let [zero, one_, two] = [0, 1, 2].map(Place::Node);
    let outage = one([
        (0, leads(0, 1)),
        (100, cut([vec![zero], vec![one_, two]])),
        (148, suspected(1, 0)),
        (149, suspected(2, 0)),
        (149, convicted(0)),
        // It hears nothing of them, too.
        (150, suspected(0, 1)),
        (151, steps_down(0, 1)),
        (160, leads(1, 2)),
        (170, acknowledged()),
        (300, healed()),
        (301, trusted(1, 0)),
    ]);
    assert_eq!((outage.how, outage.is_back, outage.lasted_ns), (Loss::CutOff, true, 200));
    assert_eq!(observers(&outage), [(1, Some(48)), (2, Some(49))]);
    assert_eq!((outage.convicted_ns, outage.replaced_ns), (Some(49), Some(70)));
}

#[test]
fn a_leader_that_is_cut_off_from_the_store_is_lost_and_nobody_is_to_suspect_it() {
    let [zero, one_, two] = [0, 1, 2].map(Place::Node);
    let notes = |sides| [(0, leads(0, 1)), (100, cut(sides)), (200, healed())];
    let outage = one(notes([vec![zero], vec![Place::Store]]));
    assert_eq!((outage.how, observers(&outage)), (Loss::CutOff, vec![]));
    // With the majority and the store, it leads on.
    assert_eq!(found(notes([vec![zero, one_, Place::Store], vec![two]])), []);
    assert_eq!(found(notes([vec![zero, one_], vec![two, Place::Client]])), []);
}

#[test]
fn who_is_killed_while_cut_off_is_not_back_when_the_network_is() {
    let [zero, one_, two] = [0, 1, 2].map(Place::Node);
    let outage = one([
        (0, leads(0, 1)),
        (100, cut([vec![zero], vec![one_, two]])),
        (110, killed(0)),
        (120, healed()),
        (149, suspected(1, 0)),
        (180, restarted(0)),
        (190, suspected(2, 0)),
    ]);
    assert_eq!((outage.how, outage.lasted_ns), (Loss::CutOff, 80));
    assert_eq!(observers(&outage), [(1, Some(49)), (2, None)]);
}
