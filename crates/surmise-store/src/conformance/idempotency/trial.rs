use core::time::Duration;

use surmise_idempotency::{Fingerprint, Key};
use surmise_time::Instant;

use crate::{
    Claim, Claimed, IdempotencyStore, Settled, Terms, Ticket,
    conformance::{
        Flaw, Timer,
        trial::{PATIENCE, SHORT, STEP, Trial, flaw},
    },
};

/// Terms under which nothing is over before its case is.
pub(super) fn long() -> Terms {
    Terms { lease: Duration::from_secs(600), ..Terms::default() }
}

/// Terms under which the lease is over soon.
pub(super) fn short() -> Terms {
    Terms { lease: SHORT, ..Terms::default() }
}

/// Returns the fingerprint of a request, one of many.
pub(super) const fn request(number: u8) -> Fingerprint {
    Fingerprint::from_bytes([number; 16])
}

impl<S: IdempotencyStore, T: Timer> Trial<'_, S, T> {
    /// Returns a key that no other case uses.
    pub(super) fn key(&self, name: &str) -> Result<Key, Flaw> {
        Key::new("tenant", "operation", self.resource(name)).map_err(flaw)
    }

    pub(super) async fn claim(
        &self,
        key: &Key,
        fingerprint: Fingerprint,
        nonce: u64,
        terms: Terms,
    ) -> Result<Claimed, Flaw> {
        let claim = Claim::new(key, fingerprint, nonce, terms).map_err(flaw)?;
        self.store.claim(claim).await.map_err(flaw)
    }

    /// Claims a key that nobody works at.
    pub(super) async fn execute(
        &self,
        key: &Key,
        nonce: u64,
        terms: Terms,
    ) -> Result<Ticket, Flaw> {
        match self.claim(key, request(1), nonce, terms).await? {
            Claimed::Execute(ticket) => Ok(ticket),
            other => Err(unexpected("a key that nobody works at", &other)),
        }
    }

    /// Fails unless a key is in flight for others.
    pub(super) async fn must_be_in_flight(&self, key: &Key, lease: Duration) -> Result<(), Flaw> {
        match self.claim(key, request(1), 99, long()).await? {
            Claimed::InFlight { retry_after } if !retry_after.is_zero() && retry_after <= lease => {
                Ok(())
            }
            other => Err(unexpected("a key that is in flight", &other)),
        }
    }

    /// Fails unless a key is answered with a result.
    pub(super) async fn must_replay(&self, key: &Key, result: &[u8]) -> Result<(), Flaw> {
        self.must_replay_to(key, request(1), result).await
    }

    /// Fails unless a key is answered with a result to one of the requests.
    pub(super) async fn must_replay_to(
        &self,
        key: &Key,
        request: Fingerprint,
        result: &[u8],
    ) -> Result<(), Flaw> {
        match self.claim(key, request, 98, long()).await? {
            Claimed::Replay(replayed) if replayed == result => Ok(()),
            Claimed::Replay(other) => {
                Err(Flaw(format!("{} bytes were completed, and {other:?} came", result.len())))
            }
            other => Err(unexpected("a completed key", &other)),
        }
    }

    /// Fails unless another request is no match for a key.
    pub(super) async fn must_mismatch(&self, key: &Key) -> Result<(), Flaw> {
        match self.claim(key, request(2), 97, long()).await? {
            Claimed::Mismatch => Ok(()),
            other => Err(unexpected("a key of another request", &other)),
        }
    }

    /// Waits until the lease of an execution is over, and takes over.
    pub(super) async fn recover(
        &self,
        key: &Key,
        nonce: u64,
        terms: Terms,
    ) -> Result<Ticket, Flaw> {
        loop {
            match self.claim(key, request(1), nonce, terms).await? {
                Claimed::Recover(ticket) => return Ok(ticket),
                Claimed::InFlight { retry_after } => self.timer.sleep(retry_after).await,
                other => return Err(unexpected("a key whose executor died", &other)),
            }
        }
    }

    /// Asks for a key that is another's or completed until nothing is remembered of it, and fails if that is before
    /// `until` or long after.
    ///
    /// It is well to ask before `until`: what was begun before the clock was read may be forgotten no sooner, whatever
    /// was slow.
    pub(super) async fn execute_once_forgotten(
        &self,
        key: &Key,
        request: Fingerprint,
        until: Instant,
    ) -> Result<Ticket, Flaw> {
        loop {
            let asked_at = self.timer.now();
            let claimed = self.claim(key, request, 96, long()).await?;
            let now = self.timer.now();
            match claimed {
                Claimed::Execute(ticket) if now >= until => return Ok(ticket),
                Claimed::Execute(_) => {
                    let early = until - now;
                    return Err(Flaw(format!("a key was forgotten {early:?} before its time")));
                }
                Claimed::Replay(_) | Claimed::Mismatch if asked_at <= until + PATIENCE => {}
                other => return Err(unexpected("a key that is to be forgotten", &other)),
            }
            self.timer.sleep(STEP).await;
        }
    }

    /// Fails unless every verb is refused to a ticket.
    pub(super) async fn must_be_void(&self, ticket: &Ticket) -> Result<(), Flaw> {
        let store = self.store;
        for (verb, settled) in [
            ("complete", store.complete(ticket, b"late").await),
            ("renew", store.renew(ticket).await),
            ("save", store.save(ticket, b"late").await),
            ("release", store.release(ticket).await),
        ] {
            match settled.map_err(flaw)? {
                Settled::Fenced => {}
                other => {
                    return Err(Flaw(format!(
                        "{verb} by the void token {}: {other:?}",
                        ticket.token()
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Fails unless a settlement was done.
pub(super) fn done(settled: Result<Settled, crate::StoreError>) -> Result<(), Flaw> {
    match settled.map_err(flaw)? {
        Settled::Done => Ok(()),
        other => Err(Flaw(format!("expected a settlement to be done, and got {other:?}"))),
    }
}

pub(super) fn unexpected(what: &str, claimed: &Claimed) -> Flaw {
    Flaw(format!("a claim of {what} gave {claimed:?}"))
}
