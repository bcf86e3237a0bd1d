use core::{cmp::Ordering, iter};

/// Which replicas two clocks have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "what is between is not measured")]
pub enum Overlap {
    /// All.
    Full,
    /// Half of each clock's.
    Half,
    /// None.
    None,
}

impl Overlap {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Full, Self::Half, Self::None];
}

/// How many events the one clock has seen that the other has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "what is between is not measured")]
pub enum News {
    /// One event of one replica, each clock if they are concurrent.
    OneEvent,
    /// One event of each of half the replicas; if the clocks are concurrent, of a quarter for each.
    HalfTheReplicas,
}

/// The entries of two clocks, in no order.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain record")]
pub struct Sample {
    /// Those of the first clock.
    pub first: Vec<(u64, u64)>,
    /// Those of the second.
    pub second: Vec<(u64, u64)>,
}

/// Returns pairs of clocks of `len` replicas, of which the first stand in an order to the second.
///
/// Where not all replicas are in common, they are concurrent whatever the order.
#[must_use]
pub fn samples(len: usize, overlap: Overlap, news: News, order: Option<Ordering>) -> Vec<Sample> {
    let mut random = Random(0x5eed);
    let sample = || Sample::new(len, overlap, news, order, &mut random);
    iter::repeat_with(sample).take(SAMPLES).collect()
}

/// Returns the entries of a clock of `len` replicas.
#[must_use]
pub fn entries(len: usize) -> Vec<(u64, u64)> {
    Random(0x5eed).entries().take(len).collect()
}

impl Sample {
    fn new(
        len: usize,
        overlap: Overlap,
        news: News,
        order: Option<Ordering>,
        random: &mut Random,
    ) -> Self {
        let apart = match overlap {
            Overlap::Full => 0,
            Overlap::Half => len / 2,
            Overlap::None => len,
        };
        let all: Vec<_> = random.entries().take(len + apart).collect();
        let mut first: Vec<_> = all.iter().copied().take(len).collect();
        let mut second: Vec<_> = all.into_iter().skip(apart).collect();

        random.shuffle(&mut second);
        let count = match news {
            News::OneEvent if order.is_none() => 2,
            News::OneEvent => 1,
            News::HalfTheReplicas => len / 2,
        };
        for (at, (_, counter)) in second.iter_mut().take(count).enumerate() {
            match order {
                Some(Ordering::Equal) => {}
                Some(Ordering::Less) => *counter += 1,
                None if at % 2 == 0 => *counter += 1,
                Some(Ordering::Greater) | None => *counter -= 1,
            }
        }
        random.shuffle(&mut first);
        random.shuffle(&mut second);
        Self { first, second }
    }
}

/// How many pairs there are.
const SAMPLES: usize = 64;

/// Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn entries(&mut self) -> impl Iterator<Item = (u64, u64)> {
        iter::repeat_with(|| (self.next(), 2 + self.next() % 1000))
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (2..=items.len()).rev() {
            let at = usize::try_from(self.next() >> 32).expect("32 bits") % end;
            items.swap(at, end - 1);
        }
    }
}
