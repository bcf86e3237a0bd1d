//! What can happen, and what must hold.

#![expect(clippy::indexing_slicing, reason = "holders are numbered")]

use stateright::{Model, Property};

use crate::{
    holder::Holder,
    message::{Granting, Message, Request},
    state::State,
};

/// The names of the properties.
pub(crate) const ONE_AT_ONCE: &str = "one holds at once, unless a clock is beyond the allowance";
pub(crate) const REISSUED: &str = "no token is granted twice, nor after a higher one";
pub(crate) const STALE: &str = "no write lands after a later holder was there";
pub(crate) const LANDED: &str = "a write lands";
pub(crate) const REFUSED: &str = "a write is refused";
pub(crate) const RENEWED: &str = "a lease is renewed";
pub(crate) const TWO_AT_ONCE: &str = "two hold at once";

/// The slowest rate that the allowance makes up for: a quarter slower.
const SLOWEST_ALLOWED: u64 = 3;

#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseModel {
    /// The rates of the holders' clocks.
    pub(crate) rates: &'static [u64],
    /// How often the clocks move.
    pub(crate) ticks: u64,
    /// The first holder renews.
    pub(crate) renewals: bool,
    /// The first holder may send its request again.
    pub(crate) retries: bool,
    /// The grantor restarts.
    pub(crate) restarts: bool,
    pub(crate) fault: Option<Fault>,
    /// What must happen sometimes.
    pub(crate) expected: &'static [&'static str],
}

/// A mistake in the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    DeleteOnRelease,
    ForgetOnRestart,
    HungRenewalExtends,
    NoFence,
    ValidityFromResponse,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Tick,
    RestartGrantor,
    Deliver(Message),
    Ask { holder: usize, request: Request },
    Renew { holder: usize },
    Write { holder: usize },
    Release { holder: usize },
}

impl Model for LeaseModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.rates)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.ticks < self.ticks {
            actions.push(Action::Tick);
        }
        if self.restarts && !state.restarted {
            actions.push(Action::RestartGrantor);
        }
        actions.extend(state.network.iter().copied().map(Action::Deliver));
        for (holder, it) in state.holders.iter().enumerate().filter(|(_, it)| it.wants_it()) {
            let request = if it.sent(Request::First) { Request::Retry } else { Request::First };
            let may_send = request == Request::First || self.retries && holder == 0;
            if may_send && !it.has_guard() && !it.sent(request) {
                actions.push(Action::Ask { holder, request });
            }
            if it.token(state.ticks).is_some() {
                if self.renewals && holder == 0 && !it.sent(Request::Renewal) {
                    actions.push(Action::Renew { holder });
                }
                actions.extend([Action::Write { holder }, Action::Release { holder }]);
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => state.ticks += 1,
            Action::RestartGrantor => state.restart(self.fault),
            Action::Deliver(message) => state.deliver(message, self.fault),
            Action::Ask { holder, request } => {
                state.holders[holder].send(request, state.ticks);
                state.network.insert(Message::Acquire { from: holder, request });
            }
            Action::Renew { holder } => self.renew(&mut state, holder)?,
            Action::Write { holder } => {
                let token = state.holders[holder].token(state.ticks)?;
                state.network.insert(Message::Write { grant: Granting { holder, token } });
            }
            Action::Release { holder } => {
                let token = state.holders[holder].token(state.ticks)?;
                state.holders[holder].finish();
                state.network.insert(Message::Release { token });
            }
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = [
            Property::always(ONE_AT_ONCE, |_: &Self, state: &State| {
                let beyond = state.holders.iter().any(|it| it.rate() < SLOWEST_ALLOWED);
                beyond || holding(state) <= 1
            }),
            Property::always(REISSUED, |_: &Self, state: &State| !state.reissued),
            Property::always(STALE, |_: &Self, state: &State| !state.stale),
        ];
        let sometimes = [
            Property::sometimes(LANDED, |_: &Self, state: &State| state.fence.highest().is_some()),
            Property::sometimes(REFUSED, |_: &Self, state: &State| refused(state)),
            Property::sometimes(RENEWED, |_: &Self, state: &State| {
                state.holders.iter().any(Holder::was_renewed)
            }),
            Property::sometimes(TWO_AT_ONCE, |_: &Self, state: &State| holding(state) > 1),
        ];
        let expected = sometimes.into_iter().filter(|it| self.expected.contains(&it.name));
        always.into_iter().chain(expected).collect()
    }
}

impl LeaseModel {
    fn renew(&self, state: &mut State, holder: usize) -> Option<()> {
        let ticks = state.ticks;
        let it = &mut state.holders[holder];
        let token = it.token(ticks)?;
        it.send(Request::Renewal, ticks);
        if self.fault == Some(Fault::HungRenewalExtends) {
            let grant = surmise_fence::Grant { token, valid_for: crate::grantor::TTL };
            it.take(grant, Request::Renewal);
        }
        let request = Request::Renewal;
        state.network.insert(Message::Renew { from: holder, request, token });
        Some(())
    }
}

/// Returns how many believe that they hold the lease.
fn holding(state: &State) -> usize {
    state.holders.iter().filter(|it| it.token(state.ticks).is_some()).count()
}

/// Returns whether a write is under way that will be refused.
fn refused(state: &State) -> bool {
    state.network.iter().any(|message| match message {
        Message::Write { grant } => state.fence.clone().admit(grant.token).is_err(),
        _ => false,
    })
}
