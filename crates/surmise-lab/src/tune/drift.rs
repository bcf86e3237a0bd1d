//! How much faster one host's clock runs than the other's, as the delays of heartbeats tell.
//!
//! Two clocks drift apart, and what they say of delays grows or shrinks with the length of the trace. But the
//! fastest heartbeats take the same time at its start and at its end. So a line is put under the delays, as
//! near to them as one can be: of all that lie below all of them, the one with the least mean distance. It is the
//! edge of their convex hull below the mean time (Moon, Skelly, Towsley, *Estimation and removal of clock skew from
//! network delay measurements*, INFOCOM 1999).

use crate::compare::number::{count, float};

/// The fastest that a heartbeat could be, by time: a line. Times are in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Floor {
    /// The ticks that the delays grow by in a tick.
    pub(crate) slope: f64,
    /// The least delay at time 0.
    pub(crate) height: i128,
}

/// The lower convex hull of delays, which come in order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hull {
    corners: Vec<(u64, i128)>,
    points: usize,
    /// The sum of the times.
    sum: f64,
}

impl Floor {
    /// Returns by how much a delay is longer than that of the fastest.
    pub(crate) fn above(&self, at: u64, delay: i128) -> i128 {
        delay - self.rise(at) - self.height
    }

    /// Returns the highest line with this slope that no delay lies below.
    pub(crate) fn below(slope: f64, delays: impl Iterator<Item = (u64, i128)>) -> Self {
        let flat = Self { slope, height: 0 };
        let height = delays.map(|(at, delay)| flat.above(at, delay)).min();
        Self { height: height.unwrap_or(0), ..flat }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a share of a time that fits")]
    fn rise(&self, at: u64) -> i128 {
        (self.slope * float(at.into())).round() as i128
    }
}

impl Hull {
    pub(crate) fn add(&mut self, at: u64, delay: i128) {
        self.points += 1;
        self.sum += float(at.into());
        while let [.., before, last] = *self.corners {
            // The last corner is none if the way round it is no shorter than the straight one.
            if slope(before, last) < slope(before, (at, delay)) {
                break;
            }
            self.corners.pop();
        }
        match self.corners.last_mut() {
            // At one time, the least counts.
            Some(last) if last.0 == at => last.1 = last.1.min(delay),
            _ => self.corners.push((at, delay)),
        }
    }

    /// Returns the slope of the edge below the mean time, as far as it can be that of clocks.
    pub(crate) fn drift(&self) -> f64 {
        let mean = self.sum / count(self.points.max(1));
        let edges = self.corners.windows(2);
        let edge = edges.filter_map(|edge| match *edge {
            [from, to] => (float(to.0.into()) >= mean).then(|| slope(from, to)),
            _ => None,
        });
        edge.take(1).next().unwrap_or(0.0).clamp(-MAX_DRIFT, MAX_DRIFT)
    }
}

fn slope(from: (u64, i128), to: (u64, i128)) -> f64 {
    float(to.1 - from.1) / float((to.0.saturating_sub(from.0)).max(1).into())
}

/// The most that two clocks drift apart: quartz is off by up to 100 µs a second. What rises faster is no clock.
pub(crate) const MAX_DRIFT: f64 = 2e-4;

#[cfg(test)]
mod tests {
    use quickcheck::{TestResult, quickcheck};

    use super::*;

    fn hull(delays: &[(u64, i128)]) -> Hull {
        let mut hull = Hull::default();
        delays.iter().for_each(|&(at, delay)| hull.add(at, delay));
        hull
    }

    /// Returns delays at growing times: of at most 255 ticks, on a slope.
    fn sample(noise: &[(u8, u8)], slope: i128) -> Vec<(u64, i128)> {
        let mut at = 0;
        let mut beat = |&(wait, late): &(u8, u8)| {
            at += 100_000 + u64::from(wait) * 1_000;
            (at, i128::from(late) + slope * i128::from(at) / 100_000)
        };
        noise.iter().map(&mut beat).collect()
    }

    quickcheck! {
        fn no_line_below_all_delays_is_nearer_to_them(noise: Vec<(u8, u8)>, other: u16) -> TestResult {
            if noise.len() < 2 {
                return TestResult::discard();
            }
            let delays = sample(&noise, 0);
            let distance = |slope| {
                let floor = Floor::below(slope, delays.iter().copied());
                let above = |&(at, delay): &(u64, i128)| floor.above(at, delay);
                assert!(delays.iter().all(|delay| above(delay) >= 0));
                delays.iter().map(above).sum::<i128>()
            };
            let other = (f64::from(other) / f64::from(u16::MAX) - 0.5) * 2.0 * MAX_DRIFT;
            // Up to rounding to whole ticks.
            let rounding = 2 * i128::try_from(delays.len()).unwrap();
            let drift = hull(&delays).drift();
            let is_steep = drift.abs() >= MAX_DRIFT;
            TestResult::from_bool(is_steep || distance(drift) <= distance(other) + rounding)
        }

        fn a_drift_is_found_whatever_its_sign(noise: Vec<(u8, u8)>, slope: i8) -> TestResult {
            if noise.len() < 2 {
                return TestResult::discard();
            }
            let slope = i128::from(slope % 10);
            let [level, drifting] = [0, slope].map(|slope| hull(&sample(&noise, slope)).drift());
            if level.abs() > MAX_DRIFT / 2.0 {
                return TestResult::discard();
            }
            TestResult::from_bool((drifting - level - float(slope) / 1e5).abs() < 2e-5)
        }
    }

    #[test]
    fn what_is_too_steep_for_clocks_is_late() {
        let rising = [(0, 0), (1_000_000, 1_000), (2_000_000, 2_000)];
        let drift = hull(&rising).drift();
        assert_eq!(drift, MAX_DRIFT);
        let floor = Floor::below(drift, rising.into_iter());
        assert_eq!(rising.map(|(at, delay)| floor.above(at, delay)), [0, 800, 1_600]);
        assert_eq!(hull(&[]).drift(), 0.0);
        assert_eq!(hull(&[(7, 9)]).drift(), 0.0);
        assert_eq!(hull(&[(7, 9), (7, 5), (7, 6), (1_000_007, 5)]).drift(), 0.0);
    }
}
