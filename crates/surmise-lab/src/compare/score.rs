//! The form in which results leave for other programs.

use serde::Serialize;

use super::{catalogue::Point, quality::Quality};

/// What one detector with one parameter made of one trace: an object of `--json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Score<'a> {
    trace: &'a str,
    detector: &'static str,
    parameter: f64,
    parameter_name: &'static str,
    detection_time_s: f64,
    detection_time_max_s: f64,
    mistakes: u64,
    mistake_rate_hz: f64,
    mistake_duration_s: f64,
    query_accuracy: f64,
    scored: u64,
    span_s: f64,
}

impl<'a> Score<'a> {
    pub(crate) fn new(trace: &'a str, point: Point, quality: &Quality) -> Self {
        Self {
            trace,
            detector: point.kind.name(),
            parameter: point.parameter,
            parameter_name: point.kind.parameter_name(),
            detection_time_s: quality.detection_time(),
            detection_time_max_s: quality.detection_time_max(),
            mistakes: quality.mistakes(),
            mistake_rate_hz: quality.mistake_rate(),
            mistake_duration_s: quality.mistake_duration(),
            query_accuracy: quality.query_accuracy(),
            scored: quality.scored(),
            span_s: quality.span(),
        }
    }
}
