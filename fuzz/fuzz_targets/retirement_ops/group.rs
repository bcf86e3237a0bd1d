//! Some replicas, and messages that may arrive late or never.

use arbitrary::Arbitrary;

use crate::node::Node;

/// Something that a replica does.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Op {
    at: Replica,
    action: Action,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Action {
    CountEvent,
    /// It sends its clock and its tombstones.
    Send,
    /// A message arrives: one counted back from the newest.
    Receive {
        back: u8,
    },
    Retire {
        departed: Replica,
    },
    Compact,
    Restore,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Replica {
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
        let Self { nodes, messages } = self;
        let node = &mut nodes[op.at as usize];
        match op.action {
            Action::CountEvent => node.count_event(),
            Action::Send => messages.push(node.clone()),
            Action::Receive { back } => {
                let index = messages.len().checked_sub(1 + usize::from(back));
                if let Some(message) = index.and_then(|index| messages.get(index)) {
                    node.take_in(message);
                }
            }
            Action::Retire { departed } => node.retire(departed as u8),
            Action::Compact => node.compact(),
            Action::Restore => node.restore(),
        }
        let changed = &nodes[op.at as usize];
        changed.check();
        for other in nodes.iter().chain(messages.last()) {
            changed.compare(other);
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
