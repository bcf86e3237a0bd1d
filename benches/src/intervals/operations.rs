use core::{convert::Infallible, time::Duration};

use surmise_interval::{ClockError, CommitWait, Interval, IntervalClockConfig};
use surmise_time::Instant;

#[cfg(target_os = "linux")]
use super::reading;
use super::{
    IntervalContender, Visitor,
    contender::{sample, visit_all},
};
use crate::{Made, Meter, Operation, Origin, Subject, footprint};

/// Shows every operation of every interval clock to a meter.
///
/// # Errors
///
/// If the peer's shared memory cannot be made or read.
pub fn measure(meter: &mut impl Meter) -> Made<()> {
    visit_all(&mut IntervalClocks(meter));
    #[cfg(target_os = "linux")]
    if meter.reads_clocks() {
        reading::measure(meter)?;
    }
    Ok(())
}

struct IntervalClocks<'a, M>(&'a mut M);

impl<M: Meter> Visitor for IntervalClocks<'_, M> {
    fn visit<C: IntervalContender>(&mut self, name: &'static str) {
        let meter = &mut *self.0;
        let subject = Subject { table: TABLE, name, origin: Origin::Ours };
        let make = || C::new(IntervalClockConfig::default());
        let Ok((_, bytes)) = footprint(|| Ok::<_, Infallible>(make()));
        meter.bytes(subject, bytes);

        let synchronized = || {
            let mut clock = make();
            clock.synchronize(sample(SAMPLED));
            clock
        };
        meter.operation(subject, "now given", Given::new(synchronized()));
        meter.operation(subject, "remaining", Remaining(Given::new(synchronized())));
        #[cfg(target_os = "linux")]
        if meter.reads_clocks() {
            meter.operation(subject, "now", reading::Reads::<C>::new());
        }
    }
}

/// A clock that is asked with readings that somebody made before.
struct Given<C> {
    clock: C,
    readings: Box<dyn Iterator<Item = Instant>>,
}

impl<C> Given<C> {
    /// Readings begin anew after a second, so that the sample is always relied on.
    fn new(clock: C) -> Self {
        let readings = (0..1000).cycle().map(|millis| SAMPLED + Duration::from_millis(millis));
        Self { clock, readings: Box::new(readings) }
    }

    fn next_reading(&mut self) -> Instant {
        self.readings.next().expect("readings never end")
    }
}

impl<C: IntervalContender> Operation for Given<C> {
    type Subject = C;

    type Input = Instant;

    type Output = Result<Interval, ClockError>;

    fn subject(&mut self) -> &mut C {
        &mut self.clock
    }

    fn next_input(&mut self) -> Instant {
        self.next_reading()
    }

    #[inline]
    fn call(clock: &mut C, now: Instant) -> Self::Output {
        clock.now(now)
    }
}

/// Asks how long the latest possible timestamp has to be waited for.
struct Remaining<C>(Given<C>);

impl<C: IntervalContender> Operation for Remaining<C> {
    type Subject = C;

    type Input = (CommitWait, Instant);

    type Output = Result<Duration, ClockError>;

    fn subject(&mut self) -> &mut C {
        &mut self.0.clock
    }

    fn next_input(&mut self) -> Self::Input {
        let now = self.0.next_reading();
        let interval = self.0.clock.now(now).expect("the sample is relied on");
        (CommitWait::new(interval.latest()), now)
    }

    #[inline]
    fn call(clock: &mut C, (commit, now): Self::Input) -> Self::Output {
        commit.remaining(&clock.get(), now)
    }
}

/// The table that everything here has a row in.
pub(super) const TABLE: &str = "interval clocks";

const SAMPLED: Instant = Instant::from_nanos(1 << 50);
