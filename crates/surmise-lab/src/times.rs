use core::time::Duration;

/// Reads a time of the command line.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "it must be a number and a unit, as in 500ms or 2s".to_owned())
}
