use core::{fmt, time::Duration};

/// A number as chrony sends it: a coefficient of 25 bits times a power of two, with no rounding on
/// the way.
///
/// What it counts is said where it stands: seconds, or parts per million.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Float {
    /// Odd, or zero.
    coefficient: i32,
    /// Zero if the coefficient is.
    exponent: i32,
}

impl Float {
    /// Reads a number from the 32 bits that stand for it.
    ///
    /// The upper 7 are an exponent and the lower 25 a coefficient, both two's complements; the
    /// number is `coefficient · 2^(exponent − 25)`.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        let bits = i32::from_ne_bytes(bits.to_ne_bytes());
        let coefficient = (bits << EXPONENT_BITS) >> EXPONENT_BITS;
        if coefficient == 0 {
            return Self { coefficient: 0, exponent: 0 };
        }
        let (mut coefficient, mut exponent) =
            (coefficient, (bits >> COEFFICIENT_BITS) - COEFFICIENT_BITS);
        while coefficient % 2 == 0 {
            coefficient /= 2;
            exponent += 1;
        }
        Self { coefficient, exponent }
    }

    /// Returns the number, exactly.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        // Lossless: the exponent is from −89 to 62, and so 1023 more than it is positive.
        let biased = u64::try_from(self.exponent + 1023).unwrap_or_default();
        f64::from(self.coefficient) * f64::from_bits(biased << 52)
    }

    /// Returns whether the number is less than zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// Returns how long so many seconds are, whatever the sign; rounded up to nanoseconds.
    #[must_use]
    pub fn magnitude(self) -> Duration {
        Duration::from_nanos(self.scaled(1_000_000_000))
    }

    /// Returns half of the number.
    pub(super) const fn half(self) -> Self {
        match self.coefficient {
            0 => self,
            coefficient => Self { coefficient, exponent: self.exponent - 1 },
        }
    }

    /// Returns the product with a scale of at most 2³⁰, whatever the sign; rounded up, at most
    /// `u64::MAX`.
    pub(super) fn scaled(self, scale: u32) -> u64 {
        // A coefficient of 25 bits and a scale of 32, shifted by at most 62, fit.
        let product = u128::from(self.coefficient.unsigned_abs()) * u128::from(scale);
        let shift = self.exponent.unsigned_abs();
        let scaled =
            if self.exponent >= 0 { product << shift } else { product.div_ceil(1 << shift) };
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_f64(), f)
    }
}

/// As Rust writes a floating-point number, with the precision that is asked for.
impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_f64(), f)
    }
}

const EXPONENT_BITS: i32 = 7;
const COEFFICIENT_BITS: i32 = 25;

#[cfg(test)]
mod tests {
    use std::format;

    use quickcheck::quickcheck;

    use super::*;

    /// What `chronyd` sent, and what `chronyc -c tracking` said of the same, or of nearly the same.
    #[test]
    fn numbers_that_chrony_sent() {
        for (bits, printed) in [
            (0x0480_0000, "1.000000000"),
            (0, "0.000000000"),
            (0xdd5e_639b, "-0.000001204"),
            (0xd16f_7ee2, "-0.000000017"),
            (0xd686_9e5f, "0.000000125"),
            (0xfab4_1842, "0.043968447"),
            (0xe0c2_617e, "0.000005793"),
            (0xdabe_b987, "0.000000711"),
            (0x0080_88ef, "0.251044720"),
        ] {
            assert_eq!(format!("{:.9}", Float::from_bits(bits)), printed, "{bits:#x}");
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        let greatest = Float::from_bits(0x7eff_ffff);
        assert_eq!(greatest.as_f64(), 16_777_215.0 * 38.0_f64.exp2());
        assert_eq!(greatest.magnitude(), Duration::from_nanos(u64::MAX));
        let lowest = Float::from_bits(0x7f00_0000);
        assert_eq!(lowest.as_f64(), -(62.0_f64.exp2()));
        assert!(lowest.is_negative());
        assert_eq!(lowest.scaled(u32::MAX), u64::MAX);
        let least = Float::from_bits(0x8000_0001);
        assert_eq!(least.as_f64(), (-89.0_f64).exp2());
        assert_eq!(least.magnitude(), Duration::from_nanos(1), "rounded up");
        assert_eq!(least.half().magnitude(), Duration::from_nanos(1));
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        assert_eq!(Float::from_bits(0x0480_0000), Float::from_bits(0x0640_0000));
        assert_eq!(Float::from_bits(0x7e00_0000), Float::default());
        assert_eq!(Float::from_bits(0x0480_0000).half().as_f64(), 0.5);
    }

    quickcheck! {
        /// The definition, in floating point, which is exact here.
        fn a_number_is_what_its_definition_says(bits: u32) -> bool {
            let signed = i32::from_ne_bytes(bits.to_ne_bytes());
            let (exponent, low) = (signed >> 25, signed & 0x01ff_ffff);
            let coefficient = if low >= 1 << 24 { low - (1 << 25) } else { low };
            let expected = f64::from(coefficient) * f64::from(exponent - 25).exp2();
            Float::from_bits(bits).as_f64() == expected
        }

        fn rounding_never_makes_a_number_smaller(bits: u32) -> bool {
            let nanos = Float::from_bits(bits).as_f64().abs() * 1e9;
            let rounded = Float::from_bits(bits).scaled(1_000_000_000);
            #[expect(clippy::cast_precision_loss, reason = "up to a part in 2⁵³")]
            let (up, error) = (rounded as f64, nanos * 1e-15);
            let saturated = rounded == u64::MAX && nanos > 1.8e19;
            saturated || (nanos - error..=nanos + error + 1.0).contains(&up)
        }
    }
}
