use core::{error::Error, fmt, num::NonZeroU64, str::FromStr};

/// The number of a grant: whoever shows a lesser one was granted it earlier, and is to be refused.
///
/// A token belongs to one resource, and to one grant of a lease on it. It consists of an *epoch*, which an operator
/// raises when the numbers start anew (a backup was restored, a replica promoted), and of a *counter* that
/// never is 0. All tokens of an epoch are less than any of the next.
///
/// Tokens as the storage's protection against holders that do not know that they were replaced are described in
/// Kleppmann, "How to do distributed locking", 2016; Chubby calls them sequencers (Burrows, OSDI 2006, §2.4).
///
/// # Examples
///
/// ```
/// use surmise_fence::FencingToken;
///
/// let first = FencingToken::first(1);
/// let second = first.next()?;
/// assert!(first < second && second < FencingToken::first(2));
/// assert_eq!(second.to_string(), "1.2");
/// assert_eq!("1.2".parse(), Ok(second));
/// assert_eq!(FencingToken::from_bytes(second.to_bytes()), Ok(second));
/// # Ok::<(), surmise_fence::TokensExhausted>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct FencingToken {
    epoch: u64,
    counter: NonZeroU64,
}

impl FencingToken {
    /// The greatest token, which no other follows.
    pub const MAX: Self = Self { epoch: u64::MAX, counter: NonZeroU64::MAX };

    /// Creates a token from its parts.
    #[must_use]
    pub const fn new(epoch: u64, counter: NonZeroU64) -> Self {
        Self { epoch, counter }
    }

    /// Returns the first token of an epoch.
    #[must_use]
    pub const fn first(epoch: u64) -> Self {
        Self { epoch, counter: NonZeroU64::MIN }
    }

    /// Returns the next token of the same epoch.
    ///
    /// # Errors
    ///
    /// If the epoch has no more tokens.
    pub const fn next(self) -> Result<Self, TokensExhausted> {
        match self.counter.checked_add(1) {
            Some(counter) => Ok(Self { epoch: self.epoch, counter }),
            None => Err(TokensExhausted { epoch: self.epoch }),
        }
    }

    /// Returns the epoch.
    #[must_use]
    pub const fn epoch(self) -> u64 {
        self.epoch
    }

    /// Returns the number within the epoch.
    #[must_use]
    pub const fn counter(self) -> NonZeroU64 {
        self.counter
    }

    /// Returns the epoch and the counter as 16 bytes that are ordered as the tokens are: big-endian.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        ((self.epoch as u128) << 64 | self.counter.get() as u128).to_be_bytes()
    }

    /// Returns the token that [`to_bytes`](Self::to_bytes) made these of.
    ///
    /// # Errors
    ///
    /// If the counter is 0, which is no token's.
    pub const fn from_bytes(bytes: [u8; 16]) -> Result<Self, ZeroToken> {
        let [e0, e1, e2, e3, e4, e5, e6, e7, c0, c1, c2, c3, c4, c5, c6, c7] = bytes;
        let epoch = u64::from_be_bytes([e0, e1, e2, e3, e4, e5, e6, e7]);
        match NonZeroU64::new(u64::from_be_bytes([c0, c1, c2, c3, c4, c5, c6, c7])) {
            Some(counter) => Ok(Self { epoch, counter }),
            None => Err(ZeroToken { epoch }),
        }
    }
}

/// The epoch, a point and the counter: `3.17`.
impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.counter)
    }
}

/// Reads what `Display` writes, and nothing else: no signs, no leading zeros.
impl FromStr for FencingToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        let (epoch, counter) = text.split_once('.').ok_or(ParseTokenError)?;
        let counter = NonZeroU64::new(number(counter)?).ok_or(ParseTokenError)?;
        Ok(Self { epoch: number(epoch)?, counter })
    }
}

/// Reads a decimal number as it is written.
fn number(digits: &str) -> Result<u64, ParseTokenError> {
    let canonical = digits == "0" || !digits.starts_with(['0', '+']);
    let number = digits.parse().map_err(|_| ParseTokenError)?;
    if canonical { Ok(number) } else { Err(ParseTokenError) }
}

/// An epoch has no token after the one whose counter is `u64::MAX`: only a new epoch goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokensExhausted {
    /// The epoch.
    pub epoch: u64,
}

impl fmt::Display for TokensExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {} has no more tokens: go on with the next epoch", self.epoch)
    }
}

impl Error for TokensExhausted {}

/// Sixteen bytes are no token: the counter among them is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZeroToken {
    /// The epoch among them.
    pub epoch: u64,
}

impl fmt::Display for ZeroToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.0 is no token: counters begin at 1", self.epoch)
    }
}

impl Error for ZeroToken {}

/// A text is no token: an epoch, a point and a counter from 1, in decimal, were expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseTokenError;

impl fmt::Display for ParseTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a fencing token: expected an epoch, a point and a counter from 1, as in 3.17",
        )
    }
}

impl Error for ParseTokenError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use quickcheck::quickcheck;

    use super::*;

    fn token(epoch: u64, counter: u64) -> FencingToken {
        FencingToken::new(epoch, NonZeroU64::new(counter).unwrap_or(NonZeroU64::MIN))
    }

    quickcheck! {
        fn bytes_are_ordered_as_tokens_are(a: (u64, u64), b: (u64, u64)) -> bool {
            let [a, b] = [a, b].map(|(epoch, counter)| token(epoch, counter));
            a.cmp(&b) == a.to_bytes().cmp(&b.to_bytes())
                && (a.epoch(), a.counter()).cmp(&(b.epoch(), b.counter())) == a.cmp(&b)
        }

        fn bytes_and_text_bring_the_token_back(epoch: u64, counter: u64) -> bool {
            let token = token(epoch, counter);
            FencingToken::from_bytes(token.to_bytes()) == Ok(token)
                && token.to_string().parse() == Ok(token)
        }
    }

    #[test]
    fn a_counter_of_zero_is_no_token() {
        let mut bytes = token(3, 1).to_bytes();
        bytes[15] = 0;
        assert_eq!(FencingToken::from_bytes(bytes), Err(ZeroToken { epoch: 3 }));
    }

    #[test]
    fn an_epoch_ends() {
        let last = token(3, u64::MAX);
        assert_eq!(last.next(), Err(TokensExhausted { epoch: 3 }));
        assert_eq!(token(3, u64::MAX - 1).next(), Ok(last));
        assert!(last < FencingToken::first(4));
    }

    #[test]
    fn only_what_is_written_is_read() {
        for text in
            ["", "1", "1.", ".1", "1.0", "1.-2", "1.+2", "+1.2", "01.2", "1.02", "1.2.3", " 1.2"]
        {
            assert_eq!(text.parse::<FencingToken>(), Err(ParseTokenError), "{text}");
        }
        assert_eq!("0.1".parse(), Ok(token(0, 1)));
        assert_eq!("18446744073709551615.18446744073709551615".parse(), Ok(FencingToken::MAX));
        assert!("18446744073709551616.1".parse::<FencingToken>().is_err());
    }
}
