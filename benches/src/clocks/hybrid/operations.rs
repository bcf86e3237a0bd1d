use core::{convert::Infallible, iter, time::Duration};

use surmise_time::WallTime;

use super::{HybridContender, Visitor, visit_all};
use crate::{Meter, Operation, Subject, footprint};

/// Shows every operation of every hybrid clock to a meter.
pub fn measure(meter: &mut impl Meter) {
    visit_all(&mut HybridClocks(meter));
}

/// Returns physical times without end, each of them so many times in a row.
pub fn physical_times(in_a_row: usize) -> impl Iterator<Item = WallTime> {
    (0..).flat_map(move |step| iter::repeat_n(START + STEP * step, in_a_row))
}

struct HybridClocks<'a, M>(&'a mut M);

impl<M: Meter> Visitor for HybridClocks<'_, M> {
    fn visit<C: HybridContender>(&mut self, name: &'static str, make: impl Fn() -> C) {
        let meter = &mut *self.0;
        let subject = Subject { table: "hybrid clocks", name, origin: C::ORIGIN };
        let Ok((_, bytes)) = footprint(|| Ok::<_, Infallible>(make()));
        meter.bytes(subject, bytes);

        for (what, in_a_row) in [("tick advancing", 1), ("tick standing", STANDING)] {
            let times = physical_times(in_a_row).map(C::physical);
            meter.operation(subject, what, Ticks { clock: make(), times: Box::new(times) });
        }
        let mut clock = make();
        clock.tick(C::physical(START));
        let older = physical_times(STANDING).map(|at| (C::remote(START - STEP), C::physical(at)));
        meter.operation(subject, "observe older", Observes(Receiver::new(clock, older)));

        let newer = || physical_times(1).map(|at| (C::remote(at + AHEAD), C::physical(at)));
        meter.operation(subject, "observe newer", Observes(Receiver::new(make(), newer())));
        meter.operation(subject, "witness newer", Witnesses(Receiver::new(make(), newer())));
    }
}

struct Ticks<C: HybridContender> {
    clock: C,
    times: Box<dyn Iterator<Item = C::Physical>>,
}

impl<C: HybridContender> Operation for Ticks<C> {
    type Subject = C;

    type Input = C::Physical;

    type Output = C::Stamp;

    fn subject(&mut self) -> &mut C {
        &mut self.clock
    }

    fn next_input(&mut self) -> C::Physical {
        self.times.next().expect("time goes on")
    }

    #[inline]
    fn call(clock: &mut C, physical: C::Physical) -> C::Stamp {
        clock.tick(physical)
    }
}

struct Observes<C: HybridContender>(Receiver<C>);

impl<C: HybridContender> Operation for Observes<C> {
    type Subject = C;

    type Input = (C::Stamp, C::Physical);

    type Output = C::Observed;

    fn subject(&mut self) -> &mut C {
        &mut self.0.clock
    }

    fn next_input(&mut self) -> Self::Input {
        self.0.next_message()
    }

    #[inline]
    fn call(clock: &mut C, (remote, physical): Self::Input) -> C::Observed {
        clock.observe(remote, physical)
    }
}

struct Witnesses<C: HybridContender>(Receiver<C>);

impl<C: HybridContender> Operation for Witnesses<C> {
    type Subject = C;

    type Input = (C::Stamp, C::Physical);

    type Output = C::Witnessed;

    fn subject(&mut self) -> &mut C {
        &mut self.0.clock
    }

    fn next_input(&mut self) -> Self::Input {
        self.0.next_message()
    }

    #[inline]
    fn call(clock: &mut C, (remote, physical): Self::Input) -> C::Witnessed {
        clock.witness(remote, physical)
    }
}

/// A clock, and the stamps of the messages that it receives with the physical times when it does.
struct Receiver<C: HybridContender> {
    clock: C,
    messages: Box<dyn Iterator<Item = (C::Stamp, C::Physical)>>,
}

impl<C: HybridContender> Receiver<C> {
    fn new(clock: C, messages: impl Iterator<Item = (C::Stamp, C::Physical)> + 'static) -> Self {
        Self { clock, messages: Box::new(messages) }
    }

    fn next_message(&mut self) -> (C::Stamp, C::Physical) {
        self.messages.next().expect("messages never end")
    }
}

const START: WallTime = WallTime::from_nanos(1_750_000_000_000_000_000);

const STEP: Duration = Duration::from_millis(1);

/// How often each physical time comes in a row where it stands still.
const STANDING: usize = 1000;

/// How far a newer stamp is ahead of physical time, and so of the stamps before it.
const AHEAD: Duration = Duration::from_millis(5);
