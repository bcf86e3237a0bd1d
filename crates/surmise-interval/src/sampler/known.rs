use alloc::{boxed::Box, sync::Arc};
use core::time::Duration;

use surmise_time::{Instant, MonotonicClock};

use super::Answer;
use crate::{
    Sample,
    select::Smearing,
    source::{Source, SourceError, Unsynchronized},
};

/// A source, and what it did before.
pub(super) struct Known {
    source: Box<dyn Source + Send>,
    smearing: Smearing,
    /// For how long it is left alone after it was asked.
    pause: Duration,
    /// When it was last asked and what it answered, unless that is not to be used again.
    last: Option<(Instant, Result<Sample, Arc<SourceError>>)>,
    disrupted: Disrupted,
}

/// Whether a source says that the machine was disrupted, and has not answered since.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disrupted {
    No,
    JustNow,
    Before,
}

impl Known {
    pub(super) fn new(
        source: impl Source + Send + 'static,
        smearing: Smearing,
        pause: Duration,
    ) -> Self {
        let (source, last) = (Box::new(source), None);
        Self { source, smearing, pause, last, disrupted: Disrupted::No }
    }

    /// Asks the source in a round that began at `now`, or returns its last answer if it is to be left alone.
    pub(super) fn ask(&mut self, clock: &dyn MonotonicClock, now: Instant) -> Answer {
        let (asked, sample) = match self.last.take() {
            Some((asked, sample)) if now - asked < self.pause => (asked, sample),
            _ => (now, self.source.sample(clock).map_err(Arc::new)),
        };
        self.last = Some((asked, sample.clone()));
        self.disrupted = self.disrupted.after(&sample);
        Answer { name: self.source.name().into(), smearing: self.smearing, asked, sample }
    }

    /// Drops what the source said, so that it is not used again, and tells it of a disruption. A failure is still one.
    pub(super) fn disrupt(&mut self, since: Instant) {
        self.last = self.last.take().filter(|(_, sample)| sample.is_err());
        self.source.disrupted(since);
        // That it says so itself until it knows better is not another one.
        self.disrupted = Disrupted::Before;
    }

    /// Returns whether the source said in this round, and not in the one before, that the machine was disrupted.
    pub(super) fn was_just_disrupted(&self) -> bool {
        self.disrupted == Disrupted::JustNow
    }

    pub(super) fn name(&self) -> &str {
        self.source.name()
    }
}

impl Disrupted {
    fn after(self, sample: &Result<Sample, Arc<SourceError>>) -> Self {
        let says_so = sample.as_ref().is_err_and(|error| {
            let reason = Unsynchronized::Disrupted;
            matches!(**error, SourceError::Unsynchronized { reason: why } if why == reason)
        });
        // A daemon that died may say so for ever, and is heard once.
        match self {
            _ if sample.is_ok() => Self::No,
            Self::No if says_so => Self::JustNow,
            Self::No => Self::No,
            Self::JustNow | Self::Before => Self::Before,
        }
    }
}
