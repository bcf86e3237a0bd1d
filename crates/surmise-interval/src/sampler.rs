//! Asking sources again and again.
//!
//! What came of it is a [`Round`]. Print it where the clock tells no time: it says which source answered what, and why
//! the others did not.

mod background;
mod round;

use alloc::{boxed::Box, vec::Vec};
use core::{fmt, time::Duration};

use surmise_time::MonotonicClock;

pub use self::{
    background::Background,
    round::{Answer, Round},
};
#[cfg(target_os = "linux")]
use crate::source::vmclock::DisruptionWatch;
use crate::{
    select::Smearing,
    source::{Source, SourceError, Unsynchronized},
};

/// Asks several sources, and makes one sample of what they agree on.
///
/// # Which are believed
///
/// It is taken that fewer than half of the sources that ever answered are wrong. Those that answer this time are
/// selected from by [`tolerating`](crate::select::tolerating) that many falsetickers, so that sources which fall
/// silent do not let the others outvote the truth: with each, the interval becomes wider, and once no more
/// answer than may be wrong there is none. A single source is believed. Sources that pass on what one daemon
/// knows are one source: add one of them.
///
/// The sample grows with the greatest drift that any of them states.
pub struct Sampler {
    sources: Vec<Known>,
    #[cfg(target_os = "linux")]
    watch: Option<DisruptionWatch>,
}

/// A source, and what it did before.
struct Known {
    source: Box<dyn Source + Send>,
    smearing: Smearing,
    /// Whether it ever answered.
    answered: bool,
    disrupted: Disrupted,
}

/// Whether a source says that the machine was disrupted, and has not answered since.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disrupted {
    No,
    JustNow,
    Before,
}

impl Sampler {
    /// Creates a sampler without sources.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sources: Vec::new(),
            #[cfg(target_os = "linux")]
            watch: None,
        }
    }

    /// Adds a source.
    #[must_use]
    pub fn with(mut self, source: impl Source + Send + 'static, smearing: Smearing) -> Self {
        let source = Box::new(source);
        self.sources.push(Known { source, smearing, answered: false, disrupted: Disrupted::No });
        self
    }

    /// Looks for disruptions of the machine before and after the sources are asked.
    ///
    /// If they cannot be looked for, the last of a round's answers says why.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn with_watch(mut self, watch: DisruptionWatch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Asks every source, one after the other, and selects.
    ///
    /// Blocks for as long as they take.
    pub fn ask(&mut self, clock: &dyn MonotonicClock) -> Round {
        let before = self.was_disrupted();
        let at = clock.now();
        let mut answers: Vec<_> = self.sources.iter_mut().map(|known| known.ask(clock)).collect();
        let told = self.sources.iter().any(|known| known.disrupted == Disrupted::JustNow);
        let after = self.was_disrupted();
        let disrupted = if told || matches!(after, Ok(true)) {
            // What was answered before that is not to be believed, even if the clock did not move.
            Some(clock.now().max(at + Duration::from_nanos(1)))
        } else {
            matches!(before, Ok(true)).then_some(at)
        };
        answers.extend(before.and(after).err().map(Answer::of_watch));
        let answered = self.sources.iter().filter(|known| known.answered).count();
        Round::new(answers, at, disrupted, answered.saturating_sub(1) / 2)
    }

    /// Returns whether the watch noticed a disruption since it was last asked.
    #[cfg(target_os = "linux")]
    fn was_disrupted(&mut self) -> Result<bool, SourceError> {
        self.watch.as_mut().map_or(Ok(false), |watch| Ok(watch.poll()?.is_some()))
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as where it can be known")]
    fn was_disrupted(&mut self) -> Result<bool, SourceError> {
        Ok(false)
    }
}

impl Known {
    fn ask(&mut self, clock: &dyn MonotonicClock) -> Answer {
        let sample = self.source.sample(clock);
        self.answered |= sample.is_ok();
        let says_so = matches!(
            sample,
            Err(SourceError::Unsynchronized { reason: Unsynchronized::Disrupted })
        );
        // A daemon that died may say so for ever, and is heard once.
        self.disrupted = match self.disrupted {
            _ if sample.is_ok() => Disrupted::No,
            Disrupted::No if says_so => Disrupted::JustNow,
            Disrupted::No => Disrupted::No,
            Disrupted::JustNow | Disrupted::Before => Disrupted::Before,
        };
        Answer { name: self.source.name().into(), smearing: self.smearing, sample }
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|known| known.source.name())).finish()
    }
}
