//! What the user should know of a comparison beyond its numbers.

use super::comparison::Comparison;

/// Returns what is doubtful about a comparison, a line each.
pub(crate) fn notes(comparison: &Comparison) -> Vec<&'static str> {
    let mut notes = Vec::new();
    let swept = comparison.results.iter().map(|outcome| &outcome.quality);
    let defaults = comparison.defaults.iter().map(|outcome| &outcome.quality);
    // Without --same-clock, the fastest heartbeat is taken to have been sent when it arrived.
    if swept.chain(defaults).any(|quality| quality.detection_time() < 0.0) {
        notes.push("mean detection time is negative: sent_ns and received_ns are not on one clock");
    }
    if comparison.timeline.has_clipped_silence() {
        notes.push("silences over 39 h count as 39 h");
    }
    notes
}
