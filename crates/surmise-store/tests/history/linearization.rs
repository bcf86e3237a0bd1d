//! Our search for an order beside that of stateright, on random short histories.

use core::num::NonZeroU64;

use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester, SequentialSpec};
use surmise_fence::{FencingToken, Pass, Refusal};
use surmise_store::{
    Entry,
    conformance::history::{Action, Answer, Event, History},
};
use surmise_time::Instant;

/// What a fence does, from the rule as it is written down: everything that was accepted, in a row.
#[derive(Clone, Debug, Default)]
struct Reference {
    accepted: Vec<Action>,
}

impl Reference {
    fn floor(&self) -> Option<Pass> {
        self.accepted.iter().rev().find_map(|action| match action {
            Action::Raise { pass } => Some(*pass),
            _ => None,
        })
    }

    fn entry(&self, wanted: &[u8]) -> Option<Entry> {
        self.accepted.iter().rev().find_map(|action| match action {
            Action::Write { key, value, pass } if key == wanted => {
                Some(Entry::new(value.clone(), *pass))
            }
            _ => None,
        })
    }

    fn accept(&mut self, action: &Action, verdict: Result<(), Refusal>) -> Answer {
        if let Err(refusal) = verdict {
            return Answer::Refused(refusal);
        }
        self.accepted.push(action.clone());
        Answer::Done
    }
}

impl SequentialSpec for Reference {
    type Op = Action;
    type Ret = Answer;

    fn invoke(&mut self, action: &Action) -> Answer {
        match action {
            Action::Raise { pass } => self.accept(action, pass.check_floor(self.floor())),
            Action::Write { key, pass, .. } => {
                let last = self.entry(key).map(|entry| entry.pass);
                let verdict = pass.check_floor(self.floor()).and_then(|()| pass.check(last));
                self.accept(action, verdict)
            }
            Action::Read { key } => Answer::Read(self.entry(key)),
            _ => Answer::Floor(self.floor()),
        }
    }
}

fn action(random: &mut fastrand::Rng) -> Action {
    let counter = NonZeroU64::MIN.saturating_add(random.u64(..2));
    let pass = Pass::from(FencingToken::new(1, counter)).with_nonce(if random.u8(..6) == 0 {
        1
    } else {
        0
    });
    let key = vec![random.u8(..2)];
    match random.u8(..8) {
        0 => Action::Raise { pass },
        1 => Action::Floor,
        2..5 => Action::Read { key },
        _ => {
            let value = Some(vec![random.u8(..2)]);
            Action::Write { key, value, pass: pass.with_sequence(random.u64(..3)) }
        }
    }
}

/// Makes up a history that there can be: each event has its effect at some moment while it is under way.
fn valid(random: &mut fastrand::Rng) -> Vec<Event> {
    let count = random.u64(1..=7);
    let mut events: Vec<(u64, Event)> = (0..count)
        .map(|client| {
            let mut times = [(); 3].map(|()| random.u64(..30));
            times.sort_unstable();
            // No two times are the same, so that both searches know what was first.
            let [invoked, effect, returned] = times.map(|time| time * count + client);
            let event = Event {
                client,
                number: 0,
                resource: "ledger".into(),
                invoked: Instant::from_nanos(3 * invoked),
                returned: Some(Instant::from_nanos(3 * returned + 1)),
                action: action(random),
                answer: Answer::Unknown,
            };
            (effect, event)
        })
        .collect();
    events.sort_by_key(|(effect, _)| *effect);
    let mut reference = Reference::default();
    for (_, event) in &mut events {
        match random.u8(..8) {
            // Its reply was lost, or it was itself.
            0 => _ = reference.invoke(&event.action),
            1 => {}
            _ => event.answer = reference.invoke(&event.action),
        }
    }
    events.into_iter().map(|(_, event)| event).collect()
}

/// Changes an answer, a time or what was asked.
fn corrupt(events: &mut [Event], random: &mut fastrand::Rng) {
    let at = random.usize(..events.len());
    let other = random.usize(..events.len());
    match random.u8(..4) {
        0 => events[at].answer = events[other].answer.clone(),
        1 => events[at].action = action(random),
        2 => {
            let (one, two) = (events[at].clone(), events[other].clone());
            (events[at].invoked, events[at].returned) = (two.invoked, two.returned);
            (events[other].invoked, events[other].returned) = (one.invoked, one.returned);
        }
        _ => {
            let value = vec![random.u8(..2)];
            if let Answer::Read(Some(entry)) = &mut events[at].answer {
                entry.value = Some(value);
            }
        }
    }
}

fn ours(events: &[Event]) -> bool {
    let history: History = events.iter().cloned().collect();
    history.is_linearizable().unwrap()
}

fn stateright(events: &[Event]) -> bool {
    let mut moments: Vec<(Instant, &Event, bool)> = Vec::new();
    for event in events {
        moments.push((event.invoked, event, false));
        if event.answer != Answer::Unknown {
            moments.push((event.returned.unwrap(), event, true));
        }
    }
    moments.sort_by_key(|(moment, ..)| *moment);
    let mut tester = LinearizabilityTester::new(Reference::default());
    for (_, event, returns) in moments {
        if returns {
            tester.on_return(event.client, event.answer.clone()).unwrap();
        } else {
            tester.on_invoke(event.client, event.action.clone()).unwrap();
        }
    }
    tester.is_consistent()
}

#[test]
fn both_searches_agree() {
    let mut verdicts = [0, 0];
    for seed in 0..2_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut events = valid(&mut random);
        assert!(ours(&events), "seed {seed}: {events:#?}");
        assert!(stateright(&events), "seed {seed}: {events:#?}");
        corrupt(&mut events, &mut random);
        let verdict = ours(&events);
        assert_eq!(verdict, stateright(&events), "seed {seed}: {events:#?}");
        verdicts[usize::from(verdict)] += 1;
        // What the quick check finds is never linearizable.
        let quick = events.into_iter().collect::<History>().check();
        assert!(quick.is_ok() || !verdict, "seed {seed}: {quick:?}");
    }
    assert!(verdicts.iter().all(|&times| times > 300), "{verdicts:?}");
}

#[test]
fn a_long_history_is_not_tried() {
    let event = |number| Event {
        client: 0,
        number,
        resource: "ledger".into(),
        invoked: Instant::from_nanos(2 * number),
        returned: Some(Instant::from_nanos(2 * number + 1)),
        action: Action::Floor,
        answer: Answer::Floor(None),
    };
    assert_eq!((0..64).map(event).collect::<History>().is_linearizable(), Ok(true));
    let error = (0..65).map(event).collect::<History>().is_linearizable().unwrap_err();
    assert_eq!(error.events, 65);
}
