mod story;

use parking_lot::Mutex;
use surmise_fence::FencingToken;
use surmise_time::Instant;

use self::story::Story;
use super::{Drill, Tally, is_brief};
use crate::{Claimed, Settled, StoreError, Ticket, conformance::Violation};

/// What took place in the world, what was asked, and what was answered.
#[derive(Default)]
pub(super) struct Ledger(Mutex<State>);

#[derive(Default)]
struct State {
    stories: Vec<Story>,
    tally: Tally,
    violation: Option<Violation>,
}

/// What was known of a key when something was asked about it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) index: u64,
    pub(super) request: u8,
    pub(super) nonce: u64,
    /// How often it had been forgotten.
    age: u64,
    highest: Option<FencingToken>,
    /// Whether the result was acknowledged, or replayed.
    is_known: bool,
    is_saved: bool,
    had_effect: bool,
}

/// What a ticket is to settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Complete(Vec<u8>),
    Release,
    Renew,
    Save(Vec<u8>),
}

/// What becomes of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It takes place.
    Now,
    /// It took place before.
    Before,
    /// It does not, since another took over.
    Refused,
}

impl Ledger {
    pub(super) fn goes_on(&self) -> bool {
        self.0.lock().violation.is_none()
    }

    pub(super) fn operations(&self) -> u64 {
        self.0.lock().tally.operations
    }

    pub(super) fn outcome(self) -> Result<Tally, Violation> {
        let State { tally, violation, .. } = self.0.into_inner();
        violation.map_or(Ok(tally), Err)
    }

    /// Returns how many keys were asked for.
    pub(super) fn count(&self) -> u64 {
        self.0.lock().stories.len() as u64
    }

    /// Notes that a claim is sent.
    pub(super) fn ask(&self, index: u64, request: u8, nonce: u64) -> Asked {
        let mut state = self.0.lock();
        let story = state.story(index);
        story.ask(request);
        story.asked(index, request, nonce)
    }

    /// Judges the answer to a claim.
    pub(super) fn claimed(
        &self,
        asked: &Asked,
        claimed: &Result<Claimed, StoreError>,
        now: Instant,
        drill: &Drill,
    ) {
        let mut state = self.0.lock();
        let is_over = |story: &Story| story.is_over(asked.index, now, drill);
        let judged = match claimed {
            Err(_) | Ok(Claimed::Indeterminate(_)) => {
                return state.count_unanswered(claimed.is_err());
            }
            Ok(Claimed::Full) => Ok(()),
            Ok(Claimed::Execute(ticket)) => state.grant(asked, ticket, false, is_over),
            Ok(Claimed::Recover(ticket)) => state.grant(asked, ticket, true, is_over),
            Ok(Claimed::Replay(result)) => {
                state.tally.replayed += 1;
                state.story(asked.index).replay(asked, result)
            }
            Ok(Claimed::InFlight { .. }) => {
                state.tally.in_flight += 1;
                let story = state.story(asked.index);
                let is_over = is_over(story);
                story.must_be_unknown(asked, is_over)
            }
            Ok(Claimed::Mismatch) => {
                state.tally.mismatched += 1;
                let story = state.story(asked.index);
                let is_over = is_over(story);
                story.mismatch(asked, is_over)
            }
        };
        state.tally.operations += 1;
        state.note(judged, || format!("{asked:?} was answered with {claimed:?}"), asked.index);
    }

    /// Has the effect take place, unless it did, behind a fence.
    pub(super) fn perform(&self, index: u64, ticket: &Ticket, is_recovery: bool) -> Effect {
        let mut state = self.0.lock();
        match state.story(index).perform(ticket.token(), is_recovery) {
            Ok(effect) => {
                match effect {
                    Effect::Now => state.tally.effects += 1,
                    Effect::Before => {}
                    Effect::Refused => state.tally.late_effects += 1,
                }
                effect
            }
            Err(rule) => {
                let told = || format!("{} executes what was executed before", ticket.token());
                state.note(Err(rule), told, index);
                Effect::Refused
            }
        }
    }

    /// Looks whether the effect took place, and sees to it that no earlier one does from now on.
    pub(super) fn look(&self, index: u64, ticket: &Ticket) -> Effect {
        self.0.lock().story(index).look(ticket.token())
    }

    /// Notes that a settlement is sent.
    pub(super) fn settle(&self, index: u64, request: u8, step: &Step, now: Instant) -> Asked {
        let mut state = self.0.lock();
        let story = state.story(index);
        let asked = story.asked(index, request, 0);
        story.settle(request, step, now);
        asked
    }

    /// Judges the answer to a settlement.
    pub(super) fn settled(
        &self,
        asked: &Asked,
        (ticket, step): (&Ticket, &Step),
        settled: &Result<Settled, StoreError>,
        now: Instant,
        drill: &Drill,
    ) {
        let mut state = self.0.lock();
        let judged = match settled {
            Err(_) | Ok(Settled::Indeterminate(_)) => {
                return state.count_unanswered(settled.is_err());
            }
            Ok(Settled::Fenced | Settled::AlreadyCompleted) => {
                state.tally.fenced += 1;
                Ok(())
            }
            Ok(Settled::Done) => {
                match step {
                    Step::Complete(_) => state.tally.completed += 1,
                    Step::Release => state.tally.released += 1,
                    Step::Renew | Step::Save(_) => {}
                }
                let story = state.story(asked.index);
                let is_over = story.is_over(asked.index, now, drill);
                story.done(asked, ticket.token(), step, is_over)
            }
        };
        state.tally.operations += 1;
        let told = || format!("{step:?} by {} with {asked:?} was {settled:?}", ticket.token());
        state.note(judged, told, asked.index);
    }

    /// Returns the request of a key whose result was acknowledged, and is kept.
    pub(super) fn acknowledged(&self, index: u64) -> Option<u8> {
        self.0.lock().story(index).known().map(|(request, _)| *request).filter(|_| !is_brief(index))
    }

    /// Judges what is there at the end.
    pub(super) fn asked_again(&self, index: u64, claimed: &Result<Claimed, StoreError>) {
        let mut state = self.0.lock();
        let known = state.story(index).known().cloned();
        let is_same = match (claimed, &known) {
            (Ok(Claimed::Replay(replayed)), Some((_, result))) => replayed == result,
            _ => false,
        };
        let judged = if is_same { Ok(()) } else { Err(story::REPLAYED) };
        state.note(
            judged,
            || format!("{known:?} was acknowledged, and in the end {claimed:?}"),
            index,
        );
    }
}

impl State {
    #[expect(clippy::indexing_slicing, reason = "it was made as long as that")]
    fn story(&mut self, index: u64) -> &mut Story {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if self.stories.len() <= at {
            self.stories.resize_with(at + 1, Story::default);
        }
        &mut self.stories[at]
    }

    const fn count_unanswered(&mut self, is_failure: bool) {
        if is_failure {
            self.tally.failed += 1;
        } else {
            self.tally.indeterminate += 1;
        }
    }

    fn grant(
        &mut self,
        asked: &Asked,
        ticket: &Ticket,
        is_recovery: bool,
        is_over: impl Fn(&Story) -> bool,
    ) -> Result<(), &'static str> {
        let count = if is_recovery { &mut self.tally.recovered } else { &mut self.tally.executed };
        *count += 1;
        let story = self.story(asked.index);
        let is_over = is_over(story);
        let was_forgotten = story.grant(asked, ticket, is_recovery, is_over)?;
        self.tally.forgotten += u64::from(was_forgotten);
        Ok(())
    }

    /// Keeps the first violation.
    fn note(
        &mut self,
        judged: Result<(), &'static str>,
        told: impl FnOnce() -> String,
        index: u64,
    ) {
        if let Err(case) = judged
            && self.violation.is_none()
        {
            let found = format!("key {index}: {}; of it is known: {:?}", told(), self.story(index));
            self.violation = Some(Violation { case, found });
        }
    }
}
