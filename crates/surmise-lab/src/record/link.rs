//! An impaired link, as a value: datagrams go in, and come out later, twice, or never.

use core::{cmp::Reverse, time::Duration};
use std::collections::BinaryHeap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use surmise_time::Instant;

use super::{
    delay::DelayLaw,
    probability::{BurstLoss, Probability},
};

/// The most datagrams that can be under way; what comes on top of them is lost.
const MAX_UNDER_WAY: usize = 65_536;

/// How long a datagram that shall be overtaken waits for another.
const MAX_HOLD: Duration = Duration::from_secs(1);

/// What a link does to datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Impairment {
    pub(crate) delay: Option<DelayLaw>,
    pub(crate) loss: Probability,
    pub(crate) burst_loss: Option<BurstLoss>,
    pub(crate) reorder: Probability,
    pub(crate) duplicate: Probability,
    pub(crate) seed: u64,
}

/// A link that loses, delays, reorders and duplicates.
///
/// What happens to the nth datagram depends on the seed and on n alone, not on when it comes.
#[derive(Debug)]
pub(crate) struct Link {
    impairment: Impairment,
    rng: ChaCha8Rng,
    in_burst: bool,
    offered: u64,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    /// A datagram that waits to be overtaken.
    held: Option<UnderWay>,
}

/// Ordered by when it is due, and what came first goes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    due: Instant,
    order: u64,
    datagram: Vec<u8>,
}

/// What was drawn for one datagram.
struct Fate {
    lost: bool,
    delay: Duration,
    overtaken: bool,
    copy_delay: Option<Duration>,
}

impl Link {
    pub(crate) fn new(impairment: Impairment) -> Self {
        Self {
            impairment,
            rng: ChaCha8Rng::seed_from_u64(impairment.seed),
            in_burst: false,
            offered: 0,
            under_way: BinaryHeap::new(),
            held: None,
        }
    }

    /// Takes a datagram at its near end.
    pub(crate) fn offer(&mut self, datagram: Vec<u8>, now: Instant) {
        let fate = self.draw();
        if fate.lost || self.under_way.len() >= MAX_UNDER_WAY {
            return;
        }
        self.offered += 1;
        if let Some(delay) = fate.copy_delay {
            let copy =
                UnderWay { due: now + delay, order: self.offered, datagram: datagram.clone() };
            self.under_way.push(Reverse(copy));
        }
        let due = now + fate.delay;
        let mut beat = UnderWay { due, order: self.offered, datagram };
        match self.held.take() {
            None if fate.overtaken => {
                beat.due = due + MAX_HOLD;
                self.held = Some(beat);
            }
            // Two that wait for each other would wait in vain, so the second goes on.
            Some(mut held) => {
                held.due = due.max(held.due - MAX_HOLD);
                held.order = self.offered + 1;
                self.offered += 1;
                self.under_way.push(Reverse(beat));
                self.under_way.push(Reverse(held));
            }
            None => self.under_way.push(Reverse(beat)),
        }
    }

    /// Returns a datagram that has reached the far end by `now`.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.held.as_ref().is_some_and(|held| held.due <= now) {
            self.under_way.extend(self.held.take().map(Reverse));
        }
        if self.under_way.peek().is_some_and(|Reverse(next)| next.due <= now) {
            self.under_way.pop().map(|Reverse(next)| next.datagram)
        } else {
            None
        }
    }

    /// Returns when the next datagram reaches the far end. Changes only with `offer` and `take`.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let next = self.under_way.peek().map(|Reverse(next)| next.due);
        next.into_iter().chain(self.held.as_ref().map(|held| held.due)).min()
    }

    /// Draws everything for every datagram, so that a lost one does not shift the fate of the next.
    fn draw(&mut self) -> Fate {
        let Self { impairment, rng, in_burst, .. } = self;
        if let Some(BurstLoss { enter, leave }) = impairment.burst_loss {
            *in_burst = if *in_burst { !leave.draw(rng) } else { enter.draw(rng) };
        }
        let lost_alone = impairment.loss.draw(rng);
        let overtaken = impairment.reorder.draw(rng);
        let copied = impairment.duplicate.draw(rng);
        let mut delay = || impairment.delay.map_or(Duration::ZERO, |law| law.sample(rng));
        let (delay, copy_delay) = (delay(), delay());
        Fate {
            lost: *in_burst || lost_alone,
            delay,
            overtaken,
            copy_delay: copied.then_some(copy_delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Sends 0, 1, … at 10 ms; returns what came out, in order, with its time of arrival in ms.
    fn run(impairment: Impairment, count: u32) -> Vec<(u32, u128)> {
        let mut link = Link::new(impairment);
        let mut out = Vec::new();
        let mut drain = |link: &mut Link, until: Instant| {
            while let Some(due) = link.deadline().filter(|&due| due <= until) {
                let bytes = link.take(due).expect("a datagram is due");
                let number = u32::from_be_bytes(bytes.try_into().unwrap());
                out.push((number, (due - Instant::ORIGIN).as_millis()));
            }
        };
        for number in 0..count {
            let now = Instant::ORIGIN + number * 10 * MS;
            drain(&mut link, now);
            link.offer(number.to_be_bytes().to_vec(), now);
        }
        drain(&mut link, Instant::MAX);
        out
    }

    fn numbers(out: &[(u32, u128)]) -> Vec<u32> {
        out.iter().map(|&(number, _)| number).collect()
    }

    #[test]
    fn a_perfect_link_changes_nothing() {
        let out = run(Impairment::default(), 100);
        assert!(out.iter().zip(0..).all(|(&found, n)| found == (n, u128::from(n) * 10)));
    }

    #[test]
    fn a_delay_is_added() {
        let delay = "constant:25ms".parse().ok();
        let out = run(Impairment { delay, ..Impairment::default() }, 3);
        assert_eq!(out, [(0, 25), (1, 35), (2, 45)]);
    }

    #[test]
    fn a_spread_beyond_the_interval_reorders() {
        let delay = "uniform:0ms,100ms".parse().ok();
        let out = numbers(&run(Impairment { delay, seed: 3, ..Impairment::default() }, 1000));
        assert!(!out.is_sorted());
        let mut sorted = out;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn reordering_swaps_neighbours_and_loses_nothing() {
        let reorder = "1".parse().unwrap();
        let out = run(Impairment { reorder, ..Impairment::default() }, 5);
        // The last one finds nobody to overtake it.
        assert_eq!(out, [(1, 10), (0, 10), (3, 30), (2, 30), (4, 1040)]);
    }

    #[test]
    fn what_is_overtaken_is_still_under_way_as_long_as_it_must() {
        let delay = "constant:50ms".parse().ok();
        let reorder = "1".parse().unwrap();
        let mut link = Link::new(Impairment { delay, reorder, ..Impairment::default() });
        link.offer(vec![0], Instant::ORIGIN);
        link.impairment.delay = None;
        link.offer(vec![1], Instant::ORIGIN + 10 * MS);
        let at = |link: &mut Link, ms| link.take(Instant::ORIGIN + ms * MS);
        assert_eq!(at(&mut link, 49), Some(vec![1]));
        assert_eq!(at(&mut link, 49), None);
        assert_eq!(at(&mut link, 50), Some(vec![0]));
    }

    #[test]
    fn everything_can_be_doubled_or_lost() {
        let one = "1".parse().unwrap();
        let doubled = run(Impairment { duplicate: one, ..Impairment::default() }, 3);
        assert_eq!(numbers(&doubled), [0, 0, 1, 1, 2, 2]);
        assert_eq!(run(Impairment { loss: one, ..Impairment::default() }, 3), []);
    }

    #[test]
    fn losses_come_at_their_rate_and_in_bursts() {
        let burst_loss = "0.01,0.2".parse().ok();
        let out =
            numbers(&run(Impairment { burst_loss, seed: 5, ..Impairment::default() }, 100_000));
        let bursts = out.windows(2).filter(|pair| pair[1] - pair[0] > 1).count();
        let lost = 100_000 - out.len();
        // In the long run a share enter / (enter + leave) is lost, in bursts of 1 / leave.
        assert!((4_200..5_300).contains(&lost), "{lost} lost");
        assert!((850..1_050).contains(&bursts), "{bursts} bursts");
    }

    #[test]
    fn a_seed_fixes_every_fate() {
        let impairment = |seed| Impairment {
            delay: "pareto:5ms,1.5".parse().ok(),
            loss: "0.1".parse().unwrap(),
            duplicate: "0.1".parse().unwrap(),
            reorder: "0.1".parse().unwrap(),
            seed,
            ..Impairment::default()
        };
        assert_eq!(run(impairment(1), 500), run(impairment(1), 500));
        assert_ne!(run(impairment(1), 500), run(impairment(2), 500));
    }

    #[test]
    fn a_flood_is_bounded() {
        let delay = "constant:60s".parse().ok();
        let mut link = Link::new(Impairment { delay, ..Impairment::default() });
        for _ in 0..=MAX_UNDER_WAY {
            link.offer(Vec::new(), Instant::ORIGIN);
        }
        assert_eq!(link.under_way.len(), MAX_UNDER_WAY);
    }
}
