use core::{error::Error, fmt, num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Pass};
use surmise_idempotency::Fingerprint;
use surmise_time::Instant;
use tokio_postgres::types::{FromSql, Type};

use super::execution::{COMPLETED, IN_FLIGHT, RELEASED};
use crate::{BoxError, idempotency_store::State};

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

/// A fingerprint, as a column has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FingerprintColumn(pub(super) Fingerprint);

impl<'a> FromSql<'a> for FingerprintColumn {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let bytes = <&[u8]>::from_sql(ty, raw)?;
        let foreign =
            |_| ForeignColumn { found: format!("{bytes:02x?}"), expected: "a fingerprint" };
        Ok(Self(Fingerprint::from_bytes(bytes.try_into().map_err(foreign)?)))
    }

    fn accepts(ty: &Type) -> bool {
        <&[u8]>::accepts(ty)
    }
}

/// The state of an execution as a column has it, without what other columns have.
#[derive(Clone, Debug)]
pub(super) struct StateColumn(pub(super) State);

impl<'a> FromSql<'a> for StateColumn {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Ok(Self(match <&str>::from_sql(ty, raw)? {
            IN_FLIGHT => State::InFlight {
                nonce: 0,
                lease_ends: Instant::ORIGIN,
                recovers: false,
                checkpoint: None,
            },
            COMPLETED => State::Completed { result: Vec::new() },
            RELEASED => State::Released,
            found => {
                let expected = "the state of an execution";
                return Err(ForeignColumn { found: format!("{found:?}"), expected }.into());
            }
        }))
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

/// A time of the server's clock, as a column has it. What is before 1970 is as early as that, and what is after 2554 as late.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeColumn(pub(super) Instant);

impl<'a> FromSql<'a> for TimeColumn {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        // Microseconds since 2000.
        let micros = i64::from_sql(&Type::INT8, raw)?.saturating_add(946_684_800_000_000);
        let nanos = u64::try_from(micros).unwrap_or(0).saturating_mul(1_000);
        Ok(Self(Instant::from_nanos(nanos)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
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
    fn what_was_never_executed_is_not_read() {
        for raw in [&[0; 15][..], &[0; 17], &[]] {
            let error = FingerprintColumn::from_sql(&Type::BYTEA, raw).unwrap_err();
            assert!(error.is::<ForeignColumn>());
        }
        let error = StateColumn::from_sql(&Type::TEXT, b"done").unwrap_err();
        assert_eq!(error.to_string(), "\"done\" instead of the state of an execution");
        for (micros, nanos) in [
            (0, 946_684_800_000_000_000),
            (1, 946_684_800_000_001_000),
            (i64::MIN, 0),
            (i64::MAX, u64::MAX),
        ] {
            let time = TimeColumn::from_sql(&Type::TIMESTAMPTZ, &i64::to_be_bytes(micros)).unwrap();
            assert_eq!(time.0, Instant::from_nanos(nanos));
        }
    }

    #[test]
    fn a_time_is_not_cut() {
        assert_eq!(micros(Duration::from_nanos(1)), 1);
        assert_eq!(micros(Duration::from_micros(7)), 7);
        assert_eq!(micros(Duration::MAX), i64::MAX);
    }
}
