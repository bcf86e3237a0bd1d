//! Every detector on one trace.

use super::{
    catalogue::{Kind, Point},
    confidence::poisson_interval,
    defaults::{Origin, Preset, presets},
    error::CompareError,
    number::float,
    pareto,
    quality::Quality,
    score::Score,
    summary::Summary,
    timeline::Timeline,
};
use crate::trace::Trace;

/// What every detector made of one trace.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) summary: Summary,
    pub(crate) timeline: Timeline,
    pub(crate) results: Vec<Outcome>,
    pub(crate) calibrations: Vec<Calibration>,
    pub(crate) defaults: Vec<DefaultOutcome>,
    /// Whether the points were asked for one by one, rather than swept.
    pub(crate) chosen: bool,
}

/// What one detector with one parameter made of the trace.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) point: Point,
    pub(crate) quality: Quality,
    /// Whether no other result is as good in mistakes and detection time, and better in one.
    pub(crate) on_front: bool,
}

/// What a detector as it comes made of the trace.
#[derive(Clone, Debug)]
pub(crate) struct DefaultOutcome {
    pub(crate) name: &'static str,
    pub(crate) settings: String,
    pub(crate) origin: Origin,
    pub(crate) quality: Quality,
    /// The defaults of the other side, of peers or of ours, that are as good in mistakes and detection time, and better in one.
    pub(crate) dominated_by: Vec<&'static str>,
}

/// A detector set to make mistakes at a certain rate, and what it made.
#[derive(Clone, Debug)]
pub(crate) struct Calibration {
    pub(crate) nominal_rate: f64,
    pub(crate) point: Point,
    pub(crate) quality: Quality,
}

impl Comparison {
    /// The rates of mistakes, per heartbeat, that are held against what they promise.
    pub(crate) const NOMINAL_RATES: [f64; 3] = [0.1, 0.01, 0.001];

    /// Returns how many replays a comparison takes.
    pub(crate) fn replays(timeline: &Timeline, points: &[Point]) -> usize {
        let defaults = match points {
            [] => presets(timeline).map_or(0, |presets| presets.len()),
            _ => 0,
        };
        chosen(timeline, points).len() + calibrated(points).len() + defaults
    }

    /// Replays every point, or each detector's sweep if there are none, and tells `step` of each.
    pub(crate) fn new(
        trace: &Trace,
        timeline: Timeline,
        points: &[Point],
        step: &dyn Fn(),
    ) -> Result<Self, CompareError> {
        let replay = |point: Point| {
            let quality = point
                .detector(&timeline)
                .map(|mut detector| timeline.replay(detector.as_mut()))
                .map_err(|error| {
                    CompareError::config(&trace.name, point.kind.name(), &timeline, &error)
                });
            step();
            quality
        };
        let mut results = Vec::new();
        for point in chosen(&timeline, points) {
            results.push(Outcome { point, quality: replay(point)?, on_front: false });
        }
        mark_front(&mut results);
        let mut calibrations = Vec::new();
        for (nominal_rate, point) in calibrated(points) {
            let quality = replay(point)?;
            calibrations.push(Calibration { nominal_rate, point, quality });
        }
        let mut defaults = Vec::new();
        if points.is_empty() {
            let presets = presets(&timeline).map_err(|error| {
                CompareError::config(&trace.name, "a default", &timeline, &error)
            })?;
            defaults = replay_presets(presets, &timeline, step);
        }
        Ok(Self {
            name: trace.name.clone(),
            summary: Summary::new(trace, &timeline),
            timeline,
            results,
            calibrations,
            defaults,
            chosen: !points.is_empty(),
        })
    }

    /// Returns the objects of `--json`.
    pub(crate) fn scores(&self) -> impl Iterator<Item = Score<'_>> {
        let score = |outcome: &Outcome| Score::new(&self.name, outcome.point, &outcome.quality);
        self.results.iter().map(score)
    }

    /// Returns the results of one kind of detector.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Outcome> {
        self.results.iter().filter(move |outcome| outcome.point.kind == kind)
    }

    /// Returns the kinds that have results.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|&kind| self.of(kind).next().is_some())
    }

    /// Returns whether a peer's default is better than one of ours.
    pub(crate) fn has_dominated_default(&self) -> bool {
        let ours = self.defaults.iter().filter(|outcome| outcome.origin == Origin::Ours);
        ours.into_iter().any(|outcome| !outcome.dominated_by.is_empty())
    }

    /// Returns the mistakes of a kind of detector at a mean detection time in seconds.
    pub(crate) fn mistakes_at(&self, kind: Kind, detection_time: f64) -> Option<f64> {
        let merits: Vec<(f64, u64)> = self.of(kind).map(Outcome::merit).collect();
        pareto::mistakes_at(&merits, detection_time)
    }
}

impl Outcome {
    /// Returns what the results are ranked by: the mean detection time and the mistakes.
    pub(crate) fn merit(&self) -> (f64, u64) {
        (self.quality.detection_time(), self.quality.mistakes())
    }
}

impl DefaultOutcome {
    fn merit(&self) -> (f64, u64) {
        (self.quality.detection_time(), self.quality.mistakes())
    }
}

impl Calibration {
    /// Returns how many mistakes were promised.
    pub(crate) fn expected(&self) -> f64 {
        self.nominal_rate * float(self.quality.scored().into())
    }

    /// Returns the observed rate as a multiple of the nominal one, and its 95 % confidence interval.
    pub(crate) fn ratio(&self) -> (f64, (f64, f64)) {
        let (low, high) = poisson_interval(self.quality.mistakes());
        let ratio = |mistakes: f64| mistakes / self.expected();
        (ratio(float(self.quality.mistakes().into())), (ratio(low), ratio(high)))
    }
}

/// Returns the points that are replayed: those asked for, or the sweeps.
fn chosen(timeline: &Timeline, points: &[Point]) -> Vec<Point> {
    if !points.is_empty() {
        return points.iter().map(|point| point.on(timeline)).collect();
    }
    let interval = timeline.interval_seconds();
    let swept = Kind::ALL.into_iter().flat_map(|kind| kind.sweep(interval));
    swept.filter(|point| point.fits(timeline)).map(|point| point.on(timeline)).collect()
}

/// Returns the points that promise a rate of mistakes, with that rate; none if points were asked for.
fn calibrated(points: &[Point]) -> Vec<(f64, Point)> {
    let kinds: &[Kind] = if points.is_empty() { &Kind::ALL } else { &[] };
    let promises = |kind: &Kind| {
        let kind = *kind;
        let rates = Comparison::NOMINAL_RATES.into_iter();
        rates.filter_map(move |rate| Some((rate, kind.for_nominal_rate(rate)?)))
    };
    kinds.iter().flat_map(promises).collect()
}

fn mark_front(results: &mut [Outcome]) {
    let merits: Vec<(f64, u64)> = results.iter().map(Outcome::merit).collect();
    for (outcome, on_front) in results.iter_mut().zip(pareto::front(&merits)) {
        outcome.on_front = on_front;
    }
}

fn replay_presets(
    presets: Vec<Preset>,
    timeline: &Timeline,
    step: &dyn Fn(),
) -> Vec<DefaultOutcome> {
    let replay = |mut preset: Preset| {
        let quality = timeline.replay(preset.detector.as_mut());
        step();
        let Preset { name, settings, origin, .. } = preset;
        DefaultOutcome { name, settings, origin, quality, dominated_by: Vec::new() }
    };
    let mut outcomes: Vec<DefaultOutcome> = presets.into_iter().map(replay).collect();
    let rivals: Vec<_> =
        outcomes.iter().map(|rival| (rival.origin, rival.name, rival.merit())).collect();
    for outcome in &mut outcomes {
        let better = rivals.iter().filter(|(origin, _, merit)| {
            *origin != outcome.origin && pareto::dominates(*merit, outcome.merit())
        });
        outcome.dominated_by = better.map(|(_, name, _)| *name).collect();
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;
    use crate::trace::HeartbeatRecord;

    #[test]
    fn the_number_of_replays_is_known_before() {
        let second = 1_000_000_000;
        let beat = |i| HeartbeatRecord::new(i, Some(i * second), Some(i * second));
        let trace = Trace::new("t", (0..110).map(beat).collect());
        for points in [&[][..], &["phi=8", "fixed=2"]] {
            let points: Vec<Point> = points.iter().map(|point| point.parse().unwrap()).collect();
            let timeline = Timeline::new(&trace, false, 0).unwrap();
            let known = Comparison::replays(&timeline, &points);
            let made = Cell::new(0);
            Comparison::new(&trace, timeline, &points, &|| made.set(made.get() + 1)).unwrap();
            assert_eq!(made.get(), known);
        }
    }
}
