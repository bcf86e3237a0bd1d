use core::time::Duration;

use super::*;
use crate::{
    compare::{catalogue::Point, timeline::Timeline},
    trace::{Trace, shipped},
    tune::{bounds::Counted, samples::timeline, search::Setting, trial::Tally},
};

/// A second, and at most 100 mistakes a day.
const CONTRACT: Contract = Contract {
    detection_time: Duration::from_secs(1),
    mistakes_per_day: 100.0,
    mistake_duration: None,
    confidence: 0.95,
};

const DAY: f64 = 86_400.0;

fn tally() -> Tally {
    Tally {
        counted: Counted { mistakes: 0, dispersion: 1.0, span: DAY },
        detection_time: 0.9,
        detection_time_max: 1.0,
        mistake_duration: 0.0,
        mistake_deviation: 0.0,
        closest_call: 0.4,
    }
}

fn trial(tally: Tally) -> Trial {
    let point = Point { kind: Kind::Fixed, parameter: 1.0 };
    let setting = Setting { point, limit: 1_000_000_000 };
    Trial { setting, taught: vec![setting; 4], held_back: tally.clone(), whole: tally }
}

fn rate(low: f64, high: f64) -> Rate {
    Rate { low: low / DAY, mean: low / DAY, high: high / DAY }
}

#[test]
fn what_is_said_follows_from_the_interval_and_the_limits() {
    let said = |trial: &Trial, rate| finding(trial, rate, &CONTRACT);
    let good = trial(tally());
    assert_eq!(said(&good, rate(0.0, 100.0)), Finding::Meets);
    assert_eq!(said(&good, rate(0.0, 100.1)), Finding::NotShown);
    assert_eq!(said(&good, rate(100.0, 300.0)), Finding::NotShown);
    assert_eq!(said(&good, rate(100.1, 300.0)), Finding::TooManyMistakes);
    // It is too slow if it was so once, on either.
    let slow = Tally { detection_time_max: 1.000_000_001, ..tally() };
    for slow in
        [Trial { held_back: slow.clone(), ..good.clone() }, Trial { whole: slow, ..good.clone() }]
    {
        assert_eq!(said(&slow, rate(0.0, 1.0)), Finding::TooSlow);
    }
    let limit = Some(Duration::from_secs(2));
    let contract = Contract { mistake_duration: limit, ..CONTRACT };
    // 95 % of Student's law with 3 degrees of freedom: 3.18 times 0.5, over the root of 4, is 0.8.
    for (mistakes, seconds, expected) in [
        (4, 1.2, Finding::Meets),
        (4, 1.3, Finding::NotShown),
        (4, 2.7, Finding::NotShown),
        (4, 2.9, Finding::MistakesTooLong),
        (1, 1.2, Finding::NotShown),
        (1, 9.0, Finding::NotShown),
        (0, 0.0, Finding::NotShown),
    ] {
        let counted = Counted { mistakes, ..tally().counted };
        let deviation = 0.5;
        let long =
            Tally { counted, mistake_duration: seconds, mistake_deviation: deviation, ..tally() };
        let counted = Counted { mistakes: 9, ..tally().counted };
        let short = Tally { counted, mistake_duration: 1.0, mistake_deviation: 0.1, ..tally() };
        let long = Trial { whole: long, held_back: short, ..good.clone() };
        assert_eq!(finding(&long, rate(0.0, 1.0), &contract), expected);
        assert_eq!(said(&long, rate(0.0, 1.0)), Finding::Meets);
    }
}

#[test]
fn the_better_goes_first() {
    let candidate = |finding, high, call, time, size| {
        let tally = Tally { closest_call: call, detection_time: time, ..tally() };
        Candidate { kind: Kind::Fixed, trial: trial(tally), rate: rate(0.0, high), finding, size }
    };
    let assert_first = |first: Candidate, second: Candidate| {
        assert_eq!(first.compare(&second, &CONTRACT), Ordering::Less, "{first:?} {second:?}");
        assert_eq!(second.compare(&first, &CONTRACT), Ordering::Greater);
    };
    let meets = |high, call, time, size| candidate(Finding::Meets, high, call, time, size);
    let not_shown =
        |high, call, time, size| candidate(Finding::NotShown, 100.0 + high, call, time, size);
    assert_first(meets(9.0, 0.9, 1.0, 99), not_shown(8.0, 0.1, 0.1, 1));
    assert_first(meets(8.0, 0.9, 1.0, 99), meets(9.0, 0.1, 0.1, 1));
    // Half of the patience is enough where the contract is met.
    assert_first(meets(9.0, 0.5, 0.1, 99), meets(9.0, 0.1, 0.2, 1));
    assert_first(meets(9.0, 0.1, 0.2, 99), meets(9.0, 0.51, 0.1, 1));
    assert_first(not_shown(9.0, 0.1, 0.2, 99), not_shown(9.0, 0.2, 0.1, 1));
    // Less than a percent is no difference.
    assert_first(not_shown(9.0, 0.687, 0.1, 1), not_shown(9.0, 0.681, 0.1, 2));
    assert_first(not_shown(9.0, 0.1, 0.809, 1), not_shown(9.0, 0.1, 0.802, 2));
    assert_first(not_shown(9.0, 0.1, 0.799, 2), not_shown(9.0, 0.1, 0.802, 1));
    // To err less often is better, though nobody knows then how long a mistake lasts.
    let unknown = |high, call, size| candidate(Finding::NotShown, high, call, 0.1, size);
    assert_first(unknown(8.0, 0.9, 99), meets(9.0, 0.1, 0.1, 1));
    assert_first(meets(9.0, 0.9, 0.1, 99), unknown(9.0, 0.9, 1));
    assert_first(unknown(9.0, 0.5, 99), not_shown(0.1, 0.1, 0.1, 1));
    assert_first(
        not_shown(9.0, 0.9, 0.1, 99),
        candidate(Finding::MistakesTooLong, 0.1, 0.1, 0.1, 1),
    );
    // Of equal bounds, the fewer mistakes held back.
    let few = meets(9.0, 0.9, 1.0, 99);
    let mut more = meets(9.0, 0.1, 0.1, 1);
    more.rate.mean += 1e-9;
    assert_first(few, more);
    let same = meets(9.0, 0.1, 0.1, 1);
    assert_eq!(same.compare(&same.clone(), &CONTRACT), Ordering::Equal);
}

/// Returns what a shipped trace says of a contract.
fn verdict(trace: &Trace, contract: Contract) -> Verdict {
    let timeline = Timeline::new(trace, false, 1 << 40).unwrap();
    let history = History::new(&timeline).unwrap();
    let summary = Summary::new(trace, &timeline);
    Verdict::new(&trace.name, summary, &history, contract, &|| ()).unwrap()
}

#[test]
fn each_kind_is_either_a_candidate_or_too_slow() {
    for trace in shipped() {
        for millis in [500, 12_000] {
            let contract = Contract { detection_time: Duration::from_millis(millis), ..CONTRACT };
            let verdict = verdict(&trace, contract);
            for kind in Kind::ALL {
                let tried = verdict.candidates.iter().filter(|candidate| candidate.kind == kind);
                let slow = verdict.too_slow.iter().filter(|slow| **slow == kind);
                assert_eq!(tried.count() + slow.count(), 1);
            }
            let is_sorted = verdict
                .candidates
                .is_sorted_by(|one, other| one.compare(other, &contract) != Ordering::Greater);
            assert!(is_sorted);
            let met = verdict.candidates.first().map(|best| best.finding) == Some(Finding::Meets);
            assert_eq!(verdict.attainable.is_none(), met);
        }
    }
}

#[test]
fn more_mistakes_are_never_better() {
    let (mut pairs, mut clustered) = (0, 0);
    for trace in shipped() {
        let durations = [None, Some(Duration::from_secs(2))];
        for (millis, mistake_duration) in
            [500, 12_000].into_iter().flat_map(|millis| durations.map(|longest| (millis, longest)))
        {
            let detection_time = Duration::from_millis(millis);
            let contract = Contract { detection_time, mistake_duration, ..CONTRACT };
            let candidates = verdict(&trace, contract).candidates;
            let tallies = |of: &Candidate| [of.trial.held_back.counted, of.trial.whole.counted];
            for (better, one) in candidates.iter().enumerate() {
                clustered += u32::from(one.trial.whole.counted.dispersion > 1.1);
                for other in &candidates[better + 1..] {
                    let counts = || tallies(one).into_iter().zip(tallies(other));
                    if [one.kind, other.kind].contains(&Kind::Chen) {
                        continue;
                    }
                    // That its few mistakes are too long rules a detector out, however many short ones another makes.
                    if [one.finding, other.finding].contains(&Finding::MistakesTooLong) {
                        continue;
                    }
                    let errs_more = counts().all(|(one, other)| one.mistakes >= other.mistakes);
                    let is_same = counts().all(|(one, other)| one.mistakes == other.mistakes);
                    assert!(!errs_more || is_same, "{one:?} before {other:?}");
                    pairs += 1;
                }
            }
        }
    }
    assert!(pairs > 80 && clustered > 5, "{pairs} {clustered}");
}

#[test]
fn lateness_that_grew_does_not_rule_a_timeout_out() {
    // On its second part, heartbeats come three times as late as on the first.
    let trace = shipped().into_iter().find(|trace| trace.name == "contended").unwrap();
    for seconds in [10, 20] {
        let contract = Contract { detection_time: Duration::from_secs(seconds), ..CONTRACT };
        let verdict = verdict(&trace, contract);
        let fixed = verdict.candidates.iter().find(|candidate| candidate.kind == Kind::Fixed);
        let fixed = fixed.unwrap();
        assert_ne!(fixed.finding, Finding::TooSlow, "{fixed:?}");
        assert!(fixed.trial.held_back.detection_time_max <= contract.detection_seconds());
        assert!(verdict.recommended().is_some(), "{seconds} s: {:?}", verdict.candidates);
    }
}

#[test]
fn a_timeout_of_the_detection_time_is_not_too_slow_by_rounding() {
    // No heartbeat is late, so that nothing is kept in reserve.
    let timeline = timeline(600, |_| Some(0));
    let history = History::new(&timeline).unwrap();
    for hundredths in 100..=1_000 {
        let contract =
            Contract { detection_time: Duration::from_millis(hundredths * 10), ..CONTRACT };
        let fixed = candidate(Kind::Fixed, &history, &contract).unwrap().unwrap();
        assert_eq!(u128::from(fixed.trial.setting.limit), contract.detection_time.as_nanos());
        assert_ne!(fixed.finding, Finding::TooSlow, "{:?}: {fixed:?}", contract.detection_time);
    }
}

#[test]
fn what_is_attainable_is_so_when_it_is_asked_for() {
    let (mut offers, mut later) = (0, 0);
    for trace in shipped() {
        for mistakes_per_day in [500.0, 1_500.0, 5_000.0] {
            let contract = Contract { mistakes_per_day, ..CONTRACT };
            let timeline = Timeline::new(&trace, false, 1 << 40).unwrap();
            let history = History::new(&timeline).unwrap();
            let attainable = Attainable::new(&history, &contract).unwrap();
            let brief = Contract { mistake_duration: Some(Duration::from_millis(1)), ..contract };
            assert_eq!(Attainable::new(&history, &brief).unwrap(), attainable);
            let Attainable { possible, shown } = attainable;
            for (offer, at_most) in [(possible, Finding::NotShown), (shown, Finding::Meets)] {
                let Some(offer) = offer else { continue };
                let detection_time = Duration::from_secs_f64(offer.detection_time);
                let contract = Contract { detection_time, ..contract };
                let asked = candidate(offer.kind, &history, &contract).unwrap().unwrap();
                assert!(asked.finding <= at_most, "{}: {offer:?} {asked:?}", trace.name);
                offers += 1;
            }
            if let (Some(possible), Some(shown)) = (possible, shown) {
                assert!(possible.detection_time <= shown.detection_time);
                later += u32::from(possible.detection_time < shown.detection_time);
            }
        }
    }
    assert!(offers >= 12 && later >= 3, "{offers} {later}");
}
