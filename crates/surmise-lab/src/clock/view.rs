use core::time::Duration;

use serde::Serialize;
use surmise_interval::{Interval, select::SelectionError};
use surmise_time::WallTime;

/// What all sources say of one moment, and what they agree on: what is printed, and what `--json`
/// holds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct View {
    /// What the system clock showed.
    pub(super) system_clock_ns: u64,
    pub(super) sources: Vec<Row>,
    /// What more than half of the sources agree on.
    pub(super) selection: Option<Selected>,
    /// Why that is nothing.
    pub(super) selection_error: Option<String>,
    /// What Marzullo's algorithm selects.
    pub(super) marzullo: Option<Selected>,
}

impl View {
    pub(super) fn new(
        wall: WallTime,
        sources: Vec<Row>,
        selection: Result<Selected, SelectionError>,
        marzullo: Option<Selected>,
    ) -> Self {
        let (selection, selection_error) = match selection {
            Ok(selection) => (Some(selection), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let system_clock_ns = wall.as_nanos();
        Self { system_clock_ns, sources, selection, selection_error, marzullo }
    }
}

/// What one source says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) source: String,
    pub(super) status: Status,
    pub(super) time: Option<TimeView>,
    pub(super) age_ns: Option<u64>,
    pub(super) error: Option<String>,
    pub(super) details: String,
}

/// What a source's answer was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// It is one of those that agree.
    Agrees,
    /// It contradicts those that agree.
    Falseticker,
    /// It said what time it is, and there was no agreement.
    Answered,
    /// It said what time it is, of the system clock, for which another is counted.
    Uncounted,
    /// It did not say what time it is.
    Silent,
}

impl Status {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Falseticker => "falseticker",
            Self::Answered => "answered",
            Self::Uncounted => "uncounted",
            Self::Silent => "silent",
        }
    }
}

/// An interval, absolutely and beside the system clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct TimeView {
    pub(super) earliest_ns: u64,
    pub(super) latest_ns: u64,
    /// The interval's middle less the system clock.
    pub(super) offset_ns: i64,
    /// How far the middle can be from the truth.
    pub(super) bound_ns: u64,
}

impl TimeView {
    pub(super) fn new(interval: &Interval, wall: WallTime) -> Self {
        let offset = i128::from(interval.middle().as_nanos()) - i128::from(wall.as_nanos());
        let end = if offset < 0 { i64::MIN } else { i64::MAX };
        Self {
            earliest_ns: interval.earliest().as_nanos(),
            latest_ns: interval.latest().as_nanos(),
            offset_ns: i64::try_from(offset).unwrap_or(end),
            bound_ns: nanos(interval.uncertainty()),
        }
    }
}

/// What enough sources agree on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Selected {
    pub(super) time: TimeView,
    pub(super) agreeing: Vec<String>,
    pub(super) falsetickers: Vec<String>,
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
