use core::time::Duration;

use crate::nanos::nanosecond_time;

/// A point in civil time: nanoseconds since the Unix epoch, up to the year 2554.
///
/// Wall time can be wrong and can step in either direction; it orders nothing by itself. The operators
/// saturate, and `checked_*` methods stand beside them. Times before 1970 are not representable.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_time::WallTime;
///
/// let signed = WallTime::from_nanos(1_795_230_725_126_147_368);
/// let expires = signed + Duration::from_secs(60);
/// assert_eq!(expires - signed, Duration::from_secs(60));
/// assert_eq!(signed.to_string(), "1795230725.126147368s");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct WallTime(u64);

impl WallTime {
    /// 1970-01-01 00:00:00 UTC.
    pub const UNIX_EPOCH: Self = Self(0);
}

nanosecond_time!(WallTime);
