use core::time::Duration;

use surmise_time::Instant;

use crate::float;

/// Measures the quality of service that a detector gives on a peer that is alive.
///
/// It is told of every fresh heartbeat: when it arrived, when it was sent, and which deadline the
/// detector drew from it. A *mistake* is a deadline that passed before the next fresh heartbeat. The
/// metrics are those of Chen, Toueg and Aguilera, *On the quality of service of failure detectors*
/// (IEEE Transactions on Computers 51, 2002).
///
/// All sums are integers, so a year of heartbeats is measured as exactly as a minute.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{FailureDetector, FixedTimeout, QosMeter};
/// use surmise_time::Instant;
///
/// let mut peer = FixedTimeout::new(Duration::from_secs(2))?;
/// let mut meter = QosMeter::new();
/// for (sequence, second) in [(1, 0), (2, 1), (3, 6), (4, 7), (5, 8)] {
///     let sent = Instant::ORIGIN + Duration::from_secs(second);
///     let now = sent + Duration::from_millis(50);
///     peer.heartbeat(sequence, now);
///     if let Some(deadline) = peer.deadline() {
///         meter.beat(now, sent, deadline);
///     }
/// }
/// let report = meter.report().expect("there were two heartbeats and more");
/// assert_eq!(report.mistakes, 1);
/// assert_eq!(report.mistake_duration, Some(Duration::from_secs(3)));
/// assert_eq!(report.detection_time, Duration::from_millis(2050));
/// assert_eq!(report.query_accuracy_probability, 1.0 - 3.0 / 8.0);
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct QosMeter {
    first: Instant,
    newest: Option<Newest>,
    scored: u64,
    mistakes: u64,
    /// Sums of nanoseconds.
    mistaken: i128,
    detection: i128,
    detection_max: i128,
}

/// The heartbeat whose successor decides on it.
#[derive(Clone, Copy, Debug)]
struct Newest {
    at: Instant,
    deadline: Instant,
    detection: i128,
}

/// What a [`QosMeter`] has measured, over all heartbeats but the last, whose successor is not known yet.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct QosReport {
    /// T_D on average: from the sending of a heartbeat to its deadline, the time after which a crash
    /// right after sending it would have been detected. Zero if clocks put deadlines before sendings.
    pub detection_time: Duration,
    /// The longest T_D.
    pub detection_time_max: Duration,
    /// How often the peer was suspected wrongly.
    pub mistakes: u64,
    /// How long the peer was suspected wrongly, in all.
    pub mistaken: Duration,
    /// T_M on average: how long a mistake lasted. `None` without mistakes.
    pub mistake_duration: Option<Duration>,
    /// T_MR on average: the time from one mistake to the next, as the span divided by the mistakes.
    /// `None` without mistakes.
    pub mistake_recurrence_time: Option<Duration>,
    /// λ_M: mistakes a second.
    pub mistake_rate: f64,
    /// P_A: the share of the time in which the verdict was right.
    pub query_accuracy_probability: f64,
    /// How many heartbeats the averages are over.
    pub scored: u64,
    /// The time from the first heartbeat to the last.
    pub span: Duration,
}

impl QosMeter {
    /// Creates a meter that has measured nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a fresh heartbeat that was sent at `sent` and arrived at `now`, with the deadline that
    /// the detector drew from it.
    ///
    /// `sent` is an instant of the same clock as the others. Where senders and receivers have none in
    /// common, an estimate that is off by some time moves detection times by as much.
    pub fn beat(&mut self, now: Instant, sent: Instant, deadline: Instant) {
        // A clock that stepped back: the heartbeat came no earlier than the one before it.
        let now = self.newest.map_or(now, |newest| now.max(newest.at));
        match self.newest {
            None => self.first = now,
            Some(newest) => self.score(newest, now),
        }
        let detection = i128::from(deadline.as_nanos()) - i128::from(sent.as_nanos());
        self.newest = Some(Newest { at: now, deadline, detection });
    }

    /// Returns what was measured so far, or `None` if no time has passed between two heartbeats.
    #[must_use]
    pub fn report(&self) -> Option<QosReport> {
        let span = self.newest?.at - self.first;
        if span.is_zero() {
            return None;
        }
        let seconds = span.as_secs_f64();
        Some(QosReport {
            detection_time: mean(self.detection, self.scored)?,
            detection_time_max: duration(self.detection_max),
            mistakes: self.mistakes,
            mistaken: duration(self.mistaken),
            mistake_duration: mean(self.mistaken, self.mistakes),
            mistake_recurrence_time: mean(nanos(span), self.mistakes),
            mistake_rate: float::from_nanos(self.mistakes) / seconds,
            query_accuracy_probability: 1.0 - float::from_signed(self.mistaken) / 1e9 / seconds,
            scored: self.scored,
            span,
        })
    }

    fn score(&mut self, newest: Newest, next: Instant) {
        self.scored += 1;
        self.detection += newest.detection;
        self.detection_max = self.detection_max.max(newest.detection);
        if next > newest.deadline {
            self.mistakes += 1;
            let suspected = newest.deadline.max(newest.at);
            self.mistaken += i128::from(next.as_nanos()) - i128::from(suspected.as_nanos());
        }
    }
}

fn mean(nanos: i128, count: u64) -> Option<Duration> {
    nanos.checked_div(count.into()).map(duration)
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

/// Returns a duration of so many nanoseconds, or the nearest there is.
fn duration(nanos: i128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(if nanos < 0 { 0 } else { u64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn nothing_is_reported_of_one_heartbeat() {
        let mut meter = QosMeter::new();
        assert_eq!(meter.report(), None);
        meter.beat(at(5), at(4), at(9));
        assert_eq!(meter.report(), None);
    }

    #[test]
    fn a_deadline_that_is_just_met_is_no_mistake() {
        let mut meter = QosMeter::new();
        meter.beat(at(0), at(0), at(10));
        meter.beat(at(10), at(10), at(19));
        meter.beat(at(20), at(20), at(30));
        let report = meter.report().unwrap();
        assert_eq!((report.mistakes, report.scored), (1, 2));
        assert_eq!(report.mistake_duration, Some(Duration::from_nanos(1)));
        assert_eq!(report.mistake_recurrence_time, Some(Duration::from_nanos(20)));
        assert_eq!(report.detection_time, Duration::from_nanos(9));
        assert_eq!(report.detection_time_max, Duration::from_nanos(10));
        assert_eq!(report.query_accuracy_probability, 1.0 - 1.0 / 20.0);
    }

    #[test]
    fn a_mistake_begins_with_the_heartbeat_at_the_earliest() {
        let mut meter = QosMeter::new();
        meter.beat(at(100), at(100), at(40));
        meter.beat(at(110), at(110), at(120));
        assert_eq!(meter.report().unwrap().mistake_duration, Some(Duration::from_nanos(10)));
    }

    #[test]
    fn a_clock_that_steps_back_is_no_mistake() {
        let mut meter = QosMeter::new();
        meter.beat(at(0), at(0), at(1));
        meter.beat(at(100), at(100), at(200));
        meter.beat(at(10), at(10), at(200));
        let report = meter.report().unwrap();
        assert_eq!((report.mistakes, report.scored), (1, 2));
        assert_eq!(report.query_accuracy_probability, 1.0 - 99.0 / 100.0);
    }

    #[test]
    fn the_limits_of_time_are_measured() {
        let mut meter = QosMeter::new();
        meter.beat(at(0), at(u64::MAX), at(0));
        meter.beat(at(u64::MAX), at(0), at(u64::MAX));
        meter.beat(at(u64::MAX), at(0), at(u64::MAX));
        let report = meter.report().unwrap();
        assert_eq!(report.mistakes, 1);
        assert_eq!(report.mistake_duration, Some(Duration::from_nanos(u64::MAX)));
        assert_eq!(report.detection_time, Duration::ZERO);
        assert_eq!(report.detection_time_max, Duration::from_nanos(u64::MAX));
    }
}
