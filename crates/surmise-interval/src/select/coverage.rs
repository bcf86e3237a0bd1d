use alloc::vec::Vec;

use surmise_time::WallTime;

use crate::Interval;

/// How many intervals hold each point of time.
pub(super) struct Coverage {
    /// Where intervals begin and end. At one time beginnings come first, so that intervals which touch
    /// have that point in common.
    edges: Vec<(WallTime, Edge)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Begin,
    End,
}

impl Coverage {
    pub(super) fn new(intervals: impl Iterator<Item = Interval>) -> Self {
        let ends = |interval: Interval| {
            [(interval.earliest(), Edge::Begin), (interval.latest(), Edge::End)]
        };
        let mut edges: Vec<_> = intervals.flat_map(ends).collect();
        edges.sort_unstable();
        Self { edges }
    }

    /// Returns how many intervals hold the point that the most hold.
    pub(super) fn most(&self) -> usize {
        let held = self.edges.iter().scan(0, |held, (_, edge)| {
            match edge {
                Edge::Begin => *held += 1,
                Edge::End => *held -= 1,
            }
            Some(*held)
        });
        held.max().unwrap_or(0)
    }

    /// Returns the stretches of time that at least so many intervals hold, ascending.
    pub(super) fn stretches(&self, least: usize) -> Vec<Interval> {
        let (mut held, mut since, mut stretches) = (0, WallTime::UNIX_EPOCH, Vec::new());
        for &(time, edge) in &self.edges {
            match edge {
                Edge::Begin => {
                    held += 1;
                    if held == least {
                        since = time;
                    }
                }
                Edge::End => {
                    if held == least {
                        stretches.push(Interval::from_ordered(since, time));
                    }
                    held -= 1;
                }
            }
        }
        stretches
    }
}
