use core::{error::Error, fmt};

use crate::{FencingToken, StaleToken, ZeroToken};

/// What a writer shows: its token and, if it wants more than the token gives, two numbers.
///
/// * The *nonce* of the grant, drawn at random when the lease was asked for. A lease service that was restored
///   from a backup can issue a token twice; the nonces differ then, and the second holder meets a
///   [`Refusal::Collision`] instead of being taken for the first.
/// * The *sequence* of the write within the grant. A network can deliver a holder's writes twice, or the
///   earlier one later; with sequences, what comes late is refused.
///
/// Either number is 0 where it is not used. Who numbers the writes to a key must number all of them, and who
/// shows the nonce must show it always.
///
/// # Examples
///
/// ```
/// use surmise_fence::{FencingToken, Pass, Refusal};
///
/// let token = FencingToken::first(1);
/// let second = Pass::from(token).with_sequence(2);
/// assert_eq!(second.check(None), Ok(()));
///
/// // The first write was delayed, and arrives after the second.
/// let first = Pass::from(token).with_sequence(1);
/// assert_eq!(first.check(Some(second)), Err(Refusal::OutOfOrder { offered: 1, highest: 2 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "its bytes are a storage format")]
pub struct Pass {
    /// The token of the grant.
    pub token: FencingToken,
    /// The nonce of the grant, or 0.
    pub nonce: u64,
    /// The number of the write within the grant, or 0.
    pub sequence: u64,
}

impl Pass {
    /// Returns the pass with the nonce of its grant.
    #[must_use]
    pub const fn with_nonce(self, nonce: u64) -> Self {
        Self { nonce, ..self }
    }

    /// Returns the pass with the number of a write, from 1.
    #[must_use]
    pub const fn with_sequence(self, sequence: u64) -> Self {
        Self { sequence, ..self }
    }

    /// Checks whether a write with this pass may follow one with the `highest` that was seen.
    ///
    /// This is the rule of every fence and store of the family: a greater token may always; an equal one if
    /// its nonce is equal too, and its sequence is greater or neither write has one.
    ///
    /// # Errors
    ///
    /// What the pass lacks. Nothing may be written then.
    #[inline]
    pub fn check(self, highest: Option<Self>) -> Result<(), Refusal> {
        let Some(highest) = highest else { return Ok(()) };
        if self.token > highest.token {
            return Ok(());
        }
        if self == highest && self.sequence == 0 {
            return Ok(());
        }
        self.check_within_grant(highest)
    }

    /// Checks whether a write with this pass may follow the `floor` under a resource, which is a
    /// grant and not a write: without regard to sequences.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), but for [`Refusal::OutOfOrder`] and [`Refusal::Duplicate`].
    #[inline]
    pub fn check_floor(self, floor: Option<Self>) -> Result<(), Refusal> {
        self.with_sequence(0).check(floor.map(|floor| floor.with_sequence(0)))
    }

    fn check_within_grant(self, highest: Self) -> Result<(), Refusal> {
        if self.token < highest.token {
            return Err(Refusal::Stale { offered: self.token, highest: highest.token });
        }
        if self.nonce != highest.nonce {
            return Err(Refusal::Collision {
                token: self.token,
                offered: self.nonce,
                seen: highest.nonce,
            });
        }
        if self.sequence > highest.sequence {
            return Ok(());
        }
        if self.sequence == highest.sequence {
            return Err(Refusal::Duplicate { sequence: self.sequence });
        }
        Err(Refusal::OutOfOrder { offered: self.sequence, highest: highest.sequence })
    }

    /// Returns the token, the nonce and the sequence as 32 big-endian bytes.
    ///
    /// Bytewise, passes are ordered by token; within a grant, by sequence.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (token, numbers) = bytes.split_at_mut(16);
        let (nonce, sequence) = numbers.split_at_mut(8);
        token.copy_from_slice(&self.token.to_bytes());
        nonce.copy_from_slice(&self.nonce.to_be_bytes());
        sequence.copy_from_slice(&self.sequence.to_be_bytes());
        bytes
    }

    /// Returns the pass that [`to_bytes`](Self::to_bytes) made these of.
    ///
    /// # Errors
    ///
    /// If there is no token among them.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, ZeroToken> {
        let mut token = [0; 16];
        let (head, numbers) = bytes.split_at(16);
        token.copy_from_slice(head);
        let number =
            |bytes: &[u8]| bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
        let (nonce, sequence) = numbers.split_at(8);
        let token = FencingToken::from_bytes(token)?;
        Ok(Self { token, nonce: number(nonce), sequence: number(sequence) })
    }
}

/// A token alone: neither nonce nor sequence.
impl From<FencingToken> for Pass {
    fn from(token: FencingToken) -> Self {
        Self { token, nonce: 0, sequence: 0 }
    }
}

/// Why a write with a [`Pass`] is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "it is the rule of every store, and none may miss a reason"
)]
pub enum Refusal {
    /// A later holder was there: the writer lost its lease.
    Stale {
        /// The writer's token.
        offered: FencingToken,
        /// The highest token seen.
        highest: FencingToken,
    },
    /// The same token was shown with another nonce: it was issued twice, or one of the writers does not show the
    /// nonce of its grant.
    Collision {
        /// The token of both.
        token: FencingToken,
        /// The writer's nonce.
        offered: u64,
        /// The nonce seen with this token before.
        seen: u64,
    },
    /// The write was accepted before.
    Duplicate {
        /// Its number.
        sequence: u64,
    },
    /// A later write of the same holder was accepted before.
    OutOfOrder {
        /// The number of the write, or 0 if it has none.
        offered: u64,
        /// The highest number seen.
        highest: u64,
    },
}

impl From<StaleToken> for Refusal {
    fn from(stale: StaleToken) -> Self {
        Self::Stale { offered: stale.offered, highest: stale.highest }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Stale { offered, highest } => StaleToken { offered, highest }.fmt(f),
            Self::Collision { token, offered, seen } => write!(
                f,
                "token {token} was shown with nonce {seen:#x} before, and now with {offered:#x}: it was issued \
                 twice, or shown without its nonce"
            ),
            Self::Duplicate { sequence } => {
                write!(f, "write {sequence} of this holder was accepted before")
            }
            Self::OutOfOrder { offered: 0, highest } => {
                write!(f, "a write without a number comes after write {highest} of the same holder")
            }
            Self::OutOfOrder { offered, highest } => {
                write!(f, "write {offered} comes after write {highest} of the same holder")
            }
        }
    }
}

impl Error for Refusal {}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn pass(token: u8, nonce: u8, sequence: u8) -> Pass {
        let counter = core::num::NonZeroU64::MIN.saturating_add(token.into());
        Pass {
            token: FencingToken::new(1, counter),
            nonce: nonce.into(),
            sequence: sequence.into(),
        }
    }

    quickcheck! {
        fn bytes_bring_the_pass_back_and_keep_the_order(token: u8, nonce: u64, sequence: u64, later: u64) -> bool {
            let pass = Pass { nonce, sequence, ..pass(token, 0, 0) };
            let next = pass.with_sequence(later);
            Pass::from_bytes(pass.to_bytes()) == Ok(pass)
                && pass.to_bytes().cmp(&next.to_bytes()) == sequence.cmp(&later)
        }

        fn a_refusal_says_what_the_pass_lacks(offered: (u8, u8, u8), highest: (u8, u8, u8)) -> bool {
            let few = |(token, nonce, sequence)| pass(token % 3, nonce % 3, sequence % 3);
            let [offered, highest] = [offered, highest].map(few);
            let grants = [offered, highest].map(|pass| (pass.token, pass.nonce));
            match offered.check(Some(highest)) {
                Ok(()) => {
                    offered.token > highest.token
                        || grants[0] == grants[1]
                            && (offered.sequence > highest.sequence
                                || offered.sequence + highest.sequence == 0)
                }
                Err(Refusal::Stale { .. }) => offered.token < highest.token,
                Err(Refusal::Collision { token, .. }) => {
                    token == highest.token && offered.nonce != highest.nonce
                }
                Err(Refusal::Duplicate { sequence }) => offered == highest && sequence > 0,
                Err(Refusal::OutOfOrder { .. }) => {
                    grants[0] == grants[1] && offered.sequence < highest.sequence
                }
            }
        }
    }

    #[test]
    fn a_grant_may_write_again_and_a_numbered_write_may_not() {
        assert_eq!(pass(1, 0, 0).check(Some(pass(1, 0, 0))), Ok(()));
        assert_eq!(pass(1, 7, 0).check(Some(pass(1, 7, 0))), Ok(()));
        let twice = pass(1, 7, 5).check(Some(pass(1, 7, 5)));
        assert_eq!(twice, Err(Refusal::Duplicate { sequence: 5 }));
        assert_eq!(pass(2, 0, 1).check(Some(pass(1, 7, 5))), Ok(()));
    }

    #[test]
    fn a_token_issued_twice_is_told_by_its_nonce() {
        let collision = pass(1, 8, 6).check(Some(pass(1, 7, 5)));
        let token = pass(1, 0, 0).token;
        assert_eq!(collision, Err(Refusal::Collision { token, offered: 8, seen: 7 }));
        assert_eq!(pass(1, 8, 1).check_floor(Some(pass(1, 7, 0))), collision);
        assert_eq!(pass(1, 7, 1).check_floor(Some(pass(1, 7, 9))), Ok(()));
    }

    #[test]
    fn bytes_without_a_token_are_no_pass() {
        assert_eq!(Pass::from_bytes([0; 32]), Err(ZeroToken { epoch: 0 }));
    }
}
