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
/// fence.raise(grant)?; // Before it reads what the holder before it left.
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

    /// Raises the fence to a grant: no write of an earlier one is admitted from now on.
    ///
    /// A new holder does this before it reads what it will go on from. It may do so again: that is no write, so that it
    /// has no number, and those of its writes go on.
    ///
    /// # Errors
    ///
    /// If a higher token was seen, or another grant with the same token. Nothing is changed then.
    #[inline]
    pub fn raise(&mut self, pass: Pass) -> Result<(), Refusal> {
        pass.check_floor(self.highest)?;
        if self.highest.is_none_or(|highest| highest.token < pass.token) {
            self.highest = Some(pass.with_sequence(0));
        }
        Ok(())
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

    /// Returns the highest pass seen: that of the last write, or since a raise to a later grant that grant, with the
    /// sequence 0.
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
        write!(
            f,
            "token {} is stale: {} was seen; acquire the lease anew",
            self.offered, self.highest
        )
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

    /// What a strict fence admitted.
    #[derive(Clone, Copy)]
    struct Admitted {
        pass: Pass,
        is_write: bool,
    }

    impl Admitted {
        fn may_follow(self, earlier: Self) -> bool {
            let grants = [self.pass, earlier.pass].map(|pass| (pass.token, pass.nonce));
            let [sequence, before] = [self.pass, earlier.pass].map(|pass| pass.sequence);
            let is_in_order = sequence > before || sequence == 0 && before == 0;
            let are_writes = self.is_write && earlier.is_write;
            self.pass.token > earlier.pass.token
                || grants[0] == grants[1] && (!are_writes || is_in_order)
        }
    }

    quickcheck! {
        /// Against what is meant: writes and raises are of the same grant or later ones, and a grant's writes in order.
        fn a_strict_fence_admits_what_may_follow_all_before(shown: Vec<(u8, u8, u8, bool)>) -> bool {
            let mut fence = StrictFence::new();
            let mut admitted = Vec::<Admitted>::new();
            let mut highest = None::<Pass>;
            shown.into_iter().all(|(counter, nonce, sequence, is_write)| {
                let pass = Pass::from(token(0, counter % 4)).with_nonce((nonce % 8 / 7).into());
                let pass = pass.with_sequence((sequence % 4).into());
                let new = Admitted { pass, is_write };
                let result = if is_write { fence.admit(pass) } else { fence.raise(pass) };
                let expected = admitted.iter().all(|&earlier| new.may_follow(earlier));
                if expected {
                    admitted.push(new);
                    if is_write {
                        highest = Some(pass);
                    } else if highest.map(|highest| highest.token) != Some(pass.token) {
                        highest = Some(pass.with_sequence(0));
                    }
                }
                result.is_ok() == expected && fence.highest() == highest
            })
        }
    }

    #[test]
    fn a_holder_that_raises_again_goes_on_with_its_numbers() {
        let mut fence = StrictFence::new();
        let grant = Pass::from(token(1, 5)).with_nonce(7);
        fence.raise(grant).unwrap();
        fence.admit(grant.with_sequence(5)).unwrap();
        assert_eq!(fence.raise(grant), Ok(()));
        let twice = fence.admit(grant.with_sequence(5));
        assert_eq!(twice, Err(Refusal::Duplicate { sequence: 5 }));
        assert_eq!(fence.admit(grant.with_sequence(6)), Ok(()));
        assert!(
            fence.raise(grant.with_nonce(8)).is_err() && fence.raise(token(1, 4).into()).is_err()
        );
        assert_eq!(fence.highest(), Some(grant.with_sequence(6)));
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
