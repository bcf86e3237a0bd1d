//! The few conversions between integers and floats, in one place.

/// Returns the nearest float.
#[expect(clippy::cast_precision_loss, reason = "an average needs no more than 53 bits")]
pub(crate) fn float(integer: i128) -> f64 {
    integer as f64
}

/// Returns the nearest float to a count.
pub(crate) fn count(items: usize) -> f64 {
    float(i128::try_from(items).unwrap_or(i128::MAX))
}

/// Returns the nearest integer that is not negative; what is out of range, or NaN, saturates.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what is wanted here"
)]
pub(crate) fn round(number: f64) -> u64 {
    number.round() as u64
}

/// Returns the nearest number that an `f32` holds, or the number itself if it is beyond them all.
#[expect(clippy::cast_possible_truncation, reason = "that is the purpose")]
pub(crate) fn seven_digits(number: f64) -> f64 {
    let rounded = f64::from(number as f32);
    if rounded.is_finite() { rounded } else { number }
}

/// Returns `steps` numbers from `first` to `last`, each the same factor from the one before it.
///
/// The bounds must be positive, and there must be at least two steps.
pub(crate) fn log_spaced(first: f64, last: f64, steps: u16) -> impl Iterator<Item = f64> {
    let (start, end) = (first.ln(), last.ln());
    (0..steps).map(move |step| {
        let share = f64::from(step) / f64::from(steps.saturating_sub(1).max(1));
        (start + (end - start) * share).exp()
    })
}
