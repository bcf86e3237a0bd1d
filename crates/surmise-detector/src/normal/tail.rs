//! The upper tail Q of the standard normal distribution, and its logarithm.

use core::f64::consts::{FRAC_1_SQRT_2, LOG10_E, SQRT_2};

use crate::float::SQRT_2_PI;

/// Returns ln Q(z) for z ≥ 0, to a relative error of a few ulps.
pub(super) fn ln_upper_tail(z: f64) -> f64 {
    if z < TAIL {
        libm::log(0.5 * libm::erfc(z * FRAC_1_SQRT_2))
    } else if z < ASYMPTOTIC {
        tail_exponent(z) - libm::log(SQRT_2 * z)
    } else {
        -0.5 * z * z - libm::log(z * SQRT_2_PI) + libm::log1p(asymptotic_correction(z))
    }
}

/// Returns Q(z) for [`TAIL`] ≤ z < 40.
pub(super) fn tail(z: f64) -> f64 {
    libm::exp(tail_exponent(z)) / (SQRT_2 * z)
}

/// Returns ln(Q(z)·z·√2) for [`TAIL`] ≤ z < 40.
///
/// The rational approximations of erfc in Sun's fdlibm (`s_erf.c`, 1993), which are what `libm` has,
/// too. But its erfc ends with two exponentials, of which a logarithm needs none.
fn tail_exponent(z: f64) -> f64 {
    let square = z * z;
    let s = 2.0 / square;
    let (r, t) = if z < FAR_TAIL {
        (horner(s, &NEAR_NUMERATOR), horner(s, &NEAR_DENOMINATOR))
    } else {
        (horner(s, &FAR_NUMERATOR), horner(s, &FAR_DENOMINATOR))
    };
    r / t - 0.5625 - 0.5 * square
}

/// Returns −d ln Q/dz for z ≥ 0, given ln Q(z).
pub(super) fn hazard(z: f64, ln_tail: f64) -> f64 {
    if z < ASYMPTOTIC {
        libm::exp(-0.5 * z * z - ln_tail) / SQRT_2_PI
    } else {
        // The two exponents would cancel.
        z / (1.0 + asymptotic_correction(z))
    }
}

/// Evaluates a polynomial whose coefficients begin with the constant one.
#[inline(always)]
pub(super) fn horner<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// Returns −log₁₀(1 − Q(a)) for 30 ≤ a ≤ 40, rounded once even where it is subnormal.
pub(super) fn far_left(a: f64) -> f64 {
    // a² = high² + low, where high has 26 bits so that its square is exact: an error in the exponent
    // of e^(−a²/2) is an error of the result.
    let high = f64::from_bits(a.to_bits() & !0x7ff_ffff);
    let low = (a - high) * (a + high);
    let root = libm::exp(-0.25 * high * high);
    let factor = LOG10_E * (1.0 + asymptotic_correction(a)) / (a * SQRT_2_PI);
    // e^−t for t below 1e-4, to the last digit.
    let t = 0.5 * low;
    let rest = 1.0 - t * (1.0 - t * (0.5 - t * (1.0 / 6.0)));
    // Only the last product can be subnormal.
    root * (root * (factor * rest))
}

/// Returns Q(z)·z·√(2π)·e^(z²/2) − 1 for z ≥ 30, to 1e-15.
///
/// The asymptotic series of Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.2.12.
fn asymptotic_correction(z: f64) -> f64 {
    let r = 1.0 / (z * z);
    r * (-1.0 + r * (3.0 + r * (-15.0 + r * (105.0 + r * (-945.0 + r * 10395.0)))))
}

/// From here on, outwards, the asymptotic series is exact to the last digit.
pub(super) const ASYMPTOTIC: f64 = 30.0;

/// From here on, outwards, erfc has an exponential in it: 1.25·√2 and a little.
pub(super) const TAIL: f64 = 1.77;

/// From here on, outwards, erfc has other coefficients: √2/0.35.
const FAR_TAIL: f64 = 4.040_610_178_208_843;

const NEAR_NUMERATOR: [f64; 8] = [
    -0.009864944034847148,
    -0.6938585727071818,
    -10.558626225323291,
    -62.375332450326006,
    -162.39666946257347,
    -184.60509290671104,
    -81.2874355063066,
    -9.814329344169145,
];

const NEAR_DENOMINATOR: [f64; 9] = [
    1.0,
    19.651271667439257,
    137.65775414351904,
    434.56587747522923,
    645.3872717332679,
    429.00814002756783,
    108.63500554177944,
    6.570249770319282,
    -0.0604244152148581,
];

const FAR_NUMERATOR: [f64; 7] = [
    -0.0098649429247001,
    -0.799283237680523,
    -17.757954917754752,
    -160.63638485582192,
    -637.5664433683896,
    -1025.0951316110772,
    -483.5191916086514,
];

const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    30.33806074348246,
    325.7925129965739,
    1536.729586084437,
    3199.8582195085955,
    2553.0504064331644,
    474.52854120695537,
    -22.44095244658582,
];
