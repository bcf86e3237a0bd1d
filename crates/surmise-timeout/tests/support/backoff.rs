//! Backoff by its definition, in integers of any length.

use core::time::Duration;

use surmise_timeout::{
    Ratio,
    backoff::{BackoffConfig, Jitter},
};

/// A delay as it is computed: in femtoseconds.
pub(crate) type Femtos = u128;

/// Returns the delay by the definition, if the envelope or the delay before is `around`.
pub(crate) fn delay(config: &BackoffConfig, around: Femtos, random: u64) -> Femtos {
    let (base, floor, cap) = (femtos(config.base), femtos(config.floor), femtos(config.cap));
    let (low, high) = match config.jitter {
        Jitter::None => (around, around),
        Jitter::Full => (0, around),
        Jitter::Equal => (around / 2, around),
        Jitter::Decorrelated => (base, share(around, config.multiplier)),
        Jitter::PlusMinus(ratio) => (around - share(around, ratio), around + share(around, ratio)),
        other => panic!("{other:?} has no definition here"),
    };
    let low = low.max(floor);
    let width = high.max(low) - low;
    (low + Big::from(width).times(random).shifted_right(64).get()).min(cap)
}

/// Returns the envelope by the definition.
pub(crate) fn envelope(config: &BackoffConfig, attempt: u32) -> Femtos {
    let cap = femtos(config.cap);
    let ceiling = match config.jitter {
        Jitter::PlusMinus(ratio) => {
            let one_and = u64::from(1_000_000 + ratio.as_millionths());
            Big::from(cap).times(1_000_000).divided_by(one_and).get()
        }
        _ => cap,
    };
    let mut power = Big::from(femtos(config.base));
    for _ in 0..attempt {
        power = power.times(config.multiplier.as_millionths().into());
    }
    for _ in 0..attempt {
        power = power.divided_by(1_000_000);
    }
    power.min(ceiling)
}

pub(crate) fn femtos(duration: Duration) -> Femtos {
    duration.as_nanos().min(u64::MAX.into()) * 1_000_000
}

/// Rounds down.
pub(crate) fn duration(femtos: Femtos) -> Duration {
    Duration::from_nanos(u64::try_from(femtos / 1_000_000).expect("no more than the cap"))
}

fn share(of: Femtos, ratio: Ratio) -> Femtos {
    Big::from(of).times(ratio.as_millionths().into()).divided_by(1_000_000).get()
}

/// A natural number, its least digit first.
struct Big(Vec<u32>);

impl Big {
    fn times(&self, factor: u64) -> Self {
        let mut digits = vec![0; self.0.len() + 3];
        let factors = [factor & DIGIT, factor >> 32];
        for (at, factor) in factors.into_iter().enumerate() {
            let mut carry = 0;
            for (index, sum) in digits.iter_mut().enumerate().skip(at) {
                let digit = self.0.get(index - at).copied().unwrap_or(0);
                carry += u64::from(digit) * factor + u64::from(*sum);
                *sum = low(carry);
                carry >>= 32;
            }
        }
        Self(digits).trimmed()
    }

    /// Rounds down. The divisor has no more than 32 bits.
    fn divided_by(mut self, divisor: u64) -> Self {
        let mut rest = 0;
        for digit in self.0.iter_mut().rev() {
            let dividend = (rest << 32) | u64::from(*digit);
            *digit = low(dividend / divisor);
            rest = dividend % divisor;
        }
        self.trimmed()
    }

    fn shifted_right(self, bits: usize) -> Self {
        assert_eq!(bits % 32, 0);
        Self(self.0.into_iter().skip(bits / 32).collect())
    }

    fn min(self, most: u128) -> u128 {
        if self.0.len() > 4 { most } else { self.get().min(most) }
    }

    fn get(self) -> u128 {
        assert!(self.0.len() <= 4, "more than 128 bits");
        self.0.iter().rev().fold(0, |number, &digit| (number << 32) | u128::from(digit))
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

impl From<u128> for Big {
    fn from(number: u128) -> Self {
        let digits = [0, 32, 64, 96].map(|shift| low((number >> shift) as u64 & DIGIT));
        Self(digits.into()).trimmed()
    }
}

const DIGIT: u64 = 0xffff_ffff;

fn low(number: u64) -> u32 {
    (number & DIGIT) as u32
}
