use core::{error::Error, fmt, time::Duration};

use surmise_fence::{FencingToken, Grant, Pass, Refusal};
use surmise_time::Instant;

use super::{Flaw, Timer};
use crate::{
    Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore, Outcome, Resource,
    Revoked, StoreError, Ttl,
};

/// A lease that is not over before its case is.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// A lease whose end is waited for.
pub(super) const SHORT: Duration = Duration::from_secs(1);
/// How long a lease may be held after it is over, or a record be kept: a store may look only now and then, and delay the
/// next grant.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A store under test, and what a case needs besides.
pub(super) struct Trial<'a, S, T> {
    pub(super) store: &'a S,
    pub(super) timer: &'a T,
    case: &'static str,
    run: u64,
}

impl<'a, S, T> Trial<'a, S, T> {
    pub(super) fn new(store: &'a S, timer: &'a T, case: &'static str) -> Result<Self, Flaw> {
        let run = getrandom::u64().map_err(flaw)?;
        Ok(Self { store, timer, case, run })
    }

    /// Returns the name of a resource that no other case uses.
    pub(super) fn resource(&self, name: &str) -> String {
        format!("conformance-{:016x}-{}-{name}", self.run, self.case)
    }
}

/// Leases.
impl<S: LeaseStore, T: Timer> Trial<'_, S, T> {
    pub(super) async fn grant(
        &self,
        resource: &str,
        nonce: u64,
        ttl: Duration,
    ) -> Result<Granted, Flaw> {
        let holder = holder(nonce);
        let request = LeaseRequest::new(resource, &holder, nonce, ttl).map_err(flaw)?;
        self.store.grant(request).await.map_err(flaw)
    }

    /// Asks for a lease that is free.
    pub(super) async fn acquire(
        &self,
        resource: &str,
        nonce: u64,
        ttl: Duration,
    ) -> Result<Grant, Flaw> {
        match self.grant(resource, nonce, ttl).await? {
            Granted::Granted(grant) if grant.valid_for > Duration::ZERO => Ok(grant),
            other => Err(Flaw(format!("expected a lease that lasts, and got {other:?}"))),
        }
    }

    /// Asks for a lease until it is granted, and fails if that is before `until` or long after.
    pub(super) async fn take_over(
        &self,
        resource: &str,
        nonce: u64,
        until: Instant,
    ) -> Result<Grant, Flaw> {
        let latest = until.max(self.timer.now()) + PATIENCE;
        loop {
            let granted = self.grant(resource, nonce, SHORT).await?;
            let now = self.timer.now();
            match granted {
                Granted::Granted(grant) if now >= until => return Ok(grant),
                Granted::Granted(grant) => {
                    return Err(Flaw(format!(
                        "token {} was granted {:?} before the lease of the holder before was over",
                        grant.token,
                        until - now
                    )));
                }
                Granted::Held(_) | Granted::Delayed { .. } if now <= latest => {}
                other => {
                    return Err(Flaw(format!("expected a lease that is free, and got {other:?}")));
                }
            }
            self.timer.sleep(STEP).await;
        }
    }

    /// Waits until nobody holds a lease.
    pub(super) async fn wait_until_over(&self, resource: &str) -> Result<(), Flaw> {
        let start = self.timer.now();
        while let Some(holding) = self.holding(resource).await? {
            if self.timer.now() - start > PATIENCE {
                return Err(Flaw(format!("{holding:?} is never over")));
            }
            self.timer.sleep(STEP).await;
        }
        Ok(())
    }

    pub(super) async fn holding(&self, resource: &str) -> Result<Option<Holding>, Flaw> {
        self.store.holding(name(resource)?).await.map_err(flaw)
    }

    pub(super) async fn extend(
        &self,
        resource: &str,
        token: FencingToken,
        ttl: Duration,
    ) -> Result<Extended, Flaw> {
        let ttl = Ttl::new(ttl).map_err(flaw)?;
        self.store.extend(name(resource)?, token, ttl).await.map_err(flaw)
    }

    /// Asks for more time for a lease that is held.
    pub(super) async fn renew(
        &self,
        resource: &str,
        token: FencingToken,
        ttl: Duration,
    ) -> Result<Grant, Flaw> {
        match self.extend(resource, token, ttl).await? {
            Extended::Extended(grant) if grant.valid_for > Duration::ZERO => {
                same("the token of a lease that was renewed", grant.token, token)?;
                Ok(grant)
            }
            other => Err(Flaw(format!("expected more time for token {token}, and got {other:?}"))),
        }
    }

    pub(super) async fn revoke(
        &self,
        resource: &str,
        token: FencingToken,
    ) -> Result<Revoked, Flaw> {
        self.store.revoke(name(resource)?, token).await.map_err(flaw)
    }

    /// Gives a lease back that is held.
    pub(super) async fn release(&self, resource: &str, token: FencingToken) -> Result<(), Flaw> {
        match self.revoke(resource, token).await? {
            Revoked::Revoked => Ok(()),
            other => Err(Flaw(format!("expected token {token} to be released, and got {other:?}"))),
        }
    }

    /// Fails unless neither renewal nor release is left to the holder of a token.
    pub(super) async fn must_be_lost(
        &self,
        resource: &str,
        token: FencingToken,
    ) -> Result<(), Flaw> {
        match self.extend(resource, token, LONG).await? {
            Extended::Lost => {}
            other => {
                return Err(Flaw(format!("renewing by the lost token {token} gave {other:?}")));
            }
        }
        match self.revoke(resource, token).await? {
            Revoked::Lost => Ok(()),
            other => Err(Flaw(format!("releasing by the lost token {token} gave {other:?}"))),
        }
    }

    /// Fails unless a lease is held under a token and a nonce.
    pub(super) async fn must_hold(
        &self,
        resource: &str,
        token: FencingToken,
        nonce: u64,
    ) -> Result<(), Flaw> {
        let Some(holding) = self.holding(resource).await? else {
            return Err(Flaw(format!("nobody holds what was granted under token {token}")));
        };
        let found = (holding.token, holding.nonce, holding.holder);
        same("who holds the lease", found, (token, nonce, holder(nonce)))
    }
}

/// Fenced writes.
impl<S: FencedStore, T> Trial<'_, S, T> {
    pub(super) async fn write(
        &self,
        resource: &str,
        key: &[u8],
        value: &[u8],
        pass: Pass,
    ) -> Result<Result<(), Refusal>, Flaw> {
        verdict(self.store.write(resource, key, value, pass).await)
    }

    pub(super) async fn remove(
        &self,
        resource: &str,
        key: &[u8],
        pass: Pass,
    ) -> Result<Result<(), Refusal>, Flaw> {
        verdict(self.store.remove(resource, key, pass).await)
    }

    pub(super) async fn raise(
        &self,
        resource: &str,
        pass: Pass,
    ) -> Result<Result<(), Refusal>, Flaw> {
        verdict(self.store.raise(resource, pass).await)
    }

    pub(super) async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, Flaw> {
        self.store.read(resource, key).await.map_err(flaw)
    }

    /// Returns the floor, without the sequence, which is of no account.
    pub(super) async fn floor(&self, resource: &str) -> Result<Option<Pass>, Flaw> {
        let floor = self.store.floor(name(resource)?).await.map_err(flaw)?;
        Ok(floor.map(|floor| floor.with_sequence(0)))
    }
}

/// Returns what is found for what was expected, or what differs.
pub(super) fn same<V: fmt::Debug + PartialEq>(
    what: &str,
    found: V,
    expected: V,
) -> Result<(), Flaw> {
    if found == expected {
        Ok(())
    } else {
        Err(Flaw(format!("{what} is {found:?}, and should be {expected:?}")))
    }
}

/// Fails unless a later token is greater.
pub(super) fn must_grow(earlier: FencingToken, later: FencingToken) -> Result<(), Flaw> {
    if later > earlier {
        Ok(())
    } else {
        Err(Flaw(format!("token {later} was granted after token {earlier}")))
    }
}

/// Returns the name that the holder of a nonce gives.
pub(super) fn holder(nonce: u64) -> String {
    format!("holder {nonce}")
}

pub(super) fn flaw(error: impl Error) -> Flaw {
    Flaw(format!("the store failed: {error}"))
}

fn verdict(outcome: Result<Outcome, StoreError>) -> Result<Result<(), Refusal>, Flaw> {
    Ok(match outcome.map_err(flaw)? {
        Outcome::Applied => Ok(()),
        Outcome::Stale { offered, highest } => Err(Refusal::Stale { offered, highest }),
        Outcome::Collision { token, offered, seen } => {
            Err(Refusal::Collision { token, offered, seen })
        }
        Outcome::Duplicate { sequence } => Err(Refusal::Duplicate { sequence }),
        Outcome::OutOfOrder { offered, highest } => Err(Refusal::OutOfOrder { offered, highest }),
        Outcome::Indeterminate(lost) => return Err(flaw(lost)),
    })
}

fn name(resource: &str) -> Result<Resource<'_>, Flaw> {
    Resource::new(resource).map_err(flaw)
}

/// How often it is tried whether a lease is free, or a record forgotten.
pub(super) const STEP: Duration = Duration::from_millis(20);
