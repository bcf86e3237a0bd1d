use crate::Ratio;

/// How delays vary, so that callers which failed together do not try again together.
///
/// With the envelope `e = min(cap, base · multiplierⁿ)` of an attempt, delays are uniform in these ranges, without
/// their ends, and cut off at the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Jitter {
    /// Not at all: e.
    None,
    /// From nothing to e. Spreads callers most and costs the service least, by Brooker's simulations.
    Full,
    /// From e/2 to e, which keeps delays from being short.
    Equal,
    /// From the base to `multiplier` times the delay before, and then at most the cap.
    ///
    /// This is the only one whose delays can be the cap itself, and once there, they often are: with the
    /// published multiplier of 3 two of three are, since the range ends at three times the cap. That is how it
    /// was published; [`Full`](Self::Full) has callers better spread.
    Decorrelated,
    /// From e less this share of it to e and this share more, of at most 100 %.
    ///
    /// No e is so long that its range would end beyond the cap.
    PlusMinus(Ratio),
}
