use core::time::Duration;
use std::collections::HashSet;

use super::line::{Line, Reply};
use crate::trace::HeartbeatRecord;

/// `ping` counts in sixteen bits.
const WRAP: u64 = 1 << 16;

/// How many losses around the wrap are more plausible than a new run.
const MAX_LOST_AT_WRAP: u64 = 1_000;

/// How far behind a number may be and be late, however short its round trip.
const MAX_BEHIND: u64 = 1_000;

/// One run of `ping`, as far as it was read.
#[derive(Debug)]
pub(super) struct Session {
    /// The time between two requests, for replies without stamps.
    interval: u64,
    /// Whether the replies are stamped, as soon as there is one.
    stamped: Option<bool>,
    /// The least and the greatest number mentioned.
    span: Option<(u64, u64)>,
    /// The greatest number that was answered, and when its request was sent.
    latest: Option<(u64, Option<u64>)>,
    answered: HashSet<u64>,
    arrivals: Vec<HeartbeatRecord>,
}

impl Session {
    pub(super) fn new(interval: u64) -> Self {
        Self {
            interval,
            stamped: None,
            span: None,
            latest: None,
            answered: HashSet::new(),
            arrivals: Vec::new(),
        }
    }

    /// Takes a line that does not end the session.
    pub(super) fn take(&mut self, line: &Line) {
        let (Line::Reply(Reply { sequence, .. }) | Line::Missing { sequence, .. }) = *line else {
            return;
        };
        // What cannot be followed ends the session, unless it is not even in order.
        let Some(sequence) = self.follow(sequence) else { return };
        let (first, last) = self.span.unwrap_or((sequence, sequence));
        self.span = Some((first.min(sequence), last.max(sequence)));
        if let Line::Reply(reply) = line {
            let beat = self.record(sequence, reply);
            self.stamped = Some(reply.stamp.is_some());
            self.answered.insert(sequence);
            self.arrivals.push(beat);
            if self.latest.is_none_or(|(latest, _)| latest <= sequence) {
                self.latest = Some((sequence, beat.sent));
            }
        }
    }

    /// Returns whether another session begins with this line.
    pub(super) fn is_ended_by(&self, line: &Line) -> bool {
        let Some((_, last)) = self.span else { return false };
        let (sequence, reply) = match line {
            Line::Boundary => return true,
            Line::Other | Line::Missing { in_order: false, .. } => return false,
            Line::Missing { sequence, .. } => (*sequence, None),
            Line::Reply(reply) => (reply.sequence, Some(reply)),
        };
        let Some(followed) = self.follow(sequence) else { return true };
        let starts_low = sequence <= 1;
        if followed > last && starts_low && followed - last > MAX_LOST_AT_WRAP {
            return true;
        }
        reply.map_or_else(
            || self.answered.contains(&followed),
            |reply| {
                self.stamped.is_some_and(|stamped| stamped != reply.stamp.is_some())
                    || followed <= last && !self.is_duplicate_or_late(followed, reply)
            },
        )
    }

    pub(super) fn has_replies(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Returns the time between two requests, if the replies do not tell it.
    pub(super) fn assumed_interval(&self) -> Option<Duration> {
        (self.stamped == Some(false)).then(|| Duration::from_nanos(self.interval))
    }

    /// Returns how many records the session will come to.
    pub(super) fn rows(&self) -> usize {
        let span = self.span.map_or(0, |(first, last)| (last - first).saturating_add(1));
        let duplicates = self.arrivals.len().saturating_sub(self.answered.len());
        usize::try_from(span).unwrap_or(usize::MAX).saturating_add(duplicates)
    }

    /// Returns a record for every arrival and every loss.
    pub(super) fn into_beats(self) -> Vec<HeartbeatRecord> {
        let all = self.span.map(|(first, last)| first..=last);
        let lost = all.into_iter().flatten().filter(|sequence| !self.answered.contains(sequence));
        let lost = lost.map(|sequence| {
            let sent = (self.stamped == Some(false)).then(|| self.scheduled(sequence));
            HeartbeatRecord::new(sequence, sent, None)
        });
        let mut beats: Vec<_> = lost.collect();
        beats.extend(self.arrivals);
        beats
    }

    /// Returns the number that goes on counting beyond the wrap: the one nearest to the last.
    fn follow(&self, sequence: u64) -> Option<u64> {
        let Some((_, last)) = self.span else { return Some(sequence) };
        let ahead = sequence.wrapping_sub(last) % WRAP;
        if ahead < WRAP / 2 { last.checked_add(ahead) } else { last.checked_sub(WRAP - ahead) }
    }

    fn is_duplicate_or_late(&self, sequence: u64, reply: &Reply) -> bool {
        if reply.duplicate {
            return true;
        }
        if self.answered.contains(&sequence) {
            return false;
        }
        let Some((latest, latest_sent)) = self.latest else { return true };
        let Some(behind) = latest.checked_sub(sequence) else { return true };
        let is_near = reply.sequence > 1 && behind <= MAX_BEHIND;
        match (reply.stamp, reply.round_trip) {
            (Some(stamp), Some(round_trip)) => stamp.checked_sub(round_trip) < latest_sent,
            (_, None) => is_near,
            (None, Some(round_trip)) => {
                is_near || round_trip >= behind.saturating_mul(self.interval / 2)
            }
        }
    }

    fn record(&self, sequence: u64, reply: &Reply) -> HeartbeatRecord {
        let (sent, received) = match (reply.stamp, reply.round_trip) {
            (Some(stamp), Some(round_trip)) => (stamp.checked_sub(round_trip), stamp),
            (Some(stamp), None) => (None, stamp),
            (None, round_trip) => {
                let sent = self.scheduled(sequence);
                (Some(sent), sent.saturating_add(round_trip.unwrap_or(0)))
            }
        };
        HeartbeatRecord::new(sequence, sent, Some(received))
    }

    fn scheduled(&self, sequence: u64) -> u64 {
        sequence.saturating_mul(self.interval)
    }
}
