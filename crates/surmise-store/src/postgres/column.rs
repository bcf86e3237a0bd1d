use core::{error::Error, fmt, num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Pass};
use tokio_postgres::types::{FromSql, Type};

use crate::BoxError;

/// A pass, as a column has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PassColumn(pub(super) Pass);

impl<'a> FromSql<'a> for PassColumn {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let bytes = <&[u8]>::from_sql(ty, raw)?;
        let foreign = || ForeignColumn { found: format!("{bytes:02x?}"), expected: "a pass" };
        let pass = Pass::from_bytes(bytes.try_into().map_err(|_| foreign())?);
        Ok(Self(pass.map_err(|_| foreign())?))
    }

    fn accepts(ty: &Type) -> bool {
        <&[u8]>::accepts(ty)
    }
}

/// A number that is not negative, as a column has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberColumn(pub(super) u64);

impl<'a> FromSql<'a> for NumberColumn {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let number = i64::from_sql(ty, raw)?;
        let foreign = |_| ForeignColumn { found: number.to_string(), expected: "a number from 0" };
        Ok(Self(u64::try_from(number).map_err(foreign)?))
    }

    fn accepts(ty: &Type) -> bool {
        <i64 as FromSql>::accepts(ty)
    }
}

/// A counter, as a column has it: from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct CounterColumn(pub(super) NonZeroU64);

impl<'a> FromSql<'a> for CounterColumn {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let NumberColumn(number) = NumberColumn::from_sql(ty, raw)?;
        let foreign = || ForeignColumn { found: number.to_string(), expected: "a number from 1" };
        Ok(Self(NonZeroU64::new(number).ok_or_else(foreign)?))
    }

    fn accepts(ty: &Type) -> bool {
        NumberColumn::accepts(ty)
    }
}

/// Returns the epoch and the counter as columns have them, if they can: both are `bigint`.
pub(super) fn columns(token: FencingToken) -> Option<(i64, i64)> {
    Some((token.epoch().try_into().ok()?, token.counter().get().try_into().ok()?))
}

/// Returns a time in whole microseconds, which is the server's resolution.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX)
}

/// Returns the time of so many microseconds, or none if they are negative.
pub(super) fn from_micros(micros: i64) -> Option<Duration> {
    micros.try_into().ok().map(Duration::from_micros)
}

/// A column has what this crate never writes.
#[derive(Debug)]
pub(super) struct ForeignColumn {
    found: String,
    expected: &'static str,
}

impl fmt::Display for ForeignColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} instead of {}", self.found, self.expected)
    }
}

impl Error for ForeignColumn {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_written_is_not_read() {
        let zero = [0; 32];
        for raw in [&zero[..], &zero[..31], &[1; 33], &[]] {
            assert!(PassColumn::from_sql(&Type::BYTEA, raw).unwrap_err().is::<ForeignColumn>());
        }
        let number = |number: i64| NumberColumn::from_sql(&Type::INT8, &number.to_be_bytes());
        assert_eq!(number(i64::MAX).unwrap().0, i64::MAX.cast_unsigned());
        assert!(number(-1).unwrap_err().is::<ForeignColumn>());
        let counter = |number: i64| CounterColumn::from_sql(&Type::INT8, &number.to_be_bytes());
        assert_eq!(counter(1).unwrap().0, NonZeroU64::MIN);
        assert!(counter(0).unwrap_err().is::<ForeignColumn>());
    }

    #[test]
    fn a_time_is_not_cut() {
        assert_eq!(micros(Duration::from_nanos(1)), 1);
        assert_eq!(micros(Duration::from_micros(7)), 7);
        assert_eq!(micros(Duration::MAX), i64::MAX);
    }
}
