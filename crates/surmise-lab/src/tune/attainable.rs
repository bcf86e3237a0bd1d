//! What a trace leaves to be had where a contract is not met.

use core::time::Duration;

use surmise_detector::ConfigError;

use super::{
    bounds::Counted,
    contract::Contract,
    history::{History, PARTS},
    search::Family,
    trial::Trial,
    verdict::{Finding, finding},
};
use crate::compare::{
    catalogue::{Kind, SWEPT_INTERVALS},
    number::{log_spaced, round},
};

/// The trade-off between the detection time and the rate of mistakes, however long they last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attainable {
    /// The least detection time at which the rate of mistakes is not ruled out, and the detector.
    pub(crate) possible: Option<Offer>,
    /// The least detection time at which it is shown to be kept, and the detector.
    pub(crate) shown: Option<Offer>,
}

/// A detector, and a detection time for which it can be had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offer {
    pub(crate) kind: Kind,
    /// In seconds.
    pub(crate) detection_time: f64,
}

impl Attainable {
    /// Looks for the least detection times.
    ///
    /// Two kinds of detectors are enough. Of those whose deadline counts from the last arrival, none makes
    /// fewer mistakes than a fixed timeout of the longest time that any of them may wait. The others, of
    /// which Chen's is the plain one, count from the sender's schedule.
    pub(crate) fn new(
        history: &History<'_>,
        contract: &Contract,
    ) -> Result<Self, (Kind, ConfigError)> {
        let mut families = Vec::new();
        for kind in [Kind::Fixed, Kind::Chen] {
            let family = Family::new(kind, history).map_err(|error| (kind, error))?;
            families.push((kind, family));
        }
        let mut attainable = Self { possible: None, shown: None };
        let flawless = Counted {
            mistakes: 0,
            dispersion: history.clustering(u64::MAX),
            span: history.seconds_of(1..PARTS),
        };
        let can_show = flawless.rate(contract.confidence).high <= contract.mistake_rate();
        for nanos in detection_times(history) {
            for (kind, family) in &mut families {
                let trial = Trial::new(family, history, nanos).map_err(|error| (*kind, error))?;
                let Some(trial) = trial else { continue };
                let time = Duration::from_nanos(nanos);
                let contract =
                    Contract { detection_time: time, mistake_duration: None, ..*contract };
                let rate = trial.rate(contract.confidence);
                let offer = Offer { kind: *kind, detection_time: time.as_secs_f64() };
                match finding(&trial, rate, &contract) {
                    Finding::Meets => {
                        attainable.possible.get_or_insert(offer);
                        attainable.shown = Some(offer);
                        return Ok(attainable);
                    }
                    Finding::NotShown => {
                        attainable.possible.get_or_insert(offer);
                    }
                    _ => {}
                }
            }
            // Where even no mistake at all shows too little, there is nothing more to look for.
            if !can_show && attainable.possible.is_some() {
                break;
            }
        }
        Ok(attainable)
    }
}

/// Returns the detection times to try, in nanoseconds, the shortest first.
///
/// They reach to where the longest silence of the trace is no mistake.
fn detection_times(history: &History<'_>) -> impl Iterator<Item = u64> {
    let interval = history.timeline.interval_seconds();
    let silence = history.arrivals.iter().map(|arrival| arrival.silence).max().unwrap_or(0);
    let silence = history.scale().seconds(silence.into());
    let swept = interval * f64::from(u32::try_from(SWEPT_INTERVALS).unwrap_or(u32::MAX));
    let longest = (1.1 * silence + 2.0 * history.lateness() + interval).max(swept);
    let longest = longest.min(Contract::MAX_DETECTION_TIME.as_secs_f64());
    let three_digits = |seconds: f64| format!("{seconds:.2e}").parse::<f64>().unwrap_or(seconds);
    log_spaced(1.05 * interval, longest, STEPS)
        .map(move |seconds| round(three_digits(seconds) * 1e9))
}

/// How many detection times are tried.
const STEPS: u16 = 96;
