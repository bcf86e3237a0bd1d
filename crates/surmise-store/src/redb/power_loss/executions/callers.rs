use alloc::collections::BTreeMap;

use surmise_fence::FencingToken;
use surmise_time::Instant;

use super::{
    super::Tally,
    Asked, OwnVerb,
    fate::{Answer, Fate, Said},
};
use crate::{Claimed, Settled, StoreError, Ticket};

/// What callers know, and were told.
#[derive(Clone, Debug, Default)]
pub(in crate::redb::power_loss) struct Callers {
    /// What each key may have become.
    fates: BTreeMap<u8, Vec<Fate>>,
    /// Of each key, the tickets that were given out, of which most are void.
    pub(super) tickets: BTreeMap<u8, Vec<Ticket>>,
    pub(super) nonces: BTreeMap<u8, u64>,
    highest: Option<FencingToken>,
    /// Until when each key is not executed anew.
    once_until: BTreeMap<u8, Instant>,
    /// What each key is answered with, and until when, at least.
    acknowledged: BTreeMap<u8, (Vec<u8>, Instant)>,
    opened_at: Instant,
    /// When something was last asked for.
    pub(in crate::redb::power_loss) latest: Instant,
    /// Whether the wall clock is set back now and then, so that there is no telling when something is forgotten.
    pub(in crate::redb::power_loss) is_set_back: bool,
}

/// How many tickets of a key are shown once more.
const TICKETS: usize = 3;

impl Callers {
    pub(in crate::redb::power_loss) fn new(is_set_back: bool) -> Self {
        Self { is_set_back, ..Self::default() }
    }

    /// The file is opened anew: what was in flight is so once more, unless it was over before and may have been forgotten.
    pub(in crate::redb::power_loss) fn opened(&mut self, now: Instant) {
        for fates in self.fates.values_mut() {
            if fates.iter().any(|fate| fate.is_over(self.latest, self.opened_at)) {
                fates.push(Fate::Absent);
            }
        }
        self.opened_at = now;
    }

    /// Knows no more than that all that happened since then did, or nothing of it.
    pub(in crate::redb::power_loss) fn unless_undone(&mut self, before: &Self) {
        for (name, fates) in &mut self.fates {
            let absent = [Fate::Absent];
            for fate in before.fates.get(name).map_or(&absent[..], Vec::as_slice) {
                if !fates.contains(fate) {
                    fates.push(fate.clone());
                }
            }
        }
    }

    fn fates(&self, name: u8, now: Instant) -> Vec<Fate> {
        let known = self.fates.get(&name).cloned().unwrap_or_else(|| vec![Fate::Absent]);
        let mut fates = Vec::new();
        for fate in known {
            let is_over = fate.is_over(now, self.opened_at);
            if is_over && !fates.contains(&Fate::Absent) {
                fates.push(Fate::Absent);
            }
            if (!is_over || self.is_set_back) && !fates.contains(&fate) {
                fates.push(fate);
            }
        }
        fates
    }

    pub(super) fn claimed(
        &mut self,
        asked: &Asked,
        claimed: &Result<Claimed, StoreError>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Asked { name, now, .. } = *asked;
        let fates = self.fates(name, now);
        let mut after = Vec::new();
        for fate in &fates {
            let (answer, mut next) = fate.claim(asked, self.opened_at);
            if self.is_answer(&answer, claimed) {
                if let Ok(Claimed::Execute(ticket) | Claimed::Recover(ticket)) = claimed {
                    next.issue(ticket.token());
                }
                after.push((answer, next));
            }
        }
        if after.is_empty() {
            return Err(format!("{asked:?} of {fates:?} was answered with {claimed:?}"));
        }
        let is_new = after.iter().all(|(answer, _)| matches!(answer, Answer::New { .. }));
        let may_be_new = after.iter().any(|(answer, _)| matches!(answer, Answer::New { .. }));
        self.fates.insert(name, after.into_iter().map(|(_, next)| next).collect());
        tally.executions += u32::from(claimed.is_ok());
        match claimed {
            Ok(Claimed::Execute(ticket)) => self.execute(asked, ticket, is_new, tally)?,
            Ok(Claimed::Recover(ticket)) if is_new => {
                tally.recovered += 1;
                self.granted(asked, ticket);
            }
            // The retry of a claim changes nothing.
            Ok(Claimed::Recover(ticket)) => self.note(name, ticket),
            Ok(Claimed::Replay(result)) => {
                tally.replayed += 1;
                // What was indeterminate is known now.
                let until = now.max(self.acknowledged.get(&name).map_or(now, |known| known.1));
                self.acknowledged.insert(name, (result.clone(), until));
            }
            // Whoever takes over brings terms of their own, which may be shorter, and may have done so unheard.
            Ok(Claimed::Indeterminate(_)) if may_be_new => {
                if let Some(until) = self.once_until.get_mut(&name) {
                    *until = ends(asked).min(*until);
                }
            }
            _ => {}
        }
        self.check_acknowledged(asked, claimed)
    }

    /// An acknowledged result is what everybody is answered with.
    fn check_acknowledged(
        &self,
        asked: &Asked,
        claimed: &Result<Claimed, StoreError>,
    ) -> Result<(), String> {
        match (self.acknowledged.get(&asked.name), claimed) {
            (_, Err(_) | Ok(Claimed::Indeterminate(_) | Claimed::Mismatch)) => Ok(()),
            (Some((result, until)), Ok(claimed)) if asked.now < *until => match claimed {
                Claimed::Replay(replayed) if replayed == result => Ok(()),
                other => Err(format!("{result:?} was acknowledged, and then came {other:?}")),
            },
            _ => Ok(()),
        }
    }

    /// The effect takes place, and had better not have before.
    fn execute(
        &mut self,
        asked: &Asked,
        ticket: &Ticket,
        is_new: bool,
        tally: &mut Tally,
    ) -> Result<(), String> {
        // What was told before is told again.
        let tickets = self.tickets.get(&asked.name);
        let is_told =
            tickets.and_then(|told| told.last()).map(Ticket::token) == Some(ticket.token());
        let until = self.once_until.get(&asked.name).filter(|until| asked.now < **until);
        if let Some(until) = until.filter(|_| !is_told) {
            return Err(format!("{} is executed twice before {until}", asked.name));
        }
        // The retry of a claim changes nothing.
        if !is_new {
            self.note(asked.name, ticket);
            return Ok(());
        }
        tally.executed += 1;
        self.granted(asked, ticket);
        Ok(())
    }

    fn granted(&mut self, asked: &Asked, ticket: &Ticket) {
        self.once_until.insert(asked.name, ends(asked));
        self.note(asked.name, ticket);
    }

    fn note(&mut self, name: u8, ticket: &Ticket) {
        self.highest = self.highest.max(Some(ticket.token()));
        let tickets = self.tickets.entry(name).or_default();
        tickets.push(ticket.clone());
        if tickets.len() > TICKETS {
            tickets.remove(0);
        }
    }

    fn is_answer(&self, answer: &Answer, claimed: &Result<Claimed, StoreError>) -> bool {
        let is_new = |ticket: &Ticket| Some(ticket.token()) > self.highest;
        match (answer, claimed) {
            (_, Err(_) | Ok(Claimed::Indeterminate(_))) => true,
            (Answer::New { checkpoint: None, recovers: false }, Ok(Claimed::Execute(ticket))) => {
                is_new(ticket) && ticket.checkpoint().is_none()
            }
            (Answer::New { checkpoint, recovers: true }, Ok(Claimed::Recover(ticket))) => {
                is_new(ticket) && ticket.checkpoint() == checkpoint.as_deref()
            }
            (
                Answer::Again { token, checkpoint, recovers },
                Ok(Claimed::Execute(ticket) | Claimed::Recover(ticket)),
            ) => {
                token.is_none_or(|token| token == ticket.token())
                    && ticket.checkpoint() == checkpoint.as_deref()
                    && *recovers == matches!(claimed, Ok(Claimed::Recover(_)))
            }
            (Answer::Replay(result), Ok(Claimed::Replay(replayed))) => result == replayed,
            (Answer::InFlight(left), Ok(Claimed::InFlight { retry_after })) => left == retry_after,
            (Answer::Mismatch, Ok(Claimed::Mismatch)) => true,
            _ => false,
        }
    }

    pub(super) fn settled(
        &mut self,
        name: u8,
        ticket: &Ticket,
        verb: &OwnVerb,
        now: Instant,
        settled: &Result<Settled, StoreError>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let fates = self.fates(name, now);
        let mut after = Vec::new();
        for fate in &fates {
            let (said, is_changed, next) = fate.settle(ticket, verb, now, self.opened_at);
            let is_answer = match settled {
                Ok(Settled::Done) => said == Said::Done,
                Ok(Settled::Fenced) => said == Said::Fenced,
                Ok(Settled::AlreadyCompleted) => said == Said::AlreadyCompleted,
                _ => true,
            };
            if is_answer {
                after.push((is_changed, next));
            }
        }
        if after.is_empty() {
            return Err(format!(
                "{verb:?} by {ticket:?} of {fates:?} was answered with {settled:?}"
            ));
        }
        tally.executions += u32::from(settled.is_ok());
        tally.fenced += u32::from(matches!(settled, Ok(Settled::Fenced)));
        let is_changed = after.iter().any(|(is_changed, _)| *is_changed);
        // An earlier completion whose reply was lost stays.
        let is_known = matches!(settled, Ok(Settled::Done)) && after.iter().all(|(it, _)| *it);
        let mut after: Vec<_> = after.into_iter().map(|(_, next)| next).collect();
        // What is over and not yet removed is in flight once more if the file is opened anew.
        let is_lapsed =
            |fate: &&Fate| matches!(fate, Fate::InFlight(_)) && fate.is_over(now, self.opened_at);
        let lapsed = self.fates.get(&name).into_iter().flatten().filter(is_lapsed).cloned();
        after.extend(lapsed.filter(|_| !is_changed).collect::<Vec<_>>());
        if !is_changed
            || matches!(settled, Err(_) | Ok(Settled::Fenced | Settled::AlreadyCompleted))
        {
            self.fates.insert(name, after);
            return Ok(());
        }
        // Whoever gives up a recovery leaves what it was to recover from.
        let is_released = after.iter().any(|fate| matches!(fate, Fate::Released { .. }));
        self.fates.insert(name, after);
        let once_until = self.once_until.entry(name).or_insert(now);
        match verb {
            OwnVerb::Release if is_released => *once_until = now,
            OwnVerb::Release => {}
            OwnVerb::Renew => {
                let until = now + ticket.terms().lease + ticket.terms().retention;
                *once_until = if is_known { until } else { until.min(*once_until) };
            }
            OwnVerb::Complete(result, retention) => {
                let until = now + *retention;
                *once_until = if is_known { until } else { until.min(*once_until) };
                if is_known {
                    tally.completed += 1;
                    self.acknowledged.insert(name, (result.clone(), until));
                }
            }
            OwnVerb::Save(_) => {}
        }
        Ok(())
    }
}

/// Returns when a claim that was granted is forgotten, unless more comes of it.
fn ends(asked: &Asked) -> Instant {
    asked.now + asked.terms.lease + asked.terms.retention
}
