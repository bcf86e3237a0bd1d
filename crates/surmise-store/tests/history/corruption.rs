//! Histories of a store that does what it has to, with one answer changed.

use surmise_fence::{Pass, Refusal};
use surmise_store::{
    conformance::{
        faults::Workload,
        history::{Action, Answer, Event, History, Rule},
    },
    memory::{MemoryConfig, MemoryStore},
};

use crate::simulation::Simulation;

/// Changes one event of a history, if there is one that makes it wrong, and says how it is wrong then.
type Corruption = fn(&mut [Event], &mut fastrand::Rng) -> Option<&'static [Rule]>;

#[test]
fn every_corruption_is_found() {
    let corruptions: [(&str, Corruption); 8] = [
        ("a stale write is accepted", accept_stale_write),
        ("a stale raise is accepted", accept_stale_raise),
        ("a value is another's", change_value),
        ("an acknowledged write is gone", lose_write),
        ("a write that is read was refused", refuse_write),
        ("a token is issued again", reissue),
        ("a lost lease is renewed", renew_lost),
        ("a lease is granted too early", grant_early),
    ];
    let mut times = [0; 8];
    for seed in 0..240 {
        let simulation = Simulation::default();
        let store = MemoryStore::new(MemoryConfig::default(), &simulation).unwrap();
        let history = simulation.run(Workload::new(seed).run(&store, &simulation)).unwrap();
        history.check().unwrap();
        let mut random = fastrand::Rng::with_seed(seed);
        for ((what, corruption), times) in corruptions.iter().zip(&mut times) {
            let mut events = history.events().to_vec();
            let Some(rules) = corruption(&mut events, &mut random) else { continue };
            *times += 1;
            let found = events.into_iter().collect::<History>().check();
            let rule = found.map_err(|anomaly| anomaly.rule).expect_err(what);
            assert!(rules.contains(&rule), "seed {seed}: {what} is found as {rule:?}");
        }
    }
    assert!(times.iter().all(|&times| times >= 10), "{times:?}");
}

/// Picks one of the events for which something is so.
fn pick(
    events: &[Event],
    random: &mut fastrand::Rng,
    which: impl Fn(&Event) -> bool,
) -> Option<usize> {
    let found: Vec<usize> = (0..events.len()).filter(|&at| which(&events[at])).collect();
    random.choice(found)
}

fn precedes(earlier: &Event, later: &Event) -> bool {
    earlier.answer != Answer::Unknown
        && earlier.resource == later.resource
        && earlier.returned.is_some_and(|returned| returned < later.invoked)
}

fn is_stale(event: &Event) -> bool {
    matches!(event.answer, Answer::Refused(Refusal::Stale { .. }))
}

/// Whether the floor was surely above a pass.
fn floor_above(events: &[Event], later: &Event, pass: Pass) -> bool {
    events.iter().any(|event| {
        let raised =
            matches!(&event.action, Action::Raise { pass: raised } if raised.token > pass.token);
        raised && event.answer == Answer::Done && precedes(event, later)
    })
}

fn accept_stale_write(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let at = pick(events, random, |event| {
        let Action::Write { pass, .. } = &event.action else { return false };
        is_stale(event) && floor_above(events, event, *pass)
    })?;
    events[at].answer = Answer::Done;
    Some(&[Rule::WriteBelowFloor])
}

fn accept_stale_raise(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let at = pick(events, random, |event| {
        let Action::Raise { pass } = &event.action else { return false };
        is_stale(event) && floor_above(events, event, *pass)
    })?;
    events[at].answer = Answer::Done;
    Some(&[Rule::StaleRaise])
}

fn change_value(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let at = pick(events, random, |event| matches!(event.answer, Answer::Read(Some(_))))?;
    if let Answer::Read(Some(entry)) = &mut events[at].answer {
        entry.value = Some(b"of nobody".to_vec());
    }
    Some(&[Rule::ReadFromNowhere])
}

fn lose_write(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let at = pick(events, random, |read| {
        let Action::Read { key: read_key } = &read.action else { return false };
        events.iter().any(|event| {
            matches!(&event.action, Action::Write { key, .. } if key == read_key)
                && event.answer == Answer::Done
                && precedes(event, read)
        })
    })?;
    events[at].answer = Answer::Read(None);
    Some(&[Rule::WriteLost])
}

fn refuse_write(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let read = |write: &Event| {
        let Action::Write { key, pass, .. } = &write.action else { return false };
        events.iter().any(|event| {
            let here = event.resource == write.resource;
            let same_key = matches!(&event.action, Action::Read { key: read } if read == key);
            let same_pass =
                matches!(&event.answer, Answer::Read(Some(entry)) if entry.pass == *pass);
            here && same_key && same_pass
        })
    };
    // That was sent once.
    let once =
        |write: &Event| events.iter().filter(|event| event.action == write.action).count() == 1;
    let at =
        pick(events, random, |event| event.answer == Answer::Done && read(event) && once(event))?;
    events[at].answer = Answer::Failed;
    Some(&[Rule::ReadFromNowhere, Rule::UnfoundedRefusal])
}

fn reissue(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let is_grant = |event: &Event| {
        matches!((&event.action, &event.answer), (Action::Grant { .. }, Answer::Granted(_)))
    };
    let first = pick(events, random, is_grant)?;
    let second = pick(events, random, |event| {
        is_grant(event)
            && event.resource == events[first].resource
            && event.action != events[first].action
    })?;
    events[second].answer = events[first].answer.clone();
    Some(&[Rule::TokenReissued])
}

fn renew_lost(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let grant_of = |event: &Event| match (&event.action, &event.answer) {
        (Action::Grant { .. }, Answer::Granted(grant)) => Some(*grant),
        _ => None,
    };
    let at = pick(events, random, |event| {
        let Action::Extend { token } = event.action else { return false };
        let followed = |later: &Event| {
            grant_of(later).is_some_and(|grant| grant.token > token) && precedes(later, event)
        };
        event.answer == Answer::Free && events.iter().any(followed)
    })?;
    let Action::Extend { token } = events[at].action else { return None };
    let grant = events.iter().filter_map(grant_of).find(|grant| grant.token == token)?;
    events[at].answer = Answer::Granted(grant);
    Some(&[Rule::LostLeaseKept])
}

fn grant_early(events: &mut [Event], random: &mut fastrand::Rng) -> Option<&'static [Rule]> {
    let at = pick(events, random, |event| {
        let (Action::Grant { .. }, Answer::Granted(grant)) = (&event.action, &event.answer) else {
            return false;
        };
        let of_token = |action: &Action| match action {
            Action::Extend { token } | Action::Revoke { token } => *token == grant.token,
            _ => false,
        };
        // Nobody gave it back, and somebody held it before for less than its time.
        !events.iter().any(|event| of_token(&event.action))
    })?;
    let Answer::Granted(grant) = &events[at].answer else { return None };
    let (token, until, resource) =
        (grant.token, events[at].invoked + grant.valid_for, events[at].resource.clone());
    let next = pick(events, random, |event| {
        matches!(event.action, Action::Grant { .. })
            && event.resource == resource
            && matches!(&event.answer, Answer::Granted(grant) if grant.token > token)
            && event.returned.is_some_and(|returned| returned >= until)
    })?;
    (events[next].invoked, events[next].returned) = (events[at].invoked, events[at].returned);
    Some(&[Rule::LeasesOverlap, Rule::TokenNotAbove, Rule::LostLeaseKept])
}
