//! The scored arrivals of a trace, and the parts that it is divided into.

use core::ops::Range;

use surmise_detector::ConfigError;

use super::{
    bounds::clustering,
    drift::{Floor, Hull},
};
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
    /// How much the receiver's clock gains on the sender's, in seconds a second.
    pub(crate) drift: f64,
}

/// A fresh arrival that is scored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: u64,
    /// The time until the next one.
    pub(crate) silence: u64,
    /// The time since it was sent by the trace's clocks.
    pub(crate) delay: i128,
    /// The time since it was sent, had the fastest heartbeat taken none.
    pub(crate) late: i128,
}

/// A part of a trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// The arrivals in it.
    pub(crate) arrivals: Range<usize>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// How fast a heartbeat could be, as far as all parts up to this one tell.
    pub(crate) floor: Floor,
    /// How late a heartbeat was news in all parts up to this one, at worst, as far as they tell.
    pub(crate) lateness: u64,
    /// How late a heartbeat of this part was news, at worst, as far as the whole trace tells.
    pub(crate) latest: u64,
}

impl<'a> History<'a> {
    /// Divides a trace, or returns how many fresh arrivals it has if they are too few.
    pub(crate) fn new(timeline: &'a Timeline) -> Result<Self, usize> {
        let fresh: Vec<_> = timeline.beats().iter().filter(|beat| beat.fresh).collect();
        if fresh.len() < LEAST_FRESH {
            return Err(fresh.len());
        }
        let scored = fresh.iter().zip(fresh.iter().skip(1)).skip(WARM_UP);
        let mut arrivals: Vec<Arrival> = scored
            .map(|(beat, next)| {
                let delay = i128::from(beat.at) - beat.since;
                Arrival { at: beat.at, silence: next.at - beat.at, delay, late: delay }
            })
            .collect();
        let mut parts = parts(timeline, &arrivals);
        let floor = parts.last().map(|part| part.floor).unwrap_or_default();
        for arrival in &mut arrivals {
            arrival.late = floor.above(arrival.at, arrival.delay);
        }
        for part in &mut parts {
            let own = arrivals.get(part.arrivals.clone()).unwrap_or_default();
            let latest = own.iter().map(|arrival| arrival.late).max().unwrap_or(0);
            part.latest = u64::try_from(latest).unwrap_or(0);
        }
        Ok(Self { timeline, arrivals, parts, drift: floor.slope })
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

    /// Returns how many silences come together that are longer than this.
    pub(crate) fn clustering(&self, nanos: u64) -> f64 {
        let silences: Vec<(u64, u64)> =
            self.arrivals.iter().map(|arrival| (arrival.at, arrival.silence)).collect();
        let start = self.parts.first().map_or(0, |part| part.start);
        let end = self.parts.last().map_or(0, |part| part.end);
        clustering(&(start..end), &silences, self.ticks(nanos))
    }

    /// Returns how much later a heartbeat came at worst on a part than on all parts before it.
    pub(crate) fn growth(&self) -> u64 {
        let next = self.parts.iter().skip(1);
        let growth = self.parts.iter().zip(next);
        growth.map(|(past, next)| next.latest.saturating_sub(past.lateness)).max().unwrap_or(0)
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
    let mut hull = Hull::default();
    let mut heard = 0;
    let mut index = 0;
    [(); PARTS].map(|()| {
        index += 1;
        let until = if index == divisor { end } else { start + (end - start) / divisor * index };
        let first = next_arrival;
        next_arrival = arrivals.partition_point(|arrival| arrival.at < until);
        let news = timeline.beats().iter().skip(heard).take_while(|beat| beat.at < until);
        for beat in news {
            hull.add(beat.at, i128::from(beat.at) - beat.since);
            heard += 1;
        }
        let floor = floor(timeline, heard, &hull);
        let lateness = lateness(timeline, heard, floor);
        let arrivals = first..next_arrival;
        let part = Part { arrivals, start: cut, end: until, floor, lateness, latest: 0 };
        cut = until;
        part
    })
}

/// Returns the least delays of so many heartbeats, by their hull.
fn floor(timeline: &Timeline, heard: usize, hull: &Hull) -> Floor {
    let beats = timeline.beats().iter().take(heard);
    match timeline.since() {
        Since::SentByTheFastest => {
            let delays = beats.map(|beat| (beat.at, i128::from(beat.at) - beat.since));
            Floor::below(hull.drift(), delays)
        }
        // Where the times of sending stand as they are, even the fastest heartbeat took its time.
        Since::Sent | Since::LastArrival => Floor::default(),
    }
}

/// Returns how late news can be, as far as so many heartbeats tell.
///
/// Heartbeats that were overtaken count up to one interval: had the one after them been lost, as any may be, they
/// would have been news.
fn lateness(timeline: &Timeline, heard: usize, floor: Floor) -> u64 {
    let interval = i128::try_from(timeline.interval().as_nanos()).unwrap_or(i128::MAX);
    let beats = timeline.beats().iter().take(heard);
    let late = beats.map(|beat| {
        let late = floor.above(beat.at, i128::from(beat.at) - beat.since);
        if beat.fresh { late } else { late.min(interval) }
    });
    u64::try_from(late.max().unwrap_or(0).max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
