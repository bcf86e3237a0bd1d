//! Which detectors meet a contract on a trace, and which of them to take.

use core::cmp::Ordering;

use surmise_detector::ConfigError;

use super::{
    attainable::Attainable, bounds::Rate, contract::Contract, history::History, search::Family,
    snippet, trial::Trial,
};
use crate::compare::{catalogue::Kind, summary::Summary};

/// What a trace says of a contract.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) name: String,
    pub(crate) summary: Summary,
    pub(crate) contract: Contract,
    /// How late a heartbeat was news at worst, in seconds.
    pub(crate) lateness: f64,
    /// How much later than on the parts before it a heartbeat came on a part at worst, in seconds.
    pub(crate) growth: f64,
    /// How much the receiver's clock gains on the sender's, in seconds a second.
    pub(crate) drift: f64,
    /// The scored seconds, and those of them that were held back.
    pub(crate) span: f64,
    pub(crate) held_back: f64,
    /// The detectors that are fast enough, the best first.
    pub(crate) candidates: Vec<Candidate>,
    /// The detectors that are too slow even with their fastest parameter.
    pub(crate) too_slow: Vec<Kind>,
    /// What there is instead, unless the rate of mistakes is shown to be allowed.
    pub(crate) attainable: Option<Attainable>,
}

/// A kind of detector that is fast enough.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) kind: Kind,
    pub(crate) trial: Trial,
    pub(crate) rate: Rate,
    pub(crate) finding: Finding,
    /// What it takes in memory for each peer, in bytes.
    pub(crate) size: usize,
}

/// What is to be said of a detector under a contract; the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
    /// The whole interval of its rate of mistakes is allowed, and that of how long they last.
    Meets,
    /// What is allowed lies within one of the intervals.
    NotShown,
    /// The whole interval of how long its mistakes last lies above what is allowed.
    MistakesTooLong,
    /// The whole interval of its rate lies above what is allowed.
    TooManyMistakes,
    /// It was too slow, be it once.
    TooSlow,
}

impl Verdict {
    /// Tries every kind of detector, and tells `step` of each.
    pub(crate) fn new(
        name: &str,
        summary: Summary,
        history: &History<'_>,
        contract: Contract,
        step: &dyn Fn(),
    ) -> Result<Self, (Kind, ConfigError)> {
        let mut candidates = Vec::new();
        let mut too_slow = Vec::new();
        for kind in Kind::ALL {
            match candidate(kind, history, &contract).map_err(|error| (kind, error))? {
                Some(candidate) => candidates.push(candidate),
                None => too_slow.push(kind),
            }
            step();
        }
        candidates.sort_by(|one: &Candidate, other| one.compare(other, &contract));
        let is_shown =
            |best: &Candidate| best.finding != Finding::TooSlow && best.is_rate_shown(&contract);
        let is_shown = candidates.first().is_some_and(is_shown);
        let attainable = if is_shown { None } else { Some(Attainable::new(history, &contract)?) };
        Ok(Self {
            name: name.to_owned(),
            summary,
            contract,
            lateness: history.lateness(),
            growth: history.scale().seconds(history.growth().into()),
            drift: history.drift,
            span: history.span(),
            held_back: history.seconds_of(1..super::history::PARTS),
            candidates,
            too_slow,
            attainable,
        })
    }

    /// Returns the detector to take, unless the trace rules out all of them.
    pub(crate) fn recommended(&self) -> Option<&Candidate> {
        self.candidates.first().filter(|best| best.finding <= Finding::NotShown)
    }

    /// Returns for how many seconds a trace must be scored to show that the detector meets the contract,
    /// if it goes on making mistakes at the rate seen; `None` if that rate is not allowed, or if it is how long
    /// mistakes last that is not shown.
    pub(crate) fn needed_span(&self, candidate: &Candidate) -> Option<f64> {
        if candidate.finding != Finding::Meets && candidate.is_rate_shown(&self.contract) {
            return None;
        }
        let Contract { confidence, .. } = self.contract;
        let factor = candidate.trial.stretch_to(self.contract.mistake_rate(), confidence)?;
        Some(factor * self.span)
    }

    /// Returns for how many seconds a trace must be scored to show that, if so many mistakes are made.
    pub(crate) fn span_with(&self, candidate: &Candidate, mistakes: u64) -> f64 {
        let Contract { confidence, .. } = self.contract;
        let counted = candidate.trial.held_back.counted;
        let held_back = counted.span_to_show(mistakes, self.contract.mistake_rate(), confidence);
        held_back / self.held_back * self.span
    }
}

impl Candidate {
    /// Returns whether the whole interval of its rate of mistakes is allowed, however long they last.
    pub(crate) fn is_rate_shown(&self, contract: &Contract) -> bool {
        self.rate.high <= contract.mistake_rate()
    }

    /// Orders the better first: whether it is ruled out, and by what, then whether its rate of mistakes is shown, then
    /// the upper bound of its mistakes, then those held back, then how near it came to one, then the detection time,
    /// then whether the length of its mistakes is shown, then the size.
    ///
    /// How long mistakes last is known of one that makes them: were it asked for first, to err would be better than
    /// never to.
    ///
    /// A trace does not tell a good detector from a lucky one that was never put to the test. So, where the
    /// rate is shown, all that kept half of their patience in reserve count alike, and where it is not
    /// shown, none do. Less than a percent is no difference, so that of equals the smallest goes first.
    fn compare(&self, other: &Self, contract: &Contract) -> Ordering {
        let key = |candidate: &Self| {
            let tallies = [&candidate.trial.held_back, &candidate.trial.whole];
            let call = tallies.map(|tally| tally.closest_call).into_iter().fold(0.0, f64::max);
            let is_shown = candidate.is_rate_shown(contract);
            let is_comfortable = is_shown && call <= 0.5;
            let call = if is_comfortable { 0.0 } else { call };
            let time = candidate.trial.held_back.detection_time;
            let percent = |share: f64| (share * 100.0).ceil();
            let time = percent(time / contract.detection_seconds());
            let unshown = if is_shown { 0.0 } else { 1.0 };
            [unshown, candidate.rate.high, candidate.rate.mean, percent(call), time]
        };
        let keys = key(self).into_iter().zip(key(other));
        let by_keys = keys.map(|(own, other)| own.total_cmp(&other));
        // What is not ruled out is open alike.
        let ruled_out = |candidate: &Self| candidate.finding.max(Finding::NotShown);
        ruled_out(self)
            .cmp(&ruled_out(other))
            .then(by_keys.fold(Ordering::Equal, Ordering::then))
            .then(self.finding.cmp(&other.finding))
            .then(self.size.cmp(&other.size))
    }
}

/// Returns what is to be said of a trial.
pub(crate) fn finding(trial: &Trial, rate: Rate, contract: &Contract) -> Finding {
    let tallies = [&trial.held_back, &trial.whole];
    let detection_time = contract.detection_seconds();
    if tallies.iter().any(|tally| tally.detection_time_max > detection_time) {
        return Finding::TooSlow;
    }
    let allowed = contract.mistake_rate();
    if rate.low > allowed {
        return Finding::TooManyMistakes;
    }
    let longest = contract.mistake_duration.map_or(f64::INFINITY, |time| time.as_secs_f64());
    let durations = tallies.map(|tally| tally.duration_interval(contract.confidence));
    if durations.iter().any(|(low, _)| *low > longest) {
        return Finding::MistakesTooLong;
    }
    let is_short = durations.iter().all(|(_, high)| *high <= longest);
    if rate.high <= allowed && is_short { Finding::Meets } else { Finding::NotShown }
}

/// Tries a kind of detector; `None` if it is too slow.
fn candidate(
    kind: Kind,
    history: &History<'_>,
    contract: &Contract,
) -> Result<Option<Candidate>, ConfigError> {
    let mut family = Family::new(kind, history)?;
    let nanos = u64::try_from(contract.detection_time.as_nanos()).unwrap_or(u64::MAX);
    let Some(trial) = Trial::new(&mut family, history, nanos)? else { return Ok(None) };
    let rate = trial.rate(contract.confidence);
    let finding = finding(&trial, rate, contract);
    Ok(Some(Candidate { kind, trial, rate, finding, size: snippet::size(kind) }))
}

#[cfg(test)]
mod tests;
