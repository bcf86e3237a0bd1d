//! A trace in order of arrival, and the replay of a detector over it.

use core::time::Duration;

use surmise_detector::FailureDetector;
use surmise_time::Instant;

use super::{
    catalogue::SWEPT_INTERVALS,
    quality::Quality,
    schedule::{Fraction, Scale, median, sending_interval},
};
use crate::trace::{HeartbeatRecord, Trace};

/// The fresh arrivals at the start of a trace that are not scored.
pub(crate) const WARM_UP: usize = 100;

/// The longest trace, in nanoseconds: 146 years.
const MAX_SPAN: u64 = 1 << 62;

/// A trace made ready for replay.
#[derive(Debug)]
pub(crate) struct Timeline {
    beats: Vec<Arrived>,
    scale: Scale,
    exact_interval: Fraction,
    interval: u64,
    since: Since,
}

/// From when a detection time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// From when the beat was sent, by the trace's own clocks.
    Sent,
    /// From when the beat was sent, had the fastest beat taken no time.
    SentByTheFastest,
    /// From the last arrival: the trace does not say when its beats were sent.
    LastArrival,
}

/// A heartbeat that arrived. Times are in ticks since the first arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    pub(crate) sequence: u64,
    pub(crate) at: u64,
    /// From when a crash just after this beat counts as undetected.
    since: i128,
    pub(crate) fresh: bool,
}

/// Why a trace cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimelineError {
    /// Too few beats arrived in order.
    TooShort {
        /// How many did.
        fresh: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The arrivals span more than 2⁶² ns.
    TooLong {
        /// The time from the first arrival to the last.
        span: Duration,
    },
    /// The median interval between heartbeats is not between 1 ns and about 19 hours.
    Interval,
}

impl Timeline {
    /// Orders the beats of a trace by arrival and finds its interval.
    ///
    /// Detectors will be given parameters of up to `longest` nanoseconds, or of a sweep.
    pub(crate) fn new(
        trace: &Trace,
        same_clock: bool,
        longest: u64,
    ) -> Result<Self, TimelineError> {
        let mut rows: Vec<(u64, &HeartbeatRecord)> = trace
            .beats
            .iter()
            .filter_map(|beat| beat.received.map(|received| (received, beat)))
            .collect();
        rows.sort_by_key(|&(received, beat)| (received, beat.sequence));
        let fresh = mark_fresh(&rows);
        let count = fresh.iter().filter(|&&fresh| fresh).count();
        if count < WARM_UP + 2 {
            return Err(TimelineError::TooShort { fresh: count, needed: WARM_UP + 2 });
        }
        let first = rows.first().map_or(0, |&(received, _)| received);
        let span = rows.last().map_or(0, |&(received, _)| received - first);
        if span > MAX_SPAN {
            return Err(TimelineError::TooLong { span: Duration::from_nanos(span) });
        }
        let news: Vec<(u64, &HeartbeatRecord)> =
            rows.iter().zip(&fresh).filter(|(_, fresh)| **fresh).map(|(row, _)| *row).collect();
        let interval = sending_interval(&trace.beats)
            .or_else(|| median(arrival_intervals(&news)))
            .ok_or(TimelineError::Interval)?;
        let worst_silence = news.windows(2).map(silence).max().unwrap_or(0);
        let sweep = interval.nanos().saturating_mul(SWEPT_INTERVALS);
        let scale = Scale::for_trace(interval, span, worst_silence.max(longest).max(sweep));
        let ticks = scale.interval(interval).ok_or(TimelineError::Interval)?;

        let (since, offset) = place_sent(&news, same_clock);
        let beats = rows.iter().zip(fresh).map(|(&(received, beat), fresh)| Arrived {
            sequence: beat.sequence,
            at: scale.ticks(received - first),
            since: match beat.sent {
                Some(sent) if since != Since::LastArrival => {
                    scale.signed_ticks(i128::from(sent) + offset - i128::from(first))
                }
                _ => scale.ticks(received - first).into(),
            },
            fresh,
        });
        Ok(Self { beats: beats.collect(), scale, exact_interval: interval, interval: ticks, since })
    }

    /// Returns the same beats in coarser ticks, so that detectors can wait for longer; `None` if there
    /// are no coarser ones.
    pub(crate) fn coarser(&self) -> Option<Self> {
        let span = self.beats.last().map_or(0, |beat| beat.at);
        let scale = self.scale.coarser(self.exact_interval, span)?;
        let beats = self.beats.iter().map(|beat| Arrived {
            at: scale.ticks(self.scale.nanos(beat.at)),
            since: scale.signed_ticks(self.scale.signed_nanos(beat.since)),
            ..*beat
        });
        Some(Self {
            beats: beats.collect(),
            scale,
            interval: scale.interval(self.exact_interval)?,
            ..*self
        })
    }

    /// Tells a detector of every beat that arrived, and scores what it made of the fresh ones.
    pub(crate) fn replay<D: FailureDetector + ?Sized>(&self, detector: &mut D) -> Quality {
        let mut quality = Quality::new(self.scale);
        let mut fresh = 0;
        let mut previous: Option<(Arrived, Instant)> = None;
        for beat in &self.beats {
            let now = Instant::from_nanos(beat.at);
            if beat.fresh {
                // The beat before this one is judged only now that its successor is here.
                if let Some((before, deadline)) = previous.filter(|_| fresh > WARM_UP) {
                    quality.score(before.at, before.since, deadline.as_nanos(), beat.at);
                }
                fresh += 1;
            }
            detector.heartbeat(beat.sequence, now);
            if beat.fresh {
                let deadline = detector.deadline().map_or(now, |deadline| deadline.max(now));
                previous = Some((*beat, deadline));
            }
        }
        quality
    }

    /// Returns the beats in order of arrival.
    pub(crate) fn beats(&self) -> &[Arrived] {
        &self.beats
    }

    /// Returns the unit of the replay's times.
    pub(crate) fn scale(&self) -> Scale {
        self.scale
    }

    /// Returns the sender's interval in ticks, which detectors take for nanoseconds.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval)
    }

    /// Returns the sender's interval.
    pub(crate) fn interval_seconds(&self) -> f64 {
        self.scale.seconds(self.interval.into())
    }

    /// Returns from when detection times count.
    pub(crate) fn since(&self) -> Since {
        self.since
    }
}

impl core::fmt::Display for TimelineError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooShort { fresh, needed } => write!(
                f,
                "{fresh} heartbeat{} arrived in order, but {needed} are needed: the first {WARM_UP} \
                 only warm the detectors up",
                if *fresh == 1 { "" } else { "s" }
            ),
            Self::TooLong { span } => {
                write!(f, "the arrivals span {span:?}, but at most 2^62 ns can be replayed")
            }
            Self::Interval => write!(
                f,
                "the median interval between heartbeats is not between 1 ns and about 19 hours"
            ),
        }
    }
}

impl core::error::Error for TimelineError {}

/// Marks the arrivals whose sequence is above all before them.
fn mark_fresh(rows: &[(u64, &HeartbeatRecord)]) -> Vec<bool> {
    let mut highest = None;
    let is_fresh = |&(_, beat): &(u64, &HeartbeatRecord)| {
        let fresh = highest.is_none_or(|highest| beat.sequence > highest);
        if fresh {
            highest = Some(beat.sequence);
        }
        fresh
    };
    rows.iter().map(is_fresh).collect()
}

/// Returns the intervals between fresh arrivals, each divided by its sequence gap.
fn arrival_intervals(news: &[(u64, &HeartbeatRecord)]) -> Vec<Fraction> {
    let interval = |pair: &[(u64, &HeartbeatRecord)]| match pair {
        [(_, before), (_, after)] => {
            Fraction::new(silence(pair).into(), after.sequence - before.sequence)
        }
        _ => Fraction::new(0, 1),
    };
    news.windows(2).map(interval).collect()
}

fn silence(pair: &[(u64, &HeartbeatRecord)]) -> u64 {
    match pair {
        [(before, _), (after, _)] => after - before,
        _ => 0,
    }
}

/// Returns what must be added to a beat's time of sending to put it on the receiver's clock.
fn place_sent(news: &[(u64, &HeartbeatRecord)], same_clock: bool) -> (Since, i128) {
    let mut fastest = i128::MAX;
    for &(received, beat) in news {
        let Some(sent) = beat.sent else { return (Since::LastArrival, 0) };
        fastest = fastest.min(i128::from(received) - i128::from(sent));
    }
    if same_clock { (Since::Sent, 0) } else { (Since::SentByTheFastest, fastest) }
}

#[cfg(test)]
mod tests {
    use surmise_detector::FixedTimeout;

    use super::*;

    /// Beats every 100 ns that take no time, and then those given: sequence, sent and received.
    fn trace(after: &[(u64, Option<u64>, Option<u64>)]) -> Trace {
        let regular = (0..=100).map(|sequence| {
            HeartbeatRecord::new(sequence, Some(sequence * 100), Some(5_000 + sequence * 100))
        });
        let after = after
            .iter()
            .map(|&(sequence, sent, received)| HeartbeatRecord::new(sequence, sent, received));
        Trace::new("test", regular.chain(after).collect())
    }

    fn replay(trace: &Trace, same_clock: bool, timeout: u64) -> Quality {
        let timeline = Timeline::new(trace, same_clock, 0).unwrap();
        let timeout = Duration::from_nanos(timeline.scale().ticks(timeout));
        timeline.replay(&mut FixedTimeout::new(timeout).unwrap())
    }

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-15 + 1e-12 * expected.abs(), "{found}, {expected}");
    }

    #[test]
    fn scores_are_those_reckoned_by_hand() {
        // Beat 100 arrives at 15 000. The next is 30 late, one is lost, and one is overtaken.
        let trace = trace(&[
            (101, Some(10_100), Some(15_130)),
            (102, Some(10_200), None),
            (103, Some(10_300), Some(15_400)),
            (104, Some(10_400), Some(15_390)),
            (105, Some(10_500), Some(15_500)),
        ]);
        // Fresh are 100, 101, 104 and 105; scored are the three that have a successor.
        let quality = replay(&trace, false, 120);
        assert_eq!(quality.scored(), 3);
        // Deadlines 15 120, 15 250, 15 510 against arrivals 15 130, 15 390, 15 500.
        assert_eq!(quality.mistakes(), 2);
        assert_near(quality.mistake_duration(), (10e-9 + 140e-9) / 2.0);
        // The fastest of all, 104, took 4 990 by the two clocks, so others were sent that much later.
        assert_near(quality.detection_time(), (130e-9 + 160e-9 + 120e-9) / 3.0);
        assert_near(quality.detection_time_max(), 160e-9);
        assert_near(quality.span(), 500e-9);
        assert_near(quality.query_accuracy(), 1.0 - 150.0 / 500.0);
        assert_near(quality.mistake_rate(), 2.0 / 500e-9);
    }

    #[test]
    fn a_deadline_that_is_met_to_the_nanosecond_is_no_mistake() {
        let trace = trace(&[(101, Some(10_100), Some(15_130))]);
        assert_eq!(replay(&trace, false, 130).mistakes(), 0);
        assert_eq!(replay(&trace, false, 129).mistakes(), 1);
        assert_near(replay(&trace, false, 129).mistake_duration(), 1e-9);
    }

    #[test]
    fn one_clock_is_taken_at_its_word_and_no_sending_means_the_last_arrival() {
        let with_sent = trace(&[(101, Some(10_100), Some(15_130))]);
        assert_near(replay(&with_sent, true, 200).detection_time(), 5_200e-9);
        assert_near(replay(&with_sent, false, 200).detection_time(), 200e-9);
        let without = trace(&[(101, None, Some(15_130)), (102, Some(0), Some(15_200))]);
        assert_near(replay(&without, true, 200).detection_time(), 200e-9);
        assert_eq!(Timeline::new(&without, true, 0).unwrap().since(), Since::LastArrival);
    }

    #[test]
    fn clocks_at_the_limits_of_their_type_are_replayed() {
        let shift = |trace: &Trace, sent: u64, received: u64| {
            let beats = trace.beats.iter().map(|beat| {
                let sent = beat.sent.map(|time| time.wrapping_add(sent));
                HeartbeatRecord::new(beat.sequence, sent, beat.received.map(|at| at + received))
            });
            Trace::new("test", beats.collect())
        };
        let plain = trace(&[(101, Some(10_100), Some(15_130))]);
        let sent_late = shift(&plain, u64::MAX - 10_100, 0);
        let received_late = shift(&plain, 0, u64::MAX - 15_130);
        for shifted in [sent_late, received_late] {
            let (plain, shifted) = (replay(&plain, false, 120), replay(&shifted, false, 120));
            assert_eq!(shifted.detection_time(), plain.detection_time());
            assert_eq!(shifted.mistakes(), 1);
        }
    }

    #[test]
    fn what_cannot_be_replayed_says_why() {
        let refused = |trace: &Trace| Timeline::new(trace, false, 0).unwrap_err();
        let needed = 102;
        assert_eq!(refused(&Trace::new("", vec![])), TimelineError::TooShort { fresh: 0, needed });
        assert_eq!(refused(&trace(&[])), TimelineError::TooShort { fresh: 101, needed });
        // One that is overtaken does not count.
        let overtaken = trace(&[(101, None, Some(4_000)), (102, None, None)]);
        assert_eq!(refused(&overtaken), TimelineError::TooShort { fresh: 1, needed });
        let long = trace(&[(101, None, Some(u64::MAX))]);
        let span = Duration::from_nanos(u64::MAX - 5_000);
        assert_eq!(refused(&long), TimelineError::TooLong { span });
        let still = (0..200).map(|sequence| HeartbeatRecord::new(sequence, Some(7), Some(7)));
        assert_eq!(refused(&Trace::new("", still.collect())), TimelineError::Interval);
    }

    #[test]
    fn arrivals_that_all_come_at_once_at_the_end_have_a_defined_score() {
        let late: Vec<_> = (101..110).map(|sequence| (sequence, None, Some(15_000))).collect();
        let quality = replay(&trace(&late), false, 50);
        assert_eq!((quality.scored(), quality.mistakes()), (9, 0));
        assert_eq!(quality.span(), 0.0);
        assert_eq!((quality.mistake_rate(), quality.query_accuracy()), (0.0, 1.0));
    }
}
