//! Powers of a ratio in integers, in time logarithmic in the exponent.

use super::femtos::Femtos;
use crate::Ratio;

/// Returns `base · multiplierⁿ`, rounded down; more than there is is the most there is.
///
/// What is computed is never less than the true value, and more by n · 2⁻¹²⁵ of it at most. So if the true value
/// is whole, as 100 ms · 1.6⁵ is, then it is what comes out, and if not, then all but surely.
pub(super) fn grow(base: Femtos, multiplier: Ratio, times: u32) -> Femtos {
    let mut value = Scaled::of(base.get());
    let mut power = Scaled::of_ratio(multiplier);
    let mut left = times;
    while left > 0 && !value.is_huge() {
        if left & 1 == 1 {
            value = value.times(power);
        }
        left >>= 1;
        // The greatest power that matters is less than the greatest value.
        power = if power.is_huge() { power } else { power.times(power) };
    }
    Femtos::new(value.floor())
}

/// A number from 1: `mantissa · 2^(exponent − 127)`, with the mantissa's first bit set.
#[derive(Clone, Copy)]
struct Scaled {
    mantissa: u128,
    exponent: u32,
}

impl Scaled {
    /// Takes 0 for 1.
    const fn of(number: u128) -> Self {
        let number = if number == 0 { 1 } else { number };
        let shift = number.leading_zeros();
        Self { mantissa: number << shift, exponent: 127 - shift }
    }

    /// Rounds up, and takes what is less than 1 for 1.
    fn of_ratio(ratio: Ratio) -> Self {
        let one = u128::from(Ratio::ONE.as_millionths());
        let shifted = u128::from(ratio.max(Ratio::ONE).as_millionths()) << 96;
        let (quotient, rest) = (shifted / one, shifted % one);
        let shift = quotient.leading_zeros();
        // The bits that the quotient has room for come from the rest.
        let mantissa = (quotient << shift) + (rest << shift).div_ceil(one);
        Self { mantissa, exponent: 31 - shift }
    }

    /// Rounds up.
    const fn times(self, other: Self) -> Self {
        let (high, low) = product(self.mantissa, other.mantissa);
        let exponent = self.exponent + other.exponent;
        // The product of two mantissas has its first bit in the first place or in the second.
        let (high, low, exponent) = match high.leading_zeros() {
            0 => (high, low, exponent + 1),
            _ => ((high << 1) | (low >> 127), low << 1, exponent),
        };
        if low == 0 {
            return Self { mantissa: high, exponent };
        }
        match high.checked_add(1) {
            Some(mantissa) => Self { mantissa, exponent },
            None => Self { mantissa: 1 << 127, exponent: exponent + 1 },
        }
    }

    /// Returns whether it has no room in 128 bits.
    const fn is_huge(self) -> bool {
        self.exponent > 127
    }

    /// Rounds down.
    const fn floor(self) -> u128 {
        if self.is_huge() { u128::MAX } else { self.mantissa >> (127 - self.exponent) }
    }
}

/// Returns the high and the low half of a product.
const fn product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (a_high, a_low, b_high, b_low) = (a >> 64, a & HALF, b >> 64, b & HALF);
    let low = a_low * b_low;
    let middle = a_high * b_low + (low >> 64);
    let other = a_low * b_high + (middle & HALF);
    let high = a_high * b_high + (middle >> 64) + (other >> 64);
    (high, (other << 64) | (low & HALF))
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// Bit by bit, as on paper.
        fn products_have_all_their_bits(a: u128, b: u128) -> bool {
            let (mut high, mut low) = (0_u128, 0_u128);
            for bit in (0..128).rev() {
                high = (high << 1) | (low >> 127);
                low <<= 1;
                if (b >> bit) & 1 == 1 {
                    let (sum, carry) = low.overflowing_add(a);
                    low = sum;
                    high += u128::from(carry);
                }
            }
            product(a, b) == (high, low)
        }
    }

    #[test]
    fn powers_of_two_are_exact() {
        let (one, two) = (Femtos::new(1), Ratio::from_percent(200));
        for times in 0..128 {
            assert_eq!(grow(one, two, times).get(), 1 << times);
        }
        assert_eq!(grow(one, two, 128).get(), u128::MAX);
        assert_eq!(grow(one, two, u32::MAX).get(), u128::MAX);
        assert_eq!(grow(Femtos::new(7), Ratio::ONE, u32::MAX).get(), 7);
    }

    #[test]
    fn a_mantissa_that_is_full_carries() {
        let full = Scaled { mantissa: u128::MAX, exponent: 0 };
        let next = Scaled { mantissa: (1 << 127) | 1, exponent: 0 };
        // (2 − 2⁻¹²⁷)(1 + 2⁻¹²⁷) is just above 2 by less than there is room for.
        let product = full.times(next);
        assert_eq!((product.mantissa, product.exponent), ((1 << 127) | 1, 1));
        // (2 − 2⁻¹²⁶)(1 + 2⁻¹²⁷) is just below 2, and there is nothing between.
        let almost = Scaled { mantissa: u128::MAX - 1, exponent: 0 };
        let product = almost.times(next);
        assert_eq!((product.mantissa, product.exponent), (1 << 127, 1));
        // (2 − 2⁻¹²⁷) · 1 is itself.
        let same = full.times(Scaled::of(1));
        assert_eq!((same.mantissa, same.exponent), (u128::MAX, 0));
    }
}
