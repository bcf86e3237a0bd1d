use core::{error::Error, fmt};

use crate::{FencingToken, Pass, Refusal};

/// Refuses whoever was granted a lease before the latest holder that it saw.
///
/// It stands in front of what must not be written by two: a file, a device, another service. Whoever writes shows
/// the token of its lease, and only what is admitted is written. That a holder was paused, or has a slow
/// clock, or believes in a lease that ended long ago, then does no harm: once the next holder was here, its token is
/// too low.
///
/// [`sync::AtomicFence`](crate::sync::AtomicFence) is the same for many threads. A fence in memory forgets at a
/// restart; keep [`highest`](Self::highest) with what it protects, and begin [`at`](Self::at) it.
///
/// # Examples
///
/// ```
/// use surmise_fence::{Fence, FencingToken, StaleToken};
///
/// let (old, new) = (FencingToken::first(1), FencingToken::first(2));
/// let mut fence = Fence::new();
/// fence.admit(old)?;
/// fence.raise(new)?; // The new holder, before it reads what the old one left.
/// assert!(fence.admit(old).is_err());
/// fence.admit(new)?;
/// # Ok::<(), StaleToken>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    highest: Option<FencingToken>,
}

impl Fence {
    /// Creates a fence that admits every token.
    #[must_use]
    pub const fn new() -> Self {
        Self { highest: None }
    }

    /// Creates a fence that has seen a token, as after a restart.
    #[must_use]
    pub const fn at(highest: FencingToken) -> Self {
        Self { highest: Some(highest) }
    }

    /// Admits a write if its token is the highest seen, or higher.
    ///
    /// # Errors
    ///
    /// If a higher token was seen. The write must not happen then.
    #[inline]
    pub fn admit(&mut self, token: FencingToken) -> Result<(), StaleToken> {
        match self.highest {
            Some(highest) if token < highest => Err(StaleToken { offered: token, highest }),
            _ => {
                self.highest = Some(token);
                Ok(())
            }
        }
    }

    /// Raises the fence to a token: no write of an earlier holder is admitted from now on.
    ///
    /// A new holder does this before it reads what it will go on from, so that what it read stays true.
    /// It is what [`admit`](Self::admit) does, without a write.
    ///
    /// # Errors
    ///
    /// If a higher token was seen: the new holder is not the latest any more.
    #[inline]
    pub fn raise(&mut self, token: FencingToken) -> Result<(), StaleToken> {
        self.admit(token)
    }

    /// Returns the highest token seen.
    #[must_use]
    pub const fn highest(&self) -> Option<FencingToken> {
        self.highest
    }
}

/// A [`Fence`] that also tells apart two grants of one token, and the writes of one grant.
///
/// # Examples
///
/// ```
/// use surmise_fence::{FencingToken, Pass, Refusal, StrictFence};
///
/// let mut fence = StrictFence::new();
/// let grant = Pass::from(FencingToken::first(1)).with_nonce(0x5eed);
/// fence.admit(grant.with_sequence(1))?;
/// assert_eq!(fence.admit(grant.with_sequence(1)), Err(Refusal::Duplicate { sequence: 1 }));
/// fence.admit(grant.with_sequence(2))?;
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrictFence {
    highest: Option<Pass>,
}

impl StrictFence {
    /// Creates a fence that admits every pass.
    #[must_use]
    pub const fn new() -> Self {
        Self { highest: None }
    }

    /// Creates a fence that has seen a pass, as after a restart.
    #[must_use]
    pub const fn at(highest: Pass) -> Self {
        Self { highest: Some(highest) }
    }

    /// Admits a write if its pass may follow the highest seen, by the rule of [`Pass::check`].
    ///
    /// # Errors
    ///
    /// What the pass lacks. The write must not happen then.
    #[inline]
    pub fn admit(&mut self, pass: Pass) -> Result<(), Refusal> {
        pass.check(self.highest)?;
        self.highest = Some(pass);
        Ok(())
    }

    /// Returns the highest pass seen.
    #[must_use]
    pub const fn highest(&self) -> Option<Pass> {
        self.highest
    }
}

/// A token is lower than one that was seen before: its holder was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StaleToken {
    /// The token that was shown.
    pub offered: FencingToken,
    /// The highest token seen.
    pub highest: FencingToken,
}

impl fmt::Display for StaleToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {} is stale: {} was seen", self.offered, self.highest)
    }
}

impl Error for StaleToken {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    fn token(epoch: u8, counter: u8) -> FencingToken {
        FencingToken::new(
            (epoch % 3).into(),
            core::num::NonZeroU64::MIN.saturating_add((counter % 8).into()),
        )
    }

    quickcheck! {
        /// Against what is meant: a token is admitted if and only if none before it was higher.
        fn what_is_admitted_never_decreases(tokens: Vec<(u8, u8)>) -> bool {
            let tokens: Vec<_> = tokens.iter().map(|&(epoch, counter)| token(epoch, counter)).collect();
            let mut fence = Fence::new();
            tokens.iter().enumerate().all(|(index, &offered)| {
                let highest = tokens[..index].iter().copied().max();
                let expected = match highest {
                    Some(highest) if highest > offered => Err(StaleToken { offered, highest }),
                    _ => Ok(()),
                };
                let admitted = if index % 2 == 0 { fence.admit(offered) } else { fence.raise(offered) };
                admitted == expected && fence.highest() == highest.max(Some(offered))
            })
        }
    }

    #[test]
    fn a_fence_that_goes_on_refuses_what_it_refused() {
        let mut fence = Fence::at(token(1, 5));
        assert!(fence.admit(token(1, 4)).is_err());
        assert_eq!(fence.admit(token(1, 5)), Ok(()));
        let mut strict = StrictFence::at(token(1, 5).into());
        assert!(strict.admit(token(1, 4).into()).is_err());
        assert_eq!(strict.highest(), Some(token(1, 5).into()));
    }
}
