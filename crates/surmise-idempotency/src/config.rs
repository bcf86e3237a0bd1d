use core::{error::Error, fmt, num::NonZeroUsize, time::Duration};

/// How an [`IdempotencyCache`](crate::IdempotencyCache) is set up.
///
/// The lease and the retention are two things. The lease says for how long the caller who executes is believed to be
/// alive; it ends early only if the operation takes longer than anybody thought. The retention says for how long
/// after its completion a retry is answered with the result, and begins only then.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_idempotency::CacheConfig;
///
/// let config = CacheConfig { lease: Duration::from_secs(60), ..CacheConfig::default() };
/// assert_eq!(config.retention, Duration::from_secs(24 * 60 * 60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct CacheConfig {
    /// For how long a [`Ticket`](crate::Ticket) keeps others from executing, from 1 ns, if it is not renewed; 30 s
    /// unless said otherwise. It should be longer than the operation ever takes. Higher means that a key whose executor
    /// died is held up for longer.
    pub lease: Duration,
    /// For how long a result is kept after its completion, from 1 ns; 24 h unless said otherwise. It must be longer
    /// than clients go on retrying: after it, a retry executes again. So long is also remembered that an
    /// execution never ended, from the end of its lease.
    pub retention: Duration,
    /// For how long a result is kept that was completed with [`Keep::Briefly`](crate::Keep::Briefly), from 1 ns; 10 s
    /// unless said otherwise.
    pub brief_retention: Duration,
    /// How many keys there can be, whether in flight, completed or indeterminate; 100 000 unless said
    /// otherwise, at most 2³¹. The memory for so many is reserved at once, some 63 bytes each and what keys and values
    /// take: 6 MB unless said otherwise. A cache without shards allocates none later.
    pub capacity: NonZeroUsize,
    /// What happens to a new key when there are so many.
    pub when_full: WhenFull,
    /// The epoch of the tickets' tokens; 1 unless said otherwise. If they guard something that lasts longer than this
    /// cache, it must be higher each time that the cache begins anew: else the same tokens are given out again.
    pub epoch: u64,
}

/// What happens to a new key when the cache is full of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to give up")]
pub enum WhenFull {
    /// It is refused with [`Begin::Full`](crate::Begin::Full): a promise to those who were served is not broken.
    #[default]
    Refuse,
    /// The result that was completed first is forgotten, before its retention is over, and
    /// [counted](crate::CacheStats::evicted): a retry of its client would execute again. Those that are kept
    /// [briefly](crate::Keep::Briefly) go before all others. What is in flight never is forgotten, so that a
    /// cache full of that refuses new keys also.
    EvictOldest,
}

const MAX_CAPACITY: usize = 1 << 31;

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            retention: Duration::from_secs(24 * 60 * 60),
            brief_retention: Duration::from_secs(10),
            capacity: NonZeroUsize::MIN.saturating_add(99_999),
            when_full: WhenFull::Refuse,
            epoch: 1,
        }
    }
}

impl CacheConfig {
    pub(crate) fn checked(self) -> Result<Self, CacheConfigError> {
        if self.lease.is_zero() {
            return Err(CacheConfigError::ZeroLease);
        }
        if self.retention.is_zero() || self.brief_retention.is_zero() {
            return Err(CacheConfigError::ZeroRetention);
        }
        if self.capacity.get() > MAX_CAPACITY {
            return Err(CacheConfigError::Capacity { capacity: self.capacity.get() });
        }
        Ok(self)
    }
}

/// Why there is no cache with a [`CacheConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheConfigError {
    /// A lease of no time is over when it begins.
    ZeroLease,
    /// A result that is kept for no time is never replayed.
    ZeroRetention,
    /// The capacity is more than 2³¹ keys.
    Capacity {
        /// The capacity.
        capacity: usize,
    },
    /// There is not as much memory.
    Memory {
        /// The capacity.
        capacity: usize,
    },
}

impl fmt::Display for CacheConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroLease => f.write_str("the lease is zero"),
            Self::ZeroRetention => f.write_str("the retention is zero"),
            Self::Capacity { capacity } => {
                write!(f, "a capacity of {capacity} keys is more than {MAX_CAPACITY}")
            }
            Self::Memory { capacity } => write!(f, "no memory for {capacity} keys"),
        }
    }
}

impl Error for CacheConfigError {}
