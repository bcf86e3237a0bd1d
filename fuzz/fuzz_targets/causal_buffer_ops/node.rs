//! A member of the group, and what it must have done, in the plainest way.

use core::ops::RangeInclusive;
use std::collections::{BTreeMap, BTreeSet};

use surmise_clock::{Arrival, CausalBuffer, Refusal, VectorClock};

use crate::group::Message;

/// A replica and a number.
type Event = (u8, u64);

pub(crate) struct Node {
    me: u8,
    capacity: usize,
    buffer: CausalBuffer<u8, u32>,
    /// How many messages of each member were delivered here, and how many of this one sent.
    delivered: BTreeMap<u8, u64>,
    /// Those that can be delivered, in the order in which that was found out.
    ready: Vec<Message>,
    /// Those that cannot.
    waiting: Vec<Message>,
}

impl Node {
    pub(crate) fn new(me: u8, clock: &VectorClock<u8>, capacity: usize) -> Self {
        Self {
            me,
            capacity,
            buffer: CausalBuffer::resume(me, clock.clone(), capacity),
            delivered: clock.iter().map(|(&replica, counter)| (replica, counter)).collect(),
            ready: Vec::new(),
            waiting: Vec::new(),
        }
    }

    pub(crate) fn stamp(&mut self) -> Option<VectorClock<u8>> {
        let counter = self.delivered.entry(self.me).or_default();
        let Some(next) = counter.checked_add(1) else {
            assert_eq!(self.buffer.stamp().map_err(|error| error.replica), Err(self.me));
            self.check();
            return None;
        };
        *counter = next;
        let clock = self.buffer.stamp().expect("the counter has room");
        assert_eq!(&clock, self.buffer.delivered());
        self.check();
        Some(clock)
    }

    /// Returns whether the message is held from now on.
    pub(crate) fn receive(&mut self, message: Message) -> bool {
        let expected = self.arrival(&message);
        match self.buffer.receive(message.clone()) {
            Ok(arrival) => assert_eq!(Ok(arrival), expected),
            Err(refused) => {
                assert_eq!(refused.stamped, message);
                assert_eq!(Err(refused.reason), expected);
            }
        }
        let is_held = matches!(expected, Ok(Arrival::Deliverable | Arrival::Waiting));
        if is_held {
            self.waiting.push(message);
            while let Some(index) = self.waiting.iter().position(|next| !self.must_wait(next)) {
                self.ready.push(self.waiting.remove(index));
            }
        }
        self.check();
        is_held
    }

    /// Returns whether there was something to deliver.
    pub(crate) fn deliver(&mut self) -> bool {
        let Some(message) = self.buffer.deliver() else {
            assert_eq!(self.ready, []);
            return false;
        };
        let index = self.ready.iter().position(|ready| *ready == message);
        self.ready.remove(index.expect("it is among those that can be delivered"));
        let mut needed = required(&message);
        assert!(
            needed.all(|(replica, counter)| count(&self.delivered, replica) >= counter),
            "{message:?}"
        );
        let (sender, counter) = event(&message);
        assert_eq!(self.delivered.insert(sender, counter).unwrap_or(0), counter - 1);
        self.check();
        true
    }

    pub(crate) fn restart(&mut self) {
        let clock = self.buffer.delivered().clone();
        let resumed = Self::new(self.me, &clock, self.capacity);
        let before = core::mem::replace(self, resumed);
        let held: Vec<Message> = before.buffer.into_held().collect();
        assert_eq!(held.len(), before.ready.len() + before.waiting.len());
        let is_held =
            |message| before.ready.iter().chain(&before.waiting).any(|own| own == message);
        assert!(held.iter().all(is_held), "{held:?}");
        for message in held {
            self.receive(message);
        }
    }

    pub(crate) fn delivered(&self) -> &BTreeMap<u8, u64> {
        &self.delivered
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns what must become of a message.
    fn arrival(&self, message: &Message) -> Result<Arrival, Refusal> {
        let (sender, counter) = event(message);
        if counter == 0 {
            return Err(Refusal::NotStamped);
        }
        let mut held = self.ready.iter().chain(&self.waiting).map(event);
        if count(&self.delivered, sender) >= counter || held.any(|held| held == (sender, counter)) {
            return Ok(Arrival::Duplicate);
        }
        let (claimed, sent) = (message.clock.get(&self.me), count(&self.delivered, self.me));
        if claimed > sent {
            return Err(Refusal::NeverSent { claimed, sent });
        }
        let must_wait = self.must_wait(message);
        let held = self.ready.len() + self.waiting.len();
        if held > self.capacity || must_wait && held == self.capacity {
            return Err(Refusal::Full { capacity: self.capacity });
        }
        Ok(if must_wait { Arrival::Waiting } else { Arrival::Deliverable })
    }

    /// Returns whether what a message follows is neither delivered nor ready.
    fn must_wait(&self, message: &Message) -> bool {
        let released = self.released();
        required(message).any(|(replica, counter)| count(&released, replica) < counter)
    }

    /// Returns what is delivered, and what is ready.
    fn released(&self) -> BTreeMap<u8, u64> {
        let mut released = self.delivered.clone();
        for (sender, counter) in self.ready.iter().map(event) {
            assert_eq!(released.insert(sender, counter).unwrap_or(0), counter - 1);
        }
        released
    }

    fn check(&self) {
        let delivered =
            self.buffer.delivered().iter().map(|(&replica, counter)| (replica, counter));
        assert!(delivered.eq(self.delivered.iter().map(|(&replica, &counter)| (replica, counter))));
        assert_eq!(self.buffer.waiting(), self.waiting.len());
        assert_eq!(self.buffer.held(), self.ready.len() + self.waiting.len());
        assert!(self.buffer.held() <= self.capacity + 1, "too many are held");
        assert_eq!(self.buffer.missing(), self.missing());
    }

    /// Returns the gaps among what is released, what waits, and what that follows.
    fn missing(&self) -> Vec<(u8, RangeInclusive<u64>)> {
        let released = self.released();
        let mut missing = Vec::new();
        let clocks = self.waiting.iter().map(|message| &message.clock);
        let replicas: BTreeSet<u8> =
            clocks.flat_map(|clock| clock.iter().map(|(&replica, _)| replica)).collect();
        for replica in replicas {
            let mut known = count(&released, replica);
            let waiting = self.waiting.iter().filter(|message| message.sender == replica);
            let mut waiting: Vec<u64> = waiting.map(|message| event(message).1).collect();
            waiting.sort_unstable();
            for counter in waiting {
                missing.push((replica, known + 1..=counter - 1));
                known = counter;
            }
            let followed = self.waiting.iter().map(|message| message.clock.get(&replica)).max();
            missing.extend(
                followed.filter(|&last| last > known).map(|last| (replica, known + 1..=last)),
            );
        }
        missing.retain(|(_, gap)| !gap.is_empty());
        missing
    }
}

/// Returns which event the sending of a message was.
fn event(message: &Message) -> Event {
    (message.sender, message.clock.get(&message.sender))
}

/// Returns what must go before a message.
fn required(message: &Message) -> impl Iterator<Item = Event> {
    let own = message.sender;
    message.clock.iter().map(move |(&replica, counter)| {
        (replica, if replica == own { counter - 1 } else { counter })
    })
}

fn count(counters: &BTreeMap<u8, u64>, replica: u8) -> u64 {
    counters.get(&replica).copied().unwrap_or(0)
}
