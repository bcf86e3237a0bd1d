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
    nanos as f64
}

/// Returns nanoseconds below 2⁶³ as a float, in one instruction where the unsigned conversion takes six.
#[inline]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "below 2⁶³")]
pub(crate) fn from_interval(nanos: u64) -> f64 {
    debug_assert!(nanos < 1 << 63, "an interval of 292 years");
    nanos as i64 as f64
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

/// Returns the nearest whole nanoseconds for a deadline: at least 1, also for NaN, saturating above.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(crate) fn to_nanos(nanos: f64) -> u64 {
    // From 2⁵² on floats are whole numbers, so adding that much rounds to one and leaves it in the low
    // bits: a third of the instructions of a saturating conversion.
    const INTEGERS: f64 = 4_503_599_627_370_496.0;
    const MANTISSA: u64 = (1 << 52) - 1;
    if nanos < 0.5 * INTEGERS {
        (max(nanos, 1.0) + INTEGERS).to_bits() & MANTISSA
    } else {
        // More than 26 days, or NaN.
        (nanos as u64).max(1)
    }
}

/// Returns the whole nanoseconds below a signed float; 0 for NaN, saturating at 292 years.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(crate) fn to_signed(nanos: f64) -> i128 {
    i128::from(libm::floor(nanos) as i64)
}

/// Returns the nearest `f32`, which has seven digits: enough for what a user chooses, where a detector has
/// only 64 bytes.
#[expect(clippy::cast_possible_truncation, reason = "that is the purpose")]
pub(crate) fn seven_digits(x: f64) -> f32 {
    x as f32
}

/// Returns the greater of two, or `b` if `a` is NaN: one instruction, where `f64::max` takes seven.
#[inline]
pub(crate) fn max(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// Returns the smaller of two, or `b` if `a` is NaN.
#[inline]
pub(crate) fn min(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}
