use core::time::Duration;

use surmise_time::Instant;

use super::{Backoff, femtos::Femtos};

/// The retries of one call: how many there were, the delay before the latest, and when there are no more.
///
/// [`Backoff::retries`] makes it. There are no more once the number allowed is used up, or when a delay would not
/// end before the deadline.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_time::Instant;
/// use surmise_timeout::backoff::Backoff;
///
/// let mut now = Instant::ORIGIN;
/// let mut retries = Backoff::aws().retries(2).until(now + Duration::from_secs(10));
///
/// // Full jitter: half of 1 s for the middle one of the random numbers.
/// let random = 1 << 63;
/// assert_eq!(retries.next_delay(now, random, None), Some(Duration::from_millis(500)));
/// now = now + Duration::from_millis(500);
///
/// // The service said how long it will be busy.
/// let retry_after = Some(Duration::from_secs(30));
/// assert_eq!(retries.next_delay(now, random, retry_after), None);
/// assert_eq!(retries.next_delay(now, random, None), Some(Duration::from_secs(1)));
/// assert_eq!(retries.next_delay(now, random, None), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    backoff: Backoff,
    made: u32,
    max_retries: u32,
    /// The latest delay as it was drawn, whatever the service asked for.
    previous: Option<Femtos>,
    deadline: Option<Instant>,
}

impl Retries {
    pub(super) const fn new(backoff: Backoff, max_retries: u32) -> Self {
        Self { backoff, made: 0, max_retries, previous: None, deadline: None }
    }

    /// Returns the same retries, with a deadline before which each delay must end.
    #[must_use]
    pub const fn until(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Returns how long to wait before the call is tried again, or `None` if it should not be.
    ///
    /// `now` is of any monotonic clock, such as `OsClock` of `surmise-time`, and matters only if there is a deadline.
    /// `random` is uniformly random in 64 bits. `retry_after` is how long the service asked to be left alone, as
    /// HTTP's `Retry-After` does: the delay is no shorter, even if that is beyond the cap. It does not make later
    /// delays longer. Callers that were told the same come back together; to spread them, add to it. Only
    /// the deadline limits it, so that without one a service could ask for years: give up, instead of calling this, if
    /// it asks for more than the caller would wait.
    ///
    /// `None` changes nothing, so that another answer is possible with another random number, without a
    /// `retry_after` or at an earlier time. A delay that would end at the deadline is too long: it leaves no
    /// time for the call.
    #[must_use]
    pub fn next_delay(
        &mut self,
        now: Instant,
        random: u64,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if self.made >= self.max_retries {
            return None;
        }
        let drawn = self.backoff.draw_after(self.previous, self.made, random);
        let delay = drawn.to_duration().max(retry_after.unwrap_or_default());
        if let Some(deadline) = self.deadline {
            now.checked_add(delay).filter(|&end| end < deadline)?;
        }
        self.made += 1;
        self.previous = Some(drawn);
        Some(delay)
    }

    /// Returns how many retries there were.
    #[must_use]
    pub const fn made(&self) -> u32 {
        self.made
    }
}
