use clock_bound_client::ClockBoundNowResult;
use surmise_interval::{ClockError, Interval, IntervalClockConfig};
use surmise_time::{BootClock, Instant, MonotonicClock};

use super::{ClockBound, IntervalContender, contender::sample, operations::TABLE};
use crate::{Made, Meter, Operation, Origin, Subject, footprint};

/// Shows what the reading of a clock takes to a meter, and the peer that cannot do without.
pub(super) fn measure(meter: &mut impl Meter) -> Made<()> {
    let subject = Subject { table: TABLE, name: "boot-clock", origin: Origin::Ours };
    meter.operation(subject, "read", Reading);

    let name = "clock-bound-client";
    let subject = Subject { table: TABLE, name, origin: Origin::Peer };
    let (peer, bytes) = footprint(ClockBound::new)?;
    meter.bytes(subject, bytes);
    meter.operation(subject, "now", PeerReads(peer));
    Ok(())
}

/// A clock that is asked what time it is now.
pub(super) struct Reads<C>(C);

impl<C: IntervalContender> Reads<C> {
    pub(super) fn new() -> Self {
        let mut clock = C::new(IntervalClockConfig::default());
        clock.synchronize(sample(BootClock.now()));
        Self(clock)
    }
}

impl<C: IntervalContender> Operation for Reads<C> {
    type Subject = C;

    type Input = ();

    type Output = Result<Interval, ClockError>;

    fn subject(&mut self) -> &mut C {
        &mut self.0
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(clock: &mut C, (): ()) -> Self::Output {
        clock.now(BootClock.now())
    }
}

/// Nothing but the reading.
struct Reading;

impl Operation for Reading {
    type Subject = Self;

    type Input = ();

    type Output = Instant;

    fn subject(&mut self) -> &mut Self {
        self
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(_: &mut Self, (): ()) -> Instant {
        BootClock.now()
    }
}

struct PeerReads(ClockBound);

impl Operation for PeerReads {
    type Subject = ClockBound;

    type Input = ();

    type Output = ClockBoundNowResult;

    fn subject(&mut self) -> &mut ClockBound {
        &mut self.0
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(peer: &mut ClockBound, (): ()) -> ClockBoundNowResult {
        peer.now()
    }
}
