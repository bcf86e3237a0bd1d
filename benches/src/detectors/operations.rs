use core::iter::Cycle;

use surmise_detector::{Verdict, phi_from_z};
use surmise_time::Instant;

use super::{
    AccrualContender, Beat, Contender, Heartbeats, PHI_VALUES, Visitor, query_times, visit_all,
    warm,
};
use crate::{Made, Meter, Operation, Origin, Subject, footprint};

/// Shows every operation of every detector to a meter.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn measure(meter: &mut impl Meter) -> Made<()> {
    visit_all(&mut Detectors(meter))?;
    for (z, _) in PHI_VALUES {
        let name = format!("z = {z}");
        let subject = Subject { table: "phi_from_z", name: &name, origin: Origin::Ours };
        meter.operation(subject, "phi_from_z", PhiFromZ(z));
    }
    Ok(())
}

struct Detectors<'a, M>(&'a mut M);

impl<M: Meter> Visitor for Detectors<'_, M> {
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()> {
        let subject = subject::<C>(name);
        let (mut contender, bytes) = footprint(&make)?;
        self.0.bytes(subject, bytes);
        let mut heartbeats = Heartbeats::new();
        warm(&mut contender, &mut heartbeats);
        self.0.operation(subject, "heartbeat", TakesHeartbeats { contender, heartbeats });
        self.0.operation(subject, "verdict", GivesVerdicts(Queried::new(make()?)));
        Ok(())
    }

    fn visit_level<C: AccrualContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let operation = GivesLevels(Queried::new(make()?));
        self.0.operation(subject::<C>(name), "suspicion_level", operation);
        Ok(())
    }
}

fn subject<C: Contender>(name: &str) -> Subject<'_> {
    Subject { table: "detectors", name, origin: C::ORIGIN }
}

struct TakesHeartbeats<C> {
    contender: C,
    heartbeats: Heartbeats,
}

impl<C: Contender> Operation for TakesHeartbeats<C> {
    type Subject = C;

    type Input = Beat;

    type Output = C::Beat;

    fn subject(&mut self) -> &mut C {
        &mut self.contender
    }

    fn next_input(&mut self) -> Beat {
        self.heartbeats.next().expect("heartbeats never end")
    }

    #[inline]
    fn call(contender: &mut C, beat: Beat) -> C::Beat {
        contender.heartbeat(beat.sequence, beat.at)
    }
}

struct GivesVerdicts<C>(Queried<C>);

impl<C: Contender> Operation for GivesVerdicts<C> {
    type Subject = C;

    type Input = Instant;

    type Output = Verdict;

    fn subject(&mut self) -> &mut C {
        &mut self.0.contender
    }

    fn next_input(&mut self) -> Instant {
        self.0.next_time()
    }

    #[inline]
    fn call(contender: &mut C, now: Instant) -> Verdict {
        contender.verdict(now)
    }
}

struct GivesLevels<C>(Queried<C>);

impl<C: AccrualContender> Operation for GivesLevels<C> {
    type Subject = C;

    type Input = Instant;

    type Output = f64;

    fn subject(&mut self) -> &mut C {
        &mut self.0.contender
    }

    fn next_input(&mut self) -> Instant {
        self.0.next_time()
    }

    #[inline]
    fn call(contender: &mut C, now: Instant) -> f64 {
        contender.suspicion_level(now)
    }
}

/// A detector whose window is full, and the times at which it is asked something.
struct Queried<C> {
    contender: C,
    times: Cycle<alloc::vec::IntoIter<Instant>>,
}

impl<C: Contender> Queried<C> {
    fn new(mut contender: C) -> Self {
        let last = warm(&mut contender, &mut Heartbeats::new());
        let times: Vec<Instant> = query_times(last, TIMES).collect();
        Self { contender, times: times.into_iter().cycle() }
    }

    fn next_time(&mut self) -> Instant {
        self.times.next().expect("there are times, over and over")
    }
}

struct PhiFromZ(f64);

impl Operation for PhiFromZ {
    type Subject = Self;

    type Input = f64;

    type Output = f64;

    fn subject(&mut self) -> &mut Self {
        self
    }

    fn next_input(&mut self) -> f64 {
        self.0
    }

    #[inline]
    fn call(_: &mut Self, z: f64) -> f64 {
        phi_from_z(z)
    }
}

const TIMES: u32 = 1000;
