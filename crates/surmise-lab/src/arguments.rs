//! Values of the command line, and what is said of those that are none.

#[cfg(target_os = "linux")]
use core::num::NonZeroU64;
use core::time::Duration;

pub(crate) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "it must be a number and a unit, as in 500ms or 2s".to_owned())
}

#[cfg(target_os = "linux")]
pub(crate) fn count(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| "it must be a whole number from 1 on".to_owned())
}

pub(crate) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}", u64::MAX))
}
