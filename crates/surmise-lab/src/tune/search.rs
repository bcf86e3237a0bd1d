//! The slowest parameter at which a detector keeps the detection time.
//!
//! A slower parameter never makes more mistakes, so there is no reason to be faster than was asked for.

use surmise_detector::ConfigError;

use super::history::{Arrival, History, PARTS};
use crate::compare::{
    catalogue::{Kind, MAX_TICKS, Point},
    number::{float, round},
};

/// A detector with its parameter, and the longest that a heartbeat may vouch for the peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Setting {
    pub(crate) point: Point,
    /// In whole nanoseconds. Whatever the detector says, its deadline is no later than this after the last
    /// heartbeat.
    pub(crate) limit: u64,
}

/// How the patience of a kind of detector follows from its parameter.
#[derive(Debug)]
pub(crate) enum Family {
    /// It is the parameter, plus this many ticks for each arrival.
    Shifted {
        /// The kind, whose parameter is a time.
        kind: Kind,
        /// What the parameter is added to.
        base: Vec<i64>,
        /// The greatest of them in the first 1, 2, … parts.
        greatest: [i64; PARTS],
        /// What the detection times are without the parameter.
        times: Times,
    },
    /// It must be replayed, and rises with the parameters of this sweep.
    Swept {
        /// The points, the fastest first.
        points: Vec<Point>,
        /// The greatest patience in the first 1, 2, … parts, for each point that was replayed.
        greatest: Vec<Option<[u64; PARTS]>>,
    },
}

/// The detection times of a kind whose parameter is added to all of them, without it. In ticks.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// The worst of the first 1, 2, … parts, and what is kept free for worse ones.
    known: [(i128, i128); PARTS],
}

impl Family {
    pub(crate) fn new(kind: Kind, history: &History<'_>) -> Result<Self, ConfigError> {
        if kind == Kind::Fixed {
            return Ok(Self::shifted(kind, history, vec![0; history.arrivals.len()]));
        }
        if kind.is_time() {
            // So long that no deadline has passed when its heartbeat comes, which would hide the base.
            let parameter = history.scale().seconds((MAX_TICKS / 2).into());
            let point = Point { kind, parameter }.on(history.timeline);
            let margin = history.scale().ticks_from_seconds(point.parameter);
            let shift = |patience: u64| patience.cast_signed().wrapping_sub(margin.cast_signed());
            let base = history.patience(point)?.into_iter().map(shift).collect();
            return Ok(Self::shifted(kind, history, base));
        }
        let interval = history.timeline.interval_seconds();
        let points: Vec<Point> = kind.sweep(interval).into_iter().map(rounded).collect();
        Ok(Self::Swept { greatest: vec![None; points.len()], points })
    }

    fn shifted(kind: Kind, history: &History<'_>, base: Vec<i64>) -> Self {
        let mut parts = 0;
        let greatest = [(); PARTS].map(|()| {
            parts += 1;
            base.iter().take(history.up_to(parts).len()).max().copied().unwrap_or(0)
        });
        let times = if kind == Kind::Chen { Times::new(history, &base) } else { Times::default() };
        Self::Shifted { kind, base, greatest, times }
    }

    /// Returns the slowest setting that keeps a detection time, in nanoseconds, on the first `parts`
    /// parts, with a reserve; `None` if even the fastest is too slow.
    pub(crate) fn slowest(
        &mut self,
        history: &History<'_>,
        parts: usize,
        detection_time: u64,
    ) -> Result<Option<Setting>, ConfigError> {
        let index = parts.wrapping_sub(1);
        let Some(limit) = time_to_wait(history, parts, detection_time) else { return Ok(None) };
        Ok(match self {
            Self::Shifted { kind: Kind::Chen, greatest, times, .. } => {
                let known = times.known.get(index).copied().unwrap_or_default();
                let greatest = greatest.get(index).copied().unwrap_or_default();
                slowest_chen(history, known, greatest, history.ticks(detection_time))
            }
            Self::Shifted { kind, greatest, .. } => {
                let greatest = greatest.get(index).copied().unwrap_or_default();
                let margin = i128::from(history.ticks(limit)) - i128::from(greatest);
                let setting = |nanos| Setting { point: in_nanos(*kind, nanos), limit };
                ticks_to_nanos(history, margin).map(|nanos| setting(round_down(nanos, 3)))
            }
            Self::Swept { points, greatest } => {
                let ticks = history.ticks(limit);
                let point = slowest_point(history, points, greatest, parts, ticks)?;
                point.map(|point| Setting { point, limit })
            }
        })
    }

    /// Returns whether a setting has the slowest parameter that is tried of its kind.
    pub(crate) fn is_slowest_tried(setting: Setting, interval: f64) -> bool {
        let Point { kind, parameter } = setting.point;
        let slowest = kind.sweep(interval).pop().map(rounded);
        !kind.is_time() && slowest.is_some_and(|slowest| slowest.parameter == parameter)
    }

    /// Returns for how long each arrival vouches for the peer with this parameter, in ticks, without the
    /// limit.
    pub(crate) fn patience(
        &self,
        history: &History<'_>,
        point: Point,
    ) -> Result<Vec<u64>, ConfigError> {
        match self {
            Self::Shifted { base, .. } => {
                let margin = history.scale().ticks_from_seconds(point.parameter).cast_signed();
                let shift = |base: &i64| u64::try_from(base.saturating_add(margin)).unwrap_or(0);
                Ok(base.iter().map(shift).collect())
            }
            Self::Swept { .. } => history.patience(point),
        }
    }
}

/// Returns how many nanoseconds the worst heartbeat of the first `parts` parts, and a reserve, leave to wait.
///
/// The reserve is the worst lateness once more, or as much as lateness grew from the parts before to a next one,
/// if that is more. That growth is known from the whole trace, so the parts that are held back do not test the
/// detection time: they test the mistakes. Of the whole trace, lateness cannot grow by more than it came to.
pub(crate) fn time_to_wait(
    history: &History<'_>,
    parts: usize,
    detection_time: u64,
) -> Option<u64> {
    let part = history.parts.get(parts.wrapping_sub(1))?;
    let reserve = part.lateness.saturating_add(part.lateness.max(history.growth()));
    let limit = detection_time.checked_sub(history.nanos(reserve))?;
    Some(round_down(limit, 3)).filter(|&limit| limit > 0)
}

impl Times {
    /// Chen's deadlines follow from the sender's schedule, so a late heartbeat does not move them: the longer it
    /// took, the less is left of its patience. Hence the reserve is not taken from every heartbeat's patience:
    /// the worst detection time is that of this trace and once more what made it so, be it the lateness of a
    /// heartbeat or that of the whole schedule, or what it grew by from the parts before to a next one.
    fn new(history: &History<'_>, base: &[i64]) -> Self {
        let mut parts = 0;
        let known = history.parts.each_ref().map(|part| {
            parts += 1;
            let arrivals = history.up_to(parts).iter().zip(base);
            let time = |(arrival, base): (&Arrival, &i64)| {
                part.floor.above(arrival.at, arrival.delay) + i128::from(*base)
            };
            let mut times: Vec<i128> = arrivals.map(time).collect();
            let worst = times.iter().max().copied().unwrap_or(0);
            let middle = times.len() / 2;
            let unusual =
                if times.is_empty() { 0 } else { worst - *times.select_nth_unstable(middle).1 };
            (worst, unusual.max(part.lateness.into()))
        });
        let growth = known.iter().zip(history.parts.iter().skip(1)).map(|((worst, _), next)| {
            let range = next.arrivals.clone();
            let arrivals = history.arrivals.get(range.clone()).unwrap_or_default();
            let base = base.get(range).unwrap_or_default();
            let time = |(arrival, base): (&Arrival, &i64)| arrival.late + i128::from(*base);
            arrivals.iter().zip(base).map(time).max().unwrap_or(*worst) - worst
        });
        let growth = growth.max().unwrap_or(0);
        Self { known: known.map(|(worst, reserve)| (worst, reserve.max(growth))) }
    }
}

/// Returns Chen's detector with the largest margin that keeps the detection time, in ticks.
///
/// The limit is what the detector waited at most by itself. That is less than the detection time by the worst
/// lateness, so that no heartbeat that comes as late makes it slower, whatever has become of the schedule.
fn slowest_chen(
    history: &History<'_>,
    (worst, reserve): (i128, i128),
    greatest: i64,
    detection_time: u64,
) -> Option<Setting> {
    let margin = i128::from(detection_time) - reserve - worst;
    let margin = round_down(ticks_to_nanos(history, margin)?, 3);
    let waited = i128::from(history.ticks(margin)) + i128::from(greatest);
    let limit = round_down(ticks_to_nanos(history, waited)?, 6);
    (limit > 0).then_some(Setting { point: in_nanos(Kind::Chen, margin), limit })
}

/// Finds the slowest point whose patience stayed within a limit, on a sweep that gets ever slower.
fn slowest_point(
    history: &History<'_>,
    points: &[Point],
    greatest: &mut [Option<[u64; PARTS]>],
    parts: usize,
    limit: u64,
) -> Result<Option<Point>, ConfigError> {
    let mut keeps = |index: usize| {
        let (Some(point), Some(known)) = (points.get(index), greatest.get_mut(index)) else {
            return Ok(None);
        };
        let greatest = match known {
            Some(greatest) => greatest,
            None => known.insert(greatest_patience(history, *point)?),
        };
        let worst = greatest.get(parts.wrapping_sub(1)).copied().unwrap_or(u64::MAX);
        Ok((worst <= limit).then_some(*point))
    };
    let mut found = keeps(0)?;
    if found.is_none() {
        return Ok(None);
    }
    let (mut fast, mut slow) = (0, points.len());
    while slow - fast > 1 {
        let middle = usize::midpoint(fast, slow);
        match keeps(middle)? {
            Some(point) => {
                found = Some(point);
                fast = middle;
            }
            None => slow = middle,
        }
    }
    Ok(found)
}

/// Replays a point, and returns the greatest patience in the first 1, 2, … parts.
fn greatest_patience(history: &History<'_>, point: Point) -> Result<[u64; PARTS], ConfigError> {
    let patience = history.patience(point)?;
    let mut greatest = 0;
    let mut parts = history.parts.iter();
    Ok([(); PARTS].map(|()| {
        let part = parts.next().and_then(|part| patience.get(part.arrivals.clone()));
        greatest = part.unwrap_or_default().iter().copied().fold(greatest, u64::max);
        greatest
    }))
}

/// Returns the point with a parameter of few digits, so that it is fit to be read and copied.
fn rounded(point: Point) -> Point {
    let three_digits = |value: f64| format!("{value:.2e}").parse().unwrap_or(value);
    let parameter = match point.kind {
        // What counts is how far it is from one.
        Kind::Exponential => 1.0 - three_digits(1.0 - point.parameter),
        // Shares that fall between two ranks of the window; see the sweep.
        Kind::Satzger => point.parameter,
        _ => three_digits(point.parameter),
    };
    Point { parameter, ..point }
}

fn in_nanos(kind: Kind, nanos: u64) -> Point {
    Point { kind, parameter: float(nanos.into()) / 1e9 }
}

/// Returns the whole nanoseconds in so many ticks, rounded down; `None` if they are negative.
fn ticks_to_nanos(history: &History<'_>, ticks: i128) -> Option<u64> {
    (ticks >= 0).then(|| round((history.scale().seconds(ticks) * 1e9).floor()))
}

/// Rounds a number down to this many digits.
fn round_down(number: u64, digits: u32) -> u64 {
    let length = number.checked_ilog10().map_or(1, |log| log + 1);
    let unit = 10_u64.saturating_pow(length.saturating_sub(digits));
    number / unit * unit
}

#[cfg(test)]
mod tests;
