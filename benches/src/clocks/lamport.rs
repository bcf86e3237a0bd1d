use core::convert::Infallible;

use surmise_clock::{LamportClock, LamportOverflow, LamportTime, sync::AtomicLamportClock};

use crate::{Meter, Operation, Origin, Subject, footprint};

/// Shows every operation of the Lamport clocks to a meter.
pub(super) fn measure(meter: &mut impl Meter) {
    clock(meter, "lamport-atomic", AtomicLamportClock::new);
    clock(meter, "lamport", LamportClock::new);
}

fn clock<C: Lamport>(meter: &mut impl Meter, name: &str, make: impl Fn() -> C) {
    let subject = Subject { table: "Lamport clocks", name, origin: Origin::Ours };
    let Ok((_, bytes)) = footprint(|| Ok::<_, Infallible>(make()));
    meter.bytes(subject, bytes);
    meter.operation(subject, "tick", Ticks(make()));
    // Its own stamp is twice as far when it receives the next one.
    let ahead = Witnesses { clock: make(), remote: 0, step: 2 };
    meter.operation(subject, "witness newer", ahead);
    let behind = Witnesses { clock: make(), remote: 0, step: 0 };
    meter.operation(subject, "witness older", behind);
}

trait Lamport {
    fn tick(&mut self) -> Result<LamportTime, LamportOverflow>;

    fn witness(&mut self, remote: LamportTime) -> Result<LamportTime, LamportOverflow>;
}

impl Lamport for LamportClock {
    #[inline]
    fn tick(&mut self) -> Result<LamportTime, LamportOverflow> {
        Self::tick(self)
    }

    #[inline]
    fn witness(&mut self, remote: LamportTime) -> Result<LamportTime, LamportOverflow> {
        Self::witness(self, remote)
    }
}

impl Lamport for AtomicLamportClock {
    #[inline]
    fn tick(&mut self) -> Result<LamportTime, LamportOverflow> {
        Self::tick(self)
    }

    #[inline]
    fn witness(&mut self, remote: LamportTime) -> Result<LamportTime, LamportOverflow> {
        Self::witness(self, remote)
    }
}

struct Ticks<C>(C);

impl<C: Lamport> Operation for Ticks<C> {
    type Subject = C;

    type Input = ();

    type Output = Result<LamportTime, LamportOverflow>;

    fn subject(&mut self) -> &mut C {
        &mut self.0
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(clock: &mut C, (): ()) -> Self::Output {
        clock.tick()
    }
}

/// Takes in stamps that are each so much later than the one before.
struct Witnesses<C> {
    clock: C,
    remote: u64,
    step: u64,
}

impl<C: Lamport> Operation for Witnesses<C> {
    type Subject = C;

    type Input = LamportTime;

    type Output = Result<LamportTime, LamportOverflow>;

    fn subject(&mut self) -> &mut C {
        &mut self.clock
    }

    fn next_input(&mut self) -> LamportTime {
        self.remote += self.step;
        LamportTime::new(self.remote)
    }

    #[inline]
    fn call(clock: &mut C, remote: LamportTime) -> Self::Output {
        clock.witness(remote)
    }
}
