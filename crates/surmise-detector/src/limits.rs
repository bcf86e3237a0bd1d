//! The ranges that configurations share.

use core::time::Duration;

/// The shortest duration that means anything.
pub(crate) const MIN_DURATION: Duration = Duration::from_nanos(1);

/// The longest interval, timeout or margin: 2⁴⁷ ns, about 39 hours.
///
/// The square of an interval then fits 94 bits, and the squares of a whole window fit a `u128`.
pub(crate) const MAX_DURATION: Duration = Duration::from_nanos(MAX_NANOS);

/// [`MAX_DURATION`] in nanoseconds.
pub(crate) const MAX_NANOS: u64 = 1 << 47;
