use core::fmt;
use std::{collections::HashSet, path::PathBuf};

use crate::{compare::LEAST_FRESH, trace::Trace};

/// What a recording came to, in a line or two.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Summary {
    /// A sender sent heartbeats.
    Sent {
        /// How many.
        heartbeats: u64,
        /// How many of them the operating system refused to send.
        refused: u64,
        /// How many were answered by the other host with “nobody listens”, at least.
        unheard: u64,
    },
    /// A receiver wrote a trace.
    Recorded {
        /// Where.
        output: PathBuf,
        /// What is in it.
        counts: Counts,
        /// How many datagrams of later senders were ignored.
        other_sessions: u64,
        /// How many other datagrams were ignored.
        foreign: u64,
    },
    /// A relay forwarded datagrams until it was stopped.
    Relayed,
}

/// What is in a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The number of different heartbeats, the lost ones among them.
    pub heartbeats: usize,
    /// How many of them never arrived.
    pub lost: usize,
    /// How many first arrived after a later one had.
    pub stale: usize,
    /// How many arrivals were of a heartbeat that had arrived before.
    pub duplicate: usize,
}

impl Counts {
    /// Counts what is in `trace`.
    #[must_use]
    pub fn of(trace: &Trace) -> Self {
        let mut arrivals: Vec<_> = trace.beats.iter().filter(|b| b.received.is_some()).collect();
        arrivals.sort_by_key(|beat| beat.received);
        let mut counts = Self::default();
        let mut seen = HashSet::new();
        let mut highest = None;
        for beat in arrivals {
            if !seen.insert(beat.sequence) {
                counts.duplicate += 1;
            } else if highest > Some(beat.sequence) {
                counts.stale += 1;
            }
            highest = highest.max(Some(beat.sequence));
        }
        let lost = |sequence: &u64| !seen.contains(sequence);
        let all: HashSet<_> = trace.beats.iter().map(|beat| beat.sequence).collect();
        counts.heartbeats = all.len();
        counts.lost = all.iter().copied().filter(lost).count();
        counts
    }

    /// Returns how many were the newest so far when they arrived.
    #[must_use]
    pub const fn fresh(&self) -> usize {
        self.heartbeats.saturating_sub(self.lost).saturating_sub(self.stale)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { heartbeats, refused, unheard } => {
                write!(f, "sent {heartbeats} heartbeats, of which {refused} were refused")?;
                if *unheard > 0 {
                    write!(f, "; {unheard} of {heartbeats} were answered by “nobody listens”")?;
                }
                Ok(())
            }
            Self::Recorded { output, counts, other_sessions, foreign } => {
                let Counts { heartbeats, lost, stale, duplicate } = counts;
                write!(
                    f,
                    "{}: {heartbeats} heartbeats, {lost} lost, {stale} out of order, {duplicate} \
                     duplicates; {foreign} other datagrams ignored",
                    output.display()
                )?;
                if *other_sessions > 0 {
                    write!(f, ", and {other_sessions} of a second sender")?;
                }
                let fresh = counts.fresh();
                if fresh < LEAST_FRESH {
                    write!(
                        f,
                        "\n`surmise-lab compare` needs {LEAST_FRESH} heartbeats in order, and this \
                         trace has {fresh}: record for longer"
                    )?;
                }
                Ok(())
            }
            Self::Relayed => write!(f, "relayed until the end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::HeartbeatRecord;

    #[test]
    fn counts_each_kind_once() {
        let rows =
            [(0, Some(10)), (1, None), (2, Some(30)), (2, Some(35)), (3, Some(25)), (4, None)];
        let beats = rows.map(|(sequence, received)| HeartbeatRecord::new(sequence, None, received));
        let counts = Counts::of(&Trace::new("t", beats.to_vec()));
        // Beat 2 arrives after 3, and then again.
        assert_eq!(counts, Counts { heartbeats: 5, lost: 2, stale: 1, duplicate: 1 });
        assert_eq!(counts.fresh(), 2);
        assert_eq!(Counts::of(&Trace::default()), Counts::default());
    }

    #[test]
    fn a_trace_too_short_to_compare_is_called_so() {
        let said = |heartbeats| {
            let counts = Counts { heartbeats, lost: 3, stale: 2, duplicate: 9 };
            Summary::Recorded { output: "my.csv".into(), counts, other_sessions: 0, foreign: 0 }
                .to_string()
        };
        let hint =
            "\n`surmise-lab compare` needs 102 heartbeats in order, and this trace has 101: ";
        assert!(said(106).contains(hint), "{}", said(106));
        assert_eq!(said(107).lines().count(), 1);
    }
}
