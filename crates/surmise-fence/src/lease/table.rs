mod error;

use alloc::collections::{BTreeMap, BTreeSet};
use core::{iter, num::NonZeroU64, time::Duration};

use surmise_time::Instant;

pub use self::error::{AcquireError, LeaseTableError, ReleaseError, RenewError, RestoreError};
use super::tokens::{EpochNotHigher, NoToken, TokenBlock, TokenBlockError, Tokens};
use crate::{FencingToken, Grant, TokensExhausted};

/// One grantor's leases: who holds what, and for how long.
///
/// Of each resource there is one lease at most. A lease that was granted is held until it is released or its time
/// is over; in the latter case nobody is granted it for another while, the *lock-delay*, in which what a holder
/// sent before it stopped may still arrive (Burrows, "The Chubby lock service for loosely-coupled distributed
/// systems", OSDI 2006, §2.4).
///
/// Each grant has a [`FencingToken`] that was never issued before, and greater than all that were. One counter
/// serves all resources, and nothing sets it back. What the table must have in durable storage is only how
/// far it may have counted: it issues tokens of [blocks](TokenBlock) whose last token was written down
/// before. If its leases are not kept as well, a table that was restarted should grant none until the longest
/// TTL and the lock-delay are over.
///
/// The holder counts the time of its [`Grant`] from before it sent the request, which a
/// [`LeaseGuard`](crate::LeaseGuard) does; so it is over there before it is here. Even so two holders can believe in
/// their leases at once, if their clocks fail: the leases spare holders useless work, and safety comes from a
/// [`Fence`](crate::Fence) that knows the tokens.
///
/// Time is an argument: that of a clock which goes on while the machine sleeps, such as `BootClock` of
/// `surmise-time`. The table never goes back: a `now` before the latest that it saw counts as that one, so that
/// no lease ends early and none that ended comes back. An error changes nothing but this.
///
/// Every operation takes time logarithmic in the number of leases, which is bounded.
///
/// # Examples
///
/// ```
/// use core::{num::NonZeroU64, time::Duration};
/// use surmise_fence::{AcquireError, LeaseTable, LeaseTableConfig};
/// use surmise_time::Instant;
///
/// let mut table = LeaseTable::new(LeaseTableConfig {
///     epoch: 1,
///     max_ttl: Duration::from_secs(60),
///     lock_delay: Duration::from_secs(1),
///     max_leases: 1_000,
/// })?;
/// let block = table.next_block(NonZeroU64::MIN.saturating_add(999))?;
/// // Here `block.last()` is written to the disk.
/// table.reserve(block)?;
///
/// let now = Instant::from_nanos(0);
/// let ttl = Duration::from_secs(10);
/// let grant = table.acquire("ledger", 0x5eed, ttl, now)?;
/// assert!(matches!(table.acquire("ledger", 0xfeed, ttl, now), Err(AcquireError::Held { .. })));
/// table.renew(&"ledger", grant.token, ttl, now + ttl / 3)?;
/// table.release(&"ledger", grant.token, now + ttl)?;
/// let next = table.acquire("ledger", 0xfeed, ttl, now + ttl)?;
/// assert!(next.token > grant.token);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LeaseTable<R> {
    max_ttl: Duration,
    lock_delay: Duration,
    max_leases: usize,
    tokens: Tokens,
    leases: BTreeMap<R, Lease>,
    /// The same leases, by when they and their lock-delays are over.
    ends: BTreeSet<(Instant, R)>,
    latest: Instant,
}

/// How a [`LeaseTable`] is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct LeaseTableConfig {
    /// The epoch of the tokens; 1 at first. A higher one makes all tokens from now on greater than all before,
    /// which is what to do after a backup was restored.
    pub epoch: u64,
    /// The longest TTL that is granted, from 1 ns; usually 10 s to some minutes. Higher means that holders may
    /// renew less often, and that what a dead one held is free later.
    pub max_ttl: Duration,
    /// For how long nobody is granted a lease that ended without being released; from nothing to about a
    /// minute. Higher means that more of what a holder sent has arrived before the next one begins. Where every
    /// write is fenced, none is needed.
    pub lock_delay: Duration,
    /// How many leases there can be, from 1, counting those in their lock-delay. When there are so many,
    /// no other resource's is granted.
    pub max_leases: usize,
}

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holding {
    /// The token of the grant.
    pub token: FencingToken,
    /// The nonce of the request that it was granted to.
    pub nonce: u64,
    /// For how much longer, unless it is renewed.
    pub remaining: Duration,
}

/// A lease that ended without being released, and whose lock-delay is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndedLease<R> {
    /// What it was about.
    pub resource: R,
    /// The token of the grant.
    pub token: FencingToken,
    /// The nonce of the request that it was granted to.
    pub nonce: u64,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    token: FencingToken,
    nonce: u64,
    /// When it is not held any more; then comes the lock-delay.
    expires: Instant,
}

impl<R: Ord + Clone> LeaseTable<R> {
    /// Creates a table that never issued a token.
    ///
    /// # Errors
    ///
    /// If there could never be a lease.
    pub fn new(config: LeaseTableConfig) -> Result<Self, LeaseTableError> {
        Self::with_tokens(config, None)
    }

    /// Creates a table that issues no token up to one: the last that was ever reserved, as it was written down.
    ///
    /// # Errors
    ///
    /// If there could never be a lease, and if the epoch is lower than that of the token.
    pub fn resume(
        config: LeaseTableConfig,
        reserved: FencingToken,
    ) -> Result<Self, LeaseTableError> {
        Self::with_tokens(config, Some(reserved))
    }

    /// Allows to issue the tokens of a block, after its last was written down.
    ///
    /// # Errors
    ///
    /// If the block is not the [next](Self::next_block) one.
    pub fn reserve(&mut self, block: TokenBlock) -> Result<(), TokenBlockError> {
        self.tokens.reserve(block)
    }

    /// Grants a lease for `ttl` from now.
    ///
    /// The nonce is a number that the holder drew at random for this request. If the lease is held under it, the
    /// request is the retry of one whose reply was lost, and is granted what it was granted: the same token, for `ttl`
    /// from now or until it would end anyway. The nonce 0 is no nonce, and no retry is told by it.
    ///
    /// # Errors
    ///
    /// If another holds the lease, if it is in its lock-delay, if the TTL is zero or too long, if there are too many
    /// leases or if there is no token to issue.
    pub fn acquire(
        &mut self,
        resource: R,
        nonce: u64,
        ttl: Duration,
        now: Instant,
    ) -> Result<Grant, AcquireError> {
        let now = self.advance(now);
        if !self.allows(ttl) {
            return Err(AcquireError::Ttl { ttl, max_ttl: self.max_ttl });
        }
        match self.leases.get(&resource).copied() {
            Some(lease) if now < lease.expires => {
                if nonce == 0 || nonce != lease.nonce {
                    let (token, remaining) = (lease.token, lease.expires - now);
                    return Err(AcquireError::Held { token, remaining });
                }
                return Ok(self.extend(resource, lease, ttl, now));
            }
            Some(lease) if now < self.end(lease) => {
                return Err(AcquireError::Delayed { remaining: self.end(lease) - now });
            }
            None if self.leases.len() >= self.max_leases => {
                return Err(AcquireError::Full { max_leases: self.max_leases });
            }
            _ => {}
        }
        let token = self.tokens.issue().map_err(|none| match none {
            NoToken::NotReserved => AcquireError::NoTokens,
            NoToken::Exhausted(exhausted) => AcquireError::Exhausted(exhausted),
        })?;
        let expires = now + ttl;
        self.insert(resource, Lease { token, nonce, expires });
        Ok(Grant { token, valid_for: expires - now })
    }

    /// Grants a lease that is held for `ttl` from now, or until it would end anyway: with the same token.
    ///
    /// # Errors
    ///
    /// If the lease is not held with this token, and if the TTL is zero or too long.
    pub fn renew(
        &mut self,
        resource: &R,
        token: FencingToken,
        ttl: Duration,
        now: Instant,
    ) -> Result<Grant, RenewError> {
        let now = self.advance(now);
        let lease = self.held(resource, token, now)?;
        if !self.allows(ttl) {
            return Err(RenewError::Ttl { ttl, max_ttl: self.max_ttl });
        }
        Ok(self.extend(resource.clone(), lease, ttl, now))
    }

    /// Ends a lease: there is no lock-delay, since its holder says that it has stopped.
    ///
    /// # Errors
    ///
    /// If the lease is not held with this token.
    pub fn release(
        &mut self,
        resource: &R,
        token: FencingToken,
        now: Instant,
    ) -> Result<(), ReleaseError> {
        let now = self.advance(now);
        self.held(resource, token, now)?;
        self.remove(resource);
        Ok(())
    }

    /// Puts back a lease that was held before a restart: for `ttl` from now, which is to be its full TTL.
    ///
    /// How much of the TTL had passed is not known after a restart, so that the lease is held for longer than its
    /// holder was promised, and never for less. It may be longer than the table's longest TTL, which may have been
    /// another before.
    ///
    /// # Errors
    ///
    /// If the resource has a lease, if the token is above all that were issued, so that it could be issued again, if
    /// there are too many leases or if the TTL is zero.
    pub fn restore(
        &mut self,
        resource: R,
        token: FencingToken,
        nonce: u64,
        ttl: Duration,
        now: Instant,
    ) -> Result<(), RestoreError> {
        let now = self.advance(now);
        if ttl.is_zero() {
            return Err(RestoreError::ZeroTtl);
        }
        if let Some(lease) = self.leases.get(&resource) {
            return Err(RestoreError::Present { token: lease.token });
        }
        // Not what was reserved: of that, what follows those issued is yet to be granted.
        if Some(token) > self.issued() {
            return Err(RestoreError::NotIssued { token, issued: self.issued() });
        }
        if self.leases.len() >= self.max_leases {
            return Err(RestoreError::Full { max_leases: self.max_leases });
        }
        self.insert(resource, Lease { token, nonce, expires: now + ttl });
        Ok(())
    }

    /// Forgets the leases that ended without being released and whose lock-delay is over, and returns them, the
    /// earliest first.
    ///
    /// It makes room; apart from that, nothing depends on when it is called. A lease that was granted anew
    /// since is not among them. What the iterator was not asked for stays.
    pub fn expire(&mut self, now: Instant) -> impl Iterator<Item = EndedLease<R>> + use<'_, R> {
        let now = self.advance(now);
        iter::from_fn(move || {
            let (_, resource) = self.ends.first().filter(|(end, _)| *end <= now).cloned()?;
            let Lease { token, nonce, .. } = self.remove(&resource)?;
            Some(EndedLease { resource, token, nonce })
        })
    }

    /// Begins a higher epoch: all tokens from now on are greater than all before, also than those that this table does
    /// not know of, because it was restored from a backup.
    ///
    /// The epoch must have been written down before. Tokens are to be reserved anew. Leases that are held stay
    /// held, with their tokens.
    ///
    /// # Errors
    ///
    /// If the epoch is not higher.
    pub const fn advance_epoch(&mut self, epoch: u64) -> Result<(), EpochNotHigher> {
        self.tokens.advance_epoch(epoch)
    }

    /// Returns who holds a lease, if anybody does.
    #[must_use]
    pub fn holding(&self, resource: &R, now: Instant) -> Option<Holding> {
        let Lease { token, nonce, expires } = *self.leases.get(resource)?;
        let now = now.max(self.latest);
        (now < expires).then(|| Holding { token, nonce, remaining: expires - now })
    }

    /// Returns when [`expire`](Self::expire) will return a lease, if none is granted, renewed or released before.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.ends.first().map(|&(end, _)| end)
    }

    /// Returns how many leases there are, counting those in their lock-delay and those that
    /// [`expire`](Self::expire) has yet to return.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// Returns whether there is no lease.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Returns the epoch of the tokens that are issued.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.tokens.epoch()
    }

    /// Returns the highest token issued, or after a restart the highest that may have been.
    #[must_use]
    pub const fn issued(&self) -> Option<FencingToken> {
        self.tokens.issued()
    }

    /// Returns whether no token is left, so that the next grant needs a [block](Self::next_block) first.
    #[must_use]
    pub fn needs_block(&self) -> bool {
        self.tokens.left() == 0
    }

    /// Returns how many tokens are left of what was reserved, so that the next block can be reserved in time.
    #[must_use]
    pub fn tokens_left(&self) -> u64 {
        self.tokens.left()
    }

    /// Returns the block of tokens that follows those reserved: so many, or fewer at the end of the epoch.
    ///
    /// # Errors
    ///
    /// If the epoch has no more tokens: only a new epoch goes on.
    pub fn next_block(&self, size: NonZeroU64) -> Result<TokenBlock, TokensExhausted> {
        self.tokens.next_block(size)
    }

    fn with_tokens(
        config: LeaseTableConfig,
        reserved: Option<FencingToken>,
    ) -> Result<Self, LeaseTableError> {
        let LeaseTableConfig { epoch, max_ttl, lock_delay, max_leases } = config;
        if max_ttl.is_zero() {
            return Err(LeaseTableError::ZeroMaxTtl);
        }
        if max_leases == 0 {
            return Err(LeaseTableError::ZeroMaxLeases);
        }
        match reserved {
            Some(reserved) if reserved.epoch() > epoch => {
                return Err(LeaseTableError::EpochTooLow { epoch, reserved });
            }
            _ => {}
        }
        Ok(Self {
            max_ttl,
            lock_delay,
            max_leases,
            tokens: Tokens::after(reserved, epoch),
            leases: BTreeMap::new(),
            ends: BTreeSet::new(),
            latest: Instant::ORIGIN,
        })
    }

    /// Returns the time, which never goes back.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn allows(&self, ttl: Duration) -> bool {
        !ttl.is_zero() && ttl <= self.max_ttl
    }

    /// Returns when a lease and its lock-delay are over.
    fn end(&self, lease: Lease) -> Instant {
        lease.expires + self.lock_delay
    }

    /// Returns the lease that is held with a token.
    fn held(&self, resource: &R, token: FencingToken, now: Instant) -> Result<Lease, ReleaseError> {
        match self.leases.get(resource) {
            Some(lease) if lease.token == token => {
                if now < lease.expires {
                    return Ok(*lease);
                }
                Err(ReleaseError::Expired { token, by: now - lease.expires })
            }
            _ if token.epoch() != self.tokens.epoch() => {
                Err(ReleaseError::ForeignEpoch { token, epoch: self.tokens.epoch() })
            }
            Some(lease) if token < lease.token => {
                Err(ReleaseError::Superseded { token, by: lease.token })
            }
            _ => Err(ReleaseError::Unknown { token }),
        }
    }

    /// Lets a lease end later. Never earlier: its holder counts on what it was promised before.
    fn extend(&mut self, resource: R, lease: Lease, ttl: Duration, now: Instant) -> Grant {
        let expires = lease.expires.max(now + ttl);
        self.insert(resource, Lease { expires, ..lease });
        Grant { token: lease.token, valid_for: expires - now }
    }

    /// Puts a lease in the place of the resource's last one.
    fn insert(&mut self, resource: R, lease: Lease) {
        self.remove(&resource);
        self.ends.insert((self.end(lease), resource.clone()));
        self.leases.insert(resource, lease);
        debug_assert_eq!(self.ends.len(), self.leases.len(), "a lease has one end");
    }

    fn remove(&mut self, resource: &R) -> Option<Lease> {
        let lease = self.leases.remove(resource)?;
        self.ends.remove(&(self.end(lease), resource.clone()));
        Some(lease)
    }
}
