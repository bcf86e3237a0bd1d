//! Causal buffers in random executions, beside a naive one, and judged by who has really seen what.

#![cfg(feature = "alloc")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::collections::BTreeSet;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_clock::{Arrival, CausalBuffer, Dot, Refusal, Stamped, VectorClock};

const NODES: usize = 4;

/// Something that happens to a node or to the network.
#[derive(Clone, Copy, Debug)]
enum Op {
    Send {
        node: usize,
    },
    /// One of the messages in flight arrives, and maybe stays in flight to arrive again.
    Arrive {
        which: usize,
        again: bool,
    },
    Deliver {
        node: usize,
    },
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let node = usize::arbitrary(g) % NODES;
        match u8::arbitrary(g) % 8 {
            0..=1 => Self::Send { node },
            2..=5 => Self::Arrive { which: usize::arbitrary(g), again: u8::arbitrary(g) < 64 },
            _ => Self::Deliver { node },
        }
    }
}

/// Messages are told apart by a number, whatever their clocks say.
type Message = Stamped<usize, usize>;

/// A buffer that goes through all its messages until none is left that can be delivered.
#[derive(Clone, Default)]
struct Naive {
    released: VectorClock<usize>,
    waiting: Vec<Message>,
}

impl Naive {
    fn is_deliverable(&self, message: &Message) -> bool {
        let own = message.clock.get(&message.sender);
        let mut others = message.clock.iter().filter(|(id, _)| **id != message.sender);
        self.released.get(&message.sender) + 1 == own
            && others.all(|(id, counter)| self.released.get(id) >= counter)
    }

    fn receive(&mut self, message: Message) -> Arrival {
        let own = message.clock.get(&message.sender);
        if self.released.get(&message.sender) >= own || self.waiting.contains(&message) {
            return Arrival::Duplicate;
        }
        let deliverable = self.is_deliverable(&message);
        self.waiting.push(message);
        while let Some(next) = self.waiting.iter().position(|held| self.is_deliverable(held)) {
            let released = self.waiting.swap_remove(next);
            self.released.increment(&released.sender).unwrap();
        }
        if deliverable { Arrival::Deliverable } else { Arrival::Waiting }
    }

    fn missing(&self) -> BTreeSet<Dot<usize>> {
        let mut missing = BTreeSet::new();
        for message in &self.waiting {
            for (&replica, last) in message.clock.iter() {
                let needed = self.released.get(&replica) + 1..=last;
                missing.extend(needed.map(|counter| Dot { replica, counter }));
            }
        }
        for Stamped { sender, clock, .. } in &self.waiting {
            missing.remove(&Dot { replica: *sender, counter: clock.get(sender) });
        }
        missing
    }
}

#[derive(Clone)]
struct Node {
    buffer: CausalBuffer<usize, usize>,
    naive: Naive,
    /// The messages that were sent and delivered here.
    seen: BTreeSet<usize>,
}

struct Group {
    capacity: usize,
    nodes: Vec<Node>,
    /// The sender of each message, and what it had seen.
    histories: Vec<(usize, BTreeSet<usize>)>,
    in_flight: Vec<(usize, Message)>,
}

impl Group {
    fn new(capacity: usize) -> Self {
        let node = |me| Node {
            buffer: CausalBuffer::new(me, capacity),
            naive: Naive::default(),
            seen: BTreeSet::new(),
        };
        let nodes = (0..NODES).map(node).collect();
        Self { capacity, nodes, histories: Vec::new(), in_flight: Vec::new() }
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Send { node } => self.send(node),
            Op::Arrive { which, again } if !self.in_flight.is_empty() => {
                self.arrive(which % self.in_flight.len(), again);
            }
            Op::Arrive { .. } => {}
            Op::Deliver { node } => {
                self.deliver(node);
            }
        }
    }

    fn send(&mut self, sender: usize) {
        let node = &mut self.nodes[sender];
        let message = self.histories.len();
        let clock = node.buffer.stamp().unwrap();
        node.naive.released.increment(&sender).unwrap();
        self.histories.push((sender, node.seen.clone()));
        node.seen.insert(message);
        let senders = node.seen.iter().map(|&seen| self.histories[seen].0);
        let mut counted = [0; NODES];
        senders.for_each(|sender| counted[sender] += 1);
        assert_eq!(clock, counted.into_iter().enumerate().collect());
        let stamped = Stamped { sender, clock, message };
        let others = (0..NODES).filter(|&to| to != sender);
        self.in_flight.extend(others.map(|to| (to, stamped.clone())));
    }

    fn arrive(&mut self, which: usize, again: bool) {
        let (to, message) = self.in_flight[which].clone();
        let node = &mut self.nodes[to];
        let held = node.buffer.held();
        let deliverable = node.naive.is_deliverable(&message);
        match node.buffer.receive(message.clone()) {
            Ok(arrival) => {
                assert_eq!(arrival, node.naive.receive(message));
                if !again {
                    self.in_flight.swap_remove(which);
                }
            }
            Err(refused) => {
                assert_eq!(refused.stamped, message);
                assert_eq!(refused.reason, Refusal::Full { capacity: self.capacity });
                assert!(held == self.capacity + 1 || held == self.capacity && !deliverable);
            }
        }
        node.check(self.capacity);
    }

    /// Takes out a message, after those that its sender had seen. Says whether there was one.
    fn deliver(&mut self, node: usize) -> bool {
        let node = &mut self.nodes[node];
        let Some(Stamped { message, .. }) = node.buffer.deliver() else { return false };
        assert!(self.histories[message].1.is_subset(&node.seen), "{message} came too early");
        assert!(node.seen.insert(message), "{message} came twice");
        node.check(self.capacity);
        true
    }
}

impl Node {
    /// Compares the buffer with the naive one, which has delivered all that it could.
    fn check(&self, capacity: usize) {
        assert!(self.buffer.held() <= capacity.saturating_add(1));
        assert_eq!(self.buffer.waiting(), self.naive.waiting.len());
        let missing = self.buffer.missing();
        assert!(missing.iter().all(|(_, range)| !range.is_empty()));
        let dots = |(replica, range): (usize, core::ops::RangeInclusive<u64>)| {
            range.map(move |counter| Dot { replica, counter })
        };
        let dots: Vec<_> = missing.into_iter().flat_map(dots).collect();
        assert!(dots.iter().eq(&self.naive.missing()));

        let mut buffer = self.buffer.clone();
        while buffer.deliver().is_some() {}
        assert_eq!(*buffer.delivered(), self.naive.released);
        assert_eq!(buffer.held(), buffer.waiting());
    }
}

quickcheck! {
    fn messages_come_once_after_what_their_senders_had_seen(ops: Vec<Op>, capacity: u8) -> bool {
        let capacity = match capacity {
            0..=127 => usize::from(capacity) % 5,
            _ => 1_000_000,
        };
        let mut group = Group::new(capacity);
        for op in ops {
            group.step(op);
        }
        // In the end all arrives, and what was refused is sent again until it is taken.
        while !group.in_flight.is_empty() {
            for which in (0..group.in_flight.len()).rev() {
                group.arrive(which, false);
                while (0..NODES).any(|node| group.deliver(node)) {}
            }
        }
        let all = group.histories.len();
        while (0..NODES).any(|node| group.deliver(node)) {}
        group.nodes.iter().all(|node| node.seen.len() == all && node.buffer.held() == 0)
    }
}

/// Something that is done to a buffer by members that may lie.
#[derive(Clone, Debug)]
enum Forgery {
    Receive(Stamped<u8, ()>),
    Deliver,
    Stamp,
}

impl Arbitrary for Forgery {
    fn arbitrary(g: &mut Gen) -> Self {
        let entry = |g: &mut Gen| {
            let counter = match u8::arbitrary(g) % 8 {
                0 => u64::MAX,
                counter => u64::from(counter % 4),
            };
            (u8::arbitrary(g) % 4, counter)
        };
        match u8::arbitrary(g) % 16 {
            0..=2 => Self::Deliver,
            3 => Self::Stamp,
            _ => Self::Receive(Stamped {
                sender: u8::arbitrary(g) % 4,
                clock: (0..3).map(|_| entry(g)).collect(),
                message: (),
            }),
        }
    }
}

quickcheck! {
    fn forged_clocks_break_neither_order_nor_bounds(forgeries: Vec<Forgery>, capacity: u8) -> bool {
        let capacity = usize::from(capacity % 8);
        let mut buffer = CausalBuffer::new(0_u8, capacity);
        let mut delivered = VectorClock::new();
        forgeries.into_iter().all(|forgery| {
            let before = buffer.clone();
            match forgery {
                Forgery::Stamp => {
                    delivered.increment(&0).unwrap();
                    assert_eq!(buffer.stamp().unwrap(), delivered);
                }
                Forgery::Receive(stamped) => match buffer.receive(stamped.clone()) {
                    Ok(Arrival::Duplicate) => assert_eq!(buffer, before),
                    Ok(_) => assert_eq!(buffer.held(), before.held() + 1),
                    Err(refused) => assert_eq!((refused.stamped, &buffer), (stamped, &before)),
                },
                Forgery::Deliver => if let Some(stamped) = buffer.deliver() {
                    let counter = delivered.increment(&stamped.sender).unwrap();
                    assert_eq!(stamped.clock.get(&stamped.sender), counter);
                    assert!(stamped.clock <= delivered);
                }
            }
            *buffer.delivered() == delivered && buffer.held() <= capacity + 1
        })
    }
}
