#[cfg(any(test, feature = "etcd", feature = "redb", feature = "redis"))]
mod bytes;

use surmise_fence::FencingToken;
use surmise_idempotency::Fingerprint;
use surmise_time::Instant;

use super::{Claim, Claimed, Settled, Settlement, Ticket, ticket::Verb};

/// What a store remembers of a key: the rules of all stores that read a record and write it back in one step.
///
/// Times are those of the store's clock. Who has one executes nothing and waits for nobody: all it does is to answer,
/// and to say what the record becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) fingerprint: Fingerprint,
    /// Of the latest execution.
    pub(crate) token: FencingToken,
    /// When there is no record any more.
    pub(crate) forgotten_at: Instant,
    pub(crate) state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Once the lease is over, nobody knows how far it came.
    InFlight {
        nonce: u64,
        lease_ends: Instant,
        /// Whether another was at it before, which is to be told again if the reply is lost, and stays so if this one is
        /// released.
        recovers: bool,
        checkpoint: Option<Vec<u8>>,
    },
    Completed {
        result: Vec<u8>,
    },
    /// Nothing was ever done. What is left is the token, for the release that is retried because its reply was lost; no
    /// later one is mistaken for it, for a store issues none twice, whether it remembers the key or not.
    Released,
}

/// What a record becomes.
#[derive(Debug)]
pub(crate) enum Next {
    Same,
    Changed(Record),
}

impl Record {
    /// Answers a claim, if need be with a new token: greater than the record's, and than any that was issued for a
    /// key whose record is forgotten.
    ///
    /// Whether there is room for one more key is for the store to say before.
    pub(crate) fn claim(
        record: Option<Self>,
        claim: Claim<'_>,
        token: FencingToken,
        now: Instant,
    ) -> (Claimed, Next) {
        let Some(record) = record.filter(|record| now < record.forgotten_at) else {
            return Self::execute(claim, token, now);
        };
        match record.state {
            // Nothing was done for the request before, so that this may be another.
            State::Released => Self::execute(claim, token, now),
            _ if record.fingerprint != claim.fingerprint() => (Claimed::Mismatch, Next::Same),
            State::Completed { result } => (Claimed::Replay(result), Next::Same),
            State::InFlight { nonce, lease_ends, recovers, checkpoint } if now < lease_ends => {
                if nonce == claim.nonce() && nonce != 0 {
                    let ticket =
                        Ticket::new(claim.key().clone(), record.token, claim.terms(), checkpoint);
                    let granted = if recovers { Claimed::Recover } else { Claimed::Execute };
                    return (granted(ticket), Next::Same);
                }
                (Claimed::InFlight { retry_after: lease_ends - now }, Next::Same)
            }
            State::InFlight { checkpoint, .. } => {
                let ticket =
                    Ticket::new(claim.key().clone(), token, claim.terms(), checkpoint.clone());
                let mut record = Self::in_flight(claim, token, now);
                if let State::InFlight { recovers, checkpoint: saved, .. } = &mut record.state {
                    (*recovers, *saved) = (true, checkpoint);
                }
                (Claimed::Recover(ticket), Next::Changed(record))
            }
        }
    }

    /// Settles an execution, if its ticket is not void.
    pub(crate) fn settle(
        record: Option<Self>,
        ticket: &Ticket,
        settlement: Settlement<'_>,
        now: Instant,
    ) -> (Settled, Next) {
        let Some(mut record) =
            record.filter(|record| now < record.forgotten_at && record.token == ticket.token())
        else {
            return (Settled::Fenced, Next::Same);
        };
        let state = match (record.state, settlement.0) {
            // It was settled so before, and the reply was lost.
            (State::Completed { result: kept }, Verb::Complete { result, .. }) => {
                let is_kept = *kept == *result;
                let settled = if is_kept { Settled::Done } else { Settled::AlreadyCompleted };
                return (settled, Next::Same);
            }
            (State::Released, Verb::Release) => return (Settled::Done, Next::Same),
            (State::Completed { .. } | State::Released, _) => return (Settled::Fenced, Next::Same),
            (State::InFlight { .. }, Verb::Complete { result, retention }) => {
                record.forgotten_at = now + retention;
                State::Completed { result: result.to_vec() }
            }
            // Nothing was done by this execution. How far the one before it came, it cannot take back.
            (State::InFlight { nonce, lease_ends, recovers: true, checkpoint }, Verb::Release) => {
                let lease_ends = lease_ends.min(now);
                State::InFlight { nonce, lease_ends, recovers: true, checkpoint }
            }
            (State::InFlight { recovers: false, .. }, Verb::Release) => {
                record.forgotten_at = now + ticket.terms().brief_retention;
                State::Released
            }
            (State::InFlight { nonce, recovers, checkpoint, .. }, Verb::Renew) => {
                let lease_ends = now + ticket.terms().lease;
                record.forgotten_at = lease_ends + ticket.terms().retention;
                State::InFlight { nonce, lease_ends, recovers, checkpoint }
            }
            (State::InFlight { nonce, lease_ends, recovers, .. }, Verb::Save { checkpoint }) => {
                let checkpoint = Some(checkpoint.to_vec());
                State::InFlight { nonce, lease_ends, recovers, checkpoint }
            }
        };
        (Settled::Done, Next::Changed(Self { state, ..record }))
    }

    fn execute(claim: Claim<'_>, token: FencingToken, now: Instant) -> (Claimed, Next) {
        let ticket = Ticket::new(claim.key().clone(), token, claim.terms(), None);
        (Claimed::Execute(ticket), Next::Changed(Self::in_flight(claim, token, now)))
    }

    fn in_flight(claim: Claim<'_>, token: FencingToken, now: Instant) -> Self {
        let lease_ends = now + claim.terms().lease;
        Self {
            fingerprint: claim.fingerprint(),
            token,
            forgotten_at: lease_ends + claim.terms().retention,
            state: State::InFlight {
                nonce: claim.nonce(),
                lease_ends,
                recovers: false,
                checkpoint: None,
            },
        }
    }
}
