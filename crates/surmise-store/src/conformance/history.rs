//! What clients asked of a store and what they heard, and whether that can have been.
//!
//! A [`Recorder`] notes every request of its clients, with the times before it was sent and after it was answered.
//! [`History::check`] then looks for what must never be, in O(n log n) time:
//!
//! * a token that was granted twice, or not above all that were granted before; two leases at once; a lease that is held
//!   by a request which had failed;
//! * a lease renewed or released by a token that somebody else's had followed;
//! * a write or a raise that was accepted after one with a higher pass had been;
//! * a value that was read though its write was refused or never sent, or that had been overwritten before;
//! * a write that was acknowledged and is not there, or an older one that is there again.
//!
//! All of it is judged by what surely was before what: a request that was answered before another was sent. The
//! times are of one clock for all clients, which two processes of one machine share in `BootClock`. For a
//! short history, [`History::is_linearizable`] tries all orders that there can have been.

mod anomaly;
mod event;
mod leases;
mod linearization;
mod recorder;
mod writes;

use std::collections::HashMap;

pub use self::{
    anomaly::{Anomaly, Rule},
    event::{Action, Answer, Event},
    linearization::TooManyEvents,
    recorder::{Client, Recorder},
};

/// The requests of some clients.
///
/// # Examples
///
/// ```
/// use surmise_fence::{FencingToken, Pass};
/// use surmise_store::conformance::history::{Action, Answer, Event, History, Rule};
/// use surmise_time::Instant;
///
/// let raise = |number, counter| Event {
///     client: 1,
///     number,
///     resource: "ledger".into(),
///     invoked: Instant::from_nanos(2 * number),
///     returned: Some(Instant::from_nanos(2 * number + 1)),
///     action: Action::Raise { pass: FencingToken::first(counter).into() },
///     answer: Answer::Done,
/// };
/// let mut history = History::default();
/// history.note(raise(1, 2));
/// assert!(history.check().is_ok());
/// history.note(raise(2, 1));
/// assert_eq!(history.check().unwrap_err().rule, Rule::StaleRaise);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    events: Vec<Event>,
    /// Where in them is which number of which client.
    places: HashMap<(u64, u64), usize>,
}

impl History {
    /// Adds an event, or puts it in the place of the one that its client had with this number.
    pub fn note(&mut self, event: Event) {
        let at = *self.places.entry((event.client, event.number)).or_insert(self.events.len());
        match self.events.get_mut(at) {
            Some(before) => *before = event,
            None => self.events.push(event),
        }
    }

    /// Returns the events, in the order in which they were first noted.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Looks for what must never be.
    ///
    /// # Errors
    ///
    /// What was found, with the events that show it.
    pub fn check(&self) -> Result<(), Anomaly> {
        for events in self.by_resource() {
            leases::check(&events)?;
            writes::check(&events)?;
        }
        Ok(())
    }

    /// Returns whether there is an order of all writes, raises and reads, resource by resource, in which each of them
    /// had to be answered as it was, and comes after those that had been answered before it was sent.
    ///
    /// One whose answer is not known is anywhere after it was sent, or nowhere. This is linearizability: Herlihy
    /// and Wing, "Linearizability: a correctness condition for concurrent objects", TOPLAS 1990. The search is that
    /// of Wing and Gong, "Testing and verifying concurrent objects", JPDC 1993, with Lowe's memory of the states that
    /// led nowhere. It takes exponential time at worst.
    ///
    /// # Errors
    ///
    /// If one resource has more than 64 such events.
    pub fn is_linearizable(&self) -> Result<bool, TooManyEvents> {
        for events in self.by_resource() {
            if !linearization::exists(&events)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the events of each resource, as they were sent.
    fn by_resource(&self) -> Vec<Vec<&Event>> {
        let mut all: Vec<&Event> = self.events.iter().collect();
        all.sort_by(|a, b| (&a.resource, a.invoked).cmp(&(&b.resource, b.invoked)));
        all.chunk_by(|a, b| a.resource == b.resource).map(<[_]>::to_vec).collect()
    }
}

impl Extend<Event> for History {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        events.into_iter().for_each(|event| self.note(event));
    }
}

impl FromIterator<Event> for History {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        let mut history = Self::default();
        history.extend(events);
        history
    }
}
