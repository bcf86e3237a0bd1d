//! Retirement in random executions, in which compacted clocks never differ in meaning from their twins
//! that were never compacted; and whatever tombstones say.

#![cfg(feature = "alloc")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_clock::{Dot, RetireError, Retirements, Tombstone, VectorClock};

/// Something that happens in an execution. Replicas are numbers below [`REPLICAS`].
#[derive(Clone, Copy, Debug)]
enum Op {
    Event { at: usize },
    Gossip { from: usize, to: usize },
    Retire { departed: usize, by: usize },
    Compact { at: usize },
    Restore { at: usize },
    Save { at: usize },
}

const REPLICAS: usize = 5;

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let [at, other] = [usize::arbitrary(g) % REPLICAS, usize::arbitrary(g) % REPLICAS];
        match u8::arbitrary(g) % 16 {
            0..=3 => Self::Event { at },
            4..=8 => Self::Gossip { from: other, to: at },
            9..=10 => Self::Retire { departed: other, by: at },
            11..=13 => Self::Compact { at },
            14 => Self::Restore { at },
            _ => Self::Save { at },
        }
    }
}

/// A clock that is compacted now and then, and its twin that never is.
#[derive(Clone, Default)]
struct Twins {
    clock: VectorClock<usize>,
    full: VectorClock<usize>,
}

#[derive(Clone, Default)]
struct Replica {
    twins: Twins,
    known: Retirements<usize>,
}

impl Replica {
    fn count(&mut self, me: usize) {
        // Somebody may have retired this replica although it is still there.
        if self.known.iter().any(|tombstone| tombstone.replica == me) {
            self.known.restore(&mut self.twins.clock);
        }
        let counter = self.twins.clock.increment(&me).unwrap();
        assert_eq!(self.twins.full.increment(&me), Ok(counter));
    }

    fn retire(&mut self, departed: usize, me: usize) {
        let last = self.twins.full.get(&departed);
        let counter = self.twins.full.get(&me) + 1;
        match self.known.retire(&mut self.twins.clock, &departed, &me) {
            Ok(tombstone) => {
                let by = Dot { replica: me, counter };
                assert_eq!(tombstone, Tombstone { by, replica: departed, last });
                self.twins.full.record(&by);
            }
            Err(RetireError::BySelf { .. }) => assert_eq!(departed, me),
            Err(RetireError::NothingSeen { .. }) => assert_eq!(last, 0),
            Err(RetireError::ByRetired { tombstone }) => assert_eq!(tombstone.replica, me),
            Err(RetireError::AlreadyRetired { tombstone }) => assert!(tombstone.last >= last),
            Err(error) => panic!("{error}"),
        }
    }

    fn receive(&mut self, twins: &Twins, known: &Retirements<usize>) {
        for tombstone in known.iter() {
            self.known.learn(*tombstone).unwrap();
        }
        self.twins.clock.merge(&twins.clock);
        self.twins.full.merge(&twins.full);
    }
}

#[derive(Default)]
struct Group {
    replicas: [Replica; REPLICAS],
    saved: Vec<Twins>,
}

impl Group {
    fn step(&mut self, op: Op) {
        match op {
            Op::Event { at } => self.replicas[at].count(at),
            Op::Gossip { from, to } => {
                let Replica { twins, known } = self.replicas[from].clone();
                self.replicas[to].receive(&twins, &known);
            }
            Op::Retire { departed, by } => self.replicas[by].retire(departed, by),
            Op::Compact { at } => {
                let Replica { twins, known } = &mut self.replicas[at];
                known.compact(&mut twins.clock);
            }
            Op::Restore { at } => {
                let Replica { twins, known } = &mut self.replicas[at];
                known.restore(&mut twins.clock);
            }
            Op::Save { at } => self.saved.push(self.replicas[at].twins.clone()),
        }
    }

    /// All tombstones that anybody knows. Those of one execution never contradict each other.
    fn all_known(&self) -> Retirements<usize> {
        let mut all = Retirements::new();
        for tombstone in self.replicas.iter().flat_map(|replica| replica.known.iter()) {
            all.learn(*tombstone).unwrap();
        }
        all
    }

    fn twins(&self) -> Vec<&Twins> {
        self.replicas.iter().map(|replica| &replica.twins).chain(&self.saved).collect()
    }
}

/// Tombstones and clocks that no execution need have left behind.
#[derive(Clone, Debug)]
struct Invented {
    known: Retirements<u8>,
    clocks: [VectorClock<u8>; 2],
}

impl Arbitrary for Invented {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut small = || (u8::arbitrary(g) % 6, u64::arbitrary(g) % 4);
        let mut known = Retirements::new();
        for _ in 0..12 {
            let ((replica, last), (by, counter)) = (small(), small());
            // Some contradict what is known already, and are not learned.
            let by = Dot { replica: by, counter };
            let _refused = known.learn(Tombstone { by, replica, last }).is_err();
        }
        let clocks = [0, 1].map(|_| (0..4).map(|_| small()).collect());
        Self { known, clocks }
    }
}

quickcheck! {
    fn compacted_clocks_mean_what_their_twins_mean(ops: Vec<Op>) -> bool {
        let mut group = Group::default();
        for op in ops {
            group.step(op);
            for Replica { twins, known } in &group.replicas {
                let mut restored = twins.clock.clone();
                known.restore(&mut restored);
                assert_eq!(restored, twins.full);
            }
        }
        let (all, twins) = (group.all_known(), group.twins());
        twins.iter().all(|a| twins.iter().all(|b| {
            let order = a.full.causal_order(&b.full);
            let (mut merged, mut full) = (a.clock.clone(), a.full.clone());
            merged.merge(&b.clock);
            full.merge(&b.full);
            all.compact(&mut merged);
            all.compact(&mut full);
            all.causal_order(&a.clock, &b.clock) == order && merged == full
        }))
    }

    fn nothing_is_lost_whatever_the_tombstones_say(invented: Invented) -> bool {
        let Invented { known, clocks: [a, b] } = invented;
        let restored = |clock: &VectorClock<u8>| {
            let mut clock = clock.clone();
            known.restore(&mut clock);
            clock
        };
        let mut compact = a.clone();
        known.compact(&mut compact);
        let mut again = restored(&a);
        known.compact(&mut again);
        let mut merged = a.clone();
        merged.merge(&b);
        let mut merged_after = restored(&a);
        merged_after.merge(&restored(&b));

        restored(&a) >= a
            && restored(&restored(&a)) == restored(&a)
            && restored(&compact) == restored(&a)
            && compact == again
            && compact.len() <= a.len()
            && restored(&merged) == merged_after
    }
}
