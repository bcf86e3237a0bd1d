//! Holders that overtake each other on real threads: what was accepted of each key is in the order of tokens, nothing
//! is lost, and what a holder read after its raise stays true.

#![cfg(feature = "std")]

mod support {
    pub(crate) mod map_history;
}

use core::{
    num::NonZeroUsize,
    sync::atomic::{AtomicU64, Ordering},
};
use std::thread;

use surmise_fence::{FencingToken, Pass, sync::FencedMap};

use crate::support::map_history::{Event, History, Violation, What};

const KEYS: u64 = 6;
const HOLDERS: u64 = 12;
const THREADS: u64 = 3;
const WRITES: u64 = 60;

#[test]
fn histories_of_holders_that_overtake_each_other_have_no_violation() {
    for round in 0..40 {
        let history = record(round);
        assert_eq!(history.check(), Ok(()), "round {round}");
        assert!(history.events.iter().any(|event| event.is_accepted));
    }
}

/// Lets each thread be some of the holders, one after the other, and returns what happened.
fn record(round: u64) -> History {
    let capacity = NonZeroUsize::MIN.saturating_add(99);
    let map = FencedMap::<u64, u64>::new(capacity);
    let time = AtomicU64::new(0);
    let (map, time) = (&map, &time);
    let events = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let holders = (1..=HOLDERS).filter(move |token| token % THREADS == thread);
                scope.spawn(move || {
                    holders.flat_map(|token| hold(map, time, token, round)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no holder panics")).collect()
    });
    let last = (0..KEYS).map(|key| map.get(&key)).collect();
    History { events, last }
}

/// Raises the floor, reads all, writes a while, and wakes up once more when others may be at it.
fn hold(map: &FencedMap<u64, u64>, time: &AtomicU64, token: u64, round: u64) -> Vec<Event> {
    let pass = grant(token);
    let mut events = vec![timed(time, token, || (What::Raise, map.raise(pass).is_ok()))];
    for key in 0..KEYS {
        events.push(timed(time, token, || (What::Read { key, value: map.get(&key) }, true)));
    }
    for nth in 0..WRITES {
        let (key, value) = ((nth * 7 + token * 5 + round) % KEYS, token * 1000 + nth);
        events.push(timed(time, token, || match map.write(key, value, pass) {
            Ok(previous) => (What::Write { key, value, previous }, true),
            Err(refused) => {
                assert_eq!((refused.key, refused.value), (key, value));
                (What::Write { key, value, previous: None }, false)
            }
        }));
    }
    events
}

fn timed(time: &AtomicU64, token: u64, act: impl FnOnce() -> (What, bool)) -> Event {
    let start = time.fetch_add(1, Ordering::SeqCst);
    let (what, is_accepted) = act();
    let end = time.fetch_add(1, Ordering::SeqCst);
    Event { start, end, token, what, is_accepted }
}

fn grant(token: u64) -> Pass {
    FencingToken::new(1, token.try_into().expect("tokens begin at 1")).into()
}

/// An event that is over before the next begins.
fn event(at: u64, token: u64, what: What) -> Event {
    Event { start: 2 * at, end: 2 * at + 1, token, what, is_accepted: true }
}

fn write(value: u64, previous: Option<u64>) -> What {
    What::Write { key: 0, value, previous }
}

fn check(events: Vec<Event>, last: u64) -> Result<(), Violation> {
    History { events, last: vec![Some(last)] }.check()
}

#[test]
fn the_checker_finds_a_token_after_a_higher_one() {
    let events = vec![event(0, 2, write(10, None)), event(1, 1, write(11, Some(10)))];
    assert_eq!(check(events, 11), Err(Violation::Decreasing { key: 0, value: 11 }));
}

#[test]
fn the_checker_finds_a_write_after_a_higher_raise() {
    let mut events = vec![event(0, 2, What::Raise), event(1, 1, write(10, None))];
    assert_eq!(check(events.clone(), 10), Err(Violation::Stale { key: 0, value: 10 }));
    // Not if the two were at the same time, or the raise failed.
    events[0].end = 3;
    assert_eq!(check(events.clone(), 10), Ok(()));
    events[0] = Event { is_accepted: false, ..event(0, 2, What::Raise) };
    assert_eq!(check(events, 10), Ok(()));
}

#[test]
fn the_checker_finds_a_write_that_was_lost() {
    let events = vec![event(0, 1, write(10, None)), event(1, 1, write(11, None))];
    assert_eq!(check(events, 11), Err(Violation::Lost { key: 0, value: 10 }));
}

#[test]
fn the_checker_finds_a_refused_write_that_landed() {
    let mut events = vec![event(0, 1, write(10, None)), event(1, 1, write(11, Some(10)))];
    events[1].is_accepted = false;
    assert_eq!(check(events, 11), Err(Violation::NeverAccepted { key: 0, value: 11 }));
}

#[test]
fn the_checker_finds_a_change_behind_a_holders_back() {
    let read = What::Read { key: 0, value: Some(10) };
    let mut events =
        vec![event(0, 1, write(10, None)), event(1, 2, What::Raise), event(2, 2, read)];
    // It began before the raise, but ended after what was read.
    events.push(Event { start: 0, end: 9, ..event(0, 1, write(11, Some(10))) });
    assert_eq!(check(events, 11), Err(Violation::ReadUndone { key: 0, value: 11 }));
}
