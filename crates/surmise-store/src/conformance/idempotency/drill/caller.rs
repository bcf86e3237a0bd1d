use super::{
    Drill, HOUR, PAUSE, fingerprint, is_brief,
    ledger::{Effect, Ledger, Step},
    network::Network,
};
use crate::{
    Claim, Claimed, IdempotencyStore, Settled, Settlement, StoreError, Ticket,
    conformance::{Timer, draws::Draws},
};

/// One who has requests executed.
pub(super) struct Caller<'a, S, T> {
    drill: &'a Drill,
    ledger: &'a Ledger,
    network: &'a Network<'a, S>,
    timer: &'a T,
    draws: Draws,
    /// A claim whose answer was lost.
    unanswered: Option<Ask>,
    held: Vec<Held>,
}

#[derive(Clone, Copy)]
struct Ask {
    index: u64,
    request: u8,
    nonce: u64,
}

/// A ticket, and what was done with it.
struct Held {
    ask: Ask,
    ticket: Ticket,
    is_recovery: bool,
    state: State,
}

#[derive(Clone)]
enum State {
    Fresh,
    /// The effect took place.
    Performed {
        result: Vec<u8>,
    },
    /// Nothing was done, and nothing will be.
    Released,
    /// Another took over, which is not noticed.
    Zombie,
}

/// How many keys are claimed at a time.
const WINDOW: u64 = 48;
/// How many operations there are to a key, before others are claimed.
const OPERATIONS: u64 = 32;
/// How many tickets one caller has.
const TICKETS: usize = 4;

impl<'a, S: IdempotencyStore, T: Timer> Caller<'a, S, T> {
    pub(super) const fn new(
        drill: &'a Drill,
        ledger: &'a Ledger,
        network: &'a Network<'a, S>,
        timer: &'a T,
        draws: Draws,
    ) -> Self {
        Self { drill, ledger, network, timer, draws, unanswered: None, held: Vec::new() }
    }

    pub(super) async fn run(mut self) {
        while self.ledger.goes_on() && self.ledger.operations() < self.drill.operations {
            match self.draws.below(64) {
                0 => self.timer.sleep(self.drill.lease * 2).await,
                1..5 => {
                    let share = u32::from(self.draws.below(255)) + 1;
                    self.timer.sleep(self.drill.lease * share / 256).await;
                }
                _ => {}
            }
            if self.held.is_empty() || self.draws.one_in(2) {
                self.claim().await;
            } else {
                self.go_on().await;
            }
        }
    }

    async fn claim(&mut self) {
        let ask = self.draw_ask();
        let asked = self.ledger.ask(ask.index, ask.request, ask.nonce);
        let key = self.drill.key(ask.index);
        let claim = Claim::new(&key, fingerprint(ask.request), ask.nonce, self.drill.terms());
        let claimed = match claim {
            Ok(claim) => self.network.claim(claim).await,
            Err(error) => Err(error),
        };
        self.ledger.claimed(&asked, &claimed, self.timer.now(), self.drill);
        match claimed {
            Ok(Claimed::Execute(ticket)) => self.hold(ask, ticket, false),
            Ok(Claimed::Recover(ticket)) => self.hold(ask, ticket, true),
            Ok(Claimed::Indeterminate(_)) => self.unanswered = Some(ask),
            Ok(_) => {}
            Err(_) => self.timer.sleep(PAUSE).await,
        }
    }

    /// Draws what to claim: what was not answered, what was granted, an old key, or one that others claim too.
    fn draw_ask(&mut self) -> Ask {
        if let Some(ask) = self.unanswered.take()
            && self.draws.one_in(2)
        {
            return ask;
        }
        if let Some(held) = self.held.last()
            && self.draws.one_in(16)
        {
            return held.ask;
        }
        let first = self.ledger.operations() / OPERATIONS;
        let index = if self.draws.one_in(16) {
            self.draws.next() % (first + 1)
        } else {
            first + self.draws.next() % WINDOW
        };
        Ask { index, request: self.draws.one_in(16).into(), nonce: self.draws.next().max(1) }
    }

    fn hold(&mut self, ask: Ask, ticket: Ticket, is_recovery: bool) {
        let is_same =
            |held: &Held| held.ask.index == ask.index && held.ticket.token() == ticket.token();
        if self.held.iter().any(is_same) {
            return;
        }
        if self.held.len() >= TICKETS {
            self.held.remove(0);
        }
        self.held.push(Held { ask, ticket, is_recovery, state: State::Fresh });
    }

    /// Does something with a ticket, most often with the latest one.
    async fn go_on(&mut self) {
        let last = self.held.len().saturating_sub(1);
        let any = usize::from(self.draws.below(u8::try_from(last + 1).unwrap_or(u8::MAX)));
        let at = if self.draws.one_in(4) { any } else { last };
        let mut held = self.held.swap_remove(at);
        let step = match held.state.clone() {
            State::Fresh => self.begin(&mut held),
            State::Performed { result } => match self.draws.below(8) {
                0 => None,
                1 => Some(Step::Renew),
                2 => Some(self.save(&held)),
                _ => Some(Step::Complete(result)),
            },
            State::Released => Some(Step::Release),
            State::Zombie => Some(match self.draws.below(4) {
                0 => Step::Renew,
                1 => Step::Release,
                2 => self.save(&held),
                _ => Step::Complete(b"what nobody is to see".to_vec()),
            }),
        };
        // Without a next step, it died.
        let Some(step) = step else { return };
        let is_over = match self.settle(&held, &step).await {
            Ok(Settled::Indeterminate(_)) | Err(_) => self.draws.one_in(4),
            Ok(Settled::Done) if matches!(step, Step::Renew | Step::Save(_)) => false,
            Ok(Settled::Done | Settled::Fenced | Settled::AlreadyCompleted) => {
                !self.draws.one_in(4)
            }
        };
        if !is_over {
            self.held.push(held);
        }
    }

    /// Begins with what was granted, or dies before.
    fn begin(&mut self, held: &mut Held) -> Option<Step> {
        let index = held.ask.index;
        match self.draws.below(10) {
            0 => None,
            1 => Some(Step::Renew),
            2 => Some(self.save(held)),
            3 if self.ledger.look(index, &held.ticket) == Effect::Now => {
                held.state = State::Released;
                Some(Step::Release)
            }
            _ => {
                if self.ledger.perform(index, &held.ticket, held.is_recovery) == Effect::Refused {
                    held.state = State::Zombie;
                    return Some(Step::Renew);
                }
                let result = self.draw_result(held);
                held.state = State::Performed { result: result.clone() };
                // Some die after the effect.
                (!self.draws.one_in(10)).then_some(Step::Complete(result))
            }
        }
    }

    async fn settle(&mut self, held: &Held, step: &Step) -> Result<Settled, StoreError> {
        let Ask { index, request, .. } = held.ask;
        let asked = self.ledger.settle(index, request, step, self.timer.now());
        let retention = if is_brief(index) { self.drill.brief_retention } else { HOUR };
        let settlement = match step {
            Step::Complete(result) => Settlement::complete(result, retention),
            Step::Release => Ok(Settlement::release()),
            Step::Renew => Ok(Settlement::renew()),
            Step::Save(checkpoint) => Settlement::save(checkpoint),
        };
        let settled = match settlement {
            Ok(settlement) => self.network.settle(&held.ticket, settlement).await,
            Err(limit) => Err(limit.into()),
        };
        let now = self.timer.now();
        self.ledger.settled(&asked, (&held.ticket, step), &settled, now, self.drill);
        if settled.is_err() {
            self.timer.sleep(PAUSE).await;
        }
        settled
    }

    fn save(&mut self, held: &Held) -> Step {
        Step::Save(format!("{} {}", held.ticket.token(), self.draws.below(255)).into_bytes())
    }

    /// Returns a result that nobody else has.
    fn draw_result(&mut self, held: &Held) -> Vec<u8> {
        let mut result = format!("{} {}", held.ticket.token(), self.draws.next()).into_bytes();
        let padding = if self.draws.one_in(32) { 3000 } else { usize::from(self.draws.below(60)) };
        result.resize(result.len() + padding, b'.');
        result
    }
}
