//! What a kind of detector made of a trace: of the parts that were held back, and of all of it.

use core::ops::Range;

use surmise_detector::ConfigError;

use super::{
    bounds::{Counted, Rate, counts, dispersion, mean_interval},
    history::{History, PARTS},
    search::{Family, Setting, time_to_wait},
};
use crate::compare::{catalogue::Kind, number::float, schedule::Scale};

/// The settings of a kind for a detection time, and what they were worth.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// The setting that follows from the whole trace.
    pub(crate) setting: Setting,
    /// The settings that followed from the first part, the first two and so on, without the whole.
    pub(crate) taught: Vec<Setting>,
    /// What the settings that followed from the parts before made of each part but the first.
    pub(crate) held_back: Tally,
    /// What the setting that follows from the whole trace makes of all of it.
    pub(crate) whole: Tally,
}

/// What came of a number of arrivals. Times are in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) counted: Counted,
    pub(crate) detection_time: f64,
    pub(crate) detection_time_max: f64,
    /// The mean length of a mistake, or 0.
    pub(crate) mistake_duration: f64,
    /// The standard deviation of these lengths.
    pub(crate) mistake_deviation: f64,
    /// The longest silence, as a share of what the detector would have waited; above 1 it was a mistake.
    pub(crate) closest_call: f64,
}

impl Trial {
    /// Tries a kind with a detection time, in nanoseconds; `None` if it is too slow for that.
    pub(crate) fn new(
        family: &mut Family,
        history: &History<'_>,
        detection_time: u64,
    ) -> Result<Option<Self>, ConfigError> {
        let mut settings = Vec::new();
        for parts in 1..=PARTS {
            match family.slowest(history, parts, detection_time)? {
                Some(setting) => settings.push(setting),
                None => return Ok(None),
            }
        }
        let Some(setting) = settings.pop() else { return Ok(None) };
        // Mistakes of a detector that counts from the last arrival are those of a timeout, and more. So they are taken to
        // cluster at least as those do, or one that errs more often than a timeout could seem to err less; and where
        // what it makes besides comes closer together, as that does.
        let mut clusters =
            history.clustering(time_to_wait(history, PARTS, detection_time).unwrap_or(0));
        let recommended = family.patience(history, setting.point)?;
        let mut whole = Sums::new(history, 0..PARTS);
        whole.add(history, 0..PARTS, setting, &recommended);
        let mut held_back = Sums::new(history, 1..PARTS);
        for (part, &taught) in (1..PARTS).zip(&settings) {
            if taught.point == setting.point {
                held_back.add(history, part..part + 1, taught, &recommended);
            } else {
                let patience = family.patience(history, taught.point)?;
                held_back.add(history, part..part + 1, taught, &patience);
            }
        }
        if setting.point.kind != Kind::Fixed {
            clusters = clusters.max(held_back.dispersion()).max(whole.dispersion());
        }
        let [held_back, whole] = [held_back, whole].map(|sums| sums.tally(clusters));
        Ok(Some(Self { setting, taught: settings, held_back, whole }))
    }

    /// Returns the rate of mistakes on the parts that were held back, and an interval that holds it and
    /// that of the recommended setting on the whole trace.
    pub(crate) fn rate(&self, confidence: f64) -> Rate {
        self.held_back.counted.rate(confidence).hull(self.whole.counted.rate(confidence))
    }

    /// Returns the mistakes on what was held back or on the whole, whichever are more.
    pub(crate) fn mistakes(&self) -> u64 {
        self.held_back.counted.mistakes.max(self.whole.counted.mistakes)
    }

    /// Returns by what factor the trace would have to be longer to show a rate, in mistakes a second.
    pub(crate) fn stretch_to(&self, allowed: f64, confidence: f64) -> Option<f64> {
        let held_back = self.held_back.counted.stretch_to(allowed, confidence)?;
        Some(held_back.max(self.whole.counted.stretch_to(allowed, confidence)?))
    }
}

impl Tally {
    /// Returns the interval that holds the mean length of a mistake.
    pub(crate) fn duration_interval(&self, confidence: f64) -> (f64, f64) {
        let measured = (self.mistake_duration, self.mistake_deviation);
        mean_interval(self.counted.mistakes, self.counted.dispersion, measured, confidence)
    }
}

/// The sums behind a [`Tally`], in ticks.
struct Sums {
    time: Range<u64>,
    span: f64,
    scale: Scale,
    scored: u64,
    /// When mistakes began.
    mistakes: Vec<u64>,
    mistake_sum: i128,
    /// In seconds.
    mistake_squares: f64,
    detection_sum: i128,
    detection_max: i128,
    closest_call: f64,
}

impl Sums {
    fn new(history: &History<'_>, parts: Range<usize>) -> Self {
        let span = history.seconds_of(parts.clone());
        let parts = history.parts.get(parts).unwrap_or_default();
        Self {
            time: parts.first().map_or(0, |part| part.start)
                ..parts.last().map_or(0, |part| part.end),
            span,
            scale: history.scale(),
            scored: 0,
            mistakes: Vec::new(),
            mistake_sum: 0,
            mistake_squares: 0.0,
            detection_sum: 0,
            detection_max: i128::MIN,
            closest_call: 0.0,
        }
    }

    /// Takes in what a setting made of some parts.
    fn add(
        &mut self,
        history: &History<'_>,
        parts: Range<usize>,
        setting: Setting,
        patience: &[u64],
    ) {
        let limit = history.ticks(setting.limit);
        for part in history.parts.get(parts).unwrap_or_default() {
            let arrivals = history.arrivals.get(part.arrivals.clone()).unwrap_or_default();
            let patience = patience.get(part.arrivals.clone()).unwrap_or_default();
            for (arrival, &patience) in arrivals.iter().zip(patience) {
                let patience = patience.min(limit);
                let detection = arrival.late + i128::from(patience);
                self.scored += 1;
                self.detection_sum += detection;
                self.detection_max = self.detection_max.max(detection);
                let call = float(arrival.silence.into()) / float(patience.max(1).into());
                self.closest_call = self.closest_call.max(call);
                if arrival.silence > patience {
                    let duration = i128::from(arrival.silence - patience);
                    self.mistake_sum += duration;
                    self.mistake_squares += self.scale.seconds(duration).powi(2);
                    self.mistakes.push(arrival.at + patience);
                }
            }
        }
    }

    /// Returns how many of its own mistakes came together.
    fn dispersion(&self) -> f64 {
        dispersion(&counts(&self.time, self.mistakes.iter().copied()))
    }

    /// Returns what came of it, if so many mistakes come together.
    fn tally(self, dispersion: f64) -> Tally {
        let seconds = |ticks| self.scale.seconds(ticks);
        let mistakes = u64::try_from(self.mistakes.len()).unwrap_or(u64::MAX);
        let counted = Counted { mistakes, dispersion, span: self.span };
        let mean = |sum: i128, items: u64| seconds(sum) / float(i128::from(items.max(1)));
        let duration = mean(self.mistake_sum, mistakes);
        let variance = self.mistake_squares - float(mistakes.into()) * duration * duration;
        let degrees = float(mistakes.saturating_sub(1).max(1).into());
        Tally {
            counted,
            detection_time: mean(self.detection_sum, self.scored),
            detection_time_max: seconds(self.detection_max.max(0)),
            mistake_duration: duration,
            mistake_deviation: (variance / degrees).max(0.0).sqrt(),
            closest_call: self.closest_call,
        }
    }
}

#[cfg(test)]
mod tests;
