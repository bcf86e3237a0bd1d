use super::{Answer, Layer, threads::Trial};

/// A race that a layer may lose.
#[derive(Clone, Copy, Debug)]
pub(super) enum Race {
    Duplicates,
    Retry,
    Panic,
    Hang,
    OtherPayload,
    OtherPayloadInFlight,
    OtherKeys,
    FreshAmongHot,
    FreshInASmallRoom,
}

pub(super) const RACES: [Race; 9] = [
    Race::Duplicates,
    Race::Retry,
    Race::Panic,
    Race::Hang,
    Race::OtherPayload,
    Race::OtherPayloadInFlight,
    Race::OtherKeys,
    Race::FreshAmongHot,
    Race::FreshInASmallRoom,
];

const ROOM: usize = 1000;
const SMALL_ROOM: usize = 100;

impl Race {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Duplicates => "concurrent duplicate",
            Self::Retry => "later duplicate",
            Self::Panic => "panic",
            Self::Hang => "executor hangs",
            Self::OtherPayload => "other payload",
            Self::OtherPayloadInFlight => "other payload, in flight",
            Self::OtherKeys => "other keys meanwhile",
            Self::FreshAmongHot => "100 fresh among 1000 hot",
            Self::FreshInASmallRoom => "100 fresh among 100 hot",
        }
    }

    /// Runs it on a layer, and returns how that loses it.
    pub(super) fn run<L: Layer>(self) -> Result<(), String> {
        let room = if matches!(self, Self::FreshInASmallRoom) { SMALL_ROOM } else { ROOM };
        let trial = Trial::<L>::with_room(room);
        match self {
            Self::Duplicates => duplicates(&trial),
            Self::Retry => retry(&trial),
            Self::Panic => panic(&trial),
            Self::Hang => hang(&trial),
            Self::OtherPayload => other_payload(&trial),
            Self::OtherPayloadInFlight => other_payload_in_flight(&trial),
            Self::OtherKeys => other_keys(&trial),
            Self::FreshAmongHot | Self::FreshInASmallRoom => fresh_among_hot(&trial, room as u64),
        }
    }
}

fn duplicates<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(false);
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

/// Two wait, or not, when the executor dies, and one comes later. None is to execute what may have been.
fn panic<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(true);
    let duplicates = [8, 9].map(|value| trial.call_aside(1, 0, value));
    let soon = duplicates.each_ref().map(super::threads::Caller::soon);
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
    match trial.call_aside(1, 0, 11).ever() {
        Some(Answer::Recover) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// The executor is at it for longer than anybody thought. Somebody may find out, and it hears so when it is done.
fn hang<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(false);
    trial.layer.pass_lease();
    let duplicate = trial.call_aside(1, 0, 8);
    let answer = duplicate.ever();
    let late = executor.stop().ever();
    match (answer, late) {
        (Some(Answer::Recover), Some(Answer::Fenced)) => executed(trial, 1),
        (None, _) => Err("waits as long".into()),
        (answer, late) => Err(format!("{answer:?} and {late:?}")),
    }
}

fn other_payload<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    trial.call(1, 0, 7);
    is_told_apart(trial.call(1, 1, 8))
}

fn other_payload_in_flight<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(false);
    let other = trial.call_aside(1, 1, 8);
    let soon = other.soon();
    let first = executor.stop().ever();
    let answer = soon.or_else(|| other.ever()).ok_or("waits for ever")?;
    is_told_apart(answer)?;
    if first == Some(Answer::Value(7)) { Ok(()) } else { Err(format!("{first:?}")) }
}

/// Others need not wait for one who executes something else.
fn other_keys<L: Layer>(trial: &Trial<L>) -> Result<(), String> {
    let executor = trial.executor(false);
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

/// Only the new results are counted: old ones make room for them, as there is no other.
fn fresh_among_hot<L: Layer>(trial: &Trial<L>, room: u64) -> Result<(), String> {
    let (hot, fresh) = (0..room, room..room + 100);
    for _ in 0..10 {
        for key in hot.clone() {
            trial.call(key, 0, key);
        }
        trial.layer.settle();
    }
    for key in fresh.clone() {
        trial.call(key, 0, key);
        trial.layer.settle();
    }
    let before = trial.executions();
    for key in fresh {
        trial.call(key, 0, key);
    }
    match trial.executions() - before {
        0 => Ok(()),
        lost => Err(format!("{lost} lost")),
    }
}

fn executed<L: Layer>(trial: &Trial<L>, times: u32) -> Result<(), String> {
    let executions = trial.executions();
    if executions == times { Ok(()) } else { Err(format!("executes {executions} times")) }
}

fn is_told_apart(answer: Answer) -> Result<(), String> {
    match answer {
        Answer::Mismatch => Ok(()),
        Answer::Value(7) => Err("gets the other's result".into()),
        Answer::Value(_) => Err("executes both".into()),
        other => Err(format!("{other:?}")),
    }
}
