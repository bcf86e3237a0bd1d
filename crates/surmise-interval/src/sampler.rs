//! Asking sources again and again.

mod background;

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use surmise_time::{Instant, MonotonicClock};

pub use self::background::Background;
use crate::{
    Drift, Sample,
    select::{self, Candidate, Selection, SelectionError, Smearing},
    source::{Source, SourceError, Unsynchronized},
};

/// Asks several sources at once, and makes one sample of what they agree on.
///
/// A source that does not answer is no falseticker: those that do must agree by majority, by
/// [`select::majority`]. So one that lies wins when the others are silent: look at the [`Round`]s. Sources
/// that pass on what one daemon knows are one source: add one of them. The sample grows with the greatest drift that any of them states.
pub struct Sampler {
    sources: Vec<(Box<dyn Source + Send>, Smearing)>,
}

impl Sampler {
    /// Creates a sampler without sources.
    #[must_use]
    pub const fn new() -> Self {
        Self { sources: Vec::new() }
    }

    /// Adds a source.
    #[must_use]
    pub fn with(mut self, source: impl Source + Send + 'static, smearing: Smearing) -> Self {
        self.sources.push((Box::new(source), smearing));
        self
    }

    /// Asks every source, one after the other, and selects.
    ///
    /// Blocks for as long as they take.
    pub fn ask(&mut self, clock: &dyn MonotonicClock) -> Round {
        let ask = |(source, smearing): &mut (Box<dyn Source + Send>, Smearing)| Answer {
            name: source.name().into(),
            smearing: *smearing,
            sample: source.sample(clock),
        };
        Round::of(self.sources.iter_mut().map(ask).collect(), clock.now())
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|(source, _)| source.name())).finish()
    }
}

/// What one source answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// What the source is called.
    pub name: String,
    /// What it does about leap seconds.
    pub smearing: Smearing,
    /// What it says, or why it says nothing.
    pub sample: Result<Sample, SourceError>,
}

/// What came of asking all sources once.
#[derive(Debug)]
#[non_exhaustive]
pub struct Round {
    /// What each answered, in the order in which they were added.
    pub answers: Vec<Answer>,
    /// When they had all answered; the instant at which they are compared.
    pub at: Instant,
    /// What those that answered agree on.
    pub selection: Result<Selection<String>, SelectionError>,
}

impl Round {
    fn of(answers: Vec<Answer>, at: Instant) -> Self {
        let candidate = |answer: &Answer| {
            let sample = answer.sample.as_ref().ok()?;
            let (name, smearing) = (answer.name.clone(), answer.smearing);
            Some(Candidate { name, interval: sample.interval_at(at), smearing })
        };
        let candidates: Vec<_> = answers.iter().filter_map(candidate).collect();
        let selection = select::majority(&candidates);
        Self { answers, at, selection }
    }

    /// Returns whether a source says that the machine was disrupted, so that a clock is to forget what it knows.
    #[must_use]
    pub fn is_disrupted(&self) -> bool {
        let mut errors = self.answers.iter().filter_map(|answer| answer.sample.as_ref().err());
        errors.any(|error| {
            matches!(error, SourceError::Unsynchronized { reason: Unsynchronized::Disrupted })
        })
    }

    /// Returns what to feed a clock with, if sources agree.
    #[must_use]
    pub fn sample(&self) -> Option<Sample> {
        let interval = self.selection.as_ref().ok()?.interval;
        let samples = self.answers.iter().filter_map(|answer| answer.sample.as_ref().ok());
        let drift = samples.map(Sample::drift).max().unwrap_or(Drift::MAX);
        Some(Sample::new(interval, self.at, drift))
    }
}
