//! The form in which answers leave for other programs.

use core::time::Duration;

use serde::Serialize;

use super::{
    attainable::Offer,
    contract::SECONDS_PER_DAY,
    search::Setting,
    snippet,
    trial::Tally,
    verdict::{Candidate, Finding, Verdict},
};

/// What a trace says of a contract: an object of `--json`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Score<'a> {
    trace: &'a str,
    contract: ContractScore,
    interval_s: f64,
    /// How late a heartbeat was news at worst.
    lateness_s: f64,
    /// How much later than on the parts before it a heartbeat came on a part at worst.
    lateness_growth_s: f64,
    /// How much the receiver's clock gains on the sender's, in millionths.
    drift_ppm: f64,
    span_s: f64,
    held_back_s: f64,
    /// The finding of the best candidate.
    answer: &'static str,
    /// The name of the best candidate, unless the contract is ruled out.
    recommended: Option<&'static str>,
    /// Rust code for it.
    configuration: Option<String>,
    /// For how long a trace must be scored to show that the contract is met.
    needed_span_s: Option<f64>,
    candidates: Vec<CandidateScore>,
    too_slow: Vec<&'static str>,
    possible: Option<OfferScore>,
    shown: Option<OfferScore>,
}

#[derive(Clone, Debug, Serialize)]
struct ContractScore {
    detection_time_s: f64,
    mistakes_per_day: f64,
    mistake_duration_s: Option<f64>,
    confidence: f64,
}

#[derive(Clone, Debug, Serialize)]
struct CandidateScore {
    detector: &'static str,
    finding: &'static str,
    parameter: f64,
    parameter_name: &'static str,
    /// The longest that a heartbeat vouches for the peer.
    limit_s: f64,
    mistakes_per_day: f64,
    mistakes_per_day_low: f64,
    mistakes_per_day_high: f64,
    bytes: usize,
    /// What the parts before suggested for each that was held back.
    tried: Vec<SettingScore>,
    held_back: TallyScore,
    whole: TallyScore,
}

#[derive(Clone, Debug, Serialize)]
struct SettingScore {
    parameter: f64,
    limit_s: f64,
}

#[derive(Clone, Debug, Serialize)]
struct TallyScore {
    mistakes: u64,
    dispersion: f64,
    span_s: f64,
    detection_time_s: f64,
    detection_time_max_s: f64,
    mistake_duration_s: f64,
    closest_call: f64,
}

#[derive(Clone, Debug, Serialize)]
struct OfferScore {
    detector: &'static str,
    detection_time_s: f64,
}

impl<'a> Score<'a> {
    pub(super) fn new(verdict: &'a Verdict) -> Self {
        let contract = &verdict.contract;
        let recommended = verdict.recommended();
        let interval = Duration::from_secs_f64(verdict.summary.interval);
        let offer = |offer: Offer| OfferScore {
            detector: offer.kind.name(),
            detection_time_s: offer.detection_time,
        };
        let attainable = verdict.attainable.as_ref();
        Self {
            trace: &verdict.name,
            contract: ContractScore {
                detection_time_s: contract.detection_seconds(),
                mistakes_per_day: contract.mistakes_per_day,
                mistake_duration_s: contract.mistake_duration.map(|time| time.as_secs_f64()),
                confidence: contract.confidence,
            },
            interval_s: verdict.summary.interval,
            lateness_s: verdict.lateness,
            lateness_growth_s: verdict.growth,
            drift_ppm: verdict.drift * 1e6,
            span_s: verdict.span,
            held_back_s: verdict.held_back,
            answer: verdict.candidates.first().map_or(Finding::TooSlow, |best| best.finding).key(),
            recommended: recommended.map(|best| best.kind.name()),
            configuration: recommended.map(|best| snippet::rust(best.trial.setting, interval)),
            needed_span_s: recommended.and_then(|best| verdict.needed_span(best)),
            candidates: verdict.candidates.iter().map(CandidateScore::new).collect(),
            too_slow: verdict.too_slow.iter().map(|kind| kind.name()).collect(),
            possible: attainable.and_then(|attainable| attainable.possible).map(offer),
            shown: attainable.and_then(|attainable| attainable.shown).map(offer),
        }
    }
}

impl CandidateScore {
    fn new(candidate: &Candidate) -> Self {
        let setting = candidate.trial.setting;
        let rate = candidate.rate;
        Self {
            detector: candidate.kind.name(),
            finding: candidate.finding.key(),
            parameter: setting.point.parameter,
            parameter_name: candidate.kind.parameter_name(),
            limit_s: Duration::from_nanos(setting.limit).as_secs_f64(),
            mistakes_per_day: rate.mean * SECONDS_PER_DAY,
            mistakes_per_day_low: rate.low * SECONDS_PER_DAY,
            mistakes_per_day_high: rate.high * SECONDS_PER_DAY,
            bytes: candidate.size,
            tried: candidate.trial.taught.iter().map(SettingScore::new).collect(),
            held_back: TallyScore::new(&candidate.trial.held_back),
            whole: TallyScore::new(&candidate.trial.whole),
        }
    }
}

impl SettingScore {
    fn new(setting: &Setting) -> Self {
        let limit_s = Duration::from_nanos(setting.limit).as_secs_f64();
        Self { parameter: setting.point.parameter, limit_s }
    }
}

impl TallyScore {
    fn new(tally: &Tally) -> Self {
        Self {
            mistakes: tally.counted.mistakes,
            dispersion: tally.counted.dispersion,
            span_s: tally.counted.span,
            detection_time_s: tally.detection_time,
            detection_time_max_s: tally.detection_time_max,
            mistake_duration_s: tally.mistake_duration,
            closest_call: tally.closest_call,
        }
    }
}

impl Finding {
    /// Returns the word for other programs.
    fn key(self) -> &'static str {
        match self {
            Self::Meets => "meets",
            Self::NotShown => "not_shown",
            Self::MistakesTooLong => "mistakes_too_long",
            Self::TooManyMistakes => "too_many_mistakes",
            Self::TooSlow => "too_slow",
        }
    }
}
