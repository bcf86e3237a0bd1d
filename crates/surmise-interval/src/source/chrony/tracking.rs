use core::{net::IpAddr, time::Duration};

use surmise_time::WallTime;

use super::{ChronyConfig, float::Float};
use crate::{
    Drift,
    source::{Leap, SourceError, Unsynchronized},
};

/// What `chronyd` says about the system clock: its tracking report, as `chronyc tracking` prints
/// it.
///
/// *NTP time* is what `chronyd` believes the time to be. It corrects the system clock towards that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracking {
    /// Which reference the clock is synchronised to: the IPv4 address of a server, a hash of its
    /// IPv6 address, or a name in ASCII. 7F7F0101 in hexadecimal is the clock itself.
    pub reference_id: u32,
    /// The address of the reference, if it is a server with one.
    pub reference_address: Option<IpAddr>,
    /// How many servers there are up to the one with a reference clock, which has 1.
    pub stratum: u16,
    /// Whether a leap second is due, and whether `chronyd` considers the clock synchronised. It
    /// goes on doing so after its servers have died.
    pub leap: Leap,
    /// When the last measurement of the reference was processed.
    pub reference_time: WallTime,
    /// How many seconds NTP time is ahead of the system clock.
    pub system_time: Float,
    /// By how many seconds the clock was found to be ahead of the reference at the last update.
    pub last_offset: Float,
    /// The long-term average of the offsets, in seconds.
    pub rms_offset: Float,
    /// By how many parts per million the clock would run fast if it were not corrected.
    pub frequency: Float,
    /// How many parts per million the reference's frequency is from the one in use.
    pub residual_frequency: Float,
    /// The bound of the error of the frequency, in parts per million.
    pub skew: Float,
    /// How many seconds the round trip to the reference clock takes, through all servers.
    pub root_delay: Float,
    /// How many seconds the errors of all clocks and measurements up to the reference clock add up
    /// to.
    pub root_dispersion: Float,
    /// How many seconds passed between the last two updates; zero after the first.
    pub update_interval: Float,
}

impl Tracking {
    /// Returns how far the system clock can be from the truth if the reference is right, rounded
    /// up.
    ///
    /// It is `|system_time| + root_dispersion + root_delay / 2`, as chrony's manual has it. The
    /// correction that is still to be made is part of it, and the interval stands around the system
    /// clock rather than around NTP time: while the clock is slewed by up to a tenth, so are
    /// Linux's monotonic clocks, and an interval around NTP time would be extrapolated right out of
    /// the truth.
    #[must_use]
    pub fn bound(&self) -> Duration {
        let parts = [self.root_dispersion, self.root_delay.half()].map(Float::magnitude);
        parts.into_iter().fold(self.system_time.magnitude(), Duration::saturating_add)
    }

    /// Returns how long ago the reference was last measured, if the system clock says `wall`.
    ///
    /// A measurement from the future is as far from now as one from the past.
    #[must_use]
    pub fn age(&self, wall: WallTime) -> Duration {
        let now = self.ntp_time(wall);
        now.max(self.reference_time) - now.min(self.reference_time)
    }

    /// Returns what `chronyd` believes the time to be, if the system clock says `wall`.
    pub(super) fn ntp_time(&self, wall: WallTime) -> WallTime {
        let correction = self.system_time.magnitude();
        if self.system_time.is_negative() { wall - correction } else { wall + correction }
    }

    /// Returns the age from which on the report is stale: a number of update intervals within
    /// limits.
    #[must_use]
    pub fn max_age(&self, config: &ChronyConfig) -> Duration {
        let updates = self.update_interval.magnitude().saturating_mul(config.stale_after_updates);
        updates.max(config.min_stale_after).min(config.max_stale_after)
    }

    /// Checks that the clock is synchronised, and was measured lately, if the system clock says
    /// `wall`.
    ///
    /// # Errors
    ///
    /// [`Unsynchronized`](SourceError::Unsynchronized) by the leap status, by a stratum of 0 or
    /// above 15, without a reference time, or if the clock is its own reference and the
    /// configuration does not allow that; [`Stale`](SourceError::Stale) if the reference was last
    /// measured too long ago.
    pub fn check(&self, wall: WallTime, config: &ChronyConfig) -> Result<(), SourceError> {
        if self.leap == Leap::Unsynchronized {
            return Err(Unsynchronized::LeapStatus.into());
        }
        if !(1..=15).contains(&self.stratum) {
            return Err(Unsynchronized::Stratum(self.stratum).into());
        }
        if self.reference_time == WallTime::UNIX_EPOCH {
            return Err(Unsynchronized::NoReference.into());
        }
        if self.reference_id == LOCAL_REFERENCE && !config.trust_local_reference {
            return Err(Unsynchronized::LocalReference.into());
        }
        let (age, max) = (self.age(wall), self.max_age(config));
        if age > max {
            return Err(SourceError::Stale { age, max });
        }
        Ok(())
    }

    /// Returns how far the rate of the system's clocks may be from the true one: what is assumed of
    /// them anyway, and on top of it the skew and the residual frequency.
    ///
    /// # Errors
    ///
    /// If that exceeds [`Drift::MAX`]. [`NoRate`](Unsynchronized::NoRate) is the reason after the very
    /// first measurement of a reference: that says what the time is, but not how fast it goes.
    pub fn drift(&self, assumed: Drift) -> Result<Drift, SourceError> {
        if self.skew.scaled(1000) >= UNMEASURED_SKEW {
            return Err(Unsynchronized::NoRate.into());
        }
        let measured = [self.skew, self.residual_frequency].map(|ppm| ppm.scaled(1000));
        let ppb = measured.into_iter().fold(assumed.as_ppb().into(), u64::saturating_add);
        let drift = u32::try_from(ppb).ok().and_then(|ppb| Drift::from_ppb(ppb).ok());
        drift.ok_or(Unsynchronized::Rate(ppb).into())
    }
}

/// What `chronyd` says of the skew before it is known: as much as the rate itself, in parts per billion.
const UNMEASURED_SKEW: u64 = 1_000_000_000;

/// The reference of a clock that has none but itself.
const LOCAL_REFERENCE: u32 = 0x7f7f_0101;

#[cfg(test)]
pub(super) mod tests;
