use core::time::Duration;

use crate::{LimitExceeded, Ttl};

/// For how long what is remembered of a request.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_store::Terms;
///
/// let terms = Terms { lease: Duration::from_secs(60), ..Terms::default() };
/// assert_eq!(terms.retention, Duration::from_secs(24 * 60 * 60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Terms {
    /// For how long an execution keeps others out if it is not renewed, from 10 ms to a day; 30 s unless said
    /// otherwise. It should be longer than the operation ever takes. Higher means that a key whose executor died is
    /// held up for longer.
    pub lease: Duration,
    /// For how long a result is kept after its completion, and what never completed after its lease; from
    /// 1 s to 366 days, 24 h unless said otherwise. It must be longer than clients go on retrying.
    pub retention: Duration,
    /// For how long a result is kept that was completed briefly, and that an execution was released; from 10 ms,
    /// 10 s unless said otherwise.
    pub brief_retention: Duration,
}

impl Terms {
    /// The longest retention.
    pub const MAX_RETENTION: Duration = Duration::from_secs(366 * 86_400);
    /// The shortest retention; a brief one may be as short as [`Ttl::MIN`].
    pub const MIN_RETENTION: Duration = Duration::from_secs(1);

    /// Returns the terms, if a store takes them: as each [`Claim`](crate::Claim) of them is checked.
    ///
    /// # Errors
    ///
    /// If one of the times is beyond its limits.
    pub fn checked(self) -> Result<Self, LimitExceeded> {
        Ttl::new(self.lease)?;
        let retention = self.retention;
        if !(Self::MIN_RETENTION..=Self::MAX_RETENTION).contains(&retention) {
            return Err(LimitExceeded::Retention { retention });
        }
        Self::checked_retention(self.brief_retention)?;
        Ok(self)
    }

    /// Returns for how long one result is kept, if a store keeps any for that long.
    pub(super) fn checked_retention(retention: Duration) -> Result<Duration, LimitExceeded> {
        if (Ttl::MIN..=Self::MAX_RETENTION).contains(&retention) {
            Ok(retention)
        } else {
            Err(LimitExceeded::BriefRetention { retention })
        }
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            retention: Duration::from_secs(24 * 60 * 60),
            brief_retention: Duration::from_secs(10),
        }
    }
}
