use core::time::Duration;

use surmise_sim::Scenario;
use surmise_time::Instant;

use super::PEERS;

/// The time from one heartbeat of a peer to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// When the observer is stalled.
pub(super) const STALLED_AT: Instant = Instant::from_nanos(120_000_000_000);

/// Who dies.
pub(super) const VICTIM: u32 = 0;

/// What arrives at the observer, in order, whether it reads it or not.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    arrivals: Vec<Arrival>,
    next: usize,
}

/// A heartbeat that arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) peer: u32,
    pub(super) sequence: u64,
    pub(super) at: Instant,
}

impl Arrivals {
    /// Returns the heartbeats of peers that all live until the end, but for the one that sends its last in the
    /// middle of the stall.
    pub(super) fn with_death_amid(stall: Duration, end: Instant) -> Self {
        let mut arrivals = Vec::new();
        let death = STALLED_AT + stall / 2;
        for peer in 0..PEERS {
            let (phase, last) = if peer == VICTIM {
                (Duration::from_nanos(death.as_nanos() % NANOS), death)
            } else {
                (INTERVAL * peer / PEERS, end)
            };
            let start = Instant::ORIGIN + phase;
            let beats = (last - start).as_nanos() / INTERVAL.as_nanos() + 1;
            let scenario = Scenario {
                interval: INTERVAL,
                beats: u64::try_from(beats).unwrap_or(u64::MAX),
                start,
                ..Scenario::calm(peer.into())
            };
            let of_peer = scenario.arrivals().into_iter();
            arrivals.extend(of_peer.map(|a| Arrival {
                peer,
                sequence: a.sequence,
                at: a.received,
            }));
        }
        arrivals.sort_by_key(|arrival| arrival.at);
        Self { arrivals, next: 0 }
    }

    /// Returns what has arrived at `now` and was not returned before.
    pub(super) fn until(&mut self, now: Instant) -> impl Iterator<Item = Arrival> {
        core::iter::from_fn(move || {
            let arrival = self.arrivals.get(self.next).filter(|arrival| arrival.at <= now)?;
            self.next += 1;
            Some(*arrival)
        })
    }
}

const NANOS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stalls::GoesOn;

    #[test]
    fn the_victim_sends_its_last_in_the_middle_of_the_stall() {
        for stall in GoesOn::ALL.into_iter().flat_map(GoesOn::stalls) {
            let end = STALLED_AT + stall + INTERVAL;
            let mut arrivals = Arrivals::with_death_amid(stall, end);
            let all: Vec<Arrival> = arrivals.until(end + INTERVAL).collect();
            let last = |peer| all.iter().rfind(|arrival| arrival.peer == peer).unwrap().at;
            let tolerance = Duration::from_millis(5);
            assert!(last(VICTIM) - (STALLED_AT + stall / 2) < tolerance);
            assert!((1..PEERS).all(|peer| end - last(peer) < INTERVAL));
            assert!(all.is_sorted_by_key(|arrival| arrival.at));
        }
    }
}
