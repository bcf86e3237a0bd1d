//! Asking sources again and again.
//!
//! What came of it is a [`Round`]. Print it where the clock tells no time: it says which source answered what,
//! and why the others did not.

mod background;
mod known;
mod round;

use alloc::vec::Vec;
use core::{fmt, time::Duration};

use surmise_time::MonotonicClock;

use self::known::Known;
pub use self::{
    background::Background,
    round::{Answer, Round},
};
#[cfg(target_os = "linux")]
use crate::source::vmclock::DisruptionWatch;
use crate::{
    select::Smearing,
    source::{Source, SourceError},
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
///
/// # Pauses
///
/// The kernel can be asked each second, and a public NTP server once in a minute. In between, what a source
/// [with a pause](Self::with_pause) said last is used again, grown by its own drift. It is not news: a round in
/// which all that is known is used again makes the sample that was made before, at the instant of that one, so
/// that a clock's [status](crate::ClockStatus) goes by when a source last answered.
///
/// After a disruption was noticed nothing that was said before it is used again, and every source that said
/// something is asked anew in the next round, whatever its pause. If a [`SharedIntervalClock`] is disrupted by
/// somebody else, who cannot tell the sampler, [`Round::feed`] leaves that clock alone until all of a round's
/// answers are from after it.
///
/// [`SharedIntervalClock`]: crate::sync::SharedIntervalClock
pub struct Sampler {
    sources: Vec<Known>,
    #[cfg(target_os = "linux")]
    watch: Option<DisruptionWatch>,
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

    /// Adds a source, which is asked in every round.
    ///
    /// `smearing` is what the source's time does about leap seconds, which no source says itself:
    ///
    /// * of an NTP server, what its operator says. Those of some large providers smear;
    /// * of the kernel, chrony and ClockBound, what the servers do that their daemon follows: the system clock
    ///   of a machine whose chronyd follows smearing servers is [`Smeared`](Smearing::Smeared);
    /// * of a hardware clock, what sets it. One that counts TAI is [`Stepped`](Smearing::Stepped), the default.
    ///
    /// Sources that smear are not compared with sources that do not. A sampler whose sources answer with both
    /// selects nothing, on any day: [`MixedSmearing`](crate::select::SelectionError::MixedSmearing).
    #[must_use]
    pub fn with(self, source: impl Source + Send + 'static, smearing: Smearing) -> Self {
        self.with_pause(source, smearing, Duration::ZERO)
    }

    /// Adds a source that is left alone for so long after it was asked, whether it answered or not.
    ///
    /// Meanwhile its last answer stands: see [Pauses](Self#pauses). The pause counts from the beginning of the
    /// round in which it was asked. For a public NTP server take 64 s.
    #[must_use]
    pub fn with_pause(
        mut self,
        source: impl Source + Send + 'static,
        smearing: Smearing,
        pause: Duration,
    ) -> Self {
        self.sources.push(Known::new(source, smearing, pause));
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

    /// Asks every source whose pause is over, one after the other, and selects.
    ///
    /// Blocks for as long as they take.
    pub fn ask(&mut self, clock: &dyn MonotonicClock) -> Round {
        self.ask_until(clock, || false)
    }

    /// Asks the sources until they are to be left alone. If that is so before the last, the round is of no use.
    fn ask_until(&mut self, clock: &dyn MonotonicClock, stopped: impl Fn() -> bool) -> Round {
        let before = self.was_disrupted();
        let now = clock.now();
        if matches!(before, Ok(true)) {
            self.forget();
        }
        let sources = self.sources.iter_mut().take_while(|_| !stopped());
        let mut answers: Vec<_> = sources.map(|known| known.ask(clock, now)).collect();
        let told = self.sources.iter().any(Known::was_just_disrupted);
        let after = self.was_disrupted();
        let disrupted = if told || matches!(after, Ok(true)) {
            self.forget();
            // What was answered before that is not to be believed, even if the clock did not move.
            Some(clock.now().max(now + Duration::from_nanos(1)))
        } else {
            matches!(before, Ok(true)).then_some(now)
        };
        answers.extend(before.and(after).err().map(|error| Answer::of_watch(error, now)));
        let answered = self.sources.iter().filter(|known| known.has_answered()).count();
        Round::new(answers, now, disrupted, answered.saturating_sub(1) / 2)
    }

    /// Drops what was said before a disruption.
    fn forget(&mut self) {
        self.sources.iter_mut().for_each(Known::forget);
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

impl Default for Sampler {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(Known::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use surmise_time::ManualClock;

    use super::*;
    use crate::Sample;

    struct Silent;

    impl Source for Silent {
        fn sample(&mut self, _: &dyn MonotonicClock) -> Result<Sample, SourceError> {
            Err(SourceError::NoAnswer { waited: Duration::ZERO })
        }

        fn name(&self) -> &str {
            "silent"
        }
    }

    #[test]
    fn the_sources_after_a_stop_are_not_asked() {
        let stepped = Smearing::Stepped;
        let mut sampler =
            Sampler::new().with(Silent, stepped).with(Silent, stepped).with(Silent, stepped);
        let clock = ManualClock::default();
        for (stop, asked) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
            let looks = Cell::new(0);
            let stopped = || looks.replace(looks.get() + 1) == stop;
            assert_eq!(sampler.ask_until(&clock, stopped).answers.len(), asked);
        }
    }
}
