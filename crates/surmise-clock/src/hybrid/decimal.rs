use super::ParseTimestampError;

/// An unsigned decimal number with a fixed number of decimals.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) whole: u64,
    /// In units of the last decimal.
    pub(super) fraction: u64,
}

impl Decimal {
    /// Reads digits with at most one point among them, and at most `decimals` after it.
    pub(super) fn parse(text: &str, decimals: usize) -> Result<Self, ParseTimestampError> {
        let is_foreign = |byte: u8| !byte.is_ascii_digit();
        let point = text.bytes().position(is_foreign).unwrap_or(text.len());
        let (whole, rest) = text.split_at(point);
        let fraction = match rest.strip_prefix('.') {
            Some(fraction) => fraction,
            None if rest.is_empty() && !whole.is_empty() => "0",
            None => return Err(ParseTimestampError::Malformed { at: point }),
        };
        if let Some(at) = fraction.bytes().position(is_foreign) {
            return Err(ParseTimestampError::Malformed { at: point + 1 + at });
        }
        if fraction.is_empty() {
            return Err(ParseTimestampError::Malformed { at: text.len() });
        }
        let missing = decimals
            .checked_sub(fraction.len())
            .ok_or(ParseTimestampError::TooPrecise { digits: fraction.len(), max: decimals })?;
        let fraction = number(fraction.bytes().chain(core::iter::repeat_n(b'0', missing)))?;
        Ok(Self { whole: number(whole.bytes())?, fraction })
    }
}

/// Returns what these digits say, zero if there are none.
fn number(mut digits: impl Iterator<Item = u8>) -> Result<u64, ParseTimestampError> {
    digits
        .try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
        .ok_or(ParseTimestampError::OutOfRange)
}
