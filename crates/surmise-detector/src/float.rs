//! Where integers and floats meet.
//!
//! `libm` does every float operation that is more than arithmetic, so that all platforms agree to the
//! last bit.

/// √(2π).
pub(crate) const SQRT_2_PI: f64 = 2.506_628_274_631_000_5;

/// Returns nanoseconds as a float: exact up to 2⁵³ ns (104 days), rounded above.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "relative error below 2⁻⁵³")]
pub(crate) fn from_nanos(nanos: u64) -> f64 {
    // The signed conversion is one instruction where the unsigned one needs a branch.
    match i64::try_from(nanos) {
        Ok(nanos) => nanos as f64,
        Err(_) => nanos as f64,
    }
}

/// Returns the whole nanoseconds below a float; 0 for what is negative or NaN, saturating above.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and rounding down is what a deadline needs"
)]
pub(crate) fn to_nanos(nanos: f64) -> u64 {
    // Again, the signed conversion is the cheap one.
    if nanos < 9e18 { (nanos as i64).max(0) as u64 } else { nanos as u64 }
}

/// Returns signed nanoseconds as a float.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "relative error below 2⁻⁵³")]
pub(crate) fn from_signed(nanos: i128) -> f64 {
    match i64::try_from(nanos) {
        Ok(nanos) => nanos as f64,
        Err(_) => nanos as f64,
    }
}

/// Returns the whole nanoseconds below a signed float; 0 for NaN, saturating at 292 years.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(crate) fn to_signed(nanos: f64) -> i128 {
    i128::from(libm::floor(nanos) as i64)
}
