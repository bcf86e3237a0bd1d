//! Waiting, for a thread and for a task.

use core::time::Duration;
use std::thread;

use surmise_time::{Instant, MonotonicClock};

use super::CommitWait;
use crate::{ClockError, IntervalClock, sync::SharedIntervalClock};

/// How long to wait before a clock that tells no time is asked again.
const PATIENCE: Duration = Duration::from_millis(10);

/// The longest sleep, so that a clock that no longer tells time is noticed while a far timestamp is waited for.
const LONGEST: Duration = Duration::from_millis(100);

/// What to do when the clock tells no time while a timestamp is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "one waits, or one does not")]
pub enum WhenUnsynchronized {
    /// Give up at once, so that the caller can abort.
    #[default]
    Fail,
    /// Wait for the clock to be synchronised, for ever if it must be; unless it was disrupted or contradicted.
    KeepWaiting,
}

impl CommitWait {
    /// Blocks the thread until the timestamp has passed for certain.
    ///
    /// The clock is asked again after each sleep, and ten times a second. `boot` must count the time that the
    /// machine sleeps. There is no limit but the timestamp: for one that came from elsewhere, look at
    /// [`remaining`](Self::remaining) first.
    ///
    /// # Errors
    ///
    /// If the clock tells no time and that is not to be waited for. And always if the clock was disrupted or contradicted
    /// since the wait began: what it told before may have been wrong, and the timestamp with it. So begin to wait as
    /// soon as there is a timestamp.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[cfg(target_os = "linux")] {
    /// use surmise_interval::{
    ///     CommitWait, IntervalClockConfig, WhenUnsynchronized, sync::SharedIntervalClock,
    /// };
    /// use surmise_time::{BootClock, MonotonicClock};
    ///
    /// let clock = SharedIntervalClock::new(IntervalClockConfig::default());
    /// // … which a sampler feeds …
    /// let commit = CommitWait::new(clock.now(BootClock.now())?.latest());
    /// commit.block(&clock, &BootClock, WhenUnsynchronized::Fail)?;
    /// # }
    /// # Ok::<(), surmise_interval::ClockError>(())
    /// ```
    pub fn block(
        &self,
        clock: &SharedIntervalClock,
        boot: &impl MonotonicClock,
        otherwise: WhenUnsynchronized,
    ) -> Result<(), ClockError> {
        let epoch = clock.get().epoch();
        while let Some(sleep) = self.next_sleep(&clock.get(), epoch, boot.now(), otherwise)? {
            #[expect(clippy::disallowed_methods, reason = "to wait is what the caller asks for")]
            thread::sleep(sleep);
        }
        Ok(())
    }

    /// Waits in a task until the timestamp has passed for certain.
    ///
    /// `sleep` is the runtime's, as in `commit.wait(&clock, &BootClock, tokio::time::sleep, …)`. The future
    /// can be dropped at any time; the wait can be begun again.
    ///
    /// # Errors
    ///
    /// If the clock tells no time and that is not to be waited for. And always if the clock was disrupted or contradicted
    /// since the wait began: what it told before may have been wrong, and the timestamp with it. So begin to wait as
    /// soon as there is a timestamp.
    pub async fn wait<S: Future<Output = ()>>(
        &self,
        clock: &SharedIntervalClock,
        boot: &impl MonotonicClock,
        sleep: impl Fn(Duration) -> S,
        otherwise: WhenUnsynchronized,
    ) -> Result<(), ClockError> {
        let epoch = clock.get().epoch();
        while let Some(duration) = self.next_sleep(&clock.get(), epoch, boot.now(), otherwise)? {
            sleep(duration).await;
        }
        Ok(())
    }

    /// Returns how long to sleep before the clock is to be asked again, or `None` if the wait is over.
    fn next_sleep(
        &self,
        clock: &IntervalClock,
        epoch: u64,
        now: Instant,
        otherwise: WhenUnsynchronized,
    ) -> Result<Option<Duration>, ClockError> {
        match self.remaining(clock, now) {
            Err(error @ (ClockError::Disrupted | ClockError::Contradicted)) => Err(error),
            // It was, and is synchronised again: the timestamp is of the time that was wrong.
            _ if clock.epoch() != epoch => Err(ClockError::Disrupted),
            Ok(remaining) if remaining.is_zero() => Ok(None),
            Ok(remaining) => Ok(Some(remaining.min(LONGEST))),
            Err(_) if otherwise == WhenUnsynchronized::KeepWaiting => Ok(Some(PATIENCE)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::{
        future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use surmise_time::{ManualClock, WallTime};

    use super::*;
    use crate::{Drift, Interval, IntervalClockConfig, Sample};

    const UNCERTAINTY: Duration = Duration::from_millis(4);

    fn synchronize(clock: &SharedIntervalClock, at: Instant) {
        let middle = WallTime::from_nanos(1 << 60) + (at - Instant::ORIGIN);
        let interval = Interval::around(middle, UNCERTAINTY);
        clock.synchronize(Sample::new(interval, at, Drift::SPANNER));
    }

    /// Waits with sleeps that only move the clock, each by at most so much, and counts them.
    fn wait(
        commit: CommitWait,
        clock: &SharedIntervalClock,
        most: Duration,
        otherwise: WhenUnsynchronized,
    ) -> (Result<(), ClockError>, u32, Instant) {
        let boot = ManualClock::default();
        let sleeps = core::cell::Cell::new(0);
        let sleep = |duration: Duration| {
            boot.advance(duration.min(most));
            sleeps.set(sleeps.get() + 1);
            if sleeps.get() == 1000 {
                synchronize(clock, boot.now());
            }
            future::ready(())
        };
        let waited = pin!(commit.wait(clock, &boot, sleep, otherwise));
        match waited.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => (outcome, sleeps.get(), boot.now()),
            Poll::Pending => panic!("no sleep is pending"),
        }
    }

    #[test]
    fn a_wait_takes_twice_the_uncertainty_in_one_sleep() {
        let clock = SharedIntervalClock::new(IntervalClockConfig::default());
        synchronize(&clock, Instant::ORIGIN);
        let commit = CommitWait::new(clock.now(Instant::ORIGIN).unwrap().latest());
        let (outcome, sleeps, end) = wait(commit, &clock, Duration::MAX, WhenUnsynchronized::Fail);
        assert_eq!((outcome, sleeps), (Ok(()), 1));
        assert!(clock.now(end).unwrap().after(commit.timestamp()));
        assert!(end - Instant::ORIGIN < UNCERTAINTY * 2 + Duration::from_micros(2));

        // A timer that fires too early is waited for again.
        let most = Duration::from_millis(1);
        let (outcome, sleeps, end) = wait(commit, &clock, most, WhenUnsynchronized::Fail);
        assert_eq!((outcome, sleeps), (Ok(()), 9));
        assert!(clock.now(end).unwrap().after(commit.timestamp()));
    }

    #[test]
    fn a_clock_that_is_disrupted_meanwhile_is_noticed() {
        let clock = SharedIntervalClock::new(IntervalClockConfig::default());
        synchronize(&clock, Instant::ORIGIN);
        let commit = CommitWait::new(WallTime::from_nanos(1 << 60) + Duration::from_secs(3600));
        let (boot, most) = (ManualClock::default(), Duration::from_millis(100));
        let sleep = |duration: Duration| {
            assert!(duration <= most, "{duration:?} is too long not to look");
            boot.advance(duration);
            if boot.now() - Instant::ORIGIN == most * 3 {
                clock.disrupt(boot.now());
            }
            future::ready(())
        };
        let waited = pin!(commit.wait(&clock, &boot, sleep, WhenUnsynchronized::Fail));
        let outcome = waited.poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(outcome, Poll::Ready(Err(ClockError::Disrupted)));
    }

    /// Though it is told the time again before anybody looks, and though the timestamp is long past by that.
    #[test]
    fn a_timestamp_from_before_a_disruption_is_given_up() {
        for otherwise in [WhenUnsynchronized::Fail, WhenUnsynchronized::KeepWaiting] {
            let clock = SharedIntervalClock::new(IntervalClockConfig::default());
            synchronize(&clock, Instant::ORIGIN);
            let commit = CommitWait::new(clock.now(Instant::ORIGIN).unwrap().latest());
            let boot = ManualClock::default();
            let sleep = |duration| {
                clock.disrupt(boot.now());
                boot.advance(duration);
                synchronize(&clock, boot.now());
                future::ready(())
            };
            let waited = pin!(commit.wait(&clock, &boot, sleep, otherwise));
            let outcome = waited.poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(outcome, Poll::Ready(Err(ClockError::Disrupted)), "{otherwise:?}");
            assert!(commit.is_over(&clock.now(boot.now()).unwrap()));
        }
    }

    #[test]
    fn a_clock_that_tells_no_time_is_given_up_or_waited_for() {
        let clock = SharedIntervalClock::new(IntervalClockConfig::default());
        let commit = CommitWait::new(WallTime::from_nanos(1 << 60));
        let (outcome, sleeps, _) = wait(commit, &clock, Duration::MAX, WhenUnsynchronized::Fail);
        assert_eq!((outcome, sleeps), (Err(ClockError::Unsynchronized { age: None }), 0));

        let keep = WhenUnsynchronized::KeepWaiting;
        let (outcome, sleeps, end) = wait(commit, &clock, Duration::MAX, keep);
        assert_eq!((outcome, sleeps), (Ok(()), 1000));
        assert_eq!(end, Instant::ORIGIN + PATIENCE * 1000);
    }
}
