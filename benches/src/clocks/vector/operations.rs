use core::{cmp::Ordering, convert::Infallible, iter::Cycle, slice};

use super::{News, Overlap, Sample, VectorContender, Visitor, entries, samples, visit_all};
use crate::{Meter, Operation, Subject, footprint};

/// Shows every operation of every vector clock to a meter.
pub fn measure(meter: &mut impl Meter) {
    for len in [8, 64] {
        for overlap in Overlap::ALL {
            visit_all(&mut VectorClocks { meter, len, overlap });
        }
    }
}

struct VectorClocks<'a, M> {
    meter: &'a mut M,
    len: usize,
    overlap: Overlap,
}

impl<M: Meter> Visitor for VectorClocks<'_, M> {
    fn visit<C: VectorContender>(&mut self, name: &'static str) {
        let Self { ref mut meter, len, overlap } = *self;
        let (title, suffix) = match overlap {
            Overlap::Full => ("", ""),
            Overlap::Half => (", half in common", "-half"),
            Overlap::None => (", none in common", "-disjoint"),
        };
        let table = format!("vector clocks of {len}{title}");
        let name = format!("{name}-{len}{suffix}");
        let subject = Subject { table: &table, name: &name, origin: C::ORIGIN };

        let pairs = |news, order| Pairs::<C>::new(&samples(len, overlap, news, order));
        let merges = Merges(pairs(News::HalfTheReplicas, None));
        if overlap != Overlap::Full {
            meter.operation(subject, "compare ||", Compares(pairs(News::OneEvent, None)));
            meter.operation(subject, "merge", merges);
            return;
        }
        let Ok((clock, bytes)) = footprint(|| Ok::<_, Infallible>(C::from_entries(&entries(len))));
        meter.bytes(subject, bytes);
        for (what, order) in COMPARISONS {
            meter.operation(subject, what, Compares(pairs(News::OneEvent, order)));
        }
        meter.operation(subject, "merge", merges);
        let replicas: Vec<u64> = entries(len).into_iter().map(|(replica, _)| replica).collect();
        let replicas = replicas.leak().iter().cycle();
        meter.operation(subject, "increment", Increments { clock, replicas });
    }
}

/// Whether the first clock is before the second, after it, the same, or concurrent.
pub const COMPARISONS: [(&str, Option<Ordering>); 4] = [
    ("compare <", Some(Ordering::Less)),
    ("compare >", Some(Ordering::Greater)),
    ("compare =", Some(Ordering::Equal)),
    ("compare ||", None),
];

struct Compares<C: 'static>(Pairs<C>);

impl<C: VectorContender> Operation for Compares<C> {
    type Subject = Self;

    type Input = (&'static C, &'static C);

    type Output = C::Order;

    fn subject(&mut self) -> &mut Self {
        self
    }

    fn next_input(&mut self) -> Self::Input {
        self.0.next_pair()
    }

    #[inline]
    fn call(_: &mut Self, (first, second): Self::Input) -> C::Order {
        first.causal_order(second)
    }
}

struct Merges<C: 'static>(Pairs<C>);

impl<C: VectorContender> Operation for Merges<C> {
    /// All inputs are in memory at once, and should fit a cache.
    const BATCH: u32 = 128;

    type Subject = Self;

    type Input = (Box<C>, C::Other);

    type Output = Box<C>;

    fn subject(&mut self) -> &mut Self {
        self
    }

    fn next_input(&mut self) -> Self::Input {
        let (first, second) = self.0.next_pair();
        (Box::new(first.clone()), C::lend(second))
    }

    #[inline]
    fn call(_: &mut Self, (mut first, second): Self::Input) -> Box<C> {
        first.merge(second);
        first
    }
}

struct Increments<C> {
    clock: C,
    replicas: Cycle<slice::Iter<'static, u64>>,
}

impl<C: VectorContender> Operation for Increments<C> {
    type Subject = C;

    type Input = &'static u64;

    type Output = C::Incremented;

    fn subject(&mut self) -> &mut C {
        &mut self.clock
    }

    fn next_input(&mut self) -> &'static u64 {
        self.replicas.next().expect("there is one at least, over and over")
    }

    #[inline]
    fn call(clock: &mut C, replica: &'static u64) -> C::Incremented {
        clock.increment(replica)
    }
}

/// Pairs of clocks, over and over.
///
/// They live as long as the program, so that references to them are all that a call takes.
struct Pairs<C: 'static>(Cycle<slice::Iter<'static, (C, C)>>);

impl<C: VectorContender> Pairs<C> {
    fn new(samples: &[Sample]) -> Self {
        let clocks =
            |sample: &Sample| (C::from_entries(&sample.first), C::from_entries(&sample.second));
        let pairs: Vec<(C, C)> = samples.iter().map(clocks).collect();
        Self(pairs.leak().iter().cycle())
    }

    fn next_pair(&mut self) -> (&'static C, &'static C) {
        let (first, second) = self.0.next().expect("there is one at least, over and over");
        (first, second)
    }
}
