use core::{error::Error, fmt, time::Duration};

/// A configuration that no detector can be made from.
///
/// It carries the offending value and the range, ends included, that it must lie in.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A duration is out of its range.
    Duration {
        /// The name of the field.
        field: &'static str,
        /// Its value.
        value: Duration,
        /// The least value allowed.
        min: Duration,
        /// The greatest value allowed.
        max: Duration,
    },
    /// A number is out of its range, or not a number at all.
    Number {
        /// The name of the field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// The least value allowed.
        min: f64,
        /// The greatest value allowed.
        max: f64,
    },
    /// A count is out of its range.
    Count {
        /// The name of the field.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The least value allowed.
        min: usize,
        /// The greatest value allowed.
        max: usize,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration { field, value, min, max } => {
                write!(f, "`{field}` is {value:?}, but must lie between {min:?} and {max:?}")
            }
            Self::Number { field, value, min, max } => {
                write!(f, "`{field}` is {value:?}, but must lie between {min:?} and {max:?}")
            }
            Self::Count { field, value, min, max } => {
                write!(f, "`{field}` is {value}, but must lie between {min} and {max}")
            }
        }
    }
}

impl Error for ConfigError {}

/// Returns the nanoseconds of a duration that must lie between `min` and `max`.
pub(crate) fn duration(
    field: &'static str,
    value: Duration,
    min: Duration,
    max: Duration,
) -> Result<u64, ConfigError> {
    match u64::try_from(value.as_nanos()) {
        Ok(nanos) if (min..=max).contains(&value) => Ok(nanos),
        _ => Err(ConfigError::Duration { field, value, min, max }),
    }
}

/// Returns a number that must lie between `min` and `max`.
pub(crate) fn number(
    field: &'static str,
    value: f64,
    min: f64,
    max: f64,
) -> Result<f64, ConfigError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(ConfigError::Number { field, value, min, max })
    }
}

/// Returns a count that must lie between `min` and `max`.
pub(crate) fn count(
    field: &'static str,
    value: usize,
    min: usize,
    max: usize,
) -> Result<usize, ConfigError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(ConfigError::Count { field, value, min, max })
    }
}
