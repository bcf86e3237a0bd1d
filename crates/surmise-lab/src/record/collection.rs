//! What a receiver gathers, as a value.

use super::{Datagram, DatagramKind, DecodeError, MAX_HEARTBEATS};
use crate::trace::{HeartbeatRecord, Trace};

/// The heartbeats that arrived from one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    session: Option<u64>,
    arrivals: Vec<HeartbeatRecord>,
    announced: Option<u64>,
    foreign: u64,
    other_sessions: u64,
}

/// What a datagram was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Heartbeat(HeartbeatRecord),
    End,
    /// Of another sender than the first that was heard.
    OtherSession,
    /// Not ours: no datagram of a recorder, an end before any heartbeat, or beyond every limit.
    Foreign,
}

impl Collection {
    /// Takes what was received at `received`. The first session heard is the one that is recorded.
    pub(super) fn take(&mut self, datagram: Result<Datagram, DecodeError>, received: u64) -> Taken {
        let taken = match datagram {
            Ok(datagram) if self.accepts(&datagram) => {
                self.session = Some(datagram.session);
                match datagram.kind {
                    DatagramKind::End => Taken::End,
                    DatagramKind::Heartbeat => Taken::Heartbeat(HeartbeatRecord::new(
                        datagram.sequence,
                        Some(datagram.sent),
                        Some(received),
                    )),
                }
            }
            Ok(Datagram { session, .. }) if self.session.is_some_and(|ours| ours != session) => {
                Taken::OtherSession
            }
            _ => Taken::Foreign,
        };
        match (taken, datagram) {
            (Taken::Heartbeat(beat), _) => self.arrivals.push(beat),
            (Taken::End, Ok(end)) => self.announced = Some(end.sequence),
            (Taken::OtherSession, _) => self.other_sessions += 1,
            _ => self.foreign += 1,
        }
        taken
    }

    pub(super) fn arrived(&self) -> usize {
        self.arrivals.len()
    }

    pub(super) const fn foreign(&self) -> u64 {
        self.foreign
    }

    pub(super) const fn other_sessions(&self) -> u64 {
        self.other_sessions
    }

    /// Returns whether there is room for no more heartbeats.
    pub(super) fn is_full(&self) -> bool {
        u64::try_from(self.arrivals.len()).map_or(true, |length| length >= MAX_HEARTBEATS)
    }

    /// Returns the trace, with a row for each heartbeat that was lost.
    ///
    /// With `sent`, the times at which heartbeats 0, 1, … were sent, nothing is left to guess.
    /// Without, those before the first that arrived were perhaps sent before the receiver listened
    /// and are left out, and those after the last are known only if the sender announced its end.
    /// The earliest of all times becomes zero.
    pub(super) fn into_trace(self, name: &str, sent: Option<&[u64]>) -> Trace {
        let mut arrived: Vec<u64> = self.arrivals.iter().map(|beat| beat.sequence).collect();
        arrived.sort_unstable();
        let (first, end) = match sent {
            Some(sent) => (0, u64::try_from(sent.len()).unwrap_or(u64::MAX)),
            None => (
                arrived.first().copied().unwrap_or(0),
                self.announced.unwrap_or_else(|| arrived.last().map_or(0, |last| last + 1)),
            ),
        };
        let sent_at = |sequence: u64| {
            sent.and_then(|times| times.get(usize::try_from(sequence).ok()?).copied())
        };
        let lost = (first..end)
            .filter(|sequence| arrived.binary_search(sequence).is_err())
            .map(|sequence| HeartbeatRecord::new(sequence, sent_at(sequence), None));
        let mut beats: Vec<_> = lost.collect();
        beats.extend(self.arrivals);
        rebase(&mut beats);
        Trace::new(name, beats)
    }

    fn accepts(&self, datagram: &Datagram) -> bool {
        let limit = match datagram.kind {
            DatagramKind::Heartbeat => MAX_HEARTBEATS - 1,
            DatagramKind::End => MAX_HEARTBEATS,
        };
        // A lone end may be left over from a sender before ours.
        let session = match self.session {
            Some(session) => session == datagram.session,
            None => datagram.kind == DatagramKind::Heartbeat,
        };
        session && datagram.sequence <= limit
    }
}

/// Makes the earliest of all times zero.
fn rebase(beats: &mut [HeartbeatRecord]) {
    let origin = beats.iter().flat_map(|beat| beat.sent.into_iter().chain(beat.received)).min();
    let Some(origin) = origin else { return };
    for beat in beats {
        beat.sent = beat.sent.map(|nanos| nanos - origin);
        beat.received = beat.received.map(|nanos| nanos - origin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: u64 = 7;

    fn beat(sequence: u64, sent: u64) -> Result<Datagram, DecodeError> {
        Ok(Datagram::new(DatagramKind::Heartbeat, SESSION, sequence, sent))
    }

    fn end(count: u64) -> Result<Datagram, DecodeError> {
        Ok(Datagram::new(DatagramKind::End, SESSION, count, 0))
    }

    fn rows(trace: &Trace) -> Vec<(u64, Option<u64>, Option<u64>)> {
        trace.beats.iter().map(|beat| (beat.sequence, beat.sent, beat.received)).collect()
    }

    #[test]
    fn without_the_senders_times_the_ends_are_open() {
        let mut collection = Collection::default();
        collection.take(beat(4, 1_000), 1_005);
        collection.take(beat(2, 800), 1_006);
        collection.take(beat(4, 1_000), 1_007);
        let open = collection.clone().into_trace("t", None);
        let seen = [
            (2, Some(0), Some(206)),
            (3, None, None),
            (4, Some(200), Some(205)),
            (4, Some(200), Some(207)),
        ];
        assert_eq!(rows(&open), seen);

        assert_eq!(collection.take(end(6), 2_000), Taken::End);
        let ended = collection.into_trace("t", None);
        assert_eq!(rows(&ended), [&seen[..], &[(5, None, None)]].concat());
    }

    #[test]
    fn with_the_senders_times_every_heartbeat_is_known() {
        let mut collection = Collection::default();
        collection.take(beat(1, 20), 25);
        let trace = collection.into_trace("t", Some(&[10, 20, 30]));
        let expected = [(0, Some(0), None), (1, Some(10), Some(15)), (2, Some(20), None)];
        assert_eq!(rows(&trace), expected);
    }

    #[test]
    fn what_is_not_ours_is_counted_and_left_out() {
        let mut collection = Collection::default();
        assert_eq!(collection.take(end(9), 0), Taken::Foreign);
        assert_eq!(collection.take(Err(DecodeError::Length { found: 3 }), 0), Taken::Foreign);
        assert!(matches!(collection.take(beat(0, 5), 6), Taken::Heartbeat(_)));
        let stranger = Datagram::new(DatagramKind::Heartbeat, SESSION + 1, 1, 5);
        assert_eq!(collection.take(Ok(stranger), 7), Taken::OtherSession);
        assert_eq!(collection.take(beat(MAX_HEARTBEATS, 5), 7), Taken::Foreign);
        assert_eq!(collection.take(end(MAX_HEARTBEATS + 1), 7), Taken::Foreign);
        assert_eq!((collection.foreign(), collection.other_sessions()), (4, 1));
        assert_eq!(rows(&collection.into_trace("t", None)), [(0, Some(0), Some(1))]);
    }
}
