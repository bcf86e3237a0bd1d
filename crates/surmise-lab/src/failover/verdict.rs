use serde::Serialize;

use super::{
    checker::{Violation, check},
    history::{History, Note},
    outage::{Outage, outages},
    setup::Timing,
};
use crate::compare::{table::wrap, text};

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Verdict {
    pub(super) violations: Vec<Violation>,
    /// Whether all writes that were begun were acknowledged in the end.
    pub(super) drained: bool,
    pub(super) outages: Vec<Outage>,
    pub(super) counts: Counts,
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
    pub(super) fn new(history: &History) -> Self {
        Self {
            violations: check(history),
            drained: history.entries.iter().any(|entry| entry.note == Note::Drained),
            outages: outages(history),
            counts: Counts::of(history),
        }
    }

    /// Returns whether all was kept that was promised.
    pub(super) fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.drained
    }

    /// Says what was found.
    pub(super) fn describe(&self, timing: Timing) -> String {
        let mut lines = vec![self.counts.describe()];
        lines.extend(self.outages.iter().map(|outage| outage.describe(timing)));
        if !self.drained {
            lines.push(
                "NOT FINISHED: a write that was begun was not acknowledged in the end.".into(),
            );
        }
        if self.violations.is_empty() {
            lines.push(
                "Clean: every acknowledged write is in the store once, no stale write was accepted, no two leaders \
                 wrote in one term, each stamp is later than what it follows, and each read showed what it had to."
                    .into(),
            );
        } else {
            lines.push(format!("CORRUPT, in {} ways:", self.violations.len()));
            let shown = self.violations.iter().take(SHOWN);
            lines.extend(shown.map(|violation| format!("  {violation}")));
            if self.violations.len() > SHOWN {
                lines.push(format!("  and {} more", self.violations.len() - SHOWN));
            }
        }
        lines.iter().map(|line| wrap(line)).collect::<Vec<_>>().join("\n")
    }

    /// Says it in a line.
    pub(super) fn summary(&self) -> String {
        let Counts { acknowledged, refused, replayed, .. } = self.counts;
        let state = match (self.violations.first(), self.drained) {
            (Some(first), _) => format!("CORRUPT: {first}"),
            (None, false) => "NOT FINISHED".to_owned(),
            (None, true) => "clean".to_owned(),
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
            "Faults: {faults}.{missed} {invoked} writes begun, {acknowledged} acknowledged, {stored} in the store. {leaders} terms of leaders, \
             {refused} stale writes refused, {replayed} writes replayed, {reads} reads, {hedged} of them hedged."
        )
    }
}

impl Outage {
    fn describe(&self, timing: Timing) -> String {
        let Self { node, killed, convicted_ns, replaced_ns } = *self;
        let how = if killed { "killed" } else { "stopped" };
        let promised = text::time(timing.detection.as_secs_f64());
        let detected = match convicted_ns {
            Some(after) => format!("suspected by a majority after {}", time(after)),
            None => "never suspected by a majority".to_owned(),
        };
        let replaced = match replaced_ns {
            Some(after) => {
                format!("the next leader had a write acknowledged after {}", time(after))
            }
            None => "no other led".to_owned(),
        };
        format!(
            "The leader node-{node} was {how}: {detected}, where the contract promises {promised} for each observer; \
             {replaced}."
        )
    }
}

pub(super) fn time(nanos: u64) -> String {
    text::time(core::time::Duration::from_nanos(nanos).as_secs_f64())
}

/// So many violations are printed; JSON has all.
const SHOWN: usize = 8;
