use surmise_fence::FencingToken;
use surmise_time::Instant;

use super::{
    super::{Drill, is_brief},
    Asked, Effect, Step,
};
use crate::Ticket;

/// What is known of a key.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// How often it was forgotten.
    age: u64,
    /// The tokens that somebody was told, and under which nonce.
    told: Vec<(u64, FencingToken)>,
    highest: Option<FencingToken>,
    /// The lowest token that the effect takes.
    floor: Option<FencingToken>,
    /// Whose effect took place.
    effect: Option<FencingToken>,
    /// What was claimed.
    requests: Vec<u8>,
    /// The results that were sent, for which requests.
    sent: Vec<(u8, Vec<u8>)>,
    saves: Vec<Vec<u8>>,
    is_saved: bool,
    /// The result that was acknowledged, or replayed, for which request.
    known: Option<(u8, Vec<u8>)>,
    /// When the first completion was sent.
    since: Option<Instant>,
}

pub(super) const ONCE: &str = "effects-happen-once";
pub(super) const REPLAYED: &str = "what-was-acknowledged-is-replayed";
const RISE: &str = "tokens-rise";
const VOID: &str = "a-void-ticket-settles-nothing";
const SAVED: &str = "what-was-saved-is-there";
const MATCH: &str = "another-request-is-no-match";

impl Story {
    pub(super) const fn known(&self) -> Option<&(u8, Vec<u8>)> {
        self.known.as_ref()
    }

    pub(super) fn ask(&mut self, request: u8) {
        if !self.requests.contains(&request) {
            self.requests.push(request);
        }
    }

    pub(super) const fn asked(&self, index: u64, request: u8, nonce: u64) -> Asked {
        Asked {
            index,
            request,
            nonce,
            age: self.age,
            highest: self.highest,
            is_known: self.known.is_some(),
            is_saved: self.is_saved,
            had_effect: self.effect.is_some(),
        }
    }

    /// Returns whether the result may have been forgotten by now, since it was sent so long ago.
    pub(super) fn is_over(&self, index: u64, now: Instant, drill: &Drill) -> bool {
        is_brief(index) && self.since.is_some_and(|since| now >= since + drill.brief_retention)
    }

    /// Judges an execution or a recovery, and returns whether the key had been forgotten.
    pub(super) fn grant(
        &mut self,
        asked: &Asked,
        ticket: &Ticket,
        is_recovery: bool,
        is_over: bool,
    ) -> Result<bool, &'static str> {
        let told = (asked.nonce, ticket.token());
        let is_told = self.told.contains(&told);
        let is_others = self.told.iter().any(|(nonce, token)| *token == told.1 && *nonce != told.0);
        if is_others || !is_told && Some(told.1) <= asked.highest {
            return Err(RISE);
        }
        // The answer to a claim from before it was last forgotten may be late itself.
        let was_forgotten = is_over && Some(told.1) > self.highest;
        if was_forgotten {
            self.forget();
        } else if asked.age == self.age && !is_told {
            self.must_be_unknown(asked, is_over)?;
            if asked.had_effect && !is_recovery {
                return Err(ONCE);
            }
        }
        match ticket.checkpoint() {
            Some(checkpoint) if !self.saves.iter().any(|save| save == checkpoint) => {
                return Err(SAVED);
            }
            None if is_recovery && asked.is_saved && self.is_saved => return Err(SAVED),
            _ => {}
        }
        if !is_told {
            self.is_saved &= is_recovery;
            self.told.push(told);
            self.highest = self.highest.max(Some(told.1));
        }
        Ok(was_forgotten)
    }

    /// The tokens, and what was saved, stay known: a late answer may yet tell of them.
    fn forget(&mut self) {
        self.age += 1;
        self.effect = None;
        self.known = None;
        self.since = None;
        self.is_saved = false;
        self.sent.clear();
    }

    /// Judges an answer that is not the result.
    pub(super) fn must_be_unknown(&self, asked: &Asked, is_over: bool) -> Result<(), &'static str> {
        if asked.is_known && asked.age == self.age && !is_over { Err(REPLAYED) } else { Ok(()) }
    }

    pub(super) fn replay(&mut self, asked: &Asked, result: &[u8]) -> Result<(), &'static str> {
        if asked.age != self.age {
            // It may be the answer from before it was forgotten.
            return Ok(());
        }
        let replayed = (asked.request, result.to_vec());
        if !self.sent.contains(&replayed) {
            return Err(REPLAYED);
        }
        match &self.known {
            Some(known) if *known != replayed => Err(REPLAYED),
            Some(_) => Ok(()),
            None => {
                self.known = Some(replayed);
                Ok(())
            }
        }
    }

    pub(super) fn mismatch(&self, asked: &Asked, is_over: bool) -> Result<(), &'static str> {
        let is_only = self.requests == [asked.request];
        let is_known = self.known.as_ref().is_some_and(|known| known.0 == asked.request);
        let is_same = asked.is_known && is_known && asked.age == self.age && !is_over;
        if is_only || is_same { Err(MATCH) } else { Ok(()) }
    }

    pub(super) fn look(&mut self, token: FencingToken) -> Effect {
        if Some(token) < self.floor {
            return Effect::Refused;
        }
        self.floor = Some(token);
        if self.effect.is_some() { Effect::Before } else { Effect::Now }
    }

    pub(super) fn perform(
        &mut self,
        token: FencingToken,
        is_recovery: bool,
    ) -> Result<Effect, &'static str> {
        let effect = self.look(token);
        match (effect, self.effect) {
            // Its own effect, by somebody who was told so once more, is no other's.
            (Effect::Before, Some(by)) if !is_recovery && by != token => return Err(ONCE),
            (Effect::Now, _) => self.effect = Some(token),
            _ => {}
        }
        Ok(effect)
    }

    pub(super) fn settle(&mut self, request: u8, step: &Step, now: Instant) {
        match step {
            Step::Complete(result) => {
                let sent = (request, result.clone());
                if !self.sent.contains(&sent) {
                    self.sent.push(sent);
                }
                self.since.get_or_insert(now);
            }
            Step::Release => self.is_saved = false,
            Step::Save(checkpoint) if !self.saves.contains(checkpoint) => {
                self.saves.push(checkpoint.clone());
            }
            Step::Renew | Step::Save(_) => {}
        }
    }

    /// Judges a settlement that was done.
    pub(super) fn done(
        &mut self,
        asked: &Asked,
        token: FencingToken,
        step: &Step,
        is_over: bool,
    ) -> Result<(), &'static str> {
        if Some(token) < asked.highest {
            return Err(VOID);
        }
        if is_over || asked.age != self.age {
            return Ok(());
        }
        match (step, &self.known) {
            (Step::Complete(result), None) => self.known = Some((asked.request, result.clone())),
            (Step::Complete(result), Some((_, known))) if result != known => return Err(REPLAYED),
            (Step::Complete(_), Some(_)) => {}
            _ if asked.is_known => return Err(VOID),
            (Step::Save(_), _) => self.is_saved = Some(token) == self.highest,
            (Step::Release | Step::Renew, _) => {}
        }
        Ok(())
    }
}
