use core::{error::Error, fmt, time::Duration};

use surmise_time::Instant;

use super::LeaseGuard;

/// When to renew a lease: at a third of its validity, and again and again until it is over.
///
/// A renewal that is under way is not waited for: if a spacing has passed and the lease was not renewed, it is time for
/// the next. Renewals do no harm twice. The requests should time out after the spacing, or soon after it,
/// so that they do not pile up on a store that hangs.
///
/// Two thirds of the validity remain for the retries. A spacing of a tenth of the validity leaves room for six.
///
/// A clock that steps back delays the next renewal by so much: use one that does not.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseGuard, Renewal, RenewSchedule};
/// use surmise_time::Instant;
///
/// let start = Instant::from_nanos(0);
/// let [second, nine] = [1, 9].map(Duration::from_secs);
/// let grant = Grant { token: FencingToken::first(1), valid_for: nine };
/// let mut guard = LeaseGuard::new(grant, start, DriftAllowance::from_ppm(0));
/// let mut schedule = RenewSchedule::new(&guard, second)?;
///
/// assert_eq!(schedule.poll(start), Renewal::Wait { until: start + 3 * second });
/// assert_eq!(schedule.poll(start + 3 * second), Renewal::Send);
/// assert_eq!(schedule.deadline(), Some(start + 4 * second));
///
/// guard.renewed(grant, start + 3 * second)?; // The reply to what was sent then.
/// schedule.renewed(&guard);
/// assert_eq!(schedule.deadline(), Some(start + 6 * second));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewSchedule {
    spacing: Duration,
    due: Instant,
    expires_at: Instant,
    over: bool,
}

/// What the holder of a lease is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "who renews must know what to do")]
pub enum Renewal {
    /// Nothing, before that time.
    Wait {
        /// When to ask again.
        until: Instant,
    },
    /// To send a renewal.
    Send,
    /// To stop what needs the lease: it is over.
    Expired,
}

impl RenewSchedule {
    /// Creates the schedule of a lease whose renewals are at least `spacing` apart.
    ///
    /// # Errors
    ///
    /// If the spacing is zero.
    pub fn new(guard: &LeaseGuard, spacing: Duration) -> Result<Self, ZeroSpacing> {
        if spacing.is_zero() {
            return Err(ZeroSpacing);
        }
        let expires_at = guard.expires_at();
        Ok(Self { spacing, due: due(guard), expires_at, over: false })
    }

    /// Takes note that the lease was renewed: the next renewal is due at a third of the validity that it has now, but
    /// no earlier than it was. So a reply that took long is not followed by a renewal at once, and renewals stay a
    /// spacing apart.
    ///
    /// A guard whose validity did not become longer changes nothing.
    pub fn renewed(&mut self, guard: &LeaseGuard) {
        if guard.expires_at() > self.expires_at {
            self.due = self.due.max(due(guard));
            self.expires_at = guard.expires_at();
            self.over = false;
        }
    }

    /// Takes note that the lease is [`lost`](LeaseGuard::lost): nothing is to be sent any more.
    pub const fn lost(&mut self) {
        self.over = true;
        // No guard is valid for longer, so that no late reply begins it anew.
        self.expires_at = Instant::MAX;
    }

    /// Returns what to do now.
    ///
    /// If it is to send a renewal, the next one is due a spacing from now.
    pub fn poll(&mut self, now: Instant) -> Renewal {
        if now >= self.expires_at {
            self.over = true;
        }
        if self.over {
            return Renewal::Expired;
        }
        if now < self.due {
            return Renewal::Wait { until: self.due.min(self.expires_at) };
        }
        self.due = now + self.spacing;
        Renewal::Send
    }

    /// Returns when to [`poll`](Self::poll) next: when a renewal is due, or when the lease is over; never again
    /// once that was said.
    ///
    /// Only `poll`, [`renewed`](Self::renewed) and [`lost`](Self::lost) change it.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        (!self.over).then(|| self.due.min(self.expires_at))
    }
}

/// Returns when the validity of a lease is over by a third, rounded down.
fn due(guard: &LeaseGuard) -> Instant {
    guard.sent() + (guard.expires_at() - guard.sent()) / 3
}

/// Renewals cannot be no time apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZeroSpacing;

impl fmt::Display for ZeroSpacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the spacing of renewals is zero")
    }
}

impl Error for ZeroSpacing {}
