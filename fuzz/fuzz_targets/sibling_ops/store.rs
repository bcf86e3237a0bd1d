//! Some replicas of one key, and clients that read and write it.

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use surmise_clock::{DottedVersionVectorSet, VectorClock};

use crate::{
    entries::Counter,
    history::{History, seen},
};

#[derive(Arbitrary, Debug)]
pub(crate) enum Op {
    /// A client reads at a replica, and forgets what it read before, or not.
    Read {
        client: Third,
        at: Third,
        forgets: bool,
    },
    Put {
        at: Third,
        context: Context,
    },
    Discard {
        at: Third,
        context: Context,
    },
    Sync {
        at: Third,
        with: Third,
    },
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Context {
    Nothing,
    /// What a client has read.
    Client(Third),
    /// What is at a replica now.
    Replica(Third),
    /// What nobody can have read.
    Forged(Vec<(u8, Counter)>),
}

/// One of three.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Third {
    A,
    B,
    C,
}

#[derive(Default)]
pub(crate) struct Store {
    replicas: [Replica; 3],
    clients: [VectorClock<u8>; 3],
    writes: u32,
}

/// A set, and the history that it must tell.
#[derive(Clone, Default)]
struct Replica {
    set: DottedVersionVectorSet<u8, u32>,
    history: History,
}

impl Store {
    pub(crate) fn step(&mut self, op: &Op) {
        match op {
            &Op::Read { client, at, forgets } => {
                let read = self.replicas[at as usize].set.context();
                let client = &mut self.clients[client as usize];
                if forgets {
                    *client = VectorClock::new();
                }
                client.merge(read);
            }
            Op::Put { at, context } => {
                let context = self.context(context);
                self.writes += 1;
                self.replicas[*at as usize].put(&context, *at as u8, self.writes);
            }
            Op::Discard { at, context } => {
                let context = self.context(context);
                let replica = &mut self.replicas[*at as usize];
                replica.set.discard(&context);
                replica.history.discard(&seen(&context));
                replica.check();
            }
            &Op::Sync { at, with } => {
                let other = self.replicas[with as usize].clone();
                self.replicas[at as usize].sync(&other);
            }
        }
    }

    /// Lets all replicas hear of each other: then they agree.
    pub(crate) fn converge(mut self) {
        for (at, with) in [(0, 1), (0, 2), (1, 0), (2, 0)] {
            let other = self.replicas[with].clone();
            self.replicas[at].sync(&other);
        }
        let [a, b, c] = &self.replicas;
        assert!(a.set == b.set && b.set == c.set, "{:?}, {:?}, {:?}", a.set, b.set, c.set);
    }

    fn context(&self, context: &Context) -> VectorClock<u8> {
        match context {
            Context::Nothing => VectorClock::new(),
            Context::Client(client) => self.clients[*client as usize].clone(),
            Context::Replica(at) => self.replicas[*at as usize].set.context().clone(),
            Context::Forged(entries) => {
                entries.iter().map(|&(replica, counter)| (replica, counter.into())).collect()
            }
        }
    }
}

impl Replica {
    fn put(&mut self, context: &VectorClock<u8>, replica: u8, value: u32) {
        let expected = self.history.put(&seen(context), replica, value);
        match self.set.put(context, &replica, value) {
            Ok(dot) => assert_eq!(Some((dot.replica, dot.counter)), expected),
            Err(error) => {
                assert_eq!((error.overflow.replica, error.value), (replica, value));
                assert_eq!(expected, None);
            }
        }
        self.check();
    }

    fn sync(&mut self, other: &Self) {
        let mut reverse = other.set.clone();
        reverse.sync(&self.set);
        self.set.sync(&other.set);
        self.history.sync(&other.history);
        assert_eq!(self.set, reverse, "it matters who hears from whom");
        self.check();
        let once = self.set.clone();
        self.set.sync(&other.set);
        assert_eq!(self.set, once, "to hear it again changes something");
    }

    fn check(&self) {
        let (set, history) = (&self.set, &self.history);
        assert_eq!(seen(set.context()), history.seen);
        let values = set.iter().map(|(dot, &value)| ((*dot.replica, dot.counter), value));
        assert_eq!(values.collect::<BTreeMap<_, _>>(), history.values);
        assert_eq!((set.len(), set.is_empty()), (history.values.len(), history.values.is_empty()));
        assert!(set.values().eq(set.iter().map(|(_, value)| value)));
        let entries =
            set.entries().map(|(&replica, counter, values)| (replica, counter, values.to_vec()));
        assert_eq!(DottedVersionVectorSet::try_from(entries.collect::<Vec<_>>()).as_ref(), Ok(set));
    }
}
