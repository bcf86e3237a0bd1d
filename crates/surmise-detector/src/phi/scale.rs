use core::f64::consts::{LN_10, LOG10_E};

use crate::normal::{phi_from_z, z_from_phi};

/// What a level of suspicion of [`PhiAccrual`](crate::PhiAccrual) means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PhiScale {
    /// φ of the normal distribution, as published.
    #[default]
    Normal,
    /// Akka's and Pekko's: a logistic fit of the normal distribution, so that a threshold means what it
    /// means there. Their 8 is a true φ of 7.06, their 16 one of 12.27.
    Akka,
}

impl PhiScale {
    /// Returns φ on this scale: finite, not negative and never falling.
    pub(crate) fn phi(self, z: f64) -> f64 {
        match self {
            Self::Normal => phi_from_z(z),
            Self::Akka => akka_phi(z),
        }
    }

    /// Returns the z at which φ on this scale reaches `threshold`.
    pub(crate) fn z(self, threshold: f64) -> f64 {
        match self {
            Self::Normal => z_from_phi(threshold),
            Self::Akka => akka_z(threshold),
        }
    }
}

/// Returns log₁₀(1 + e^y) with y = z·(1.5976 + 0.070566·z²).
///
/// Akka computes −log₁₀(e^−y / (1 + e^−y)), which is the same number until e^−y underflows.
fn akka_phi(z: f64) -> f64 {
    let y = z * (LINEAR + CUBIC * z * z);
    let softplus = if y > 0.0 { y + libm::log1p(libm::exp(-y)) } else { libm::log1p(libm::exp(y)) };
    (LOG10_E * softplus).min(f64::MAX)
}

/// Solves y(z) = ln(10^φ − 1).
fn akka_z(phi: f64) -> f64 {
    let y = if phi > 1.0 {
        LN_10 * phi + libm::log1p(-libm::exp(-LN_10 * phi))
    } else {
        libm::log(libm::expm1(LN_10 * phi))
    };
    // The one real root of z³ + p·z = q, with p > 0, by the hyperbolic form of Cardano's formula.
    let p = LINEAR / CUBIC;
    let q = y / CUBIC;
    let half_scale = libm::sqrt(p / 3.0);
    let angle = libm::asinh(1.5 * q / (p * half_scale)) / 3.0;
    2.0 * half_scale * libm::sinh(angle)
}

const LINEAR: f64 = 1.5976;
const CUBIC: f64 = 0.070566;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn akkas_threshold_is_solved_for() {
        let mut phi = 1e-300;
        while phi < 1e5 {
            let back = akka_phi(akka_z(phi));
            assert!((back / phi - 1.0).abs() < 1e-11, "φ = {phi:e} came back as {back:e}");
            phi *= 1.07;
        }
    }

    #[test]
    fn akkas_threshold_in_true_phi() {
        assert!((phi_from_z(akka_z(8.0)) - 7.06).abs() < 0.005);
        assert!((phi_from_z(akka_z(16.0)) - 12.27).abs() < 0.005);
    }

    #[test]
    fn akkas_formula_without_its_ends() {
        // Where Akka's own formula is well conditioned, this is it.
        for step in -30..=150_i32 {
            let z = f64::from(step) / 10.0;
            let e = (-z * (LINEAR + CUBIC * z * z)).exp();
            let akka =
                if z > 0.0 { -(e / (1.0 + e)).log10() } else { -(1.0 - 1.0 / (1.0 + e)).log10() };
            assert!((akka_phi(z) - akka).abs() < 1e-10 * akka.abs().max(1e-4), "φ({z})");
        }
        // Akka has −0 and ∞ here.
        assert!(akka_phi(-8.0) > 0.0);
        assert!(akka_phi(25.0) > 400.0 && akka_phi(25.0).is_finite());
        assert_eq!(akka_phi(f64::INFINITY), f64::MAX);
        assert_eq!(akka_phi(f64::NEG_INFINITY), 0.0);
    }
}
