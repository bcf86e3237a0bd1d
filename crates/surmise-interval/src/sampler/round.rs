use alloc::{string::String, sync::Arc, vec::Vec};
use core::{error::Error, fmt, iter};

use surmise_time::Instant;

use crate::{
    Drift, Sample, Synchronization,
    select::{self, Candidate, Selection, SelectionError, Smearing},
    source::SourceError,
    sync::SharedIntervalClock,
};

/// What one source answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// What the source is called.
    pub name: String,
    /// What it does about leap seconds.
    pub smearing: Smearing,
    /// When the round began in which it was asked: before this one, if its pause is not over.
    pub asked: Instant,
    /// What it says, or why it says nothing.
    pub sample: Result<Sample, Arc<SourceError>>,
}

impl Answer {
    /// Tells that nobody knows whether the machine was disrupted.
    pub(super) fn of_watch(error: SourceError, asked: Instant) -> Self {
        let (name, sample) = ("vmclock".into(), Err(Arc::new(error)));
        Self { name, smearing: Smearing::Stepped, asked, sample }
    }
}

/// What came of asking all sources once.
///
/// Its text is for the log, where the clock tells no time and a [`ClockError`](crate::ClockError) does not say
/// which source is to blame: what each answered, or the whole chain of causes why not, and what was selected or
/// why nothing was. As in "kernel: not synchronised: TIME_ERROR, STA_UNSYNC; 192.0.2.1:123: no answer within 1s;
/// nothing selected: no time source says what time it is".
#[derive(Debug)]
#[non_exhaustive]
pub struct Round {
    /// What each answered, in the order in which they were added.
    pub answers: Vec<Answer>,
    /// The instant at which they are compared: when the round began, or when the last one did in which a source
    /// answered whose answer is used again, if none answered anew.
    pub at: Instant,
    /// The machine was disrupted before this instant, if that was noticed: a clock is to forget what it knew, and is not
    /// to take up this round's sample if it is from before then.
    pub disrupted: Option<Instant>,
    /// What those that answered agree on.
    pub selection: Result<Selection<String>, SelectionError>,
}

impl Round {
    pub(super) fn new(
        answers: Vec<Answer>,
        now: Instant,
        disrupted: Option<Instant>,
        falsetickers: usize,
    ) -> Self {
        let at = asked(&answers).max().unwrap_or(now);
        let candidate = |answer: &Answer| {
            let sample = answer.sample.as_ref().ok()?;
            let (name, smearing) = (answer.name.clone(), answer.smearing);
            Some(Candidate { name, interval: sample.interval_at(at), smearing })
        };
        let candidates: Vec<_> = answers.iter().filter_map(candidate).collect();
        let selection = select::tolerating(&candidates, falsetickers);
        Self { answers, at, disrupted, selection }
    }

    /// Returns what to feed a clock with, if sources agree.
    ///
    /// It can rest on answers from before its instant: see [`Answer::asked`]. [`feed`](Self::feed) looks to that
    /// where the clock was disrupted meanwhile.
    #[must_use]
    pub fn sample(&self) -> Option<Sample> {
        let interval = self.selection.as_ref().ok()?.interval;
        let samples = self.answers.iter().filter_map(|answer| answer.sample.as_ref().ok());
        let drift = samples.map(Sample::drift).max().unwrap_or(Drift::MAX);
        Some(Sample::new(interval, self.at, drift))
    }

    /// Feeds a clock, as [`Background`](super::Background) does after each round.
    ///
    /// Returns what the round's sample meant to it, if there is one. It is [`Stale`](Synchronization::Stale) if
    /// it is the one that the clock has, as where no source was asked again, or if it rests on any answer from
    /// before the clock was disrupted.
    pub fn feed(&self, clock: &SharedIntervalClock) -> Option<Synchronization> {
        if let Some(since) = self.disrupted {
            clock.disrupt(since);
        }
        let asked = asked(&self.answers).min()?;
        self.sample().map(|sample| clock.synchronize_asked(sample, asked))
    }
}

/// Returns when those were asked that answered.
fn asked(answers: &[Answer]) -> impl Iterator<Item = Instant> {
    answers.iter().filter(|answer| answer.sample.is_ok()).map(|answer| answer.asked)
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Answer { name, sample, .. } in &self.answers {
            match sample {
                Ok(sample) => write!(f, "{name}: {}; ", sample.interval_at(self.at))?,
                Err(error) => {
                    write!(f, "{name}: {error}")?;
                    for cause in iter::successors(error.source(), |&cause| cause.source()) {
                        write!(f, ": {cause}")?;
                    }
                    f.write_str("; ")?;
                }
            }
        }
        if self.disrupted.is_some() {
            f.write_str("the machine was disrupted; ")?;
        }
        match &self.selection {
            Err(error) => write!(f, "nothing selected: {error}"),
            Ok(Selection { interval, falsetickers, .. }) => {
                write!(f, "selected: {interval}")?;
                for (nth, name) in falsetickers.iter().enumerate() {
                    write!(f, "{}{name}", if nth == 0 { ", not believed: " } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}
