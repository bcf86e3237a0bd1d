//! A holder: the real guard, and when its requests were sent.

#![expect(clippy::indexing_slicing, reason = "there are as many requests as places")]

use core::hash;

use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseGuard};
use surmise_time::Instant;

use crate::message::Request;

/// 25 %: 6 of the holder's nanoseconds for the TTL's 8.
const DRIFT: DriftAllowance = DriftAllowance::from_ppm(250_000);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Holder {
    /// How many nanoseconds its clock counts while the grantor's counts 4.
    rate: u64,
    /// When its first request, the retry and the renewal were sent.
    sent: [Option<Instant>; 3],
    guard: Option<LeaseGuard>,
    /// It wants the lease no more.
    done: bool,
}

impl Holder {
    pub(crate) const fn new(rate: u64) -> Self {
        Self { rate, sent: [None; 3], guard: None, done: false }
    }

    pub(crate) const fn now(&self, ticks: u64) -> Instant {
        Instant::from_nanos(self.rate * ticks)
    }

    pub(crate) const fn rate(&self) -> u64 {
        self.rate
    }

    pub(crate) fn sent(&self, request: Request) -> bool {
        self.sent[request as usize].is_some()
    }

    pub(crate) fn send(&mut self, request: Request, ticks: u64) {
        self.sent[request as usize] = Some(self.now(ticks));
    }

    pub(crate) const fn wants_it(&self) -> bool {
        !self.done
    }

    pub(crate) const fn finish(&mut self) {
        // What it knew of the lease does not matter any more.
        *self = Self { done: true, ..Self::new(self.rate) };
    }

    /// Takes a reply to a request.
    pub(crate) fn take(&mut self, grant: Grant, request: Request) {
        if let Some(sent) = self.sent[request as usize] {
            self.take_as_of(grant, sent);
        }
    }

    pub(crate) fn take_as_of(&mut self, grant: Grant, sent: Instant) {
        if self.done {
            return;
        }
        match &mut self.guard {
            // A grant with another token is for a request that was forgotten long ago.
            Some(guard) => drop(guard.renewed(grant, sent)),
            None => self.guard = Some(LeaseGuard::new(grant, sent, DRIFT)),
        }
    }

    pub(crate) const fn has_guard(&self) -> bool {
        self.guard.is_some()
    }

    pub(crate) fn was_renewed(&self) -> bool {
        let renewal = self.sent[Request::Renewal as usize];
        renewal.is_some() && renewal == self.guard.map(|guard| guard.sent())
    }

    /// Returns the token, if the holder believes that it holds the lease.
    pub(crate) fn token(&self, ticks: u64) -> Option<FencingToken> {
        if self.done {
            return None;
        }
        self.guard?.token(self.now(ticks)).ok()
    }
}

impl hash::Hash for Holder {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        let guard =
            self.guard.map(|guard| (guard.token_unchecked(), guard.sent(), guard.expires_at()));
        (self.rate, self.sent, guard, self.done).hash(state);
    }
}
