use core::{marker::PhantomData, time::Duration};

use surmise_timeout::{Outcome, sync::SharedAdaptiveTimeout};

use super::{Contender, Latencies, P99, TimeoutContender, Visitor, WINDOW, config, visit_all};
use crate::{Made, Meter, Operation, Origin, Subject, footprint};

/// Shows everything that takes in latencies to a meter.
pub(super) fn measure(meter: &mut impl Meter) -> Made<()> {
    // These belong to the first row, of which the visitor shows the rest.
    let subject = Subject { table: TIMEOUTS, name: "timeout-shared", origin: Origin::Ours };
    let mut latencies = Latencies::new();
    let timeout = warm(SharedAdaptiveTimeout::new(config())?, &mut latencies);
    meter.operation(subject, "record unrenewed", Unrenewed { timeout, latencies, made: 0 });
    meter.operation(subject, "read nanos", ReadsNanos(SharedAdaptiveTimeout::new(config())?));
    visit_all(&mut Timeouts(meter))
}

const TIMEOUTS: &str = "timeouts";

struct Timeouts<'a, M>(&'a mut M);

impl<M: Meter> Visitor for Timeouts<'_, M> {
    fn visit_timeout<C: TimeoutContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let subject = Subject { table: TIMEOUTS, name, origin: C::ORIGIN };
        self.measure(subject, &make)?;
        self.0.operation(subject, "call", On::<_, Calls>::warmed(make()?));
        Ok(())
    }

    fn visit_window<C: Contender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let subject = Subject { table: "quantiles", name, origin: C::ORIGIN };
        self.measure(subject, &make)?;
        self.0.operation(subject, "record and read", On::<_, RecordsAndReads>::warmed(make()?));
        Ok(())
    }
}

impl<M: Meter> Timeouts<'_, M> {
    fn measure<C: Contender>(
        &mut self,
        subject: Subject<'_>,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let mut latencies = Latencies::new();
        // What latencies make it allocate counts.
        let (_, bytes) = footprint(|| make().map(|made| warm(made, &mut latencies)))?;
        self.0.bytes(subject, bytes);
        self.0.operation(subject, "record", On::<_, Records>::warmed(make()?));
        self.0.operation(subject, "read", On::<_, Reads>::warmed(make()?));
        Ok(())
    }
}

/// Lets a contender see latencies until its window is full.
pub(super) fn warm<C: Contender>(mut contender: C, latencies: &mut Latencies) -> C {
    for call in latencies.take(2 * WINDOW) {
        contender.record(C::input(call));
    }
    contender
}

/// A contender whose window is full, what is done with it, and the latencies that follow.
struct On<C, D> {
    contender: C,
    latencies: Latencies,
    done: PhantomData<D>,
}

/// What is done with a contender.
trait Does<C: Contender> {
    type Output;

    fn with(contender: &mut C, latency: C::Input) -> Self::Output;
}

impl<C: Contender, D> On<C, D> {
    fn warmed(contender: C) -> Self {
        let mut latencies = Latencies::new();
        Self { contender: warm(contender, &mut latencies), latencies, done: PhantomData }
    }
}

impl<C: Contender, D: Does<C>> Operation for On<C, D> {
    const BATCH: u32 = C::BATCH;

    type Subject = C;

    type Input = C::Input;

    type Output = D::Output;

    fn subject(&mut self) -> &mut C {
        &mut self.contender
    }

    fn next_input(&mut self) -> C::Input {
        C::input(self.latencies.next().expect("latencies never end"))
    }

    #[inline]
    fn call(contender: &mut C, latency: C::Input) -> D::Output {
        D::with(contender, latency)
    }
}

struct Records;

impl<C: Contender> Does<C> for Records {
    type Output = ();

    #[inline]
    fn with(contender: &mut C, latency: C::Input) {
        contender.record(latency);
    }
}

struct Reads;

impl<C: Contender> Does<C> for Reads {
    type Output = C::Reading;

    #[inline]
    fn with(contender: &mut C, _: C::Input) -> C::Reading {
        contender.read()
    }
}

struct RecordsAndReads;

impl<C: Contender> Does<C> for RecordsAndReads {
    type Output = C::Reading;

    #[inline]
    fn with(contender: &mut C, latency: C::Input) -> C::Reading {
        contender.record(latency);
        contender.read()
    }
}

struct Calls;

impl<C: TimeoutContender> Does<C> for Calls {
    type Output = bool;

    #[inline]
    fn with(contender: &mut C, latency: C::Input) -> bool {
        contender.call(latency)
    }
}

/// Records answers of which none renews the timeout.
struct Unrenewed {
    timeout: SharedAdaptiveTimeout,
    latencies: Latencies,
    made: u32,
}

impl Operation for Unrenewed {
    /// Every 256th answer renews the timeout.
    const BATCH: u32 = 250;

    type Subject = SharedAdaptiveTimeout;

    type Input = Duration;

    type Output = ();

    fn subject(&mut self) -> &mut SharedAdaptiveTimeout {
        &mut self.timeout
    }

    fn next_input(&mut self) -> Duration {
        if self.made.is_multiple_of(Self::BATCH) {
            // What is given up renews it, unless it is sooner than all answers; as rarely as this it changes nothing.
            self.timeout.record(Outcome::Cancelled(P99));
        }
        self.made += 1;
        self.latencies.next().expect("latencies never end").took
    }

    #[inline]
    fn call(timeout: &mut SharedAdaptiveTimeout, took: Duration) {
        SharedAdaptiveTimeout::record(timeout, Outcome::Completed(took));
    }
}

struct ReadsNanos(SharedAdaptiveTimeout);

impl Operation for ReadsNanos {
    type Subject = SharedAdaptiveTimeout;

    type Input = ();

    type Output = u64;

    fn subject(&mut self) -> &mut SharedAdaptiveTimeout {
        &mut self.0
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(timeout: &mut SharedAdaptiveTimeout, (): ()) -> u64 {
        timeout.current_nanos()
    }
}
