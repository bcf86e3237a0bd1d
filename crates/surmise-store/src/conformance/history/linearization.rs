//! Whether there is an order in which a store can have done what was asked of it.

use core::{error::Error, fmt};
use std::collections::{HashMap, HashSet};

use surmise_fence::{Pass, Refusal};

use super::{Action, Answer, Event};

/// Searches for an order of what one resource's fence was asked.
pub(super) fn exists(events: &[&Event]) -> Result<bool, TooManyEvents> {
    let events: Vec<&Event> =
        events.iter().copied().filter(|event| is_of_the_fence(event)).collect();
    if events.len() > MAX_EVENTS {
        return Err(TooManyEvents { events: events.len() });
    }
    let mut keys: HashMap<&[u8], usize> = HashMap::new();
    let places = events.iter().map(|event| match &event.action {
        Action::Write { key, .. } | Action::Read { key } => {
            let next = keys.len() + 1;
            *keys.entry(key).or_insert(next)
        }
        _ => FLOOR,
    });
    let places: Vec<usize> = places.collect();
    let start = vec![None; keys.len() + 1];
    let mut search = Search { events, places, seen: HashSet::new() };
    Ok(search.completes(0, &start))
}

fn is_of_the_fence(event: &Event) -> bool {
    use Action::{Floor, Raise, Read, Write};
    event.answer != Answer::Failed
        && matches!(event.action, Floor | Raise { .. } | Read { .. } | Write { .. })
}

struct Search<'a> {
    events: Vec<&'a Event>,
    /// What each of them is about: the floor, or a key.
    places: Vec<usize>,
    /// From where no order goes on: what was done, and what is there then.
    seen: HashSet<(u64, State)>,
}

/// Which event wrote what is there, for the floor and then for each key.
type State = Vec<Option<usize>>;

const FLOOR: usize = 0;
const MAX_EVENTS: usize = 64;

impl Search<'_> {
    /// Returns whether those which are not done yet can be, one after the other.
    fn completes(&mut self, done: u64, state: &State) -> bool {
        let open = |at: &usize| done & (1 << at) == 0;
        let pending: Vec<usize> = (0..self.events.len()).filter(open).collect();
        // Those whose answer is not known need not have been done.
        let answered = pending.iter().filter_map(|&at| self.event(at));
        let Some(first_end) =
            answered.filter(|event| event.answer != Answer::Unknown).map(|event| event.end()).min()
        else {
            return true;
        };
        if !self.seen.insert((done, state.clone())) {
            return false;
        }
        pending.into_iter().any(|at| {
            let next = self.event(at).filter(|event| event.invoked <= first_end);
            let next = next.and_then(|event| self.step(at, event, state));
            next.is_some_and(|next| self.completes(done | 1 << at, &next))
        })
    }

    /// Returns what is there after an event, if it is answered as it was.
    fn step(&self, at: usize, event: &Event, state: &State) -> Option<State> {
        let place = *self.places.get(at)?;
        let write = |verdict: Result<(), Refusal>| {
            let mut next = state.clone();
            if verdict.is_ok() {
                *next.get_mut(place)? = Some(at);
            }
            let answer = verdict.map_or_else(Answer::Refused, |()| Answer::Done);
            (event.answer == Answer::Unknown || event.answer == answer).then_some(next)
        };
        let floor = self.pass(state, FLOOR).map(|floor| floor.with_sequence(0));
        match &event.action {
            Action::Raise { pass } => write(pass.check_floor(floor)),
            Action::Write { pass, .. } => {
                let last = self.pass(state, place);
                write(pass.check_floor(floor).and_then(|()| pass.check(last)))
            }
            _ => self.reads(event, state, place).then(|| state.clone()),
        }
    }

    fn reads(&self, event: &Event, state: &State, place: usize) -> bool {
        match (&event.action, &event.answer) {
            (_, Answer::Unknown) => true,
            (Action::Floor, Answer::Floor(floor)) => {
                let there = self.pass(state, FLOOR).map(|pass| pass.with_sequence(0));
                floor.map(|floor| floor.with_sequence(0)) == there
            }
            (Action::Read { .. }, Answer::Read(entry)) => {
                let there = self.writer(state, place).and_then(|event| match &event.action {
                    Action::Write { value, pass, .. } => Some((value, *pass)),
                    _ => None,
                });
                entry.as_ref().map(|entry| (&entry.value, entry.pass)) == there
            }
            _ => false,
        }
    }

    /// Returns the pass of what is there.
    fn pass(&self, state: &State, place: usize) -> Option<Pass> {
        match &self.writer(state, place)?.action {
            Action::Raise { pass } | Action::Write { pass, .. } => Some(*pass),
            _ => None,
        }
    }

    fn writer(&self, state: &State, place: usize) -> Option<&Event> {
        self.event((*state.get(place)?)?)
    }

    fn event(&self, at: usize) -> Option<&Event> {
        self.events.get(at).copied()
    }
}

/// There are too many events of one resource to try all orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooManyEvents {
    /// How many there are.
    pub events: usize,
}

impl fmt::Display for TooManyEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events of one resource are more than {MAX_EVENTS}", self.events)
    }
}

impl Error for TooManyEvents {}
