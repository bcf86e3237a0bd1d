use core::time::Duration;

use surmise_time::Instant;

/// How long a server that has said RATE is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backoff {
    wait: Duration,
    /// From when on it may be asked again.
    pub(super) again: Instant,
}

impl Backoff {
    /// What public servers are content with.
    const SHORTEST: Duration = Duration::from_secs(64);

    /// As long as a daemon's longest interval by default. Only the server asks for more.
    const LONGEST: Duration = Duration::from_secs(1024);

    /// RFC 5905's longest interval, `MAXPOLL`: a day and a half.
    const MAX_POLL: i8 = 17;

    /// Reacts to a RATE that came at `now`, and asked for 2 to the power of `poll` seconds.
    pub(super) fn new(previous: Option<Self>, poll: i8, now: Instant) -> Self {
        let doubled = previous.map_or(Self::SHORTEST, |previous| previous.wait * 2);
        let stated = Duration::from_secs(1 << poll.clamp(0, Self::MAX_POLL));
        let wait = doubled.clamp(Self::SHORTEST, Self::LONGEST).max(stated);
        Self { wait, again: now + wait }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Returns how many seconds the server is left alone after each of these.
    fn waits(polls: &[i8]) -> Vec<u64> {
        let now = Instant::from_nanos(7);
        let mut previous = None;
        let wait = |poll: &i8| {
            let backoff = Backoff::new(previous, *poll, now);
            previous = Some(backoff);
            (backoff.again - now).as_secs()
        };
        polls.iter().map(wait).collect()
    }

    #[test]
    fn it_doubles_from_a_minute_to_a_quarter_of_an_hour() {
        assert_eq!(waits(&[0; 7]), [64, 128, 256, 512, 1024, 1024, 1024]);
        assert_eq!(waits(&[i8::MIN, -1, 6]), [64, 128, 256]);
    }

    #[test]
    fn what_the_server_asks_for_is_heeded_if_it_is_more() {
        assert_eq!(waits(&[7, 7, 7]), [128, 256, 512]);
        assert_eq!(waits(&[6, 10, 6]), [64, 1024, 1024]);
        assert_eq!(waits(&[17, 0, 12]), [131_072, 1024, 4096]);
        assert_eq!(waits(&[i8::MAX, 18]), [131_072, 131_072]);
    }
}
