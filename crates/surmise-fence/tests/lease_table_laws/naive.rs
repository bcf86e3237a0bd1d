//! Leases as a list of all that ever were granted, without any index.

use core::{num::NonZeroU64, time::Duration};

use surmise_fence::{
    AcquireError, FencingToken, Grant, LeaseTableConfig, ReleaseError, RenewError, RestoreError,
};

pub(crate) struct Naive {
    config: LeaseTableConfig,
    /// The highest counters of this epoch that were reserved, and that were issued or may have been.
    reserved: u64,
    issued: u64,
    /// The last tokens reserved and issued in an earlier epoch.
    reserved_before: Option<FencingToken>,
    issued_before: Option<FencingToken>,
    grants: Vec<Record>,
    latest: u64,
}

#[derive(Clone, Copy)]
struct Record {
    resource: u8,
    token: FencingToken,
    nonce: u64,
    until: u64,
    /// It was released, forgotten or granted anew.
    gone: bool,
}

impl Naive {
    pub(crate) fn new(config: LeaseTableConfig, reserved: Option<FencingToken>) -> Self {
        let counter = reserved.filter(|reserved| reserved.epoch() == config.epoch);
        let counter = counter.map_or(0, |reserved| reserved.counter().get());
        Self {
            config,
            reserved: counter,
            issued: counter,
            reserved_before: reserved,
            issued_before: reserved,
            grants: Vec::new(),
            latest: 0,
        }
    }

    pub(crate) fn acquire(
        &mut self,
        resource: u8,
        nonce: u64,
        ttl: Duration,
        now: u64,
    ) -> Result<Grant, AcquireError> {
        let now = self.see(now);
        let LeaseTableConfig { epoch, max_ttl, max_leases, .. } = self.config;
        if ttl.is_zero() || ttl > max_ttl {
            return Err(AcquireError::Ttl { ttl, max_ttl });
        }
        let delay = self.delay();
        let count = self.len();
        if let Some(lease) = self.of(resource) {
            if lease.until > now {
                if nonce > 0 && lease.nonce == nonce {
                    return Ok(lease.extend(ttl, now));
                }
                let remaining = Duration::from_nanos(lease.until - now);
                return Err(AcquireError::Held { token: lease.token, remaining });
            }
            if lease.end(delay) > now {
                let remaining = Duration::from_nanos(lease.end(delay) - now);
                return Err(AcquireError::Delayed { remaining });
            }
        } else if count == max_leases {
            return Err(AcquireError::Full { max_leases });
        }
        if let Some(Err(exhausted)) = token(epoch, self.issued).map(FencingToken::next) {
            return Err(AcquireError::Exhausted(exhausted));
        }
        if self.issued == self.reserved {
            return Err(AcquireError::NoTokens);
        }
        self.issued += 1;
        let token = token(epoch, self.issued).expect("it was reserved");
        let until = now.saturating_add(nanos(ttl));
        self.put(resource, token, nonce, until);
        Ok(Grant { token, valid_for: Duration::from_nanos(until - now) })
    }

    pub(crate) fn renew(
        &mut self,
        resource: u8,
        token: FencingToken,
        ttl: Duration,
        now: u64,
    ) -> Result<Grant, RenewError> {
        let now = self.see(now);
        let max_ttl = self.config.max_ttl;
        let lease = self.held(resource, token, now)?;
        if ttl.is_zero() || ttl > max_ttl {
            return Err(RenewError::Ttl { ttl, max_ttl });
        }
        Ok(lease.extend(ttl, now))
    }

    pub(crate) fn release(
        &mut self,
        resource: u8,
        token: FencingToken,
        now: u64,
    ) -> Result<(), ReleaseError> {
        let now = self.see(now);
        self.held(resource, token, now)?.gone = true;
        Ok(())
    }

    pub(crate) fn expire(&mut self, now: u64, at_most: usize) -> Vec<(u8, FencingToken, u64)> {
        let now = self.see(now);
        let delay = self.delay();
        let mut ended: Vec<_> = self.grants.iter_mut().filter(|lease| !lease.gone).collect();
        ended.retain(|lease| lease.end(delay) <= now);
        ended.sort_by_key(|lease| (lease.end(delay), lease.resource));
        ended.truncate(at_most);
        let forget = |lease: &mut Record| {
            lease.gone = true;
            (lease.resource, lease.token, lease.nonce)
        };
        ended.into_iter().map(forget).collect()
    }

    pub(crate) const fn reserve(&mut self, size: u64) {
        self.reserved = self.reserved.saturating_add(size);
    }

    pub(crate) fn restart(&mut self) {
        self.issued = self.reserved;
        self.issued_before = self.reserved_before;
        self.grants.clear();
        self.latest = 0;
    }

    pub(crate) fn restore(
        &mut self,
        resource: u8,
        token: FencingToken,
        nonce: u64,
        ttl: Duration,
        now: u64,
    ) -> Result<(), RestoreError> {
        let now = self.see(now);
        if ttl.is_zero() {
            return Err(RestoreError::ZeroTtl);
        }
        if let Some(lease) = self.of(resource) {
            return Err(RestoreError::Present { token: lease.token });
        }
        let issued = self.issued();
        if issued.is_none_or(|issued| token > issued) {
            return Err(RestoreError::NotIssued { token, issued });
        }
        let max_leases = self.config.max_leases;
        if self.len() == max_leases {
            return Err(RestoreError::Full { max_leases });
        }
        self.put(resource, token, nonce, now.saturating_add(nanos(ttl)));
        Ok(())
    }

    pub(crate) fn advance_epoch(&mut self, epoch: u64) {
        if epoch > self.config.epoch {
            self.issued_before = self.issued();
            self.reserved_before = token(self.config.epoch, self.reserved).or(self.reserved_before);
            self.config.epoch = epoch;
            (self.reserved, self.issued) = (0, 0);
        }
    }

    pub(crate) fn holding(&self, resource: u8, now: u64) -> Option<(FencingToken, u64, Duration)> {
        let now = now.max(self.latest);
        let mut live = self.grants.iter().filter(|lease| !lease.gone && lease.resource == resource);
        let lease = live.next().filter(|lease| lease.until > now)?;
        Some((lease.token, lease.nonce, Duration::from_nanos(lease.until - now)))
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        let live = self.grants.iter().filter(|lease| !lease.gone);
        live.map(|lease| lease.end(self.delay())).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.grants.iter().filter(|lease| !lease.gone).count()
    }

    pub(crate) const fn config(&self) -> LeaseTableConfig {
        self.config
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.config.epoch
    }

    pub(crate) fn issued(&self) -> Option<FencingToken> {
        token(self.config.epoch, self.issued).or(self.issued_before)
    }

    pub(crate) const fn tokens_left(&self) -> u64 {
        self.reserved - self.issued
    }

    pub(crate) const fn is_exhausted(&self) -> bool {
        self.reserved == u64::MAX
    }

    fn see(&mut self, now: u64) -> u64 {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn delay(&self) -> u64 {
        nanos(self.config.lock_delay)
    }

    fn of(&mut self, resource: u8) -> Option<&mut Record> {
        self.grants.iter_mut().find(|lease| !lease.gone && lease.resource == resource)
    }

    fn held(
        &mut self,
        resource: u8,
        token: FencingToken,
        now: u64,
    ) -> Result<&mut Record, ReleaseError> {
        let epoch = self.config.epoch;
        let other = match self.of(resource).map(|lease| (lease.token, lease.until)) {
            Some((held, until)) if held == token && until > now => None,
            Some((held, until)) if held == token => {
                Some(ReleaseError::Expired { token, by: Duration::from_nanos(now - until) })
            }
            _ if token.epoch() != epoch => Some(ReleaseError::ForeignEpoch { token, epoch }),
            Some((held, _)) if held > token => Some(ReleaseError::Superseded { token, by: held }),
            _ => Some(ReleaseError::Unknown { token }),
        };
        match other {
            Some(error) => Err(error),
            None => self.of(resource).ok_or(ReleaseError::Unknown { token }),
        }
    }

    fn put(&mut self, resource: u8, token: FencingToken, nonce: u64, until: u64) {
        if let Some(lease) = self.of(resource) {
            lease.gone = true;
        }
        self.grants.push(Record { resource, token, nonce, until, gone: false });
    }
}

impl Record {
    const fn end(&self, delay: u64) -> u64 {
        self.until.saturating_add(delay)
    }

    fn extend(&mut self, ttl: Duration, now: u64) -> Grant {
        self.until = self.until.max(now.saturating_add(nanos(ttl)));
        Grant { token: self.token, valid_for: Duration::from_nanos(self.until - now) }
    }
}

/// Returns the token, unless the counter is 0, which is before the first.
fn token(epoch: u64, counter: u64) -> Option<FencingToken> {
    Some(FencingToken::new(epoch, NonZeroU64::new(counter)?))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
