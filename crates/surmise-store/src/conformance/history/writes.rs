//! What must never be of floors and values.

use std::collections::HashMap;

use surmise_fence::{FencingToken, Pass, Refusal};
use surmise_time::Instant;

use super::{Action, Anomaly, Answer, Event, Rule};

/// Checks the events of one resource, which are as they were sent.
pub(super) fn check(events: &[&Event]) -> Result<(), Anomaly> {
    check_refusals(events)?;
    let sources = sources(events);
    let mut over: Vec<&Event> = events.to_vec();
    over.sort_by_key(|event| event.end());
    let mut over = over.into_iter().peekable();
    let mut known: HashMap<Place<'_>, Known<'_>> = HashMap::new();
    for &event in events {
        while let Some(past) = over.next_if(|past| past.precedes(event)) {
            if let Some((place, pass)) = seen(past) {
                known.entry(place).or_default().learn(pass, past);
            }
        }
        check_accepted(event, &known)?;
        check_read(event, &known, &sources)?;
    }
    Ok(())
}

/// The floor, or a key.
type Place<'a> = Option<&'a [u8]>;

/// What is surely so of a place before some time.
#[derive(Default)]
struct Known<'a> {
    /// The highest pass that was there, and who saw it.
    highest: Option<(Pass, &'a Event)>,
    /// The accepted write that was sent last, and is over.
    overwritten: Option<&'a Event>,
}

impl<'a> Known<'a> {
    fn learn(&mut self, pass: Pass, event: &'a Event) {
        let order = |pass: Pass| (pass.token, pass.sequence);
        if self.highest.is_none_or(|(highest, _)| order(highest) < order(pass)) {
            self.highest = Some((pass, event));
        }
        let sent = self.overwritten.map(|before| before.invoked);
        if event.answer == Answer::Done && sent < Some(event.invoked) {
            self.overwritten = Some(event);
        }
    }
}

/// Returns what an event shows to be, or to have been, where.
fn seen(event: &Event) -> Option<(Place<'_>, Pass)> {
    match (&event.action, &event.answer) {
        (Action::Raise { pass }, Answer::Done) => Some((None, pass.with_sequence(0))),
        (Action::Floor, Answer::Floor(Some(pass))) => Some((None, pass.with_sequence(0))),
        (Action::Write { key, pass, .. }, Answer::Done) => Some((Some(key), *pass)),
        (Action::Write { key, pass, .. }, Answer::Refused(Refusal::Duplicate { .. })) => {
            Some((Some(key), *pass))
        }
        (Action::Read { key }, Answer::Read(Some(entry))) => Some((Some(key), entry.pass)),
        _ => None,
    }
}

fn check_accepted(event: &Event, known: &HashMap<Place<'_>, Known<'_>>) -> Result<(), Anomaly> {
    if event.answer != Answer::Done {
        return Ok(());
    }
    let highest = |place: Place<'_>| known.get(&place).and_then(|known| known.highest);
    let floor = highest(None);
    let anomaly = |rule, before: Option<(Pass, &Event)>| {
        Err(Anomaly::new(rule, before.map(|(_, past)| past).into_iter().chain([event])))
    };
    match &event.action {
        Action::Raise { pass } if pass.check_floor(floor.map(|(pass, _)| pass)).is_err() => {
            anomaly(Rule::StaleRaise, floor)
        }
        Action::Write { pass, .. } if pass.check_floor(floor.map(|(pass, _)| pass)).is_err() => {
            anomaly(Rule::WriteBelowFloor, floor)
        }
        Action::Write { key, pass, .. } => {
            let last = highest(Some(key));
            match pass.check(last.map(|(pass, _)| pass)) {
                Ok(()) => Ok(()),
                Err(_) => anomaly(Rule::StaleWrite, last),
            }
        }
        _ => Ok(()),
    }
}

/// The writes that may have been done, by where, with which pass.
type Sources<'a> = HashMap<(Place<'a>, Pass), Vec<&'a Event>>;

fn sources<'a>(events: &[&'a Event]) -> Sources<'a> {
    let mut sources: Sources<'a> = HashMap::new();
    for &event in events {
        if !may_be_done(event) {
            continue;
        }
        let place = match &event.action {
            Action::Raise { pass } => (None, pass.with_sequence(0)),
            Action::Write { key, pass, .. } => (Some(key.as_slice()), *pass),
            _ => continue,
        };
        sources.entry(place).or_default().push(event);
    }
    sources
}

fn may_be_done(event: &Event) -> bool {
    matches!(
        event.answer,
        Answer::Done | Answer::Unknown | Answer::Refused(Refusal::Duplicate { .. })
    )
}

fn check_read(
    event: &Event,
    known: &HashMap<Place<'_>, Known<'_>>,
    sources: &Sources<'_>,
) -> Result<(), Anomaly> {
    let (place, found, value): (Place<'_>, Option<Pass>, _) = match (&event.action, &event.answer) {
        (Action::Floor, Answer::Floor(floor)) => {
            (None, floor.map(|floor| floor.with_sequence(0)), None)
        }
        (Action::Read { key }, Answer::Read(entry)) => (
            Some(key),
            entry.as_ref().map(|entry| entry.pass),
            entry.as_ref().map(|entry| &entry.value),
        ),
        _ => return Ok(()),
    };
    let known = known.get(&place);
    if let Some((highest, past)) = known.and_then(|known| known.highest) {
        // What is there may be followed by nothing lower, but may be what was there before.
        if !found.is_some_and(|found| found == highest || found.check(Some(highest)).is_ok()) {
            return Err(Anomaly::new(Rule::WriteLost, [past, event]));
        }
    }
    let Some(found) = found else { return Ok(()) };
    let wrote = |source: &&&Event| {
        let written = match &source.action {
            Action::Write { value, .. } => Some(value),
            _ => None,
        };
        written == value && source.invoked <= event.end()
    };
    let writes = sources.get(&(place, found)).map(Vec::as_slice).unwrap_or_default();
    let mut writes = writes.iter().filter(wrote).peekable();
    if writes.peek().is_none() {
        return Err(Anomaly::new(Rule::ReadFromNowhere, [event]));
    }
    let Some(overwritten) = known.and_then(|known| known.overwritten) else { return Ok(()) };
    // A floor that is raised again by the same grant is the same floor.
    if place.is_some() && writes.all(|write| write.precedes(overwritten)) {
        return Err(Anomaly::new(Rule::ReadOverwritten, [overwritten, event]));
    }
    Ok(())
}

/// A token that refuses others must have been shown before.
fn check_refusals(events: &[&Event]) -> Result<(), Anomaly> {
    let mut shown: HashMap<FencingToken, Instant> = HashMap::new();
    for &event in events {
        if let (true, Action::Raise { pass } | Action::Write { pass, .. }) =
            (may_be_done(event), &event.action)
        {
            shown.entry(pass.token).or_insert(event.invoked);
        }
    }
    for &event in events {
        let (Action::Raise { pass } | Action::Write { pass, .. }) = &event.action else { continue };
        let founded = match &event.answer {
            Answer::Refused(Refusal::Stale { offered, highest }) => {
                *offered == pass.token
                    && highest > offered
                    && shown.get(highest).is_some_and(|first| *first <= event.end())
            }
            _ => true,
        };
        if !founded {
            return Err(Anomaly::new(Rule::UnfoundedRefusal, [event]));
        }
    }
    Ok(())
}
