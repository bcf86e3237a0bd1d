//! Anything sent to a producer's window, beside one that forgets nothing; and any text as a window.

#![no_main]

#[path = "../../crates/surmise-idempotency/tests/support/producer.rs"]
mod reference;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_idempotency::{Admission, ProducerWindow};

use crate::reference::{Answer, History};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    first: (u64, u64),
    messages: Vec<Message>,
    text: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Message {
    epoch: Number,
    sequence: Number,
    fails: bool,
}

/// A number: any there is, or one that is near to what is expected.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Any(u64),
    Near(i8),
    Expected,
}

impl Number {
    fn near(self, expected: u64) -> u64 {
        match self {
            Self::Any(number) => number,
            Self::Near(distance) => expected.saturating_add_signed(distance.into()),
            Self::Expected => expected,
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    check::<0>(&input);
    check::<1>(&input);
    check::<5>(&input);
    if let Ok(window) = serde_json::from_slice::<ProducerWindow<u32, 3>>(input.text) {
        check_written(&window);
    }
});

fn check<const N: usize>(input: &Input<'_>) {
    let (epoch, sequence) = input.first;
    let mut window = ProducerWindow::<u32, N>::at(epoch, sequence);
    let mut history = History::at(epoch, sequence, N);
    // The reference takes time in the square of the messages.
    for (message, result) in input.messages.iter().take(200).zip(0..) {
        let epoch = message.epoch.near(window.epoch());
        let sequence = message.sequence.near(window.next_sequence().unwrap_or(u64::MAX));
        let before = window.clone();
        let expected = history.admit(epoch, sequence);
        let answer = match window.admit(epoch, sequence) {
            Admission::Accepted(acceptance) => {
                if !message.fails {
                    acceptance.record(result);
                    history.record(epoch, sequence, result);
                }
                Answer::Accepted
            }
            Admission::Duplicate(result) => Answer::Duplicate(result.copied()),
            Admission::Gap { expected, offered } => Answer::Gap { expected, offered },
            Admission::Fenced { offered, current } => Answer::Fenced { offered, current },
        };
        assert_eq!(answer, expected);
        assert!(window == before || (answer == Answer::Accepted && !message.fails));
        let remembered: Vec<_> = window.remembered().map(|(at, &result)| (at, result)).collect();
        assert_eq!((window.epoch(), remembered), (history.epoch(), history.remembered()));
    }
    check_written(&window);
}

/// Checks that a window comes back as it is written, and remembers the last messages and no others.
fn check_written<const N: usize>(window: &ProducerWindow<u32, N>) {
    let text = serde_json::to_vec(window).expect("it is plain");
    let read = serde_json::from_slice::<ProducerWindow<u32, N>>(&text);
    assert_eq!(read.ok().as_ref(), Some(window));
    let remembered: Vec<_> = window.remembered().map(|(sequence, _)| sequence).collect();
    assert!(remembered.len() <= N);
    if let Some((last, others)) = remembered.split_last() {
        assert!(others.iter().rev().zip(1..).all(|(&sequence, age)| last - sequence == age));
        assert_eq!(last.checked_add(1), window.next_sequence());
    }
}
