//! A node as the paper has it: one unbounded number, a bound on drift, and a ceiling.

use core::{num::NonZeroU32, time::Duration};

use surmise_clock::{HybridTimestamp, StampRefused};
use surmise_time::WallTime;

use crate::{
    clocks::Clocks,
    ops::{Landmarks, Op},
};

/// Does what is said with the clocks, and checks each result.
pub(crate) fn drive(clocks: impl Clocks, max_offset: Duration, window: Duration, ops: &[Op]) {
    let max_offset = max_offset.as_nanos().min(MAX_OFFSET);
    assert_eq!(clocks.max_offset().as_nanos(), max_offset);
    let mut node = Node {
        clocks,
        max_offset,
        window: window.as_nanos().clamp(1, MAX_OFFSET),
        latest: 0,
        ceiling: 0,
        durable: None,
        seen: 0,
        physical: 1_795_230_725_000_000_000,
    };
    for &op in ops {
        node.step(op);
        node.check_state();
    }
}

struct Node<C> {
    clocks: C,
    max_offset: u128,
    window: u128,
    /// The latest stamp that the clocks know of, 0 if none.
    latest: u128,
    /// The ceiling that they know of, 0 if none.
    ceiling: u128,
    /// What is on stable storage.
    durable: Option<HybridTimestamp>,
    /// The latest stamp that was ever given or taken in: all that follow must be later.
    seen: u128,
    /// The wall clock's last reading.
    physical: u64,
}

/// Which stamp is refused, and why.
#[derive(Debug, PartialEq)]
enum Refusal {
    Drift(u128),
    Ceiling(u128),
}

impl<C: Clocks> Node<C> {
    fn step(&mut self, op: Op) {
        let near = self.landmarks();
        let look = |node: &mut Self, now: WallTime| {
            node.physical = now.as_nanos();
            now
        };
        match op {
            Op::Tick { now } => {
                let now = look(self, now.wall_time(&near));
                let expected = self.permit(self.next(self.latest));
                let stamp = self.clocks.tick(now);
                self.check_given(expected, stamp);
            }
            Op::Observe { remote, now } => {
                let (remote, now) = (remote.stamp(&near), look(self, now.wall_time(&near)));
                let expected = self.observed(remote).and_then(|latest| self.permit(latest));
                let outcome = self.clocks.observe(remote, now);
                self.check_refusal(expected.as_ref().err(), outcome.err());
                if let Ok(latest) = expected {
                    self.latest = latest;
                    self.seen = self.seen.max(latest);
                }
            }
            Op::Witness { remote, now } => {
                let (remote, now) = (remote.stamp(&near), look(self, now.wall_time(&near)));
                let next = self.observed(remote).map(|latest| self.next(latest));
                let expected = next.and_then(|latest| self.permit(latest));
                let stamp = self.clocks.witness(remote, now);
                assert!(
                    stamp.is_ok_and(|stamp| stamp > remote) || stamp.is_err(),
                    "{stamp:?} for {remote}"
                );
                self.check_given(expected, stamp);
            }
            Op::Reserve { count, now } => {
                let now = look(self, now.wall_time(&near));
                self.reserve(count.into(), now);
            }
            Op::Persist { now, known } => {
                let now = look(self, now.wall_time(&near));
                self.persist(now, known);
            }
            Op::Crash => self.crash(),
        }
    }

    fn reserve(&mut self, count: NonZeroU32, now: WallTime) {
        let last = self.next(self.latest) + u128::from(count.get()) - 1;
        let near = if last > self.reach() { Err(Refusal::Drift(last)) } else { Ok(last) };
        let expected = near.and_then(|last| self.permit(last));
        let given = self.clocks.reserve(count, now).map(|mut stamps| {
            assert_eq!(stamps.len(), count.get() as usize);
            let first = last - u128::from(count.get() - 1);
            assert!(first > self.seen, "{first} was given or taken in before");
            let begin: Vec<_> = stamps.by_ref().take(3).collect();
            assert!(begin.iter().copied().map(nanos).eq((first..=last).take(3)), "{begin:?}");
            stamps.last().or(begin.last().copied()).expect("there is one at least")
        });
        self.check_given(expected, given);
    }

    fn persist(&mut self, now: WallTime, known: bool) {
        let due = self.clocks.ceiling(now);
        if !self.clocks.has_ceiling() {
            return;
        }
        let acceptable = self.believed() + self.max_offset;
        let (needed, window) = if self.latest <= acceptable {
            (acceptable, self.window)
        } else {
            (self.latest, self.window.min(1_000_000))
        };
        let is_due = self.ceiling <= needed + window.div_ceil(2);
        let next = (needed + window + 1).min(MAX_CEILING);
        let expected = (is_due && next > self.ceiling).then_some(next);
        assert_eq!(due.map(nanos), expected);
        if let Some(due) = due {
            self.durable = Some(due);
            if known {
                self.clocks.raise_ceiling(due);
                self.ceiling = self.ceiling.max(nanos(due));
            }
        }
    }

    fn crash(&mut self) {
        if self.clocks.has_ceiling() {
            let restarted = self.clocks.restart(self.durable);
            assert_eq!(restarted, Ok(()), "clocks ask for ceilings that they can resume from");
            self.latest = self.durable.map_or(0, nanos);
            self.ceiling = self.latest;
        } else if self.clocks.restart(self.clocks.latest()).is_err() {
            assert!(self.latest > MAX_CEILING, "{} is no ceiling too high", self.latest);
        }
    }

    /// Checks a stamp that was given, the last of them if there are more.
    fn check_given(
        &mut self,
        expected: Result<u128, Refusal>,
        given: Result<HybridTimestamp, StampRefused>,
    ) {
        if let (Ok(latest), &Ok(stamp)) = (&expected, &given) {
            assert_eq!(nanos(stamp), *latest);
            assert!(*latest > self.seen, "{stamp} was given or taken in before");
            assert!(*latest >= self.believed(), "{stamp} is before physical time");
            (self.latest, self.seen) = (*latest, *latest);
        }
        self.check_refusal(expected.as_ref().err(), given.err());
    }

    fn check_refusal(&self, expected: Option<&Refusal>, refused: Option<StampRefused>) {
        let refused = refused.map(|refused| match refused {
            StampRefused::DriftExceeded(error) => {
                assert_eq!(error.physical.as_nanos(), self.physical);
                assert_eq!(error.max_offset().as_nanos(), self.max_offset);
                assert_eq!(error.ahead().as_nanos(), nanos(error.stamp) - self.believed());
                Refusal::Drift(nanos(error.stamp))
            }
            StampRefused::CeilingReached(error) => {
                assert_eq!(error.ceiling.map_or(0, nanos), self.ceiling);
                Refusal::Ceiling(nanos(error.stamp))
            }
            error => panic!("{error}"),
        });
        assert_eq!(refused.as_ref(), expected);
    }

    fn check_state(&self) {
        assert_eq!(self.clocks.latest().map_or(0, nanos), self.latest);
        let ahead = self.clocks.ahead(WallTime::from_nanos(self.physical));
        assert_eq!(ahead.as_nanos(), self.next(self.latest) - self.believed());
        if self.clocks.has_ceiling() {
            assert!(self.seen <= self.durable.map_or(0, nanos), "above what is durable");
        }
    }

    fn landmarks(&self) -> Landmarks {
        let cut = |nanos: u128| u64::try_from(nanos).unwrap_or(u64::MAX);
        Landmarks {
            physical: self.physical,
            latest: cut(self.latest),
            reach: cut(self.reach()),
            ceiling: cut(self.ceiling),
        }
    }

    /// Returns physical time as far as it is believed.
    fn believed(&self) -> u128 {
        self.physical.min(i64::MAX.unsigned_abs()).into()
    }

    /// Returns the farthest stamp that is taken in as news.
    fn reach(&self) -> u128 {
        self.believed() + self.max_offset
    }

    fn next(&self, latest: u128) -> u128 {
        self.believed().max(latest + 1)
    }

    fn observed(&self, remote: HybridTimestamp) -> Result<u128, Refusal> {
        let remote = nanos(remote);
        if remote > self.latest.max(self.reach()) {
            return Err(Refusal::Drift(remote));
        }
        Ok(self.latest.max(remote))
    }

    fn permit(&self, latest: u128) -> Result<u128, Refusal> {
        if self.clocks.has_ceiling() && latest > self.ceiling {
            return Err(Refusal::Ceiling(latest));
        }
        Ok(latest)
    }
}

fn nanos(stamp: HybridTimestamp) -> u128 {
    stamp.as_nanos().into()
}

/// Longer offsets and windows count as 36 years.
const MAX_OFFSET: u128 = 1 << 60;

/// The highest ceiling that a clock resumes from.
const MAX_CEILING: u128 = (1 << 63) + (1 << 62);
