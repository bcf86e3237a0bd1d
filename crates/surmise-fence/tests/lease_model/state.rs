//! Everything at one moment.

#![expect(clippy::indexing_slicing, reason = "holders are numbered")]

use alloc::collections::BTreeSet;
use core::hash;

use surmise_fence::{Fence, Grant};
use surmise_time::Instant;

use crate::{
    grantor::Grantor,
    holder::Holder,
    message::{Granting, Message, Request},
    model::Fault,
};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) ticks: u64,
    pub(crate) restarted: bool,
    pub(crate) holders: Vec<Holder>,
    pub(crate) network: BTreeSet<Message>,
    /// A token was granted twice, or after a higher one.
    pub(crate) reissued: bool,
    /// A write landed after a later holder was there.
    pub(crate) stale: bool,
    pub(crate) fence: Fence,
    grantor: Grantor,
    /// To whom the lease was granted, in order.
    grants: Vec<Granting>,
    /// The last of them that the store has seen.
    seen: usize,
}

impl State {
    pub(crate) fn new(rates: &[u64]) -> Self {
        Self {
            ticks: 0,
            restarted: false,
            holders: rates.iter().copied().map(Holder::new).collect(),
            network: BTreeSet::new(),
            reissued: false,
            stale: false,
            fence: Fence::new(),
            grantor: Grantor::new(),
            grants: Vec::new(),
            seen: 0,
        }
    }

    pub(crate) fn restart(&mut self, fault: Option<Fault>) {
        self.restarted = true;
        if fault == Some(Fault::ForgetOnRestart) {
            self.grantor.forget();
        }
        self.grantor.restart(self.grantor_time());
    }

    pub(crate) fn deliver(&mut self, message: Message, fault: Option<Fault>) {
        let now = self.grantor_time();
        match message {
            Message::Acquire { from, request } => {
                // The nonce tells holders apart.
                if let Some(grant) = self.grantor.acquire(from as u64 + 1, now) {
                    self.note(Granting { holder: from, token: grant.token });
                    self.reply(from, request, grant);
                }
            }
            Message::Renew { from, request, token } => {
                if let Some(grant) = self.grantor.renew(token, now) {
                    self.reply(from, request, grant);
                }
            }
            Message::Granted { to, request, token, valid_for } => {
                self.granted(to, request, Grant { token, valid_for }, fault);
            }
            Message::Release { token } => {
                if self.grantor.release(token, now) && fault == Some(Fault::DeleteOnRelease) {
                    self.grantor = Grantor::new();
                }
            }
            Message::Write { grant } => self.write(grant, fault),
        }
    }

    fn granted(&mut self, to: usize, request: Request, grant: Grant, fault: Option<Fault>) {
        let holder = &mut self.holders[to];
        if fault == Some(Fault::ValidityFromResponse) {
            holder.take_as_of(grant, holder.now(self.ticks));
        } else {
            holder.take(grant, request);
        }
    }

    /// Writes, if the fence admits it.
    fn write(&mut self, grant: Granting, fault: Option<Fault>) {
        if self.fence.admit(grant.token).is_err() && fault != Some(Fault::NoFence) {
            return;
        }
        let number = self.grants.iter().position(|granted| *granted == grant);
        let number = number.expect("it was granted");
        self.stale |= number < self.seen;
        self.seen = self.seen.max(number);
    }

    /// Notes to whom the lease was granted, unless it was the same grant again.
    fn note(&mut self, grant: Granting) {
        if self.grants.last() != Some(&grant) {
            self.reissued |= self.grants.iter().any(|earlier| earlier.token >= grant.token);
            self.grants.push(grant);
        }
    }

    fn reply(&mut self, to: usize, request: Request, grant: Grant) {
        let Grant { token, valid_for } = grant;
        self.network.insert(Message::Granted { to, request, token, valid_for });
    }

    const fn grantor_time(&self) -> Instant {
        Instant::from_nanos(4 * self.ticks)
    }
}

impl hash::Hash for State {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (self.ticks, self.restarted, &self.holders, &self.network, self.reissued, self.stale)
            .hash(state);
        (&self.grantor, self.fence.highest(), &self.grants, self.seen).hash(state);
    }
}
