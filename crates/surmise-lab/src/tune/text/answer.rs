//! What is said of a trace in sentences.

use core::time::Duration;

use super::{duration, interval, parameter};
use crate::{
    compare::{
        catalogue::{Kind, Point},
        text,
        timeline::Since,
    },
    tune::{
        attainable::Offer,
        contract::SECONDS_PER_DAY,
        search::Setting,
        trial::Trial,
        verdict::{Candidate, Finding, Verdict},
    },
};

/// Says what was demanded, and what the trace makes of it.
pub(super) fn contract(verdict: &Verdict) -> String {
    let contract = &verdict.contract;
    let detection_time = duration(contract.detection_time);
    let mut said = format!(
        "Wanted: a crash noticed within {detection_time}, and at most {}",
        mistakes_a_day(contract.mistakes_per_day)
    );
    if let Some(longest) = contract.mistake_duration {
        said += &format!(" of {} on average", duration(longest));
    }
    said += &format!(", with {} % confidence. ", text::short(contract.confidence * 100.0));
    if verdict.summary.since == Since::LastArrival {
        return said
            + "The trace does not say when heartbeats were sent: detection times count from their \
               arrival, and how long they travel must be added.";
    }
    let late = text::time(verdict.lateness);
    said += &format!("Heartbeats that were news came up to {late} late. ");
    said += match verdict.recommended() {
        Some(best) if best.kind == Kind::Chen => {
            "`chen` keeps that free once in the detection time, the others twice: if all heartbeats come \
             to be later than any was so far, as by a longer route, a crash goes unnoticed for longer."
        }
        _ => "Twice that is kept free in the detection time, for those to come.",
    };
    said + &drift(verdict) + &growth(verdict)
}

/// Says how far the clocks of the two hosts drifted apart, if it would have been taken for lateness.
fn drift(verdict: &Verdict) -> String {
    let apart = verdict.drift.abs() * verdict.span;
    if apart < verdict.contract.detection_time.as_secs_f64() / 100.0 {
        return String::new();
    }
    format!(
        " The receiver's clock {} {} µs a second against the sender's, which is {} in all and taken out.",
        if verdict.drift > 0.0 { "gained" } else { "lost" },
        text::significant(verdict.drift.abs() * 1e6),
        text::time(apart)
    )
}

/// Says whether lateness has already once grown by more than is kept free.
fn growth(verdict: &Verdict) -> String {
    let is_small = verdict.growth < verdict.contract.detection_time.as_secs_f64() / 100.0;
    if is_small || verdict.growth * 2.0 <= verdict.lateness {
        return String::new();
    }
    format!(
        " On a part of the trace they came {} later than on all of it before: if they come to be more than \
         twice as late, the detection time is not kept.",
        text::time(verdict.growth)
    )
}

/// Says which detector is shown to meet all of the contract, where that is not the one that errs least.
fn also_meets(verdict: &Verdict) -> String {
    let meets = verdict.candidates.iter().find(|candidate| candidate.finding == Finding::Meets);
    let meets = meets.map(|candidate| {
        format!(" {} may err more often, and is shown to meet all of it.", named(candidate))
    });
    meets.unwrap_or_default()
}

/// Says whether the contract is met.
pub(super) fn answer(verdict: &Verdict) -> String {
    let Some(best) = verdict.candidates.first() else {
        return format!("Answer: none can. {}", why_too_slow(verdict));
    };
    let name = named(best);
    let seen = seen(verdict, best);
    match best.finding {
        Finding::Meets => {
            format!("Answer: take {name}. {seen}; you allow {}.", verdict.contract.mistakes_per_day)
        }
        Finding::NotShown if best.is_rate_shown(&verdict.contract) => {
            // One that never errs does not tell on any trace.
            let is_told = best.trial.mistakes() > 0;
            format!(
                "Answer: {name} comes first, but there is no promise of how long its mistakes last. {seen}; \
                 you allow {}. {}{}{}",
                verdict.contract.mistakes_per_day,
                lasting(verdict, best),
                if is_told { " A longer trace would tell." } else { "" },
                also_meets(verdict)
            )
        }
        Finding::NotShown if best.trial.mistakes() == 0 => {
            let [none, one, three] = [0, 1, 3].map(|mistakes| {
                let share = verdict.span_with(best, mistakes) / verdict.span;
                long_time(share * verdict.summary.span)
            });
            format!(
                "Answer: {name} comes first, but the trace is too short for a promise. {seen}; you \
                 allow {}. A trace of {none} without a mistake would show it, one of {one} with a single \
                 mistake, and one of {three} with three.",
                verdict.contract.mistakes_per_day,
            )
        }
        Finding::NotShown => match verdict.needed_span(best) {
            Some(needed) => format!(
                "Answer: {name} comes first, but the trace is too short for a promise. {seen}; you \
                 allow {}. A trace of {} with mistakes as rare would show it.",
                verdict.contract.mistakes_per_day,
                long_time(needed / verdict.span * verdict.summary.span)
            ),
            None => format!(
                "Answer: {name} comes first, but there is no promise. {seen}; you allow {}, which \
                 lies between the two. A longer trace would tell.",
                verdict.contract.mistakes_per_day
            ),
        },
        Finding::TooManyMistakes => {
            format!("Answer: none can. The best is {name}. {seen}.")
        }
        Finding::MistakesTooLong => {
            format!("Answer: none can. The best is {name}. {}", lasting(verdict, best))
        }
        Finding::TooSlow => format!(
            "Answer: none can. {name} would have left a crash unnoticed for {}.",
            text::time(
                best.trial.held_back.detection_time_max.max(best.trial.whole.detection_time_max)
            )
        ),
    }
}

/// Says how long mistakes lasted.
fn lasting(verdict: &Verdict, candidate: &Candidate) -> String {
    let Trial { held_back, whole, .. } = &candidate.trial;
    let tally = if held_back.mistake_duration > whole.mistake_duration { held_back } else { whole };
    if tally.counted.mistakes == 0 {
        return "Without one, nobody knows how long they last.".to_owned();
    }
    let (low, high) = tally.duration_interval(verdict.contract.confidence);
    let lasted = text::time(tally.mistake_duration);
    if high.is_infinite() {
        return format!("What it made lasted {lasted}, which is too little to know by.");
    }
    let [low, high] = [low, high].map(text::time);
    format!("Its mistakes lasted {lasted} on average, which means {low} to {high}.")
}

/// Says what speaks against the detector that comes first.
pub(super) fn caution(verdict: &Verdict) -> &'static str {
    match verdict.recommended() {
        Some(best) if best.kind == Kind::Chen => {
            " Chen's detector takes the sender at its schedule: one that stalls and does not catch up is \
             suspected again and again for a thousand heartbeats. Where that can happen, take the next."
        }
        _ => "",
    }
}

/// Says how many mistakes were seen, and how many a day that allows for.
fn seen(verdict: &Verdict, candidate: &Candidate) -> String {
    let counted = candidate.trial.held_back.counted;
    let count = match counted.mistakes {
        0 => "no mistake".to_owned(),
        1 => "1 mistake".to_owned(),
        mistakes => format!("{} mistakes", text::integer(mistakes)),
    };
    let with = match tried(candidate.trial.setting, &candidate.trial.taught) {
        Some(range) => format!("With what the parts before suggested ({range}), it"),
        None => "It".to_owned(),
    };
    format!(
        "{with} made {count} in the {} held back, which means {} a day",
        text::time(verdict.held_back),
        interval(candidate)
    )
}

/// Says what the parts before suggested, unless it is the very setting that the whole trace suggests.
fn tried(setting: Setting, taught: &[Setting]) -> Option<String> {
    if taught.iter().all(|taught| *taught == setting) {
        return None;
    }
    let range = |low: String, high: String| {
        if low == high { low } else { format!("{low} to {high}") }
    };
    let parameters = taught.iter().map(|setting| setting.point.parameter);
    let [low, high] =
        [parameters.clone().fold(f64::INFINITY, f64::min), parameters.fold(0.0, f64::max)];
    let of = |value| parameter(Point { parameter: value, ..setting.point });
    let said = range(of(low), of(high));
    if taught.iter().any(|taught| taught.point != setting.point) {
        return Some(said);
    }
    // Where only the limits differ, that is not the printed detector either.
    let limits = || taught.iter().map(|setting| setting.limit);
    let [low, high] = [limits().min(), limits().max()]
        .map(|limit| duration(Duration::from_nanos(limit.unwrap_or(setting.limit))));
    Some(format!("{said}, for no longer than {}", range(low, high)))
}

/// Says why no detector is fast enough.
fn why_too_slow(verdict: &Verdict) -> String {
    let lateness = verdict.lateness;
    let detection_time = verdict.contract.detection_time.as_secs_f64();
    let late = text::time(lateness);
    if lateness >= detection_time {
        return format!(
            "A heartbeat that was news came {late} late, and vouched for a peer that may have crashed \
             since: no detector notices a crash faster than that."
        );
    }
    format!(
        "Heartbeats that were news came up to {late} late, and one may come twice as late: nothing is left \
         of {} for a detector to wait.",
        duration(verdict.contract.detection_time)
    )
}

/// Says what there is where the contract is not met.
pub(super) fn attainable(verdict: &Verdict) -> Option<String> {
    let attainable = verdict.attainable.as_ref()?;
    let rate = mistakes_a_day(verdict.contract.mistakes_per_day);
    let time =
        |offer: &Offer| format!("{} (`{}`)", text::time(offer.detection_time), offer.kind.name());
    let is_open = verdict.recommended().is_some();
    Some(match (&attainable.possible, &attainable.shown) {
        (Some(possible), Some(shown)) if !is_open && possible != shown => format!(
            "Attainable: at most {rate} is possible from a detection time of {} on, and shown by this \
             trace from {} on.",
            time(possible),
            time(shown)
        ),
        (_, Some(shown)) => format!(
            "Attainable: at most {rate} is shown by this trace from a detection time of {} on.",
            time(shown)
        ),
        (Some(possible), None) if !is_open => format!(
            "Attainable: at most {rate} is possible from a detection time of {} on, but the trace is too \
             short to show it for any.",
            time(possible)
        ),
        (Some(_), None) => {
            format!(
                "Attainable: the trace is too short to show at most {rate} for any detection time."
            )
        }
        (None, None) => format!(
            "Attainable: at most {rate} is ruled out for any detection time that was tried."
        ),
    })
}

fn named(candidate: &Candidate) -> String {
    let name = candidate.kind.parameter_name().replace('_', " ");
    format!("`{}` with {name} {}", candidate.kind.name(), parameter(candidate.trial.setting.point))
}

fn mistakes_a_day(count: f64) -> String {
    if count == 1.0 { "1 mistake a day".to_owned() } else { format!("{count} mistakes a day") }
}

/// Writes a time that may take days.
fn long_time(seconds: f64) -> String {
    let days = seconds / SECONDS_PER_DAY;
    if days >= 2.0 { format!("{} days", text::significant(days)) } else { text::time(seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_printed_setting_is_called_it() {
        let setting = |parameter, millis: u64| Setting {
            point: Point { kind: Kind::Phi, parameter },
            limit: millis * 1_000_000,
        };
        let printed = setting(8.0, 1_900);
        assert_eq!(tried(printed, &[printed; 4]), None);
        for (taught, said) in [
            ([setting(8.0, 1_400), printed], "8, for no longer than 1.4 s to 1.9 s"),
            ([setting(8.0, 1_400); 2], "8, for no longer than 1.4 s"),
            ([setting(6.0, 1_400), printed], "6 to 8"),
            ([setting(6.0, 1_900); 2], "6"),
        ] {
            assert_eq!(tried(printed, &taught).as_deref(), Some(said));
        }
    }

    #[test]
    fn long_times_are_days() {
        assert_eq!(long_time(400_000.0), "4.63 days");
        assert_eq!(long_time(172_800.0), "2.00 days");
        assert_eq!(long_time(172_799.0), "48.0 h");
    }
}
