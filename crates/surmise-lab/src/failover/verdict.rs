use core::fmt;

use serde::Serialize;

use super::{
    checker::{Violation, check},
    history::{History, Note},
    outage::{Loss, Outage, Promise, Spread, outages},
    setup::Setup,
    wire::Network,
};
use crate::compare::{table::wrap, text};

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) violations: Vec<Violation>,
    /// Whether all writes that were begun were acknowledged in the end.
    pub(super) drained: bool,
    pub(super) promise: Promise,
    pub(super) outages: Vec<Outage>,
    pub(super) counts: Counts,
}

/// The verdict in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// All was kept that was promised.
    Clean,
    /// Nothing was broken, as far as the run came: a write that was begun was not acknowledged in the end.
    Unfinished,
    /// Two wrote by one token, or one by another's, and nothing came of it.
    Broken,
    /// What was acknowledged is lost, or other than it was said to be.
    Corrupt,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) invoked: u64,
    pub(super) acknowledged: u64,
    pub(super) stored: u64,
    pub(super) replayed: u64,
    pub(super) refused: u64,
    pub(super) reads: u64,
    pub(super) hedged: u64,
    pub(super) leaders: u64,
    /// How many faults there were.
    pub(super) faults: u64,
    /// How many met nobody.
    pub(super) missed: u64,
}

impl Verdict {
    pub(super) fn new(history: &History, setup: &Setup, network: &Network) -> Self {
        let violations = check(history);
        let drained = history.entries.iter().any(|entry| entry.note == Note::Drained);
        let outcome = match violations.as_slice() {
            [] if drained => Outcome::Clean,
            [] => Outcome::Unfinished,
            found if found.iter().any(Violation::is_corruption) => Outcome::Corrupt,
            _ => Outcome::Broken,
        };
        Self {
            outcome,
            violations,
            drained,
            promise: Promise::new(setup.timing, network),
            outages: outages(history, setup.nodes),
            counts: Counts::of(history),
        }
    }

    /// Says what was found.
    pub(super) fn describe(&self) -> String {
        let mut lines = vec![self.counts.describe()];
        lines.extend(self.outages.iter().map(|outage| outage.describe(&self.promise)));
        if !self.drained {
            lines.push(NOT_FINISHED.to_owned());
        }
        match self.outcome {
            Outcome::Clean => lines.push(format!("Clean: {ACQUITTAL}")),
            Outcome::Unfinished => {
                lines.push(format!("Nothing is broken in what was done: {ACQUITTAL}"));
            }
            Outcome::Broken | Outcome::Corrupt => {
                let word = if self.outcome == Outcome::Corrupt { "CORRUPT" } else { "BROKEN" };
                let count = self.violations.len();
                lines.push(format!(
                    "{word}, in {count} {}:",
                    if count == 1 { "way" } else { "ways" }
                ));
                let shown = self.violations.iter().take(SHOWN);
                lines.extend(shown.map(|violation| format!("  {violation}")));
                if count > SHOWN {
                    lines.push(format!("  and {} more", count - SHOWN));
                }
            }
        }
        lines.iter().map(|line| wrap(line)).collect::<Vec<_>>().join("\n")
    }

    /// Says it in a line.
    pub(super) fn summary(&self) -> String {
        let Counts { acknowledged, refused, replayed, .. } = self.counts;
        let first = || self.violations.first().map(ToString::to_string).unwrap_or_default();
        let state = match self.outcome {
            Outcome::Clean => "clean".to_owned(),
            Outcome::Unfinished => "NOT FINISHED".to_owned(),
            Outcome::Broken => format!("BROKEN: {}", first()),
            Outcome::Corrupt => format!("CORRUPT: {}", first()),
        };
        let replaced = self.outages.iter().filter_map(|outage| outage.replaced_ns);
        let replaced: Vec<_> = replaced.map(time).collect();
        let failover = if replaced.is_empty() {
            String::new()
        } else {
            format!(", failover in {}", replaced.join(" and "))
        };
        format!("{acknowledged} writes, {refused} refused, {replayed} replayed{failover}: {state}")
    }
}

impl Counts {
    fn of(history: &History) -> Self {
        let mut counts = Self::default();
        for entry in &history.entries {
            match entry.note {
                Note::Invoked { .. } => counts.invoked += 1,
                Note::Acknowledged { .. } => counts.acknowledged += 1,
                Note::Replayed { .. } => counts.replayed += 1,
                Note::Refused { .. } => counts.refused += 1,
                Note::Leads { .. } => counts.leaders += 1,
                Note::Paused { .. }
                | Note::Killed { .. }
                | Note::Cut { .. }
                | Note::Skewed { .. } => {
                    counts.faults += 1;
                }
                Note::Missed { .. } => counts.missed += 1,
                Note::Read { hedged, .. } => {
                    counts.reads += 1;
                    counts.hedged += u64::from(hedged);
                }
                _ => {}
            }
        }
        let stored = history.log.iter().flatten().count();
        counts.stored = u64::try_from(stored).unwrap_or(u64::MAX);
        counts
    }

    fn describe(&self) -> String {
        let Self { invoked, acknowledged, stored, replayed, refused, .. } = self;
        let Self { reads, hedged, leaders, faults, missed, .. } = self;
        let missed = match missed {
            0 => String::new(),
            missed => format!(
                " {missed} MORE MET NOBODY, so that this run shows less than was asked for."
            ),
        };
        format!(
            "Faults: {faults}.{missed} {invoked} writes begun, {acknowledged} acknowledged, {stored} in the store. \
             {leaders} terms of leaders, {refused} stale writes refused, {replayed} writes replayed, {reads} reads, {hedged} of them hedged."
        )
    }
}

impl Outage {
    fn describe(&self, promise: &Promise) -> String {
        let Self { node, how, .. } = self;
        let how = how.describe();
        format!("The leader node-{node} {how}: {}; {}.", self.detection(promise), self.outcome())
    }

    /// Says how soon the others found out.
    pub(super) fn detection(&self, promise: &Promise) -> String {
        let times: Spread = self.detections(promise).collect();
        if self.observers.is_empty() {
            return match self.how {
                Loss::CutOff => {
                    "the others still heard it, so that none was to suspect it".to_owned()
                }
                Loss::Killed | Loss::Stopped => "no other was there to suspect it".to_owned(),
            };
        }
        if times.count == 0 {
            let ended = if self.is_back { "it was back" } else { "the run was over" };
            return format!(
                "{ended} after {}, before anybody had to suspect it",
                time(self.lasted_ns)
            );
        }
        if times.worst.is_none() {
            return format!("nobody suspected it, where the contract promises {promise}");
        }
        let majority = match self.convicted_ns {
            Some(after) => format!("a majority did after {}", time(after)),
            None if self.has_majority() => "no majority did".to_owned(),
            None => "no majority could tell".to_owned(),
        };
        let late = match self.late(promise) {
            0 => String::new(),
            late => format!(" (LATER THAN PROMISED: {late} of {})", times.count),
        };
        format!(
            "each observer suspected it after {times}, where the contract promises {promise}{late}; {majority}"
        )
    }

    fn outcome(&self) -> String {
        match self.replaced_ns {
            Some(after) => {
                format!("the next leader had a write acknowledged after {}", time(after))
            }
            None if self.went_on => "it went on leading when it was back".to_owned(),
            None => "no other had a write acknowledged after it".to_owned(),
        }
    }
}

impl Loss {
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::Killed => "was killed",
            Self::Stopped => "was stopped",
            Self::CutOff => "was cut off",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&time(self.detection_ns))?;
        match &self.plus_delay {
            Some(law) => write!(f, " plus the mean delay of a heartbeat, of {law}"),
            None => Ok(()),
        }
    }
}

pub(super) fn time(nanos: u64) -> String {
    text::time(core::time::Duration::from_nanos(nanos).as_secs_f64())
}

/// What a run has shown in which nothing is broken.
pub(super) const ACQUITTAL: &str = "every acknowledged write is in the store once, no stale write was accepted, no two leaders \
                                    wrote in one term, each stamp is later than what it follows, and each read showed what \
                                    it had to.";

pub(super) const NOT_FINISHED: &str =
    "NOT FINISHED: a write that was begun was not acknowledged before the client was given up.";

/// So many violations are printed; JSON has all.
const SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failover::simulation;

    /// Returns the verdict on a run in which a leader was stopped, once that was spoilt.
    fn verdict(spoil: impl FnOnce(&mut History)) -> Verdict {
        let (setup, _, mut history) = simulation::paused_run();
        spoil(&mut history);
        Verdict::new(&history, &setup, &Network::default())
    }

    #[test]
    fn a_run_that_did_not_finish_is_not_a_corrupt_one() {
        let unfinished = |history: &mut History| {
            history.entries.retain(|entry| entry.note != Note::Drained);
        };
        let lost = |history: &mut History| _ = history.log.pop();
        let other = |history: &mut History| {
            let last = history.log.last_mut().unwrap().as_mut().unwrap();
            last.pass.token = surmise_fence::FencingToken::first(9);
        };
        let cases = [
            (verdict(|_| {}), Outcome::Clean, "Clean: ", "clean"),
            (verdict(unfinished), Outcome::Unfinished, "NOT FINISHED: ", "NOT FINISHED"),
            (verdict(lost), Outcome::Corrupt, "CORRUPT, in 1 way:", "CORRUPT: write"),
            (verdict(other), Outcome::Broken, "BROKEN, in 1 way:", "BROKEN: place"),
        ];
        for (verdict, outcome, word, line) in cases {
            assert_eq!(verdict.outcome, outcome, "{verdict:?}");
            assert!(verdict.describe().contains(word), "{}", verdict.describe());
            assert!(verdict.summary().contains(line), "{}", verdict.summary());
            let says_clean = verdict.describe().contains("Clean");
            assert_eq!(says_clean, outcome == Outcome::Clean);
        }
    }

    #[test]
    fn nobody_is_blamed_for_what_could_not_be_seen() {
        let mut outage = verdict(|_| {}).outages.remove(0);
        let promise = Promise { detection_ns: outage.lasted_ns, plus_delay: None };
        let said = |outage: &Outage| outage.detection(&promise);
        outage.observers.iter_mut().for_each(|observer| observer.suspected_ns = None);
        let unseen = "1.50 s, before anybody had to suspect it";
        assert_eq!(said(&outage), format!("it was back after {unseen}"));
        outage.is_back = false;
        assert_eq!(said(&outage), format!("the run was over after {unseen}"));
        outage.lasted_ns += 1;
        assert_eq!(said(&outage), "nobody suspected it, where the contract promises 1.50 s");
        let alone = &mut outage.observers;
        alone.truncate(1);
        alone[0].suspected_ns = Some(1_000_000_000);
        outage.convicted_ns = None;
        assert!(said(&outage).ends_with("1.50 s; no majority could tell"), "{}", said(&outage));
        outage.observers.clear();
        assert_eq!(said(&outage), "no other was there to suspect it");
        outage.how = Loss::CutOff;
        assert_eq!(said(&outage), "the others still heard it, so that none was to suspect it");
    }

    #[test]
    fn what_was_later_than_promised_is_marked() {
        let mut verdict = verdict(|_| {});
        assert!(!verdict.describe().contains("LATER"), "{}", verdict.describe());
        verdict.promise.detection_ns = 300_000_000;
        let said = verdict.describe().replace('\n', " ");
        assert!(said.contains("promises 300 ms (LATER THAN PROMISED: 2 of 2)"), "{said}");
        verdict.promise.plus_delay = Some("constant:5ms".to_owned());
        let said = verdict.describe().replace('\n', " ");
        assert!(said.contains("300 ms plus the mean delay of a heartbeat, of constant:5ms; a"));
    }
}
