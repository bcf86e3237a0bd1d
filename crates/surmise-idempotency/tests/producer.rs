//! A producer's window: each message is carried out once and in order, whatever arrives twice, late or never.

mod support {
    pub(crate) mod producer;
}

use core::{cell::Cell, panic::AssertUnwindSafe};
use std::panic::catch_unwind;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_idempotency::{Admission, ProducerWindow};

use crate::support::producer::{Answer, History};

/// Carries a message out if it is accepted, and records what came of it.
fn send<const N: usize>(
    window: &mut ProducerWindow<u32, N>,
    epoch: u64,
    sequence: u64,
    result: u32,
) -> Answer {
    match window.admit(epoch, sequence) {
        Admission::Accepted(acceptance) => {
            acceptance.record(result);
            Answer::Accepted
        }
        refused => answer(&refused),
    }
}

fn answer<const N: usize>(admission: &Admission<'_, u32, N>) -> Answer {
    match *admission {
        Admission::Accepted(_) => Answer::Accepted,
        Admission::Duplicate(result) => Answer::Duplicate(result.copied()),
        Admission::Gap { expected, offered } => Answer::Gap { expected, offered },
        Admission::Fenced { offered, current } => Answer::Fenced { offered, current },
    }
}

fn filled<const N: usize>(epoch: u64, messages: u32) -> ProducerWindow<u32, N> {
    let mut window = ProducerWindow::at(epoch, 0);
    for (sequence, result) in (0..).zip(0..messages) {
        assert_eq!(send(&mut window, epoch, sequence, 100 + result), Answer::Accepted);
    }
    window
}

#[test]
fn the_last_results_are_remembered_and_no_message_is_accepted_twice() {
    let mut window = filled::<5>(0, 8);
    let before = window.clone();
    for sequence in 0..8 {
        let result = (sequence >= 3).then(|| 100 + u32::try_from(sequence).unwrap_or(0));
        assert_eq!(send(&mut window, 0, sequence, 0), Answer::Duplicate(result), "{sequence}");
    }
    assert_eq!(window, before);
    assert_eq!((window.epoch(), window.next_sequence()), (0, Some(8)));
}

#[test]
fn after_a_gap_the_messages_are_sent_again_from_the_missing_one_on() {
    let mut window = filled::<5>(3, 2);
    assert_eq!(send(&mut window, 3, 3, 0), Answer::Gap { expected: 2, offered: 3 });
    assert_eq!(send(&mut window, 3, u64::MAX, 0), Answer::Gap { expected: 2, offered: u64::MAX });
    assert_eq!(window, filled(3, 2));
    assert_eq!(send(&mut window, 3, 2, 102), Answer::Accepted);
    assert_eq!(send(&mut window, 3, 3, 103), Answer::Accepted);
    assert_eq!(window, filled(3, 4));
}

#[test]
fn a_window_that_knows_nothing_accepts_only_a_first_message() {
    let mut window = ProducerWindow::<u32>::default();
    assert_eq!(send(&mut window, 0, 1, 0), Answer::Gap { expected: 0, offered: 1 });
    assert_eq!(send(&mut window, 9, 1, 0), Answer::Gap { expected: 0, offered: 1 });
    assert_eq!((window.epoch(), window.next_sequence()), (0, Some(0)));
    assert_eq!(send(&mut window, 9, 0, 0), Answer::Accepted);
    assert_eq!((window.epoch(), window.next_sequence()), (9, Some(1)));
}

#[test]
fn a_new_epoch_begins_at_its_first_message_and_fences_those_before() {
    let mut window = filled::<5>(1, 3);
    // What cannot be carried out changes nothing: the earlier epoch goes on.
    assert_eq!(send(&mut window, 2, 3, 0), Answer::Gap { expected: 0, offered: 3 });
    assert_eq!(send(&mut window, 1, 3, 103), Answer::Accepted);

    assert_eq!(send(&mut window, 2, 0, 200), Answer::Accepted);
    for sequence in 0..6 {
        let fenced = Answer::Fenced { offered: 1, current: 2 };
        assert_eq!(send(&mut window, 1, sequence, 0), fenced, "a duplicate of then is as late");
    }
    assert_eq!(send(&mut window, 2, 0, 0), Answer::Duplicate(Some(200)));
    assert_eq!(send(&mut window, 2, 2, 0), Answer::Gap { expected: 1, offered: 2 });
    assert_eq!(window.remembered().collect::<Vec<_>>(), [(0, &200)]);
}

#[test]
fn a_message_that_fails_can_be_sent_again() {
    let mut window = filled::<5>(1, 3);
    for epoch in [1, 2] {
        let sequence = if epoch == 1 { 3 } else { 0 };
        let failed = catch_unwind(AssertUnwindSafe(|| {
            let Admission::Accepted(_acceptance) = window.admit(epoch, sequence) else { return };
            panic!("the disk is full");
        }));
        assert!(failed.is_err());
        assert_eq!(window, filled(1, 3));
    }
    assert_eq!(send(&mut window, 1, 3, 103), Answer::Accepted);
}

#[test]
fn after_the_last_sequence_only_a_new_epoch_goes_on() {
    let mut window = ProducerWindow::<u32, 2>::at(7, u64::MAX - 1);
    assert_eq!(
        send(&mut window, 7, u64::MAX, 0),
        Answer::Gap { expected: u64::MAX - 1, offered: u64::MAX }
    );
    assert_eq!(send(&mut window, 7, u64::MAX - 1, 1), Answer::Accepted);
    assert_eq!(send(&mut window, 7, u64::MAX, 2), Answer::Accepted);
    assert_eq!(window.next_sequence(), None);
    for (sequence, result) in [(0, None), (u64::MAX - 1, Some(1)), (u64::MAX, Some(2))] {
        assert_eq!(send(&mut window, 7, sequence, 0), Answer::Duplicate(result));
    }
    assert_eq!(window.remembered().count(), 2);
    assert_eq!(send(&mut window, u64::MAX, 0, 0), Answer::Accepted);
}

#[test]
fn a_window_that_goes_on_remembers_nothing_of_before() {
    let mut window = ProducerWindow::<u32, 3>::at(4, 10);
    assert_eq!(send(&mut window, 4, 9, 0), Answer::Duplicate(None));
    assert_eq!(send(&mut window, 4, 11, 0), Answer::Gap { expected: 10, offered: 11 });
    assert_eq!(send(&mut window, 3, 10, 0), Answer::Fenced { offered: 3, current: 4 });
    assert_eq!(send(&mut window, 4, 10, 110), Answer::Accepted);
    assert_eq!(window.remembered().collect::<Vec<_>>(), [(10, &110)]);
    assert_eq!(send(&mut window, 4, 8, 0), Answer::Duplicate(None));
}

#[test]
fn a_window_of_no_results_counts_all_the_same() {
    let mut window = filled::<0>(0, 3);
    assert_eq!(send(&mut window, 0, 2, 0), Answer::Duplicate(None));
    assert_eq!(send(&mut window, 0, 4, 0), Answer::Gap { expected: 3, offered: 4 });
    assert_eq!((window.next_sequence(), window.remembered().count()), (Some(3), 0));
    assert_eq!(size_of::<ProducerWindow<u32, 0>>(), 24);
}

/// A result whose end is noticed.
struct Noticed<'a>(&'a Cell<u32>);

impl Drop for Noticed<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn results_are_dropped_when_they_are_forgotten() {
    let dropped = Cell::new(0);
    let mut window = ProducerWindow::<_, 2>::new();
    for (epoch, sequence, expected) in [(0, 0, 0), (0, 1, 0), (0, 2, 1), (0, 3, 2), (1, 0, 4)] {
        let Admission::Accepted(acceptance) = window.admit(epoch, sequence) else { panic!() };
        acceptance.record(Noticed(&dropped));
        assert_eq!(dropped.get(), expected);
    }
}

/// What arrives: a message near to what is expected, of an epoch near to the current one.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    epoch: u64,
    is_new_epoch: bool,
    ahead: u64,
    behind: u64,
    fails: bool,
}

impl Arbitrary for Arrival {
    fn arbitrary(random: &mut Gen) -> Self {
        let few = |random: &mut Gen, odds: &[u64]| *random.choose(odds).unwrap_or(&0);
        Self {
            epoch: few(random, &[1, 1, 1, 1, 0, 2, 2]),
            is_new_epoch: few(random, &[0, 0, 0, 1]) == 1,
            ahead: few(random, &[0, 0, 0, 0, 0, 1, 9]),
            behind: few(random, &[0, 0, 0, 0, 1, 2, 3, 4, 5, 9]),
            fails: few(random, &[0, 0, 0, 1]) == 1,
        }
    }
}

/// Does all that arrives to a window and to one that forgets nothing, and returns how many messages were carried out.
fn run<const N: usize>(first: (u64, u64), arrivals: &[Arrival]) -> usize {
    let mut window = ProducerWindow::<u32, N>::at(first.0, first.1);
    let mut history = History::at(first.0, first.1, N);
    let mut carried_out = 0;
    for (arrival, result) in arrivals.iter().zip(0..) {
        let epoch = (window.epoch() + arrival.epoch).saturating_sub(1);
        let next = if arrival.is_new_epoch { 0 } else { window.next_sequence().unwrap_or(0) };
        let sequence = (next + arrival.ahead).saturating_sub(arrival.behind);

        let before = window.clone();
        let expected = history.admit(epoch, sequence);
        assert_eq!(answer(&window.admit(epoch, sequence)), expected);
        assert_eq!(window, before, "to ask changes nothing");
        if !arrival.fails {
            assert_eq!(send(&mut window, epoch, sequence, result), expected);
            if expected == Answer::Accepted {
                history.record(epoch, sequence, result);
                carried_out += 1;
            } else {
                assert_eq!(window, before);
            }
        }
        let remembered: Vec<_> = window.remembered().map(|(at, &result)| (at, result)).collect();
        assert_eq!((window.epoch(), &remembered), (history.epoch(), &history.remembered()));
        assert_eq!(restored(&window), window);
    }
    carried_out
}

/// Makes a window of what is remembered of another, as a store may.
fn restored<const N: usize>(window: &ProducerWindow<u32, N>) -> ProducerWindow<u32, N> {
    let first = window.remembered().next().map(|(first, _)| first).or(window.next_sequence());
    let mut restored = ProducerWindow::at(window.epoch(), first.unwrap_or(0));
    for (sequence, &result) in window.remembered() {
        assert_eq!(send(&mut restored, window.epoch(), sequence, result), Answer::Accepted);
    }
    restored
}

quickcheck! {
    fn a_window_does_what_one_does_that_forgets_nothing(
        epoch: u8,
        sequence: u8,
        arrivals: Vec<Arrival>
    ) -> bool {
        let first = (epoch.into(), sequence.into());
        run::<0>(first, &arrivals);
        run::<1>((0, 0), &arrivals);
        run::<3>(first, &arrivals);
        run::<5>((0, 0), &arrivals) <= arrivals.len()
    }
}

/// New epochs, gaps and duplicates come together often enough in what is tried, and not so often that nothing goes on.
#[test]
fn many_messages_are_carried_out_in_what_is_tried() {
    let mut random = Gen::from_size_and_seed(400, 7);
    let arrivals: Vec<_> = (0..400).map(|_| Arrival::arbitrary(&mut random)).collect();
    let carried_out = run::<5>((0, 0), &arrivals);
    assert!((60..300).contains(&carried_out), "{carried_out}");
}

#[cfg(feature = "serde")]
#[test]
fn what_is_read_is_checked() -> Result<(), serde_json::Error> {
    let window = filled::<3>(2, 4);
    let json = r#"{"epoch":2,"last":3,"results":[101,102,103]}"#;
    assert_eq!(serde_json::to_string(&window)?, json);
    assert_eq!(serde_json::from_str::<ProducerWindow<u32, 3>>(json)?, window);

    let empty = ProducerWindow::<u32>::new();
    let json_of_empty = r#"{"epoch":0,"last":null,"results":[]}"#;
    assert_eq!(serde_json::to_string(&empty)?, json_of_empty);
    assert_eq!(serde_json::from_str::<ProducerWindow<u32>>(json_of_empty)?, empty);

    for wrong in [
        r#"{"epoch":2,"last":null,"results":[1]}"#,
        r#"{"epoch":2,"last":1,"results":[1,2,3]}"#,
        r#"{"epoch":2,"last":1,"results":[],"next":2}"#,
        r#"{"epoch":-1,"last":1,"results":[]}"#,
    ] {
        assert!(serde_json::from_str::<ProducerWindow<u32, 3>>(wrong).is_err(), "{wrong}");
        assert!(serde_json::from_str::<ProducerWindow<u32, 0>>(wrong).is_err(), "{wrong}");
    }
    Ok(())
}

#[cfg(feature = "serde")]
#[test]
fn a_smaller_window_remembers_the_last_and_a_greater_one_no_more() -> Result<(), serde_json::Error>
{
    let json = serde_json::to_string(&filled::<5>(2, 9))?;
    let smaller: ProducerWindow<u32, 2> = serde_json::from_str(&json)?;
    assert_eq!(smaller, filled::<2>(2, 9));
    let greater: ProducerWindow<u32, 8> = serde_json::from_str(&json)?;
    assert_eq!(
        greater.remembered().map(|(sequence, _)| sequence).collect::<Vec<_>>(),
        [4, 5, 6, 7, 8]
    );
    assert_eq!(greater.next_sequence(), Some(9));
    Ok(())
}

#[test]
fn a_fence_keeps_late_messages_out_before_there_is_a_new_one() {
    let mut window = ProducerWindow::<u8>::new();
    for sequence in 0..3 {
        let Admission::Accepted(acceptance) = window.admit(4, sequence) else { panic!() };
        acceptance.record(7);
    }
    assert!(window.fence(4));
    assert_eq!((window.epoch(), window.next_sequence()), (4, Some(3)));
    assert!(!window.fence(3));
    assert_eq!(window.admit(4, 2), Admission::Duplicate(Some(&7)));

    assert!(window.fence(5));
    assert_eq!(window, ProducerWindow::at(5, 0));
    assert_eq!(window.admit(4, 3), Admission::Fenced { offered: 4, current: 5 });
    assert_eq!(window.admit(5, 1), Admission::Gap { expected: 0, offered: 1 });
    assert!(matches!(window.admit(5, 0), Admission::Accepted(_)));
}
