//! Some replicas, and messages that may arrive late or never.

use arbitrary::Arbitrary;

use crate::node::Node;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Op {
    Event {
        at: Replica,
    },
    /// A replica sends its clock and its tombstones.
    Send {
        from: Replica,
    },
    /// A message arrives: one counted back from the newest.
    Receive {
        at: Replica,
        back: u8,
    },
    Retire {
        at: Replica,
        departed: Replica,
    },
    Compact {
        at: Replica,
    },
    Restore {
        at: Replica,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Replica {
    A,
    B,
    C,
    D,
}

pub(crate) struct Group {
    nodes: [Node; 4],
    messages: Vec<Node>,
}

impl Default for Group {
    fn default() -> Self {
        Self { nodes: [0, 1, 2, 3].map(Node::new), messages: Vec::new() }
    }
}

impl Group {
    pub(crate) fn step(&mut self, op: Op) {
        match op {
            Op::Event { at } => self.nodes[at as usize].count_event(),
            Op::Send { from } => self.messages.push(self.nodes[from as usize].clone()),
            Op::Receive { at, back } => {
                let index = self.messages.len().checked_sub(1 + usize::from(back));
                if let Some(message) = index.and_then(|index| self.messages.get(index)) {
                    self.nodes[at as usize].take_in(message);
                }
            }
            Op::Retire { at, departed } => self.nodes[at as usize].retire(departed as u8),
            Op::Compact { at } => self.nodes[at as usize].compact(),
            Op::Restore { at } => self.nodes[at as usize].restore(),
        }
        for first in &self.nodes {
            first.check();
            for second in &self.nodes {
                first.compare(second);
            }
        }
    }

    /// Lets all hear of all: then their clocks are the same, and no tombstone is needed any more.
    pub(crate) fn settle(mut self) {
        let mut all = Node::new(0);
        for node in self.nodes.iter().chain(&self.messages) {
            all.take_in(node);
        }
        all.compact();
        for node in &mut self.nodes {
            node.take_in(&all);
            node.compact();
            node.compare(&all);
            assert_eq!(
                node.clock, all.clock,
                "what is left out depends on what was left out before"
            );
            node.forget();
            assert_eq!(node.clock, all.clock);
        }
    }
}
