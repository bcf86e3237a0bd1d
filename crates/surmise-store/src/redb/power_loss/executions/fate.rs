//! What becomes of a key, in the plainest way.

use core::time::Duration;

use surmise_fence::FencingToken;
use surmise_idempotency::Fingerprint;
use surmise_time::Instant;

use super::{Asked, OwnVerb};
use crate::Ticket;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Absent,
    InFlight(Flight),
    Completed {
        token: Option<FencingToken>,
        fingerprint: Fingerprint,
        result: Vec<u8>,
        until: Instant,
    },
    Released {
        token: Option<FencingToken>,
        until: Instant,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    /// None if it was never told.
    token: Option<FencingToken>,
    fingerprint: Fingerprint,
    nonce: u64,
    /// When the lease was promised.
    since: Instant,
    lease: Duration,
    retention: Duration,
    recovers: bool,
    checkpoint: Option<Vec<u8>>,
}

pub(super) enum Answer {
    New { checkpoint: Option<Vec<u8>>, recovers: bool },
    Again { token: Option<FencingToken>, checkpoint: Option<Vec<u8>>, recovers: bool },
    Replay(Vec<u8>),
    InFlight(Duration),
    Mismatch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Done,
    Fenced,
    AlreadyCompleted,
}

impl Flight {
    fn new(asked: &Asked) -> Self {
        Self {
            token: None,
            fingerprint: asked.fingerprint,
            nonce: asked.nonce,
            since: asked.now,
            lease: asked.terms.lease,
            retention: asked.terms.retention,
            recovers: false,
            checkpoint: None,
        }
    }

    fn lands_at(&self, opened_at: Instant) -> Instant {
        self.since.max(opened_at) + self.lease
    }
}

impl Fate {
    /// Notes which token it was.
    pub(super) fn issue(&mut self, issued: FencingToken) {
        if let Self::InFlight(flight) = self {
            flight.token = Some(issued);
        }
    }

    pub(super) fn is_over(&self, now: Instant, opened_at: Instant) -> bool {
        match self {
            Self::Absent => true,
            Self::InFlight(flight) => now >= flight.lands_at(opened_at) + flight.retention,
            Self::Completed { until, .. } | Self::Released { until, .. } => now >= *until,
        }
    }

    pub(super) fn claim(&self, asked: &Asked, opened_at: Instant) -> (Answer, Self) {
        let flight = match self {
            Self::Absent | Self::Released { .. } => {
                let answer = Answer::New { checkpoint: None, recovers: false };
                return (answer, Self::InFlight(Flight::new(asked)));
            }
            Self::Completed { fingerprint, .. } if *fingerprint != asked.fingerprint => {
                return (Answer::Mismatch, self.clone());
            }
            Self::Completed { result, .. } => {
                return (Answer::Replay(result.clone()), self.clone());
            }
            Self::InFlight(flight) => flight.clone(),
        };
        if flight.fingerprint != asked.fingerprint {
            return (Answer::Mismatch, self.clone());
        }
        let checkpoint = flight.checkpoint.clone();
        let lands_at = flight.lands_at(opened_at);
        if asked.now >= lands_at {
            let next =
                Flight { recovers: true, checkpoint: checkpoint.clone(), ..Flight::new(asked) };
            return (Answer::New { checkpoint, recovers: true }, Self::InFlight(next));
        }
        if flight.nonce == asked.nonce {
            let Flight { token, recovers, .. } = flight;
            return (Answer::Again { token, checkpoint, recovers }, self.clone());
        }
        (Answer::InFlight(lands_at - asked.now), self.clone())
    }

    /// Returns what is said to it, whether something changes by it, and what.
    pub(super) fn settle(
        &self,
        ticket: &Ticket,
        verb: &OwnVerb,
        now: Instant,
        opened_at: Instant,
    ) -> (Said, bool, Self) {
        let token = Some(ticket.token());
        let flight = match (self, verb) {
            (Self::Completed { token: of, result: kept, .. }, OwnVerb::Complete(result, _))
                if *of == token =>
            {
                let said = if kept == result { Said::Done } else { Said::AlreadyCompleted };
                return (said, false, self.clone());
            }
            (Self::Released { token: of, .. }, OwnVerb::Release) if *of == token => {
                return (Said::Done, false, self.clone());
            }
            (Self::InFlight(flight), _) if flight.token == token => flight.clone(),
            _ => return (Said::Fenced, false, self.clone()),
        };
        let next = match verb {
            OwnVerb::Complete(result, retention) => Self::Completed {
                token,
                fingerprint: flight.fingerprint,
                result: result.clone(),
                until: now + *retention,
            },
            OwnVerb::Release if flight.recovers => {
                // It ends now, and is forgotten when it would have been.
                let lands_at = flight.lands_at(opened_at);
                let since = lands_at.min(now);
                let retention = flight.retention + (lands_at - since);
                Self::InFlight(Flight { since, lease: Duration::ZERO, retention, ..flight })
            }
            OwnVerb::Release => {
                Self::Released { token, until: now + ticket.terms().brief_retention }
            }
            OwnVerb::Renew => Self::InFlight(Flight {
                since: now,
                lease: ticket.terms().lease,
                retention: ticket.terms().retention,
                ..flight
            }),
            OwnVerb::Save(checkpoint) => Self::InFlight(Flight {
                since: flight.since.max(opened_at),
                checkpoint: Some(checkpoint.clone()),
                ..flight
            }),
        };
        (Said::Done, true, next)
    }
}
