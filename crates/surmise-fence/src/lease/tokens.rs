use core::{error::Error, fmt, num::NonZeroU64};

use crate::{FencingToken, TokensExhausted};

/// Tokens that a grantor may issue, once it has written down that it may have.
///
/// A grantor that wrote down each token would do so for each grant. It writes down the last of a block instead, and
/// goes on after it when it was restarted: what it had not issued of the block is lost, and none is issued twice.
///
/// [`LeaseTable::next_block`](crate::LeaseTable::next_block) makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "its last token is to be written down, and the block then to be reserved"]
pub struct TokenBlock {
    first: FencingToken,
    last: FencingToken,
}

impl TokenBlock {
    /// Returns the first token of the block.
    #[must_use]
    pub const fn first(&self) -> FencingToken {
        self.first
    }

    /// Returns the last token of the block: what is to be written down before the block is reserved.
    #[must_use]
    pub const fn last(&self) -> FencingToken {
        self.last
    }
}

/// A block of tokens is not the one that follows those that were reserved.
///
/// It was reserved before, or asked for before the epoch was raised, or comes from another table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenBlockError {
    /// The first token of the block.
    pub first: FencingToken,
    /// The last token that was reserved, if any was.
    pub reserved: Option<FencingToken>,
    /// The epoch that tokens are issued in.
    pub epoch: u64,
}

impl fmt::Display for TokenBlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, reserved, epoch } = self;
        write!(f, "a block of tokens from {first} is not the next one of epoch {epoch}: ")?;
        match reserved {
            Some(reserved) => write!(f, "{reserved} is reserved"),
            None => f.write_str("nothing is reserved"),
        }
    }
}

impl Error for TokenBlockError {}

/// An epoch is not higher than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EpochNotHigher {
    /// The epoch that was to be the next.
    pub offered: u64,
    /// The epoch that there is.
    pub epoch: u64,
}

impl fmt::Display for EpochNotHigher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {} cannot follow epoch {}: it must be higher", self.offered, self.epoch)
    }
}

impl Error for EpochNotHigher {}

/// Why there is no token to issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoToken {
    NotReserved,
    Exhausted(TokensExhausted),
}

/// Issues each token once, and only tokens that were reserved.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    epoch: u64,
    /// The highest token that was issued, as far as is known: after a restart, all that were reserved.
    issued: Option<FencingToken>,
    /// The highest token that was reserved, never lower than what was issued.
    reserved: Option<FencingToken>,
}

impl Tokens {
    /// Goes on in an epoch that is no lower than that of the last token ever reserved.
    pub(super) const fn after(reserved: Option<FencingToken>, epoch: u64) -> Self {
        Self { epoch, issued: reserved, reserved }
    }

    pub(super) fn issue(&mut self) -> Result<FencingToken, NoToken> {
        let token = self.following(self.issued).map_err(NoToken::Exhausted)?;
        if self.reserved < Some(token) {
            return Err(NoToken::NotReserved);
        }
        self.issued = Some(token);
        Ok(token)
    }

    pub(super) fn reserve(&mut self, block: TokenBlock) -> Result<(), TokenBlockError> {
        if self.following(self.reserved) != Ok(block.first) {
            let (first, reserved, epoch) = (block.first, self.reserved, self.epoch);
            return Err(TokenBlockError { first, reserved, epoch });
        }
        self.reserved = Some(block.last);
        Ok(())
    }

    pub(super) const fn advance_epoch(&mut self, epoch: u64) -> Result<(), EpochNotHigher> {
        if epoch <= self.epoch {
            return Err(EpochNotHigher { offered: epoch, epoch: self.epoch });
        }
        self.epoch = epoch;
        Ok(())
    }

    pub(super) fn next_block(&self, size: NonZeroU64) -> Result<TokenBlock, TokensExhausted> {
        let first = self.following(self.reserved)?;
        let last = first.counter().saturating_add(size.get() - 1);
        Ok(TokenBlock { first, last: FencingToken::new(self.epoch, last) })
    }

    /// Returns how many tokens can be issued.
    pub(super) fn left(&self) -> u64 {
        let counter = |token: Option<FencingToken>| match token {
            Some(token) if token.epoch() == self.epoch => token.counter().get(),
            _ => 0,
        };
        counter(self.reserved) - counter(self.issued)
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) const fn issued(&self) -> Option<FencingToken> {
        self.issued
    }

    /// Returns the token of this epoch that comes after a token of this epoch or an earlier one.
    fn following(&self, token: Option<FencingToken>) -> Result<FencingToken, TokensExhausted> {
        match token {
            Some(token) if token.epoch() == self.epoch => token.next(),
            _ => Ok(FencingToken::first(self.epoch)),
        }
    }
}
