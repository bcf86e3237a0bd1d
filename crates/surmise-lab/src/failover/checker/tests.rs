use surmise_clock::HybridTimestamp;
use surmise_fence::{FencingToken, Pass};

use super::{Violation, check};
use crate::failover::{
    history::{Entry, History, Note, Stored, Who},
    message::{Op, Record, Writer},
};

const fn op(session: u32, number: u32) -> Op {
    Op { session, number }
}

fn token(counter: u64) -> FencingToken {
    FencingToken::new(1, counter.try_into().unwrap())
}

fn record(op: Op, term: u64, stamp: u64) -> Record {
    let amount = 100 + op.number;
    let writer = Writer { node: usize::try_from(term).unwrap(), incarnation: 1 };
    let stamp = HybridTimestamp::from_nanos(stamp).unwrap();
    Record { op, amount, writer, token: token(term), stamp }
}

/// Returns a record as it is in the store, by the token of its lease.
fn stored(record: Record) -> Option<Stored> {
    Some(Stored { record, pass: Pass::from(record.token).with_nonce(7) })
}

/// Returns a history in which nothing happened but that these came to be in the log.
fn log(records: impl IntoIterator<Item = Record>) -> History {
    let log = records.into_iter().map(stored).collect();
    History { log, fenced: true, ..History::default() }
}

/// Two sessions write, two each; node 1 leads, and then node 2.
fn clean() -> History {
    let log = [
        record(op(0, 0), 1, 10),
        record(op(1, 0), 1, 20),
        record(op(0, 1), 2, 30),
        record(op(1, 1), 2, 40),
    ];
    let mut history = self::log(log);
    note(&mut history, 50, Who::Node(1), Note::FloorRaised { token: token(1) });
    for (at_ns, slot, record) in [(100, 0, log[0]), (200, 1, log[1])] {
        write(&mut history, at_ns, slot, record);
    }
    note(&mut history, 250, Who::Node(2), Note::FloorRaised { token: token(2) });
    for (at_ns, slot, record) in [(300, 2, log[2]), (400, 3, log[3])] {
        write(&mut history, at_ns, slot, record);
    }
    read(&mut history, 500, 2, Some(log[2]));
    history
}

fn note(history: &mut History, at_ns: u64, who: Who, note: Note) {
    history.entries.push(Entry { at_ns, who, note });
}

/// Notes a write that took 40 ns.
fn write(history: &mut History, at_ns: u64, slot: u64, record: Record) {
    let Record { op, stamp, writer, .. } = record;
    invoke(history, at_ns, &record, stamp.as_nanos() - 1);
    note(
        history,
        at_ns + 30,
        Who::Node(writer.node),
        Note::Applied { slot, record, sent_ns: at_ns + 10 },
    );
    let acknowledged = Note::Acknowledged { op, slot, stamp, replayed: false, attempts: 1 };
    note(history, at_ns + 40, Who::Client, acknowledged);
}

/// Notes that a write is asked for.
fn invoke(history: &mut History, at_ns: u64, record: &Record, stamp: u64) {
    let stamp = HybridTimestamp::from_nanos(stamp).unwrap();
    let invoked = Note::Invoked { op: record.op, amount: record.amount, stamp };
    note(history, at_ns, Who::Client, invoked);
}

fn read(history: &mut History, asked_ns: u64, slot: u64, record: Option<Record>) {
    let read = Note::Read { slot, record, asked_ns, hedged: false };
    note(history, asked_ns + 5, Who::Client, read);
}

/// Returns what is found once a clean history was spoilt.
fn found(spoil: impl FnOnce(&mut History)) -> Vec<Violation> {
    let mut history = clean();
    spoil(&mut history);
    check(&history)
}

#[test]
fn a_clean_history_is_clean() {
    assert_eq!(check(&clean()), []);
}

#[test]
fn a_write_that_was_not_acknowledged_may_be_there_or_not() {
    for is_there in [false, true] {
        let late = record(op(0, 2), 2, 50);
        let found = found(|history| {
            invoke(history, 600, &late, 49);
            history.log.extend(is_there.then(|| stored(late)));
        });
        assert_eq!(found, []);
    }
}

#[test]
fn a_lost_write_is_found() {
    // The last of the log is gone.
    let last = found(|history| _ = history.log.pop());
    assert_eq!(last, [Violation::Lost { op: op(1, 1), slot: 3 }]);
    // A write of nobody that was answered stands in its place.
    let other = record(op(0, 2), 2, 45);
    let overwritten = found(|history| {
        invoke(history, 600, &other, 44);
        history.log[3] = stored(other);
    });
    assert_eq!(overwritten, [Violation::Lost { op: op(1, 1), slot: 3 }]);
}

#[test]
fn a_write_at_another_place_or_with_another_stamp_is_found() {
    let restamped = found(|history| history.log[3] = stored(record(op(1, 1), 2, 41)));
    assert_eq!(restamped, [Violation::Moved { op: op(1, 1), acknowledged: 3, found: 3 }]);
    let swapped = found(|history| history.log.swap(2, 3));
    assert!(swapped.contains(&Violation::Moved { op: op(0, 1), acknowledged: 2, found: 3 }));
}

#[test]
fn a_write_that_is_there_twice_is_found() {
    let twice = found(|history| history.log.push(stored(record(op(0, 0), 2, 50))));
    assert_eq!(twice, [Violation::Twice { op: op(0, 0), first: 0, second: 4 }]);
}

#[test]
fn what_nobody_asked_for_is_found() {
    let forged = found(|history| history.log.push(stored(record(op(7, 0), 2, 50))));
    assert_eq!(forged, [Violation::Forged { op: op(7, 0), slot: 4 }]);
    let changed = found(|history| history.log[3].as_mut().unwrap().record.amount += 1);
    assert_eq!(changed, [Violation::Forged { op: op(1, 1), slot: 3 }]);
}

#[test]
fn a_hole_is_found() {
    let hole = found(|history| history.log[1] = None);
    assert!(hole.contains(&Violation::Hole { slot: 1 }));
    assert!(hole.contains(&Violation::Lost { op: op(1, 0), slot: 1 }));
}

#[test]
fn a_stale_write_that_was_accepted_is_found() {
    let late = record(op(1, 0), 1, 20);
    let accepted = |sent_ns| {
        found(|history| {
            note(history, 600, Who::Node(1), Note::Applied { slot: 1, record: late, sent_ns });
        })
    };
    let stale = Violation::StaleAccepted { slot: 1, token: token(1), accepted: token(2) };
    assert_eq!(accepted(251), [stale]);
    // It was under way when the floor was raised, and may have been before it.
    assert_eq!(accepted(250), []);
}

#[test]
fn a_stale_write_that_was_accepted_in_flight_is_found() {
    // Node 1 asks for it before the floor is raised, the store takes it after, and node 2, which knows nothing of it, writes
    // over it and has it done again.
    let taken = Record { op: op(0, 1), ..record(op(0, 1), 1, 25) };
    let with = |slot| {
        let note = Note::Applied { slot, record: taken, sent_ns: 240 };
        found(|history| self::note(history, 290, Who::Node(1), note))
    };
    let overwritten = Violation::Overwritten { slot: 3, taken: op(0, 1), found: Some(op(1, 1)) };
    assert_eq!(with(3), [overwritten]);
    assert_eq!(with(9), [Violation::Overwritten { slot: 9, taken: op(0, 1), found: None }]);
}

#[test]
fn a_stale_write_is_found_without_a_floor() {
    let late = record(op(1, 0), 1, 20);
    let found = found(|history| {
        history.entries.retain(|entry| !matches!(entry.note, Note::FloorRaised { .. }));
        note(history, 600, Who::Node(1), Note::Applied { slot: 1, record: late, sent_ns: 331 });
    });
    let stale = Violation::StaleAccepted { slot: 1, token: token(1), accepted: token(2) };
    assert_eq!(found, [stale]);
}

#[test]
fn terms_that_go_back_in_the_log_are_found() {
    let found = found(|history| {
        let back = record(op(0, 2), 1, 50);
        invoke(history, 600, &back, 49);
        history.log.push(stored(back));
    });
    assert_eq!(found, [Violation::TermsGoBack { slot: 4, token: token(1), before: token(2) }]);
}

/// Returns two leaders, one after the other.
fn two(node: usize, incarnation: u64) -> (Writer, Writer) {
    (Writer { node: 2, incarnation: 1 }, Writer { node, incarnation })
}

#[test]
fn two_leaders_of_a_term_are_found() {
    // Another node, and another life of the same one.
    for (first, second) in [two(3, 1), two(2, 2)] {
        let found = found(|history| {
            let other = Record { writer: second, ..record(op(0, 2), 2, 50) };
            write(history, 600, 4, other);
            history.log.push(stored(other));
        });
        assert_eq!(found, [Violation::TwoLeaders { token: token(2), first, second }]);
    }
}

#[test]
fn two_leaders_of_a_term_are_found_by_what_the_store_says() {
    // The one of term 3 shows the token of the one before.
    let spoil = |fenced| {
        move |history: &mut History| {
            let other = record(op(0, 2), 3, 50);
            write(history, 600, 4, other);
            history.log.push(stored(other));
            history.log[4].as_mut().unwrap().pass.token = token(2);
            history.fenced = fenced;
        }
    };
    let (first, second) = two(3, 1);
    let two = Violation::TwoLeaders { token: token(2), first, second };
    let other = Violation::OtherToken { slot: 4, token: token(3), shown: token(2) };
    assert_eq!(found(spoil(true)), [two, other]);
    assert_eq!(found(spoil(false)), [two]);
}

#[test]
fn one_leader_that_shows_another_token_than_its_own_is_found() {
    let later = |history: &mut History| {
        let of_second = |stored: &&mut Stored| stored.record.token == token(2);
        let log = history.log.iter_mut().flatten();
        log.filter(of_second).for_each(|stored| stored.pass.token = token(9));
    };
    let other = |slot| Violation::OtherToken { slot, token: token(2), shown: token(9) };
    assert_eq!(found(later), [other(2), other(3)]);
}

#[test]
fn stamps_that_go_back_along_the_log_are_found() {
    // As a leader gives them whose clock is behind, and who does not take in what it reads.
    let along_the_log = found(|history| {
        let behind = record(op(2, 0), 2, 40);
        write(history, 600, 4, behind);
        history.log.push(stored(behind));
    });
    let (earlier, later) = (op(1, 1), op(2, 0));
    let back = Violation::StampsGoBack { earlier, later };
    // The request for it was not stamped as it had to be either.
    assert_eq!(along_the_log, [back, Violation::RequestBehind { earlier, later }]);
}

#[test]
fn a_stamp_that_is_no_later_than_that_of_the_request_is_found() {
    for (stamp, expected) in [(49, vec![]), (50, vec![Violation::BeforeRequest { op: op(0, 2) }])] {
        let found = found(|history| {
            let late = record(op(0, 2), 2, 50);
            write(history, 600, 4, late);
            history.log.push(stored(late));
            let at = history.entries.len() - 3;
            let stamp = HybridTimestamp::from_nanos(stamp).unwrap();
            let Note::Invoked { stamp: of, .. } = &mut history.entries[at].note else { panic!() };
            *of = stamp;
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn a_session_out_of_order_is_found() {
    let found = found(|history| {
        for entry in &mut history.entries {
            if let Note::Acknowledged { op: of, slot, .. } = &mut entry.note
                && *of == op(1, 1)
            {
                *slot = 1;
            }
        }
    });
    let order = Violation::OutOfOrder { earlier: op(0, 1), later: op(1, 1) };
    assert!(found.contains(&order), "{found:?}");
}

/// Returns a history in which one session's write is acknowledged, and then another session asks for one, whose request has
/// this stamp. It is written behind that of the first, or before it.
fn two_sessions(stamp: u64, is_behind: bool) -> History {
    let (first, second) = (record(op(1, 0), 1, 20), record(op(0, 0), 1, 30));
    let mut history = log(if is_behind { [first, second] } else { [second, first] });
    write(&mut history, 100, u64::from(!is_behind), first);
    invoke(&mut history, 200, &second, stamp);
    let slot = u64::from(is_behind);
    let applied = Note::Applied { slot, record: second, sent_ns: 210 };
    note(&mut history, 220, Who::Node(1), applied);
    let Record { op, stamp, .. } = second;
    let acknowledged = Note::Acknowledged { op, slot, stamp, replayed: false, attempts: 1 };
    note(&mut history, 240, Who::Client, acknowledged);
    history
}

#[test]
fn a_request_that_is_stamped_as_if_nothing_had_been_acknowledged_is_found() {
    let (earlier, later) = (op(1, 0), op(0, 0));
    for stamp in [6, 20] {
        let mut history = two_sessions(stamp, true);
        assert_eq!(check(&history), [Violation::RequestBehind { earlier, later }]);
        // It said that it could not take in the stamp of what was acknowledged.
        let refused = Entry { at_ns: 139, who: Who::Client, note: Note::ClockRefused { of: None } };
        history.entries.insert(2, refused);
        assert_eq!(check(&history), []);
    }
    assert_eq!(check(&two_sessions(21, true)), []);
}

#[test]
fn a_write_before_one_that_had_been_acknowledged_to_another_session_is_found() {
    let (earlier, later) = (op(1, 0), op(0, 0));
    let mut history = two_sessions(21, false);
    // The stamps are in the order of the log, so that they do not show it.
    let stamp = HybridTimestamp::from_nanos(19).unwrap();
    history.log[0].as_mut().unwrap().record.stamp = stamp;
    let found = check(&history);
    assert!(found.contains(&Violation::OutOfOrder { earlier, later }), "{found:?}");
    assert!(!found.contains(&Violation::StampsGoBack { earlier: later, later: earlier }));
}

#[test]
fn a_history_in_which_only_causality_is_broken_between_sessions_is_found() {
    let (earlier, later) = (op(1, 0), op(0, 0));
    let log = [record(later, 1, 10), record(earlier, 1, 20)];
    let mut history = self::log(log);
    for (at_ns, record, slot, stamp) in [(100, log[1], 1, 5), (200, log[0], 0, 6)] {
        invoke(&mut history, at_ns, &record, stamp);
        let applied = Note::Applied { slot, record, sent_ns: at_ns + 10 };
        note(&mut history, at_ns + 30, Who::Node(1), applied);
        let Record { op, stamp, .. } = record;
        let acknowledged = Note::Acknowledged { op, slot, stamp, replayed: false, attempts: 1 };
        note(&mut history, at_ns + 40, Who::Client, acknowledged);
    }
    let expected =
        [Violation::RequestBehind { earlier, later }, Violation::OutOfOrder { earlier, later }];
    assert_eq!(check(&history), expected);
}

#[test]
fn a_read_that_does_not_show_what_was_acknowledged_is_found() {
    let other = record(op(7, 7), 1, 5);
    for read in [None, Some(other)] {
        let found = found(|history| super::tests::read(history, 440, 3, read));
        let acknowledged = op(1, 1);
        assert_eq!(found, [Violation::ReadOther { slot: 3, acknowledged, read }]);
    }
    // It began before the acknowledgement.
    assert_eq!(found(|history| read(history, 439, 3, None)), []);
}

#[test]
fn each_violation_says_what_it_is_about() {
    for violation in found(|history| {
        history.log[1] = None;
        history.log.swap(2, 3);
        history.log.push(stored(record(op(7, 0), 1, 5)));
    }) {
        let text = violation.to_string();
        assert!(text.len() > 20 && !text.contains("Some("), "{text}");
    }
}
