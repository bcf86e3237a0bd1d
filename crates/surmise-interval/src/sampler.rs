//! Asking sources again and again.
//!
//! What came of it is a [`Round`]. Print it where the clock tells no time: it says which source answered what,
//! and why the others did not.

mod background;
mod known;
#[cfg(target_os = "linux")]
mod lookout;
mod round;

use alloc::vec::Vec;
use core::{fmt, time::Duration};

use surmise_time::{Instant, MonotonicClock};

use self::known::Known;
#[cfg(target_os = "linux")]
use self::lookout::Lookout;
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
/// It is taken that fewer than half of the sources are wrong, or as many as [`with_falsetickers`](Self::with_falsetickers)
/// says. Those that answer are selected from by [`tolerating`](crate::select::tolerating) that many falsetickers, so
/// that sources which are silent do not let the others outvote the truth: with each, the interval becomes wider, and
/// once no more answer than may be wrong there is none. A single source is believed, and of two none may be wrong:
/// which of them it is could not be told. Sources that pass on what one daemon knows are one source: add one of them.
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
///
/// # Disruptions
///
/// After the machine was suspended, both of its clocks have been set from one that may be wrong by a second, and after it
/// was moved or restored its boot clock may have stood still. Then what was known before is dropped, a clock that is fed
/// with the round is [disrupted](crate::IntervalClock::disrupt), and the sources are
/// [told](Source::disrupted). Suspensions are noticed on Linux, others if there is a
/// [watch](Self::with_watch). Between that and the next round nobody knows: ask often, or do not suspend.
pub struct Sampler {
    sources: Vec<Known>,
    falsetickers: Option<usize>,
    #[cfg(target_os = "linux")]
    lookout: Lookout,
}

impl Sampler {
    /// Creates a sampler without sources.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sources: Vec::new(),
            falsetickers: None,
            #[cfg(target_os = "linux")]
            lookout: Lookout::default(),
        }
    }

    /// Adds a source, which is asked in every round.
    ///
    /// `smearing` is what the source's time does about leap seconds, which no source says itself:
    ///
    /// * of an NTP server, what its operator says. Those of some large providers smear;
    /// * of the kernel, chrony and ClockBound, what the servers do that their daemon follows: the system clock
    ///   of a machine whose chronyd follows smearing servers is [`Smeared`](Smearing::Smeared);
    /// * of a hardware clock, what sets it. One that counts TAI is [`Stepped`](Smearing::Stepped).
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

    /// States how many of the sources may be wrong at once.
    ///
    /// By default it is fewer than half: none of two, one of three or four, two of five.
    #[must_use]
    pub fn with_falsetickers(mut self, falsetickers: usize) -> Self {
        self.falsetickers = Some(falsetickers);
        self
    }

    /// Looks for disruptions of the machine before and after the sources are asked.
    ///
    /// If they cannot be looked for, the last of a round's answers says why. If they could be before, that counts as
    /// one.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn with_watch(mut self, watch: DisruptionWatch) -> Self {
        self.lookout.set_watch(watch);
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
        let before = self.look();
        let now = clock.now();
        if before.disrupted {
            self.disrupt(now);
        }
        let sources = self.sources.iter_mut().take_while(|_| !stopped());
        let mut answers: Vec<_> = sources.map(|known| known.ask(clock, now)).collect();
        let told = self.sources.iter().any(Known::was_just_disrupted);
        let after = self.look();
        let disrupted = if told || after.disrupted {
            // What was answered before that is not to be believed, even if the clock did not move.
            let since = clock.now().max(now + Duration::from_nanos(1));
            self.disrupt(since);
            Some(since)
        } else {
            before.disrupted.then_some(now)
        };
        let error = before.error.or(after.error);
        answers.extend(error.map(|error| Answer::of_watch(error, now)));
        let fewer_than_half = self.sources.len().saturating_sub(1) / 2;
        Round::new(answers, now, disrupted, self.falsetickers.unwrap_or(fewer_than_half))
    }

    /// Drops what was said before a disruption, and tells the sources.
    fn disrupt(&mut self, since: Instant) {
        self.sources.iter_mut().for_each(|known| known.disrupt(since));
    }

    #[cfg(target_os = "linux")]
    fn look(&mut self) -> Sight {
        self.lookout.look()
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "as where it can be known")]
    fn look(&mut self) -> Sight {
        Sight { disrupted: false, error: None }
    }
}

/// What was seen of disruptions.
struct Sight {
    disrupted: bool,
    /// Why they could not be looked for.
    error: Option<SourceError>,
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
