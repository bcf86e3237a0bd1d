use core::time::Duration;

/// Reads a time of the command line.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "it must be a number and a unit, as in 500ms or 2s".to_owned())
}

/// Returns a duration in nanoseconds, or as many as there can be.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
