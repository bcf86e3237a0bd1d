//! Each rule, on the shortest history that breaks it.

use core::{num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Grant, Pass, Refusal};
use surmise_store::{
    Entry,
    conformance::history::{Action, Answer, Event, History, Rule},
};
use surmise_time::Instant;

fn token(counter: u64) -> FencingToken {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap())
}

fn pass(counter: u64) -> Pass {
    token(counter).into()
}

/// One second after the other, each over before the next begins.
fn history(exchanges: impl IntoIterator<Item = (Action, Answer)>) -> Vec<Event> {
    let event = |(number, (action, answer))| {
        let invoked = Instant::ORIGIN + Duration::from_secs(number);
        Event {
            client: number,
            number: 0,
            resource: "ledger".into(),
            invoked,
            returned: Some(invoked + Duration::from_millis(1)),
            action,
            answer,
        }
    };
    (1..).zip(exchanges).map(event).collect()
}

fn granted(nonce: u64, counter: u64) -> (Action, Answer) {
    (Action::Grant { nonce }, Answer::Granted(grant(counter)))
}

fn extended(counter: u64) -> (Action, Answer) {
    extended_as(counter, counter)
}

/// What one asked for, and another's lease got.
fn extended_as(asked: u64, granted: u64) -> (Action, Answer) {
    (Action::Extend { token: token(asked) }, Answer::Granted(grant(granted)))
}

/// It is over before the next event of its history.
fn grant(counter: u64) -> Grant {
    Grant { token: token(counter), valid_for: Duration::from_millis(900) }
}

fn revoked(counter: u64) -> (Action, Answer) {
    (Action::Revoke { token: token(counter) }, Answer::Done)
}

fn raised(pass: Pass, answer: Answer) -> (Action, Answer) {
    (Action::Raise { pass }, answer)
}

fn write(value: &[u8], pass: Pass, answer: Answer) -> (Action, Answer) {
    (Action::Write { key: b"key".to_vec(), value: Some(value.to_vec()), pass }, answer)
}

fn read(value: &[u8], pass: Pass) -> (Action, Answer) {
    let entry = Entry::new(Some(value.to_vec()), pass);
    (Action::Read { key: b"key".to_vec() }, Answer::Read(Some(entry)))
}

fn nothing() -> (Action, Answer) {
    (Action::Read { key: b"key".to_vec() }, Answer::Read(None))
}

fn floor(pass: Option<Pass>) -> (Action, Answer) {
    (Action::Floor, Answer::Floor(pass))
}

fn stale(offered: u64, highest: u64) -> Answer {
    Answer::Refused(Refusal::Stale { offered: token(offered), highest: token(highest) })
}

fn check(events: &[Event]) -> Result<(), Rule> {
    let history: History = events.iter().cloned().collect();
    history.check().map_err(|anomaly| anomaly.rule)
}

/// What is wrong because the last event comes after the others, and right if it may have come before them.
fn wrong_in_this_order() -> Vec<(Rule, Vec<Event>)> {
    use Answer::Done;
    use Rule::{
        LostLeaseKept, ReadOverwritten, StaleRaise, StaleWrite, TokenNotAbove, WriteBelowFloor,
        WriteLost,
    };
    let numbered = |sequence| pass(1).with_sequence(sequence);
    let twin = |nonce| pass(1).with_nonce(nonce);
    let held = |counter, nonce| Answer::Held { token: token(counter), nonce };
    vec![
        (TokenNotAbove, history([granted(1, 2), granted(2, 1)])),
        (TokenNotAbove, history([granted(1, 2), revoked(2), granted(1, 2)])),
        (TokenNotAbove, history([granted(1, 2), (Action::Holding, held(1, 2))])),
        (TokenNotAbove, history([(Action::Holding, held(2, 1)), granted(2, 1)])),
        (LostLeaseKept, history([granted(1, 1), granted(2, 2), extended(1)])),
        (LostLeaseKept, history([granted(1, 1), granted(2, 2), extended_as(1, 2)])),
        (LostLeaseKept, history([granted(1, 1), granted(2, 2), revoked(1)])),
        (LostLeaseKept, history([granted(1, 1), revoked(1), extended(1)])),
        (LostLeaseKept, history([granted(1, 1), revoked(1), revoked(1)])),
        (StaleRaise, history([raised(pass(2), Done), raised(pass(1), Done)])),
        (StaleRaise, history([raised(twin(1), Done), raised(twin(2), Done)])),
        (WriteBelowFloor, history([raised(pass(2), Done), write(b"1", pass(1), Done)])),
        (WriteBelowFloor, history([raised(twin(2), Done), write(b"1", twin(1), Done)])),
        (StaleWrite, history([write(b"2", pass(2), Done), write(b"1", pass(1), Done)])),
        (StaleWrite, history([write(b"2", twin(2), Done), write(b"1", twin(1), Done)])),
        (StaleWrite, history([write(b"2", numbered(2), Done), write(b"1", numbered(1), Done)])),
        (StaleWrite, history([write(b"1", numbered(1), Done), write(b"1", numbered(1), Done)])),
        (WriteLost, history([write(b"1", pass(1), Done), nothing()])),
        (WriteLost, history([raised(pass(1), Done), floor(None)])),
        (
            WriteLost,
            history([write(b"1", pass(1), Done), write(b"2", pass(2), Done), read(b"1", pass(1))]),
        ),
        (
            WriteLost,
            history([
                write(b"1", numbered(1), Done),
                write(b"2", numbered(2), Answer::Unknown),
                read(b"2", numbered(2)),
                read(b"1", numbered(1)),
            ]),
        ),
        (
            WriteLost,
            history([
                write(b"1", numbered(1), Answer::Unknown),
                write(b"1", numbered(1), Answer::Refused(Refusal::Duplicate { sequence: 1 })),
                nothing(),
            ]),
        ),
        (
            ReadOverwritten,
            history([write(b"1", pass(1), Done), write(b"2", pass(1), Done), read(b"1", pass(1))]),
        ),
    ]
}

#[test]
fn what_came_first_decides() {
    for (rule, mut events) in wrong_in_this_order() {
        assert_eq!(check(&events), Err(rule), "{events:#?}");
        // As long as it may have come before: it was sent before anything else was answered.
        let last = events.last_mut().unwrap();
        last.invoked = Instant::ORIGIN;
        assert_eq!(check(&events), Ok(()), "{events:#?}");
    }
}

#[test]
fn what_was_sent_when_another_was_answered_may_have_come_before() {
    for (rule, mut events) in wrong_in_this_order() {
        // Leases that last for no time, so that only the order is judged.
        for event in &mut events {
            if let Answer::Granted(grant) = &mut event.answer {
                grant.valid_for = Duration::ZERO;
            }
        }
        // The one before the last is what makes the last one wrong.
        let [.., before, last] = &mut events[..] else { panic!("{rule:?} takes two events") };
        last.invoked = before.returned.unwrap();
        assert_eq!(check(&events), Ok(()), "{rule:?}: {events:#?}");
        let [.., before, last] = &mut events[..] else { panic!("{rule:?} takes two events") };
        last.invoked = before.returned.unwrap() + Duration::from_nanos(1);
        assert_eq!(check(&events), Err(rule), "{events:#?}");
    }
}

#[test]
fn what_is_indeterminate_may_be_done_after_what_was_sent_later() {
    let late = write(b"1", pass(1), Answer::Unknown);
    let events = history([late, write(b"2", pass(1), Answer::Done), read(b"1", pass(1))]);
    // That it is indeterminate was heard before the second was sent, and says nothing of when it is done.
    assert_eq!(check(&events), Ok(()));
    assert_eq!(events.into_iter().collect::<History>().is_linearizable(), Ok(true));
}

#[test]
fn what_was_never_answered_may_still_be_done() {
    for (rule, mut events) in wrong_in_this_order() {
        // All but what is read: of that, there is nothing without an answer.
        let count = events.len();
        let before = events[count - 2].answer.clone();
        if rule == Rule::WriteLost || matches!(before, Answer::Held { .. }) {
            continue;
        }
        events[..count - 1].iter_mut().for_each(|event| event.answer = Answer::Unknown);
        assert_eq!(check(&events), Ok(()), "{events:#?}");
    }
}

#[test]
fn a_token_has_one_nonce() {
    let mut events = history([granted(1, 1), granted(2, 1)]);
    assert_eq!(check(&events), Err(Rule::TokenReissued));
    events[1].invoked = Instant::ORIGIN;
    assert_eq!(check(&events), Err(Rule::TokenReissued));
    // The retry of a request is no other grant, and neither is what another resource has.
    assert_eq!(check(&history([granted(1, 1), granted(1, 1)])), Ok(()));
    events[1].resource = "another".into();
    assert_eq!(check(&events), Ok(()));
    // Of requests without a nonce, none is another's retry; but the lease of one is seen by many.
    assert_eq!(check(&history([granted(0, 1), granted(0, 1)])), Err(Rule::TokenReissued));
    let seen = (Action::Holding, Answer::Held { token: token(1), nonce: 0 });
    assert_eq!(check(&history([granted(0, 1), seen.clone(), seen])), Ok(()));
}

#[test]
fn a_lease_counts_from_before_its_request() {
    let long = |counter| {
        Answer::Granted(Grant { token: token(counter), valid_for: Duration::from_millis(1001) })
    };
    let mut events = history([(Action::Grant { nonce: 1 }, long(1)), granted(2, 2)]);
    assert_eq!(check(&events), Ok(()), "it is over at the moment when the next is answered");
    events[1].returned = Some(events[1].invoked);
    assert_eq!(check(&events), Err(Rule::LeasesOverlap));
    // A renewal lets it last, and a release does not, whether or not it is answered.
    let renewed = [granted(1, 1), (Action::Extend { token: token(1) }, long(1)), granted(2, 2)];
    let mut events = history(renewed);
    assert_eq!(check(&events), Ok(()));
    events[2].returned = Some(events[2].invoked);
    assert_eq!(check(&events), Err(Rule::LeasesOverlap));
    let mut release = events[0].clone();
    release.client = 9;
    release.invoked = events[2].invoked;
    (release.action, release.answer) = (Action::Revoke { token: token(1) }, Answer::Unknown);
    events.push(release);
    assert_eq!(check(&events), Ok(()));
}

#[test]
fn only_a_release_that_may_have_been_done_ends_a_lease() {
    let mut events = history([granted(1, 1), revoked(1), granted(2, 2)]);
    let long = Grant { token: token(1), valid_for: Duration::from_secs(10) };
    events[0].answer = Answer::Granted(long);
    for (answer, expected) in [
        (Answer::Done, Ok(())),
        (Answer::Unknown, Ok(())),
        (Answer::Failed, Err(Rule::LeasesOverlap)),
        (Answer::Free, Err(Rule::LeasesOverlap)),
    ] {
        events[1].answer = answer;
        assert_eq!(check(&events), expected, "{events:#?}");
    }
}

#[test]
fn a_request_that_failed_holds_nothing() {
    let asked = |answer| (Action::Grant { nonce: 1 }, answer);
    let seen = (Action::Holding, Answer::Held { token: token(1), nonce: 1 });
    for (answer, expected) in [
        (Answer::Failed, Err(Rule::FailedGrantHeld)),
        (Answer::Unknown, Ok(())),
        (Answer::Granted(grant(1)), Ok(())),
    ] {
        let mut events = history([asked(Answer::Failed), asked(answer), seen.clone()]);
        assert_eq!(check(&events), expected, "{events:#?}");
        // What was sent after it was seen cannot be it.
        events[1].invoked = Instant::ORIGIN + Duration::from_secs(9);
        events[1].returned = Some(Instant::ORIGIN + Duration::from_secs(10));
        assert_eq!(check(&events), Err(Rule::FailedGrantHeld), "{events:#?}");
    }
    // Of whom nothing is known may have been granted it, and so may each of those without a nonce.
    assert_eq!(check(&history([seen])), Ok(()));
    let nobody = (Action::Grant { nonce: 0 }, Answer::Failed);
    let seen = (Action::Holding, Answer::Held { token: token(1), nonce: 0 });
    assert_eq!(check(&history([nobody, seen])), Ok(()));
}

#[test]
fn what_is_read_was_written() {
    let refused = write(b"1", pass(1), stale(1, 2));
    let raise = raised(pass(2), Answer::Done);
    let error = write(b"1", pass(1), Answer::Failed);
    let done = write(b"1", pass(1), Answer::Done);
    for events in [
        history([read(b"1", pass(1))]),
        history([floor(Some(pass(1)))]),
        history([raise.clone(), refused, read(b"1", pass(1))]),
        history([error, read(b"1", pass(1))]),
        history([done.clone(), read(b"2", pass(1))]),
        history([done.clone(), read(b"1", pass(2))]),
        history([read(b"1", pass(1)), done.clone()]),
        history([done.clone(), floor(Some(pass(1)))]),
    ] {
        assert_eq!(check(&events), Err(Rule::ReadFromNowhere), "{events:#?}");
    }
    let unknown = write(b"1", pass(1), Answer::Unknown);
    for events in [
        history([done, read(b"1", pass(1))]),
        history([unknown.clone(), nothing(), read(b"1", pass(1))]),
        history([unknown, nothing(), nothing()]),
        history([raise, floor(Some(pass(2).with_sequence(7)))]),
    ] {
        assert_eq!(check(&events), Ok(()), "{events:#?}");
    }
}

#[test]
fn a_refusal_has_a_reason() {
    let mut events = history([write(b"1", pass(1), stale(1, 2))]);
    assert_eq!(check(&events), Err(Rule::UnfoundedRefusal));
    events = history([raised(pass(2), Answer::Unknown), write(b"1", pass(1), stale(1, 2))]);
    assert_eq!(check(&events), Ok(()));
    events[0].answer = Answer::Failed;
    assert_eq!(check(&events), Err(Rule::UnfoundedRefusal));
    events[0].answer = Answer::Done;
    for wrong in [stale(2, 2), stale(1, 3), stale(1, 1)] {
        events[1].answer = wrong;
        assert_eq!(check(&events), Err(Rule::UnfoundedRefusal));
    }
}

#[test]
fn an_event_is_noted_once() {
    let [event] = &history([granted(1, 1)])[..] else { panic!() };
    let sent = Event { returned: None, answer: Answer::Unknown, ..event.clone() };
    let history: History = [sent, event.clone()].into_iter().collect();
    assert_eq!(history.events(), core::slice::from_ref(event));
}
