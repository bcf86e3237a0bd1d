use core::{num::NonZeroU32, time::Duration};

use surmise_time::WallTime;

use super::{
    CeilingReached, CeilingTooHigh, HybridClock, HybridTimestamp, Reservation, StampRefused,
    window::{Window, below},
};

/// A hybrid clock that never gives a stamp twice, across restarts too.
///
/// It gives stamps only up to a *ceiling* that its driver has made durable, and after a restart it goes
/// on above that ceiling. So nothing is repeated and no order is lost, whatever the wall clock was set to
/// in between. This is CockroachDB's persisted upper bound of the wall time.
///
/// The driver asks [`ceiling`](Self::ceiling) now and then, writes what it returns to stable storage,
/// and says so with [`raise_ceiling`](Self::raise_ceiling). With a window of some seconds that is a write
/// every second or so, whatever the rate of stamps. A driver that is late gets errors, not repeated
/// stamps.
///
/// After any restart, stamps are ahead of physical time by up to the window and `max_offset`, and other nodes
/// refuse them: that bound holds however often a node restarts. Wait until [`ahead`](Self::ahead) is less than their `max_offset`: some seconds, if the wall
/// clock is right. If it is much longer, the wall clock was set back, or had been ahead when the ceiling was
/// written; no clock can tell which, so that is for an operator.
///
/// [`sync::AtomicDurableHybridClock`](crate::sync::AtomicDurableHybridClock) is the same for many threads. The
/// example `durable_clock` drives it, with the ceiling in a file.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_clock::DurableHybridClock;
/// use surmise_time::WallTime;
///
/// let (max_offset, window) = (Duration::from_millis(500), Duration::from_secs(4));
/// let now = WallTime::from_nanos(1_795_230_725_000_000_000);
///
/// let mut clock = DurableHybridClock::new(max_offset, window);
/// let ceiling = clock.ceiling(now).ok_or("none is due")?;
/// // Write it to stable storage here, and only then:
/// clock.raise_ceiling(ceiling);
/// let stamp = clock.tick(now)?;
///
/// // The process dies, the wall clock is set back by an hour, and the process starts again.
/// let now = now - Duration::from_secs(3600);
/// let mut clock = DurableHybridClock::resume(max_offset, window, ceiling)?;
/// let ceiling = clock.ceiling(now).ok_or("none is due")?;
/// clock.raise_ceiling(ceiling);
/// assert!(clock.tick(now)? > stamp);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurableHybridClock {
    clock: HybridClock,
    /// The highest ceiling known to be durable, 0 if there is none.
    ceiling: u64,
    window: Window,
}

impl DurableHybridClock {
    /// Creates the clock of a node that has never given a stamp.
    ///
    /// It gives none before it has a ceiling. For `max_offset`, see [`HybridClock::new`]. `window` is how
    /// far a ceiling is put beyond what is needed, some seconds: if it is long, ceilings are written
    /// seldom, and stamps are ahead of physical time for longer after a restart. More than 36 years
    /// count as 36 years.
    #[must_use]
    pub const fn new(max_offset: Duration, window: Duration) -> Self {
        let clock = HybridClock::new(max_offset);
        Self { clock, ceiling: 0, window: Window::new(max_offset, window) }
    }

    /// Creates the clock of a node that restarts, from the last ceiling on its stable storage.
    ///
    /// It gives no stamp before it has a new one.
    ///
    /// # Errors
    ///
    /// As [`HybridClock::resume`].
    pub fn resume(
        max_offset: Duration,
        window: Duration,
        ceiling: HybridTimestamp,
    ) -> Result<Self, CeilingTooHigh> {
        let clock = HybridClock::resume(max_offset, ceiling)?;
        Ok(Self { clock, ceiling: ceiling.as_nanos(), ..Self::new(max_offset, window) })
    }

    /// Says that a ceiling is on stable storage.
    ///
    /// To be called only when it is, and with what [`ceiling`](Self::ceiling) returned. A lower one than
    /// before changes nothing.
    pub fn raise_ceiling(&mut self, durable: HybridTimestamp) {
        self.ceiling = self.ceiling.max(durable.as_nanos());
    }

    /// Returns the stamp of an event here: something that happens, or a message that is sent.
    ///
    /// # Errors
    ///
    /// If it would be above the ceiling. Nothing is changed then.
    #[inline]
    pub fn tick(&mut self, physical: WallTime) -> Result<HybridTimestamp, CeilingReached> {
        let mut next = self.clock.clone();
        let stamp = next.tick(physical);
        self.go_on(next)?;
        Ok(stamp)
    }

    /// Takes in the stamp of a message, so that all later stamps are after it, after a restart too.
    ///
    /// # Errors
    ///
    /// If the stamp is news and more than `max_offset` ahead of `physical`, or above the ceiling. Nothing
    /// is changed then.
    #[inline]
    pub fn observe(
        &mut self,
        remote: HybridTimestamp,
        physical: WallTime,
    ) -> Result<(), StampRefused> {
        let mut next = self.clock.clone();
        next.observe(remote, physical)?;
        Ok(self.go_on(next)?)
    }

    /// Returns the stamp at which a message is received that was sent at `remote`.
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe) and [`tick`](Self::tick). Nothing is changed then.
    #[inline]
    pub fn witness(
        &mut self,
        remote: HybridTimestamp,
        physical: WallTime,
    ) -> Result<HybridTimestamp, StampRefused> {
        let mut next = self.clock.clone();
        let stamp = next.witness(remote, physical)?;
        self.go_on(next)?;
        Ok(stamp)
    }

    /// Returns `count` stamps at once, which nobody else gets.
    ///
    /// # Errors
    ///
    /// If the last of them would be more than `max_offset` ahead of `physical`, or above the ceiling.
    /// Nothing is changed then.
    #[inline]
    pub fn reserve(
        &mut self,
        count: NonZeroU32,
        physical: WallTime,
    ) -> Result<Reservation, StampRefused> {
        let mut next = self.clock.clone();
        let reservation = next.reserve(count, physical)?;
        self.go_on(next)?;
        Ok(reservation)
    }

    /// Returns the ceiling to make durable now, or `None` while the one there is will do.
    ///
    /// It is due as soon as no more than `max_offset` and half a window are left below the ceiling, so that
    /// whoever asks, writes and raises within half a window never runs into it, as long as the wall clock does
    /// not jump. While the clock is further ahead of physical time than `max_offset`, there is room for a
    /// million stamps at a time.
    #[must_use]
    pub fn ceiling(&self, physical: WallTime) -> Option<HybridTimestamp> {
        self.window.due(self.clock.latest_nanos(), self.ceiling, physical)
    }

    /// Returns the latest stamp that was given or observed, or the ceiling resumed from.
    #[must_use]
    pub const fn latest(&self) -> Option<HybridTimestamp> {
        self.clock.latest()
    }

    /// Returns how far the next stamp would be ahead of physical time: what to wait for after a restart.
    #[must_use]
    pub fn ahead(&self, physical: WallTime) -> Duration {
        self.clock.ahead(physical)
    }

    /// Returns how far a stamp may be ahead of physical time to be taken in.
    #[must_use]
    pub const fn max_offset(&self) -> Duration {
        self.clock.max_offset()
    }

    /// Takes over the state that an operation has led to, if the ceiling allows it.
    fn go_on(&mut self, next: HybridClock) -> Result<(), CeilingReached> {
        below(next.latest_nanos(), self.ceiling)?;
        self.clock = next;
        Ok(())
    }
}
