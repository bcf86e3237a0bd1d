//! Dotted version vector sets on any execution: a naive twin that keeps whole causal histories, and the
//! laws of a lattice.

#![cfg(feature = "alloc")]
#![expect(clippy::indexing_slicing, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_clock::{Dot, DottedVersionVectorSet, VectorClock};

const CLIENTS: usize = 4;
const SERVERS: usize = 3;

type Siblings = DottedVersionVectorSet<usize, u64>;
type History = BTreeSet<Dot<usize>>;

/// Something that a client or a server does.
#[derive(Clone, Copy, Debug)]
enum Op {
    Get {
        client: usize,
        server: usize,
    },
    /// A read in addition to an earlier one, as from a second server.
    GetMore {
        client: usize,
        server: usize,
    },
    Put {
        client: usize,
        server: usize,
    },
    Discard {
        client: usize,
        server: usize,
    },
    Sync {
        from: usize,
        to: usize,
    },
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let (client, server) = (usize::arbitrary(g) % CLIENTS, usize::arbitrary(g) % SERVERS);
        match u8::arbitrary(g) % 16 {
            0..=3 => Self::Get { client, server },
            4 => Self::GetMore { client, server },
            5..=10 => Self::Put { client, server },
            11 => Self::Discard { client, server },
            _ => Self::Sync { from: usize::arbitrary(g) % SERVERS, to: server },
        }
    }
}

/// What a server would keep if nothing were compressed: each version with all that went before it.
#[derive(Clone, Debug, Default)]
struct Naive {
    versions: BTreeMap<Dot<usize>, (History, u64)>,
    erased: History,
}

impl Naive {
    fn context(&self) -> History {
        let histories = self.versions.values().flat_map(|(history, _)| history);
        histories.chain(&self.erased).copied().collect()
    }

    fn put(&mut self, context: &History, dot: Dot<usize>, value: u64) {
        let mut history = context.clone();
        history.insert(dot);
        self.versions.insert(dot, (history, value));
        self.drop_obsolete();
    }

    fn discard(&mut self, context: &History) {
        self.erased.extend(context);
        self.drop_obsolete();
    }

    fn sync(&mut self, other: &Self) {
        self.versions.extend(other.versions.clone());
        self.erased.extend(&other.erased);
        self.drop_obsolete();
    }

    /// A version is obsolete if it was erased, or if another one has it in its history.
    fn drop_obsolete(&mut self) {
        let all = self.versions.clone();
        self.versions.retain(|dot, _| {
            let mut others = all.iter().filter(|(other, _)| *other != dot);
            let replaced = others.any(|(_, (history, _))| history.contains(dot));
            !replaced && !self.erased.contains(dot)
        });
    }
}

/// A store of one key: servers with both kinds of sets, and clients with what they last read.
#[derive(Clone, Default)]
struct Store {
    servers: [(Siblings, Naive); SERVERS],
    clients: [(VectorClock<usize>, History); CLIENTS],
    /// How many values each server has taken.
    events: [u64; SERVERS],
}

impl Store {
    fn after(ops: &[Op]) -> Self {
        let mut store = Self::default();
        for &op in ops {
            store.step(op);
        }
        store
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Get { client, server } => {
                let (set, naive) = &self.servers[server];
                self.clients[client] = (set.context().clone(), naive.context());
            }
            Op::GetMore { client, server } => {
                let (set, naive) = &self.servers[server];
                self.clients[client].0.merge(set.context());
                self.clients[client].1.extend(naive.context());
            }
            Op::Put { client, server } => {
                self.events[server] += 1;
                let dot = Dot { replica: server, counter: self.events[server] };
                let value = self.events.iter().sum();
                let (context, history) = &self.clients[client];
                let (set, naive) = &mut self.servers[server];
                assert_eq!(set.put(context, &server, value), Ok(dot));
                naive.put(history, dot, value);
            }
            Op::Discard { client, server } => {
                let (context, history) = &self.clients[client];
                self.servers[server].0.discard(context);
                self.servers[server].1.discard(history);
            }
            Op::Sync { from, to } => {
                let (set, naive) = self.servers[from].clone();
                self.servers[to].0.sync(&set);
                self.servers[to].1.sync(&naive);
            }
        }
    }
}

fn joined(a: &Siblings, b: &Siblings) -> Siblings {
    let mut a = a.clone();
    a.sync(b);
    a
}

/// Whether a set holds the versions, and has seen the events, that its twin has.
fn agree((set, naive): &(Siblings, Naive)) -> bool {
    let events = |(&replica, counter): (&usize, u64)| {
        (1..=counter).map(move |counter| Dot { replica, counter })
    };
    let context: History = set.context().iter().flat_map(events).collect();
    let versions = set
        .iter()
        .map(|(dot, &value)| (Dot { replica: *dot.replica, counter: dot.counter }, value))
        .collect::<BTreeMap<_, _>>();
    let expected: BTreeMap<_, _> =
        naive.versions.iter().map(|(dot, &(_, value))| (*dot, value)).collect();
    context == naive.context() && versions == expected && set.len() == expected.len()
}

quickcheck! {
    fn equals_the_naive_store(ops: Vec<Op>) -> bool {
        let mut store = Store::default();
        ops.into_iter().all(|op| {
            store.step(op);
            store.servers.iter().all(agree)
        })
    }

    fn sync_is_a_join(ops: Vec<Op>) -> bool {
        let store = Store::after(&ops);
        let [(a, _), (b, _), (c, _)] = &store.servers;
        joined(a, a) == *a
            && joined(a, b) == joined(b, a)
            && joined(&joined(a, b), c) == joined(a, &joined(b, c))
            && joined(&joined(a, b), b) == joined(a, b)
    }

    fn the_past_is_no_news(before: Vec<Op>, after: Vec<Op>) -> bool {
        let past = Store::after(&before);
        let mut store = past.clone();
        for op in after {
            store.step(op);
        }
        let mut pairs = past.servers.iter().zip(&store.servers);
        pairs.all(|((past, _), (now, _))| joined(now, past) == *now && joined(past, now) == *now)
    }

    fn a_put_replaces_what_its_context_has_seen(
        ops: Vec<Op>,
        client: usize,
        server: usize
    ) -> bool {
        let store = Store::after(&ops);
        let server = server % SERVERS;
        let context = &store.clients[client % CLIENTS].0;
        let before = &store.servers[server].0;
        let mut set = before.clone();
        let dot = set.put(context, &server, u64::MAX).unwrap();
        let unseen = before.iter().filter(|(dot, _)| context.get(dot.replica) < dot.counter);
        let mut expected: BTreeSet<_> = unseen.map(|(_, &value)| value).collect();
        expected.insert(u64::MAX);

        !before.context().contains(&dot)
            && set.context().contains(&dot)
            && set.context() > context
            && set.context() > before.context()
            && set.values().copied().collect::<BTreeSet<_>>() == expected
            && joined(&set, before) == set
    }

    fn discard_is_a_join_with_a_set_without_values(ops: Vec<Op>, client: usize) -> bool {
        let store = Store::after(&ops);
        let context = &store.clients[client % CLIENTS].0;
        let entries = context.iter().map(|(id, counter)| (*id, counter, Vec::new()));
        let erased = entries.collect::<Vec<_>>().try_into().unwrap();
        store.servers.iter().all(|(set, _)| {
            let mut discarded = set.clone();
            discarded.discard(context);
            let once = discarded.clone();
            discarded.discard(context);
            discarded == once && once == joined(set, &erased) && once == joined(&once, set)
        })
    }
}
