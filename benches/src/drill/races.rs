use core::fmt;

use super::{
    Answer, Layer,
    layers::Step,
    threads::{Caller, End, Trial},
};

/// A race that a layer may lose.
#[derive(Clone, Copy, Debug)]
pub(super) enum Race {
    Duplicates,
    Retry,
    Error,
    Panic,
    Vanish,
    Hang,
    ClockStepsBack,
    OtherPayload,
    OtherPayloadInFlight,
    OtherKeys,
    FreshAmongHot,
    FreshInASmallRoom,
}

pub(super) const RACES: [Race; 12] = [
    Race::Duplicates,
    Race::Retry,
    Race::Error,
    Race::Panic,
    Race::Vanish,
    Race::Hang,
    Race::ClockStepsBack,
    Race::OtherPayload,
    Race::OtherPayloadInFlight,
    Race::OtherKeys,
    Race::FreshAmongHot,
    Race::FreshInASmallRoom,
];

const ROOM: usize = 1000;
const SMALL_ROOM: usize = 100;
const BEFORE: u64 = 256;

impl Race {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Duplicates => "concurrent duplicate",
            Self::Retry => "later duplicate",
            Self::Error => "error, nothing done",
            Self::Panic => "panic",
            Self::Vanish => "crash without a panic",
            Self::Hang => "executor hangs",
            Self::ClockStepsBack => "clock steps back",
            Self::OtherPayload => "other payload",
            Self::OtherPayloadInFlight => "other payload, in flight",
            Self::OtherKeys => "other keys meanwhile",
            Self::FreshAmongHot => "100 fresh among 1000 hot",
            Self::FreshInASmallRoom => "100 fresh among 100 hot",
        }
    }

    /// Runs it on a layer.
    pub(super) fn run<L: Layer>(self) -> Outcome {
        let room = if matches!(self, Self::FreshInASmallRoom) { SMALL_ROOM } else { ROOM };
        let trial = Trial::<L>::with_room(room);
        let outcome = match self {
            Self::Duplicates => duplicates(&trial),
            Self::Retry => retry(&trial),
            Self::Error => error(&trial),
            Self::Panic => panic(&trial),
            Self::Vanish => return vanish(&trial).map_or(Outcome::DoesNotApply, Outcome::from),
            Self::Hang => hang(&trial),
            Self::ClockStepsBack => {
                return clock_steps_back(&trial).map_or(Outcome::DoesNotApply, Outcome::from);
            }
            Self::OtherPayload => other_payload(&trial),
            Self::OtherPayloadInFlight => other_payload_in_flight(&trial),
            Self::OtherKeys => other_keys(&trial),
            Self::FreshAmongHot | Self::FreshInASmallRoom => {
                return fresh_among_hot(&trial, room as u64);
            }
        };
        outcome.into()
    }
}

/// What comes of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    /// So many were told that there is no room, and nothing was executed for them.
    Refused(usize),
    Lost(String),
    DoesNotApply,
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Lost, |()| Self::Ok)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.pad("ok"),
            Self::Refused(refused) => f.pad(&format!("ok, refuses {refused}")),
            Self::Lost(how) => f.pad(how),
            Self::DoesNotApply => f.pad("–"),
        }
    }
}

fn duplicates<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(End::Result);
    let duplicate = trial.call_aside(1, 0, 8);
    let soon = duplicate.soon();
    let first = executor.stop().ever();
    let answer = soon.or_else(|| duplicate.ever());
    executed(trial, 1)?;
    match (first, answer) {
        (Some(Answer::Value(7)), Some(Answer::Value(7) | Answer::InFlight)) => Ok(()),
        (_, None) | (None, _) => Err("waits for ever".into()),
        (first, second) => Err(format!("{first:?} and {second:?}")),
    }
}

fn retry<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let answers = [trial.call(1, 0, 7), trial.call(1, 0, 8)];
    executed(trial, 1)?;
    if answers == [Answer::Value(7); 2] { Ok(()) } else { Err(format!("{answers:?}")) }
}

/// Two wait, or not, when the executor finds that nothing can be done. Then one result is that of all.
///
/// An error that is an answer is a result as any other, and is not tried here.
fn error<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(End::Error);
    let duplicates = [8, 9].map(|value| trial.call_aside(1, 0, value));
    let soon = duplicates.each_ref().map(Caller::soon);
    let first = executor.stop().ever();
    let mut answers = vec![first];
    answers.extend(
        soon.iter().zip(&duplicates).map(|(soon, duplicate)| soon.or_else(|| duplicate.ever())),
    );
    answers.extend([10, 11].map(|value| trial.call_aside(1, 0, value).ever()));
    if answers.contains(&None) {
        return Err("waits for ever".into());
    }
    let mut values: Vec<_> = answers.iter().filter_map(|answer| (*answer)?.value()).collect();
    values.dedup();
    match (first, values.len()) {
        (Some(Answer::NothingDone), 1) => Ok(()),
        (Some(Answer::NothingDone), 0) => Err("executes no more".into()),
        (Some(Answer::NothingDone), results) => Err(format!("{results} results")),
        (first, _) => Err(format!("{first:?}")),
    }
}

/// Two wait, or not, when the executor dies, and one comes later. None is to execute what may have been.
fn panic<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(End::Panic);
    let duplicates = [8, 9].map(|value| trial.call_aside(1, 0, value));
    let soon = duplicates.each_ref().map(Caller::soon);
    drop(executor.stop());
    let is_answered = soon
        .iter()
        .zip(&duplicates)
        .all(|(soon, duplicate)| soon.or_else(|| duplicate.ever()).is_some());
    let last = trial.call_aside(1, 0, 10).ever();
    if !is_answered || last.is_none() {
        return Err("waits for ever".into());
    }
    executed(trial, 1)?;
    trial.layer.pass_lease();
    let late = trial.call_aside(1, 0, 11).ever();
    executed(trial, 1)?;
    if late == Some(Answer::Recover) { Ok(()) } else { Err(format!("{late:?}")) }
}

/// An executor is gone, and nothing was unwound that its layer could have heard of. None is to execute what has been.
fn vanish<L: Layer>(trial: &Trial<L>) -> Option<Result<(), String>> {
    trial.vanish()?;
    let duplicate = trial.call_aside(1, 0, 8);
    // Whoever waits does so until the lease ends, if there is one.
    let soon = duplicate.soon();
    trial.layer.pass_lease();
    let later = trial.call_aside(1, 0, 9).ever();
    let answer = soon.or_else(|| duplicate.ever());
    if let Err(error) = executed(trial, 1) {
        return Some(Err(error));
    }
    Some(match (answer, later) {
        (_, Some(Answer::Recover)) => Ok(()),
        (_, None) => Err("waits for ever".into()),
        (first, second) => Err(format!("{first:?} and {second:?}")),
    })
}

/// The executor is at it for longer than anybody thought. Somebody may find out, and it hears so when it is done.
fn hang<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(End::Result);
    trial.layer.pass_lease();
    let duplicate = trial.call_aside(1, 0, 8);
    let answer = duplicate.ever();
    let late = executor.stop().ever();
    match (answer, late) {
        (None, _) => Err("waits as long".into()),
        (Some(Answer::Recover), Some(Answer::Fenced)) => executed(trial, 1),
        (answer, late) => {
            executed(trial, 1)?;
            Err(format!("{answer:?} and {late:?}"))
        }
    }
}

/// An execution begins when the clock is behind, and the clock is set right again. That takes no time, and nothing ends by
/// it.
fn clock_steps_back<L: Layer>(trial: &Trial<L>) -> Option<Result<(), String>> {
    // What time it is has been seen, wherever keys are looked for.
    for key in 2..=BEFORE + 1 {
        trial.call(key, 0, key);
    }
    let before = trial.executions();
    trial.layer.step(Step::Back)?;
    let executor = trial.executor(End::Result);
    trial.layer.step(Step::Forth)?;
    let duplicate = trial.call_aside(1, 0, 8);
    let soon = duplicate.soon();
    let first = executor.stop().ever();
    let answers = [first, soon.or_else(|| duplicate.ever()), trial.call_aside(1, 0, 9).ever()];
    if let Err(error) = executed_since(trial, before, 1) {
        return Some(Err(error));
    }
    Some(match answers {
        [
            Some(Answer::Value(7)),
            Some(Answer::Value(7) | Answer::InFlight),
            Some(Answer::Value(7)),
        ] => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

fn other_payload<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    trial.call(1, 0, 7);
    is_told_apart(trial.call(1, 1, 8))
}

fn other_payload_in_flight<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(End::Result);
    let other = trial.call_aside(1, 1, 8);
    let soon = other.soon();
    let first = executor.stop().ever();
    let answer = soon.or_else(|| other.ever()).ok_or("waits for ever")?;
    is_told_apart(answer)?;
    if first == Some(Answer::Value(7)) { Ok(()) } else { Err(format!("{first:?}")) }
}

/// Others need not wait for one who executes something else.
fn other_keys<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(End::Result);
    let others: Vec<_> = (2..=65).map(|key| trial.call_aside(key, 0, key)).collect();
    let answered = others.iter().take_while(|other| other.ever().is_some()).count();
    // One of them had all the time there is, and the rest as well, while it was waited for.
    let rest = others.get(answered + 1..).unwrap_or_default();
    let waiting =
        others.len() - answered - rest.iter().filter(|other| other.by_now().is_some()).count();
    let first = executor.stop().ever();
    if waiting > 0 {
        return Err(format!("{waiting} of 64 wait"));
    }
    if first == Some(Answer::Value(7)) { Ok(()) } else { Err(format!("{first:?}")) }
}

/// Whoever got a result is to get it again, be it one of the new ones or of those that were asked for all the time. If
/// there is no room for both, the new ones may be refused.
fn fresh_among_hot<L: Layer>(trial: &Trial<L>, room: u64) -> Outcome {
    if !L::IS_BOUNDED {
        return Outcome::DoesNotApply;
    }
    let (hot, fresh) = (0..room, room..room + 100);
    for _ in 0..10 {
        for key in hot.clone() {
            trial.call(key, 0, key);
        }
        trial.layer.settle();
    }
    let (given, refused): (Vec<u64>, Vec<u64>) = fresh.partition(|&key| {
        let answer = trial.call(key, 0, key);
        trial.layer.settle();
        answer != Answer::Full
    });
    match (lost(trial, given.into_iter()), lost(trial, hot)) {
        (0, 0) if refused.is_empty() => Outcome::Ok,
        (0, 0) => Outcome::Refused(refused.len()),
        (0, hot) => Outcome::Lost(format!("{hot} hot lost")),
        (fresh, 0) => Outcome::Lost(format!("{fresh} fresh lost")),
        (fresh, hot) => Outcome::Lost(format!("{fresh} fresh, {hot} hot lost")),
    }
}

/// Returns how many results are not there any more. Those of the last keys are looked for first: what is looked for may be
/// put in, and what was completed first goes for it.
fn lost<L: Layer>(trial: &Trial<L>, keys: impl DoubleEndedIterator<Item = u64>) -> usize {
    keys.rev().filter(|&key| !trial.layer.knows(key)).count()
}

fn executed<L: Layer>(trial: &Trial<L>, times: u32) -> Result<(), String> {
    executed_since(trial, 0, times)
}

fn executed_since<L: Layer>(trial: &Trial<L>, before: u32, times: u32) -> Result<(), String> {
    let executions = trial.executions() - before;
    if executions == times { Ok(()) } else { Err(format!("executes {executions} times")) }
}

fn is_told_apart(answer: Answer) -> Result<(), String> {
    match answer {
        Answer::Mismatch => Ok(()),
        Answer::Value(7) => Err("gets the other's result".into()),
        Answer::Value(_) => Err("executes both".into()),
        Answer::InFlight => Err("hears of the other".into()),
        other => Err(format!("{other:?}")),
    }
}
