use core::time::Duration;

use surmise_timeout::{
    AdaptiveTimeout, Outcome,
    sync::SharedAdaptiveTimeout,
    textbook::{P99AndDeviation, TwiceP99},
};

use super::{Call, WINDOW};
use crate::{Made, Origin};

/// What is measured that takes in latencies: one of ours or a peer's.
pub trait Contender {
    /// Who wrote it.
    const ORIGIN: Origin;

    /// How many inputs are made before the calls that take them.
    const BATCH: u32 = 1000;

    /// A latency as it takes it, in registers.
    type Input;

    /// What it says in the end.
    type Reading;

    /// Returns the latency of a call, which is not measured.
    fn input(call: Call) -> Self::Input;

    /// Takes in a latency.
    fn record(&mut self, latency: Self::Input);

    /// Returns the timeout, or the 99th percentile.
    fn read(&mut self) -> Self::Reading;

    /// Returns what was read as a duration, which is not measured.
    fn duration(reading: Self::Reading) -> Duration;
}

/// One that sets timeouts.
pub trait TimeoutContender: Contender {
    /// Makes a call that takes so long, unless it is given up, and returns whether it was.
    fn call(&mut self, latency: Self::Input) -> bool;
}

/// Does something with every contender, whatever its type.
pub trait Visitor {
    /// Visits something that sets timeouts.
    ///
    /// # Errors
    ///
    /// If `make` fails.
    fn visit_timeout<C: TimeoutContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()>;

    /// Visits something that has quantiles.
    ///
    /// # Errors
    ///
    /// If `make` fails.
    fn visit_window<C: Contender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()>;
}

/// A timeout of ours.
pub trait Timeout {
    /// Returns the timeout.
    fn current(&self) -> Duration;

    /// Returns the timeout of one call, which a random number may choose.
    fn draw(&self, _random: u64) -> Duration {
        self.current()
    }

    /// Takes in how a call went. Always inlined, so that only what it calls is measured.
    fn record(&mut self, outcome: Outcome);
}

impl<T: Timeout> Contender for T {
    const ORIGIN: Origin = Origin::Ours;

    type Input = Duration;

    type Reading = Duration;

    fn input(call: Call) -> Duration {
        call.took
    }

    #[inline]
    fn record(&mut self, latency: Duration) {
        Timeout::record(self, Outcome::Completed(latency));
    }

    #[inline]
    fn read(&mut self) -> Duration {
        self.current()
    }

    fn duration(reading: Duration) -> Duration {
        reading
    }
}

impl<T: Timeout> TimeoutContender for T {
    #[inline]
    fn call(&mut self, latency: Duration) -> bool {
        let wait = self.current();
        let is_given_up = latency >= wait;
        let outcome =
            if is_given_up { Outcome::TimedOut(wait) } else { Outcome::Completed(latency) };
        Timeout::record(self, outcome);
        is_given_up
    }
}

impl Timeout for SharedAdaptiveTimeout {
    #[inline]
    fn current(&self) -> Duration {
        Self::current(self)
    }

    fn draw(&self, random: u64) -> Duration {
        Self::draw(self, random)
    }

    #[inline(always)]
    fn record(&mut self, outcome: Outcome) {
        Self::record(self, outcome);
    }
}

impl Timeout for AdaptiveTimeout<WINDOW> {
    #[inline]
    fn current(&self) -> Duration {
        Self::current(self)
    }

    fn draw(&self, random: u64) -> Duration {
        Self::draw(self, random)
    }

    #[inline(always)]
    fn record(&mut self, outcome: Outcome) {
        Self::record(self, outcome);
    }
}

impl Timeout for TwiceP99 {
    #[inline]
    fn current(&self) -> Duration {
        Self::current(self)
    }

    #[inline(always)]
    fn record(&mut self, outcome: Outcome) {
        Self::record(self, outcome);
    }
}

impl Timeout for P99AndDeviation {
    #[inline]
    fn current(&self) -> Duration {
        Self::current(self)
    }

    #[inline(always)]
    fn record(&mut self, outcome: Outcome) {
        Self::record(self, outcome);
    }
}
