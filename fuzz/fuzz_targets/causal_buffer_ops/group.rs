//! The members of a group, and a network that forgets nothing.

use arbitrary::Arbitrary;
use surmise_clock::{Stamped, VectorClock};

use crate::node::Node;

pub(crate) type Message = Stamped<u8, u32>;

#[derive(Arbitrary, Debug)]
pub(crate) enum Op {
    Send {
        from: Member,
    },
    /// A message arrives, the first time or again: one counted back from the newest.
    Receive {
        at: Member,
        back: u8,
    },
    Deliver {
        at: Member,
    },
    /// A message arrives that nobody sent.
    Forge {
        at: Member,
        sender: u8,
        clock: Vec<(u8, Counter)>,
    },
    /// A member crashes, and goes on where it was.
    Restart {
        at: Member,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Member {
    A,
    B,
    C,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Counter {
    Any(u64),
    Low(u8),
    High(u8),
}

pub(crate) struct Group {
    nodes: [Node; 3],
    sent: Vec<Message>,
    /// Whether somebody may wait for a message that nobody sent.
    is_deceived: bool,
}

impl Group {
    pub(crate) fn new(capacity: usize, start: u64) -> Self {
        let clock: VectorClock<u8> = (0..3).map(|member| (member, start)).collect();
        let nodes = [0, 1, 2].map(|member| Node::new(member, &clock, capacity));
        Self { nodes, sent: Vec::new(), is_deceived: false }
    }

    pub(crate) fn step(&mut self, op: &Op) {
        match op {
            &Op::Send { from } => {
                if let Some(clock) = self.nodes[from as usize].stamp() {
                    let message = self.sent.len().try_into().expect("inputs are short");
                    self.sent.push(Stamped { sender: from as u8, clock, message });
                }
            }
            &Op::Receive { at, back } => {
                let index = self.sent.len().checked_sub(1 + usize::from(back));
                if let Some(message) = index.and_then(|index| self.sent.get(index)) {
                    self.nodes[at as usize].receive(message.clone());
                }
            }
            &Op::Deliver { at } => _ = self.nodes[at as usize].deliver(),
            Op::Forge { at, sender, clock } => {
                let clock = clock.iter().map(|&(replica, counter)| (replica, counter.into()));
                let message = u32::MAX;
                let forged = Stamped { sender: *sender, clock: clock.collect(), message };
                self.is_deceived |= self.nodes[*at as usize].receive(forged);
            }
            &Op::Restart { at } => self.nodes[at as usize].restart(),
        }
    }

    /// Lets all messages arrive everywhere, again and again: then all are delivered.
    pub(crate) fn deliver_all(mut self) {
        if self.is_deceived {
            return;
        }
        for node in &mut self.nodes {
            loop {
                while node.deliver() {}
                let mut has_arrived = false;
                for message in &self.sent {
                    has_arrived |= node.receive(message.clone());
                }
                if !has_arrived {
                    break;
                }
            }
            assert_eq!(node.waiting(), 0);
        }
        let [a, b, c] = &self.nodes;
        assert!(a.delivered() == b.delivered() && b.delivered() == c.delivered());
    }
}

impl From<Counter> for u64 {
    fn from(counter: Counter) -> Self {
        match counter {
            Counter::Any(counter) => counter,
            Counter::Low(counter) => counter.into(),
            Counter::High(below) => Self::MAX - Self::from(below),
        }
    }
}
