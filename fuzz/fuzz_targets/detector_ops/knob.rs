//! Fields of configurations: of any value, or of one that is likely to be accepted.

use arbitrary::Arbitrary;
use surmise_detector::LateIntervals;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Number {
    Any(f64),
    Share(u16),
    Thousandths(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Late {
    Clamp,
    Learn,
    Skip,
}

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        match number {
            Number::Any(number) => number,
            Number::Share(share) => Self::from(share) / 65_536.0,
            Number::Thousandths(thousandths) => Self::from(thousandths) / 1000.0,
        }
    }
}

impl From<Late> for LateIntervals {
    fn from(late: Late) -> Self {
        match late {
            Late::Clamp => Self::Clamp,
            Late::Learn => Self::Learn,
            Late::Skip => Self::Skip,
        }
    }
}

/// Returns a window of this length, which detectors are to erase.
pub(crate) fn boxed<T: Clone + From<bool>>(length: u8) -> Box<[T]> {
    vec![T::from(true); length.into()].into_boxed_slice()
}
