//! One and the same trace of calls, with timeouts from short to long.

use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::LogNormal;
use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, Outcome as CallOutcome, Quantile, window::ExactWindow,
};

use super::story::{Figure, Source, Story, Value};
use crate::compare::text;

const SOURCES: &[Source] = &[
    Source {
        title: "Fischer, Lynch and Paterson, Impossibility of distributed consensus with one faulty process, 1985",
        url: "https://doi.org/10.1145/3149.214121",
    },
    Source {
        title: "Kaplan and Meier, Nonparametric estimation from incomplete observations, 1958",
        url: "https://doi.org/10.1080/01621459.1958.10501452",
    },
];

const CALLS: u32 = 30_000;

/// Which of them meet a slow service.
const SLOW: core::ops::Range<u32> = 12_000..18_000;

/// How many times as long an answer takes then.
const SLOWDOWN: f64 = 10.0;

/// How long answers take, as a log-normal distribution: the median in seconds, and σ.
const LATENCIES: (f64, f64) = (0.02, 0.6);

/// Which share of the calls is never answered.
const DEAD: f64 = 0.002;

/// The fixed timeouts, in milliseconds.
const FIXED: [u64; 8] = [20, 50, 100, 200, 500, 1_000, 2_000, 10_000];

/// How many bars show how the adaptive timeout goes, each of as many calls.
const BARS: u32 = 15;

const LESSON: &str = "A short timeout gives up what would have been answered, and a long one \
                      waits for what never will be. No fixed one escapes that. The adaptive one, \
                      which is to give up one call in a hundred on the whole, waits longer only while \
                      the service is slow. To be wrong as rarely, a fixed timeout has to be as \
                      long as the slow part needs, all the time; and one that wastes no more \
                      gives up a good part of what is slow. What was given up must be learned \
                      from as well: the last line forgets it, so that it sees only what was \
                      faster than its timeout, which makes that shorter, and so on. None of this \
                      finds out who is dead. It is a guess, and all one can choose is how often \
                      it is wrong.";

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let trace = Trace::draw(seed);
    let found = Found::of(&trace);
    let row = |(name, outcome): &(String, Outcome)| {
        [
            Value::from(name.clone()),
            outcome.wrong.into(),
            Value::Share(f64::from(outcome.wrong) / f64::from(trace.answered)),
            Value::Share(
                f64::from(outcome.wrong_while_slow) / f64::from(trace.answered_while_slow),
            ),
            outcome.wasted.into(),
            outcome.mean_wasted().into(),
        ]
    };
    let columns = [
        "timeout",
        "wrongly\ngiven up",
        "of what would\nbe answered",
        "while\nslow",
        "waited for\nthe dead",
        "for\neach",
    ];
    let bar = |(nth, &timeout): (u32, &Duration)| {
        let calls = CALLS / BARS;
        (format!("from call {:>5}", nth * calls), Value::from(timeout))
    };
    Story {
        setting: format!(
            "{} calls, one after the other. In good times half of the answers take {} or less; \
             from call {} to call {} all take {SLOWDOWN} times as long. {} calls are never answered. A \
             call that is given up would have been answered, or would not: nothing that the \
             caller can see tells them apart, only the trace does.",
            text::integer(CALLS.into()),
            text::short_time(LATENCIES.0),
            text::integer(SLOW.start.into()),
            text::integer(SLOW.end.into()),
            trace.dead,
        ),
        figures: vec![
            Figure::table(
                "The same calls, with each timeout:",
                &columns,
                found.rows().iter().map(row),
            ),
            Figure::bars(
                "How the adaptive timeout goes, on average:",
                ["calls", "timeout"],
                (0..).zip(&found.adaptive.course).map(bar),
            ),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}

/// How long each call would take, if it is ever answered.
#[derive(Clone, Debug)]
struct Trace {
    calls: Vec<Option<Duration>>,
    answered: u32,
    answered_while_slow: u32,
    dead: u32,
}

impl Trace {
    fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (median, deviation) = LATENCIES;
        let latencies = LogNormal::new(median.ln(), deviation).expect("σ is finite");
        let mut trace = Self { calls: Vec::new(), answered: 0, answered_while_slow: 0, dead: 0 };
        for nth in 0..CALLS {
            let slow = SLOW.contains(&nth);
            let took = rng.sample(latencies) * if slow { SLOWDOWN } else { 1.0 };
            let is_dead = rng.random_bool(DEAD);
            trace.dead += u32::from(is_dead);
            trace.answered += u32::from(!is_dead);
            trace.answered_while_slow += u32::from(!is_dead && slow);
            trace.calls.push((!is_dead).then(|| Duration::from_secs_f64(took)));
        }
        trace
    }

    /// Returns the shortest timeout that gives up no more than so many answers.
    fn least_timeout(&self, wrong: u32) -> Duration {
        let mut answers: Vec<_> = self.calls.iter().copied().flatten().collect();
        answers.sort_unstable_by(|one, next| next.cmp(one));
        let nth = usize::try_from(wrong).unwrap_or(usize::MAX);
        answers.get(nth).copied().unwrap_or_default()
    }
}

/// What a timeout came to.
#[derive(Clone, Debug, Default, PartialEq)]
struct Outcome {
    /// How many calls were given up that would have been answered.
    wrong: u32,
    wrong_while_slow: u32,
    /// For how long calls were waited for that never would.
    wasted: Duration,
    dead: u32,
    /// The mean timeout of each part of the calls.
    course: Vec<Duration>,
}

impl Outcome {
    fn of(trace: &Trace, timeout: &mut impl Timeout) -> Self {
        let mut outcome = Self::default();
        let mut sum = Duration::ZERO;
        for (nth, &took) in (0..).zip(&trace.calls) {
            let wait = timeout.current();
            sum += wait;
            if (nth + 1) % (CALLS / BARS) == 0 {
                outcome.course.push(core::mem::take(&mut sum) / (CALLS / BARS));
            }
            let answer = took.filter(|&took| took <= wait);
            timeout.record(answer.map_or(CallOutcome::TimedOut(wait), CallOutcome::Completed));
            match (took, answer) {
                (None, _) => {
                    outcome.dead += 1;
                    outcome.wasted += wait;
                }
                (Some(_), None) => {
                    outcome.wrong += 1;
                    outcome.wrong_while_slow += u32::from(SLOW.contains(&nth));
                }
                (Some(_), Some(_)) => {}
            }
        }
        outcome
    }

    /// Returns how long a call was waited for that was never answered, on average.
    fn mean_wasted(&self) -> Duration {
        self.wasted / self.dead.max(1)
    }
}

/// What all timeouts came to.
#[derive(Clone, Debug)]
struct Found {
    fixed: Vec<(Duration, Outcome)>,
    adaptive: Outcome,
    /// An estimator that learns from answers only.
    forgetful: Outcome,
    /// The fixed timeout that is as rarely wrong as the adaptive one, and the one that wastes as much.
    as_rarely_wrong: (Duration, Outcome),
    as_wasteful: (Duration, Outcome),
}

impl Found {
    fn of(trace: &Trace) -> Self {
        let fixed = |timeout: Duration| (timeout, Outcome::of(trace, &mut Fixed(timeout)));
        let adaptive = Outcome::of(trace, &mut adaptive());
        let forgetful = Outcome::of(trace, &mut Forgetful(ExactWindow::new()));
        Self {
            fixed: FIXED.map(Duration::from_millis).map(fixed).into(),
            as_rarely_wrong: fixed(trace.least_timeout(adaptive.wrong)),
            as_wasteful: fixed(adaptive.mean_wasted()),
            adaptive,
            forgetful,
        }
    }

    fn rows(&self) -> Vec<(String, Outcome)> {
        let written = |timeout: Duration| text::time(timeout.as_secs_f64());
        let mut rows: Vec<_> =
            self.fixed.iter().map(|(timeout, found)| (written(*timeout), found.clone())).collect();
        let ceiling = text::short_time(CEILING.as_secs_f64());
        rows.push((format!("adaptive, p99 up to {ceiling}"), self.adaptive.clone()));
        let (timeout, found) = &self.as_rarely_wrong;
        rows.push((format!("{}, as rarely wrong", written(*timeout)), found.clone()));
        let (timeout, found) = &self.as_wasteful;
        rows.push((format!("{}, wastes as much", written(*timeout)), found.clone()));
        rows.push(("p99 of the answers alone".to_owned(), self.forgetful.clone()));
        rows
    }
}

/// What is waited for while nothing is known.
const PRIOR: Duration = Duration::from_millis(250);

/// No answer is worth more.
const CEILING: Duration = Duration::from_secs(2);

fn adaptive() -> AdaptiveTimeout {
    let config = AdaptiveTimeoutConfig::of(Quantile::P99, Duration::from_millis(1), CEILING);
    let config = AdaptiveTimeoutConfig { prior: PRIOR, ..config };
    AdaptiveTimeout::new(config).expect("the prior is between the limits")
}

/// Says how long to wait.
trait Timeout {
    fn current(&self) -> Duration;

    fn record(&mut self, outcome: CallOutcome);
}

struct Fixed(Duration);

impl Timeout for Fixed {
    fn current(&self) -> Duration {
        self.0
    }

    fn record(&mut self, _: CallOutcome) {}
}

impl Timeout for AdaptiveTimeout {
    fn current(&self) -> Duration {
        self.current()
    }

    fn record(&mut self, outcome: CallOutcome) {
        self.record(outcome);
    }
}

/// What comes to mind first: the 99th percentile of the last thousand answers.
struct Forgetful(ExactWindow<1000>);

impl Timeout for Forgetful {
    fn current(&self) -> Duration {
        let known = self.0.nearest_rank(Quantile::P99).filter(|_| self.0.len() >= 100);
        known.map_or(PRIOR, Duration::from_nanos)
    }

    fn record(&mut self, outcome: CallOutcome) {
        if let CallOutcome::Completed(took) = outcome {
            let _oldest = self.0.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_timeout_is_wrong_less_often_and_wastes_more() {
        let found = Found::of(&Trace::draw(0));
        for pair in found.fixed.windows(2) {
            let [(_, short), (_, long)] = [&pair[0], &pair[1]];
            assert!(short.wrong >= long.wrong && short.wasted < long.wasted);
        }
        assert!(found.fixed[0].1.wrong > CALLS / 2);
        assert_eq!(found.fixed.last().unwrap().1.wrong, 0);
    }

    #[test]
    fn no_fixed_timeout_is_as_good_as_the_adaptive_one_in_both() {
        let [mut fixed_wasted, mut adaptive_wasted] = [Duration::ZERO; 2];
        for seed in 0..10 {
            let trace = Trace::draw(seed);
            let Found { adaptive, as_rarely_wrong, as_wasteful, forgetful, .. } = Found::of(&trace);
            let share = f64::from(adaptive.wrong) / f64::from(trace.answered);
            assert!(share < 0.01, "seed {seed}: {share}");
            let (timeout, fixed) = as_rarely_wrong;
            assert!(fixed.wrong <= adaptive.wrong, "seed {seed}: {timeout:?}");
            // How many of the dead are among the slow calls is chance.
            assert!(fixed.wasted > adaptive.wasted * 5 / 4, "seed {seed}: {timeout:?}");
            fixed_wasted += fixed.wasted;
            adaptive_wasted += adaptive.wasted;
            let (timeout, fixed) = as_wasteful;
            assert!(fixed.wrong > adaptive.wrong * 2, "seed {seed}: {timeout:?}");
            assert!(forgetful.wrong_while_slow > trace.answered_while_slow * 9 / 10, "seed {seed}");
        }
        assert!(fixed_wasted > adaptive_wasted * 7 / 4, "{fixed_wasted:?}, {adaptive_wasted:?}");
    }

    #[test]
    fn the_adaptive_timeout_goes_up_and_down_with_the_service() {
        let course = Found::of(&Trace::draw(0)).adaptive.course;
        let [before, slow, after] = [course[5], course[8], course[14]];
        assert!(slow > before * 7 && slow > after * 7, "{course:?}");
        assert!(after < before * 5 / 4 && before < after * 5 / 4, "{course:?}");
    }
}
