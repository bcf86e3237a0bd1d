//! φ(z) = −log₁₀ Q(z), with Q the upper tail of the standard normal distribution, and its inverse.

mod tail;

use core::f64::consts::{FRAC_1_SQRT_2, LN_10, LOG10_2, LOG10_E};

use self::tail::{ASYMPTOTIC, TAIL, far_left, hazard, horner, ln_upper_tail, tail};

/// Returns φ(z) = −log₁₀(½·erfc(z/√2)): the suspicion that a heartbeat late by `z` standard deviations
/// deserves.
///
/// This is the φ of Hayashibara, Défago, Yared and Katayama, *The φ accrual failure detector* (SRDS
/// 2004). The relative error is below 1e-12 for every z from −38 to 1000 (where φ is subnormal, below
/// −37.5, it is the nearest subnormal), and φ never falls as z rises. The result is finite for every
/// `z`: 0 for −∞ and for NaN, [`f64::MAX`] where the exact value would overflow.
///
/// # Examples
///
/// ```
/// use surmise_detector::phi_from_z;
///
/// assert!((phi_from_z(0.0) - 2.0_f64.log10()).abs() < 1e-15);
/// assert!((phi_from_z(5.0) - 6.542_645_672_4).abs() < 1e-9);
/// assert_eq!(phi_from_z(f64::INFINITY), f64::MAX);
/// ```
#[must_use]
pub fn phi_from_z(z: f64) -> f64 {
    let z = snap(z);
    if z > 0.0 {
        (-LOG10_E * ln_upper_tail(z)).min(f64::MAX)
    } else if z > -TAIL {
        -LOG10_E * libm::log1p(-0.5 * libm::erfc(-z * FRAC_1_SQRT_2))
    } else if z > -DIRECT {
        // −ln(1 − q) = 2·artanh(q/(2 − q)), whose series is short, because q is at most 0.04.
        let q = tail(-z);
        let r = q / (2.0 - q);
        LOG10_E * 2.0 * r * horner(r * r, &[1.0, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0])
    } else if z > -ASYMPTOTIC {
        // ln(1 − q) = −q to the last digit.
        LOG10_E * tail(-z)
    } else if z > -40.0 {
        far_left(-z)
    } else {
        // Below the smallest subnormal. NaN ends here too, as no suspicion.
        0.0
    }
}

/// Returns the z at which φ(z) = `phi`: by how many standard deviations a heartbeat must be late to
/// deserve that suspicion.
///
/// The inverse of [`phi_from_z`]: φ of the result is `phi` to a relative error of 1e-12, for every `phi`
/// from 1e-300 to 1e5. Returns −∞ for 0 and below, +∞ for +∞ and NaN for NaN. Takes a few evaluations of φ: meant for
/// configuration, not for the hot path.
///
/// # Examples
///
/// ```
/// use surmise_detector::{phi_from_z, z_from_phi};
///
/// let z = z_from_phi(8.0);
/// assert!((z - 5.612_001_244_2).abs() < 1e-9);
/// assert!((phi_from_z(z) - 8.0).abs() < 1e-11);
/// ```
#[must_use]
pub fn z_from_phi(phi: f64) -> f64 {
    if phi.is_nan() || phi == f64::INFINITY {
        phi
    } else if phi <= 0.0 {
        f64::NEG_INFINITY
    } else if phi > 1e30 {
        // φ = z²/2·log₁₀(e) to the last digit, and the products below could overflow.
        libm::sqrt(2.0 * LN_10) * libm::sqrt(phi)
    } else if phi >= LOG10_2 {
        upper_quantile(-LN_10 * phi)
    } else {
        // Left of zero, the lower tail is the small one: Q(−z) = 1 − 10^−φ.
        -upper_quantile(libm::log(-libm::expm1(-LN_10 * phi)))
    }
}

/// Puts z on a grid that is finer than the promised error and coarser than the rounding noise.
///
/// φ is monotone because of this: between two points of the grid φ rises by more than the noise of
/// evaluating it, and within one cell it is constant. The step is 2⁻⁴⁶ around zero and 2⁻⁴⁶ of z to
/// the right; to the left, where a step changes φ by |z| times as much, the grid of `f64` itself is
/// coarse enough.
#[inline]
fn snap(z: f64) -> f64 {
    if z.abs() < 32.0 {
        // Adding 96 leaves 46 bits behind the point.
        (z + 96.0) - 96.0
    } else if z > 0.0 {
        f64::from_bits(z.to_bits() & !0x3f)
    } else {
        z
    }
}

/// Returns the z ≥ 0 with ln Q(z) = `ln_q`, for `ln_q` ≤ ln ½, by Newton's method.
fn upper_quantile(ln_q: f64) -> f64 {
    // Abramowitz and Stegun 26.2.23, within 5e-4 wherever it matters.
    let t = libm::sqrt(-2.0 * ln_q);
    let guess = t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    let mut z = guess.max(0.0);
    // ln Q is concave, so the steps shrink quadratically; five are enough at every `phi`.
    for _ in 0..8 {
        let ln_tail = ln_upper_tail(z);
        let hazard = hazard(z, ln_tail);
        let next = (z + (ln_tail - ln_q) / hazard).max(0.0);
        let settled = (next - z).abs() <= f64::EPSILON * next;
        z = next;
        if settled {
            break;
        }
    }
    z
}

/// From here on, to the left, ln(1 − q) is −q.
const DIRECT: f64 = 9.0;

#[cfg(test)]
mod tests {
    use quickcheck::{TestResult, quickcheck};
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;

    /// z and φ(z), computed with 80 digits.
    fn vectors() -> impl Iterator<Item = (f64, f64)> {
        include_str!("../tests/vectors/phi_normal.csv").lines().skip(1).map(|line| {
            let (z, phi) = line.split_once(',').unwrap();
            (z.parse().unwrap(), phi.parse().unwrap())
        })
    }

    fn relative_error(value: f64, exact: f64) -> f64 {
        if value == exact { 0.0 } else { ((value - exact) / exact).abs() }
    }

    #[test]
    fn phi_is_right_to_twelve_digits() {
        let mut checked = 0;
        for (z, exact) in vectors().filter(|(z, _)| (-38.0..=1000.0).contains(z)) {
            let error = relative_error(phi_from_z(z), exact);
            assert!(error <= 1e-12, "φ({z}) = {} is off by {error:e}", phi_from_z(z));
            checked += 1;
        }
        assert!(checked > 100);
    }

    #[test]
    fn z_is_the_inverse_to_twelve_digits() {
        let mut phi = 1e-300;
        while phi < 1e5 {
            let error = relative_error(phi_from_z(z_from_phi(phi)), phi);
            assert!(error <= 1e-12, "φ(z({phi:e})) is off by {error:e}");
            phi *= 1.01;
        }
        while phi < 1e300 {
            let error = relative_error(phi_from_z(z_from_phi(phi)), phi);
            assert!(error <= 1e-12, "φ(z({phi:e})) is off by {error:e}");
            phi *= 7.3;
        }
        for (z, phi) in vectors().filter(|(_, phi)| (1e-300..=1e5).contains(phi)) {
            let error = (z_from_phi(phi) - z).abs() / z.abs().max(1.0);
            assert!(error <= 1e-12, "z({phi:e}) = {} is off by {error:e}", z_from_phi(phi));
        }
    }

    #[test]
    fn phi_agrees_with_statrs() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        for step in -60..=60_i32 {
            let z = f64::from(step) / 10.0;
            let oracle =
                if z < 0.0 { -(-normal.cdf(z)).ln_1p() } else { -normal.sf(z).ln() } / LN_10;
            assert!(relative_error(phi_from_z(z), oracle) < 1e-9, "φ({z})");
        }
    }

    #[test]
    fn phi_is_finite_everywhere() {
        for z in [f64::NEG_INFINITY, f64::MIN, -1e3, -38.5, 1e3, 1e154, 1e155, f64::MAX] {
            assert!(phi_from_z(z).is_finite(), "φ({z:e})");
        }
        assert_eq!(phi_from_z(f64::INFINITY), f64::MAX);
        assert_eq!(phi_from_z(f64::NEG_INFINITY), 0.0);
        assert_eq!(phi_from_z(f64::NAN), 0.0);
    }

    #[test]
    fn phi_is_monotone_between_neighbouring_floats() {
        let seams = [
            -38.0,
            -37.5,
            -32.0,
            -30.0,
            -9.0,
            -4.0406101782,
            -1.77,
            -1.0,
            -1e-9,
            1e-9,
            0.5,
            1.0,
            1.77,
            4.0406101782,
            30.0,
            32.0,
            1e3,
        ];
        for seam in seams {
            let mut z: f64 = seam - 1e-11;
            for _ in 0..20_000 {
                let next = z.next_up();
                assert!(phi_from_z(z) <= phi_from_z(next), "φ falls after {z:e}");
                z = next;
            }
        }
    }

    #[test]
    fn phi_is_constant_within_a_cell_of_the_grid_and_rises_to_the_next() {
        let step = f64::EPSILON * 64.0;
        for z in [-31.0, -5.0, -1.0, 0.0, 0.5, 3.0, 31.0] {
            assert_eq!(phi_from_z(z + 0.25 * step), phi_from_z(z), "within the cell of {z}");
            assert!(phi_from_z(z + step) > phi_from_z(z), "after {z}");
        }
        for z in [33.0_f64, 100.0, 1000.0] {
            let after = |ulps| phi_from_z(f64::from_bits(z.to_bits() + ulps));
            assert_eq!(after(63), phi_from_z(z), "within the cell of {z}");
            assert!(after(64) > phi_from_z(z), "after {z}");
        }
    }

    #[test]
    fn phi_is_monotone_along_the_axis() {
        let mut z = -40.0;
        while z < 1100.0 {
            let next = z + 1.3e-4;
            // Every step across cells of the grid, and the last cell against its neighbour.
            assert!(phi_from_z(z) <= phi_from_z(z.next_up()), "φ falls after {z:e}");
            assert!(phi_from_z(z) <= phi_from_z(z + 1.5e-14), "φ falls after {z:e}");
            assert!(phi_from_z(z.next_up()) <= phi_from_z(next), "φ falls after {z:e}");
            z = next;
        }
    }

    quickcheck! {
        fn any_bits_give_a_finite_phi_of_zero_or_more(bits: u64) -> bool {
            let phi = phi_from_z(f64::from_bits(bits));
            phi.is_finite() && phi >= 0.0
        }

        fn order_is_kept(a: f64, b: f64) -> TestResult {
            if a.is_nan() || b.is_nan() {
                return TestResult::discard();
            }
            let (low, high) = if a <= b { (a, b) } else { (b, a) };
            TestResult::from_bool(phi_from_z(low) <= phi_from_z(high))
        }
    }

    #[test]
    fn the_inverse_is_defined_everywhere() {
        assert_eq!(z_from_phi(0.0), f64::NEG_INFINITY);
        assert_eq!(z_from_phi(-1.0), f64::NEG_INFINITY);
        assert_eq!(z_from_phi(f64::INFINITY), f64::INFINITY);
        assert!(z_from_phi(f64::NAN).is_nan());
        assert!(z_from_phi(f64::MAX).is_finite());
        assert!(z_from_phi(f64::MIN_POSITIVE * f64::EPSILON).is_finite());
    }
}
