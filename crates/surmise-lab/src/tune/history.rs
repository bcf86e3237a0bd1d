//! The scored arrivals of a trace, and the parts that it is divided into.

use core::ops::Range;

use surmise_detector::ConfigError;

use crate::compare::{
    catalogue::Point,
    number::round,
    schedule::Scale,
    timeline::{Since, Timeline, WARM_UP},
};

/// How many parts of equal length a trace has. The first one only teaches; each of the others is held
/// back from what the parts before it teach.
pub(crate) const PARTS: usize = 5;

/// The fewest arrivals that a part has on average.
const LEAST_IN_PART: usize = 50;

/// The fewest fresh arrivals of a trace: those that warm up, the scored ones, and a successor.
pub(crate) const LEAST_FRESH: usize = WARM_UP + PARTS * LEAST_IN_PART + 1;

/// A trace, as far as its arrivals are scored. Times are in the timeline's ticks.
#[derive(Debug)]
pub(crate) struct History<'a> {
    pub(crate) timeline: &'a Timeline,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) parts: [Part; PARTS],
}

/// A fresh arrival that is scored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: u64,
    /// The time until the next one.
    pub(crate) silence: u64,
    /// The time since it was sent, had the fastest heartbeat taken none; it can be negative.
    pub(crate) late: i128,
}

/// A part of a trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// The arrivals in it.
    pub(crate) arrivals: Range<usize>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// How much later than the fastest of the trace that of all parts up to this one was.
    pub(crate) fastest: i128,
    /// How late a heartbeat was news in all parts up to this one, at worst.
    pub(crate) lateness: u64,
}

impl<'a> History<'a> {
    /// Divides a trace, or returns how many fresh arrivals it has if they are too few.
    pub(crate) fn new(timeline: &'a Timeline) -> Result<Self, usize> {
        let fresh: Vec<_> = timeline.beats().iter().filter(|beat| beat.fresh).collect();
        if fresh.len() < LEAST_FRESH {
            return Err(fresh.len());
        }
        let arrivals: Vec<Arrival> = fresh
            .iter()
            .zip(fresh.iter().skip(1))
            .skip(WARM_UP)
            .map(|(beat, next)| Arrival {
                at: beat.at,
                silence: next.at - beat.at,
                late: i128::from(beat.at) - beat.since,
            })
            .collect();
        let parts = parts(timeline, &arrivals);
        Ok(Self { timeline, arrivals, parts })
    }

    /// Returns the scored arrivals of the first parts.
    pub(crate) fn up_to(&self, parts: usize) -> &[Arrival] {
        let end = self.parts.get(parts.wrapping_sub(1)).map_or(0, |part| part.arrivals.end);
        self.arrivals.get(..end).unwrap_or_default()
    }

    /// Returns for how long each scored arrival vouches for the peer, as a detector has it.
    pub(crate) fn patience(&self, point: Point) -> Result<Vec<u64>, ConfigError> {
        let mut detector = point.detector(self.timeline)?;
        let mut patience = Vec::with_capacity(self.arrivals.len());
        self.timeline.watch(detector.as_mut(), |scored| patience.push(scored.deadline - scored.at));
        Ok(patience)
    }

    pub(crate) fn scale(&self) -> Scale {
        self.timeline.scale()
    }

    /// Returns the ticks in so many nanoseconds, saturating.
    pub(crate) fn ticks(&self, nanos: u64) -> u64 {
        self.scale().ticks(nanos)
    }

    /// Returns the whole nanoseconds in so many ticks, rounded up.
    pub(crate) fn nanos(&self, ticks: u64) -> u64 {
        round((self.scale().seconds(ticks.into()) * 1e9).ceil())
    }

    /// Returns the scored seconds.
    pub(crate) fn span(&self) -> f64 {
        self.seconds_of(0..PARTS)
    }

    /// Returns the seconds of some parts.
    pub(crate) fn seconds_of(&self, parts: Range<usize>) -> f64 {
        let parts = self.parts.get(parts).unwrap_or_default();
        let ticks: u64 = parts.iter().map(|part| part.end - part.start).sum();
        self.scale().seconds(ticks.into())
    }

    /// Returns the worst lateness, in seconds.
    pub(crate) fn lateness(&self) -> f64 {
        let worst = self.parts.last().map_or(0, |part| part.lateness);
        self.scale().seconds(worst.into())
    }
}

/// Divides the time from the first scored arrival to the last one's successor into equal parts.
fn parts(timeline: &Timeline, arrivals: &[Arrival]) -> [Part; PARTS] {
    let start = arrivals.first().map_or(0, |arrival| arrival.at);
    let end = arrivals.last().map_or(0, |arrival| arrival.at + arrival.silence);
    let divisor = u64::try_from(PARTS).unwrap_or(u64::MAX);
    let mut cut = start;
    let mut next_arrival = 0;
    // Where the times of sending stand as they are, even the fastest heartbeat took its time.
    let fastest = (timeline.since() == Since::Sent).then_some(0);
    let mut lateness = Lateness { fastest, absolute: fastest.is_some(), ..Lateness::default() };
    let mut beats = timeline.beats().iter().peekable();
    let interval = timeline.interval().as_nanos();
    let mut index = 0;
    [(); PARTS].map(|()| {
        index += 1;
        let until = if index == divisor { end } else { start + (end - start) / divisor * index };
        let is_inside = |arrival: &Arrival| arrival.at < until;
        let first = next_arrival;
        next_arrival = arrivals.partition_point(is_inside);
        while let Some(beat) = beats.next_if(|beat| beat.at < until) {
            lateness.add(i128::from(beat.at) - beat.since, beat.fresh);
        }
        let part = Part {
            arrivals: first..next_arrival,
            start: cut,
            end: until,
            fastest: lateness.fastest.unwrap_or(0),
            lateness: lateness.worst(i128::try_from(interval).unwrap_or(i128::MAX)),
        };
        cut = until;
        part
    })
}

/// How late heartbeats were.
#[derive(Debug, Default)]
struct Lateness {
    fastest: Option<i128>,
    /// Whether the fastest is not looked for.
    absolute: bool,
    worst_fresh: i128,
    worst: i128,
}

impl Lateness {
    fn add(&mut self, late: i128, fresh: bool) {
        if !self.absolute {
            self.fastest = Some(self.fastest.map_or(late, |fastest| fastest.min(late)));
        }
        self.worst = self.worst.max(late);
        if fresh {
            self.worst_fresh = self.worst_fresh.max(late);
        }
    }

    /// Returns how late news can be. Heartbeats that were overtaken count up to one interval: had the one
    /// after them been lost, as any may be, they would have been news.
    fn worst(&self, interval: i128) -> u64 {
        let fastest = self.fastest.unwrap_or(0);
        let worst = (self.worst_fresh - fastest).max((self.worst - fastest).min(interval));
        u64::try_from(worst.max(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
