//! The causal buffer's edges: what it refuses, how full it gets, how it goes on, and what it costs.
//!
//! Random executions are in `causal_buffer_executions.rs`.

#![cfg(feature = "alloc")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use core::{cell::Cell, cmp::Ordering};

use surmise_clock::{Arrival, CausalBuffer, CounterOverflow, Refusal, Stamped, VectorClock};

type Buffer = CausalBuffer<&'static str, &'static str>;

fn clock(entries: &[(&'static str, u64)]) -> VectorClock<&'static str> {
    entries.iter().copied().collect()
}

fn message(
    sender: &'static str,
    entries: &[(&'static str, u64)],
) -> Stamped<&'static str, &'static str> {
    Stamped { sender, clock: clock(entries), message: "hello" }
}

fn delivered(buffer: &mut Buffer) -> Vec<(&'static str, u64)> {
    let messages = core::iter::from_fn(|| buffer.deliver());
    messages.map(|stamped| (stamped.sender, stamped.clock.get(&stamped.sender))).collect()
}

/// Checks that a message is refused, handed back, and leaves no trace.
fn assert_refused(
    buffer: &mut Buffer,
    stamped: &Stamped<&'static str, &'static str>,
    reason: Refusal,
) {
    let before = buffer.clone();
    let refused = buffer.receive(stamped.clone()).unwrap_err();
    assert_eq!((&refused.stamped, refused.reason), (stamped, reason));
    assert_eq!(*buffer, before);
}

#[test]
fn the_last_place_is_for_what_can_be_delivered() {
    let mut buffer = Buffer::new("me", 2);
    assert_eq!(buffer.receive(message("a", &[("a", 2)])), Ok(Arrival::Waiting));
    assert_eq!(buffer.receive(message("a", &[("a", 3)])), Ok(Arrival::Waiting));
    let full = Refusal::Full { capacity: 2 };
    assert_refused(&mut buffer, &message("a", &[("a", 4)]), full);
    assert_eq!(buffer.receive(message("b", &[("b", 1)])), Ok(Arrival::Deliverable));
    assert_eq!((buffer.held(), buffer.waiting()), (3, 2));
    // Even what all wait for must wait until the last place is free again.
    assert_refused(&mut buffer, &message("a", &[("a", 1)]), full);
    assert_eq!(delivered(&mut buffer), [("b", 1)]);
    assert_eq!(buffer.receive(message("a", &[("a", 1)])), Ok(Arrival::Deliverable));
    assert_eq!((buffer.held(), buffer.waiting()), (3, 0));
    // A duplicate needs no room.
    assert_eq!(buffer.receive(message("a", &[("a", 3)])), Ok(Arrival::Duplicate));
    assert_eq!(delivered(&mut buffer), [("a", 1), ("a", 2), ("a", 3)]);
    assert_eq!(buffer.delivered(), &clock(&[("a", 3), ("b", 1)]));
}

#[test]
fn without_capacity_only_the_order_of_sending_passes() {
    let mut buffer = Buffer::new("me", 0);
    assert_refused(&mut buffer, &message("a", &[("a", 2)]), Refusal::Full { capacity: 0 });
    for counter in 1..4 {
        let next = message("a", &[("a", counter)]);
        assert_eq!(buffer.receive(next), Ok(Arrival::Deliverable));
        assert_eq!(delivered(&mut buffer), [("a", counter)]);
    }
    let mut endless = Buffer::new("me", usize::MAX);
    assert_eq!(endless.receive(message("a", &[("a", 1)])), Ok(Arrival::Deliverable));
}

#[test]
fn messages_that_no_member_can_have_sent_are_refused() {
    let mut buffer = Buffer::new("me", 4);
    assert_refused(&mut buffer, &message("a", &[("b", 1)]), Refusal::NotStamped);
    let unsent = Refusal::NeverSent { claimed: 1, sent: 0 };
    assert_refused(&mut buffer, &message("me", &[("me", 1)]), unsent);
    assert_refused(&mut buffer, &message("a", &[("a", 1), ("me", 1)]), unsent);

    assert_eq!(buffer.stamp(), Ok(clock(&[("me", 1)])));
    // The network hands the own message back.
    assert_eq!(buffer.receive(message("me", &[("me", 1)])), Ok(Arrival::Duplicate));
    let answer = message("a", &[("a", 1), ("me", 1)]);
    assert_eq!(buffer.receive(answer), Ok(Arrival::Deliverable));
    let error = buffer.receive(message("a", &[("a", 2), ("me", 7)])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a message of replica \"a\" was refused: its clock claims event 7 of this node, which has sent 1"
    );
    assert!(!format!("{error:?}").contains("hello"));
    assert_eq!(Refusal::NotStamped.to_string(), "its clock has no event of its sender");
    assert_eq!(Refusal::Full { capacity: 9 }.to_string(), "the buffer holds 9 messages already");
}

#[test]
fn what_is_taken_out_is_seen_by_the_next_message() {
    let mut buffer = Buffer::new("me", 4);
    buffer.receive(message("a", &[("a", 1)])).unwrap();
    buffer.receive(message("a", &[("a", 2)])).unwrap();
    assert_eq!(buffer.stamp(), Ok(clock(&[("me", 1)])));
    buffer.deliver().unwrap();
    assert_eq!(buffer.stamp(), Ok(clock(&[("a", 1), ("me", 2)])));
    buffer.deliver().unwrap();
    assert_eq!(buffer.stamp(), Ok(clock(&[("a", 2), ("me", 3)])));
}

#[test]
fn a_counter_at_its_limit_stamps_nothing() {
    let last = clock(&[("me", u64::MAX - 1)]);
    let mut buffer = Buffer::resume("me", last, 4);
    assert_eq!(buffer.stamp(), Ok(clock(&[("me", u64::MAX)])));
    let before = buffer.clone();
    let error: CounterOverflow<&str> = buffer.stamp().unwrap_err();
    assert_eq!(error.replica, "me");
    assert_eq!(buffer, before);

    let mut buffer = Buffer::new("me", 4);
    let far = message("a", &[("a", u64::MAX), ("b", u64::MAX)]);
    assert_eq!(buffer.receive(far), Ok(Arrival::Waiting));
    assert_eq!(buffer.missing(), [("a", 1..=u64::MAX - 1), ("b", 1..=u64::MAX)]);
    let mut buffer = Buffer::resume("me", clock(&[("a", u64::MAX - 1)]), 4);
    let last = message("a", &[("a", u64::MAX)]);
    assert_eq!(buffer.receive(last.clone()), Ok(Arrival::Deliverable));
    assert_eq!(delivered(&mut buffer), [("a", u64::MAX)]);
    assert_eq!(buffer.receive(last), Ok(Arrival::Duplicate));
    assert_eq!(buffer.missing(), []);
}

#[test]
fn missing_leaves_out_what_is_held() {
    let mut buffer = Buffer::resume("me", clock(&[("a", 2)]), 8);
    for counter in [5, 6, 9] {
        buffer.receive(message("a", &[("a", counter)])).unwrap();
    }
    buffer.receive(message("b", &[("a", 10), ("b", 1), ("c", 1)])).unwrap();
    assert_eq!(buffer.missing(), [("a", 3..=4), ("a", 7..=8), ("a", 10..=10), ("c", 1..=1)]);
}

/// A message was lost for good; the state of another member, which has delivered it, helps out.
#[test]
fn a_copied_state_unblocks() {
    let mut buffer = Buffer::new("me", 8);
    buffer.stamp().unwrap();
    buffer.receive(message("b", &[("b", 1)])).unwrap();
    for stamped in [message("a", &[("a", 2)]), message("a", &[("a", 3)])] {
        buffer.receive(stamped).unwrap();
    }
    let held: Vec<_> = buffer.into_held().collect();
    let dots: Vec<_> =
        held.iter().map(|held| (held.sender, held.clock.get(&held.sender))).collect();
    assert_eq!(dots, [("b", 1), ("a", 2), ("a", 3)]);

    let mut buffer = Buffer::resume("me", clock(&[("a", 2), ("me", 1)]), 8);
    let arrivals = held.into_iter().map(|stamped| buffer.receive(stamped).unwrap());
    assert_eq!(
        arrivals.collect::<Vec<_>>(),
        [Arrival::Deliverable, Arrival::Duplicate, Arrival::Deliverable]
    );
    assert_eq!(delivered(&mut buffer), [("b", 1), ("a", 3)]);
    assert_eq!(buffer.stamp(), Ok(clock(&[("a", 3), ("b", 1), ("me", 2)])));
}

/// The newest first: each waits for the one before it, and the last to come releases all at once.
#[test]
fn a_long_chain_neither_recurses_nor_rescans() {
    const MESSAGES: u64 = 50_000;
    let mut buffer = Buffer::new("me", usize::MAX);
    for counter in (2..=MESSAGES).rev() {
        assert_eq!(buffer.receive(message("a", &[("a", counter)])), Ok(Arrival::Waiting));
    }
    assert_eq!(buffer.receive(message("a", &[("a", 1)])), Ok(Arrival::Deliverable));
    let in_order = (1..=MESSAGES).map(|counter| ("a", counter));
    assert!(delivered(&mut buffer).into_iter().eq(in_order));
}

#[cfg(feature = "serde")]
#[test]
fn messages_survive_serde() {
    let json = r#"{"sender":"a","clock":[["a",2],["b",1]],"message":"hello"}"#;
    let stamped: Stamped<String, String> = serde_json::from_str(json).unwrap();
    assert_eq!(stamped.clock.get(&stamped.sender), 2);
    assert_eq!(serde_json::to_string(&stamped).unwrap(), json);
    let unsorted = json.replace("\"b\"", "\"A\"");
    assert!(serde_json::from_str::<Stamped<String, String>>(&unsorted).is_err());
}

thread_local! {
    static COMPARISONS: Cell<u64> = const { Cell::new(0) };
}

/// A replica that counts how often it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counted(u8);

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        COMPARISONS.set(COMPARISONS.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[test]
fn the_cost_of_a_message_does_not_grow_with_the_number_that_wait() {
    let stamped = |sender: u8, entries: &[(u8, u64)]| Stamped {
        sender: Counted(sender),
        clock: entries.iter().map(|&(id, counter)| (Counted(id), counter)).collect(),
        message: (),
    };
    let cost = |waiting: u64| {
        let mut buffer = CausalBuffer::new(Counted(0), usize::MAX);
        for counter in 1..=waiting {
            // All of them wait for the same message, which does not come.
            buffer.receive(stamped(2, &[(1, 1), (2, counter)])).unwrap();
        }
        let before = COMPARISONS.get();
        for counter in 1..=100 {
            buffer.receive(stamped(3, &[(3, counter)])).unwrap();
            buffer.deliver().unwrap();
        }
        COMPARISONS.get() - before
    };
    // A search tree of ten thousand is a few times as deep as one of ten.
    assert!(cost(10_000) < 8 * cost(10));
}

#[test]
fn a_waiting_message_is_read_once_however_often_it_is_looked_at() {
    let stamped = |sender: u8, clock: VectorClock<Counted>| Stamped {
        sender: Counted(sender),
        clock,
        message: (),
    };
    let first = |replicas: core::ops::Range<u8>| replicas.map(|id| (Counted(id), 1)).collect();
    let cost = |entries: u8| {
        let mut buffer = CausalBuffer::new(Counted(0), usize::MAX);
        buffer.receive(stamped(entries, first(1..entries + 1))).unwrap();
        let before = COMPARISONS.get();
        for sender in 1..entries {
            // One after the other, what it waits for.
            buffer.receive(stamped(sender, first(sender..sender + 1))).unwrap();
            buffer.deliver().unwrap();
        }
        assert!(buffer.deliver().is_some());
        COMPARISONS.get() - before
    };
    // Eight times the entries take eight times as much, and some more to find each.
    assert!(cost(240) < 20 * cost(30));
}
