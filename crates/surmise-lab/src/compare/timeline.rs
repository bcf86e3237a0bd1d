//! A trace in order of arrival, and the replay of a detector over it.

use core::time::Duration;

use surmise_detector::FailureDetector;
use surmise_time::Instant;

use super::{
    catalogue::{MAX_TICKS, SWEPT_INTERVALS},
    quality::Quality,
    schedule::{Fraction, Scale, median, sending_interval},
};
use crate::trace::{HeartbeatRecord, Trace};

/// The fresh arrivals at the start of a trace that are not scored.
pub(crate) const WARM_UP: usize = 100;

/// The fewest fresh arrivals that can be scored: one after the warm-up, and its successor.
pub(crate) const LEAST_FRESH: usize = WARM_UP + 2;

/// The longest trace, in nanoseconds: 146 years.
const MAX_SPAN: u64 = 1 << 62;

/// A trace made ready for replay.
#[derive(Debug)]
pub(crate) struct Timeline {
    beats: Vec<Arrived>,
    scale: Scale,
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
    pub(crate) since: i128,
    pub(crate) fresh: bool,
}

/// A fresh arrival that is scored, and what came of it. Times are in ticks since the first arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scored {
    pub(crate) at: u64,
    /// From when a crash just after this beat counts as undetected.
    pub(crate) since: i128,
    /// Until when the detector trusted its peer.
    pub(crate) deadline: u64,
    /// When the next fresh beat arrived.
    pub(crate) next: u64,
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
    /// The median interval between heartbeats is not between 1 ns and about 39 hours.
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
            return Err(TimelineError::TooShort { fresh: count, needed: LEAST_FRESH });
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
        let interval = scale.interval(interval).ok_or(TimelineError::Interval)?;

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
        Ok(Self { beats: beats.collect(), scale, interval, since })
    }

    /// Tells a detector of every beat that arrived, and scores what it made of the fresh ones.
    pub(crate) fn replay<D: FailureDetector + ?Sized>(&self, detector: &mut D) -> Quality {
        let mut quality = Quality::new(self.scale);
        self.watch(detector, |scored| {
            quality.score(scored.at, scored.since, scored.deadline, scored.next);
        });
        quality
    }

    /// Tells a detector of every beat that arrived, and `judge` of what it made of the fresh ones that
    /// are scored.
    pub(crate) fn watch<D: FailureDetector + ?Sized>(
        &self,
        detector: &mut D,
        mut judge: impl FnMut(Scored),
    ) {
        let mut fresh = 0;
        let mut previous: Option<(Arrived, Instant)> = None;
        for beat in &self.beats {
            let now = Instant::from_nanos(beat.at);
            if beat.fresh {
                // The beat before this one is judged only now that its successor is here.
                if let Some((before, deadline)) = previous.filter(|_| fresh > WARM_UP) {
                    let Arrived { at, since, .. } = before;
                    judge(Scored { at, since, deadline: deadline.as_nanos(), next: beat.at });
                }
                fresh += 1;
            }
            detector.heartbeat(beat.sequence, now);
            if beat.fresh {
                // Detectors wait for one tick at least, even where the formula's time had passed.
                let deadline = detector.deadline().filter(|at| at.as_nanos() > beat.at + 1);
                let deadline = deadline.unwrap_or(now);
                previous = Some((*beat, deadline));
            }
        }
    }

    /// Returns the beats in order of arrival.
    pub(crate) fn beats(&self) -> &[Arrived] {
        &self.beats
    }

    /// Returns whether a silence is longer than detectors count, even in the coarsest ticks.
    pub(crate) fn has_clipped_silence(&self) -> bool {
        let fresh = || self.beats.iter().filter(|beat| beat.fresh).map(|beat| beat.at);
        fresh().zip(fresh().skip(1)).any(|(before, after)| after - before > MAX_TICKS)
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
                "the median interval between heartbeats is not between 1 ns and about 39 hours"
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
mod tests;
