//! How far the rate of this machine's monotonic clocks can be from the true one while a daemon
//! corrects the system clock.

#[cfg(target_os = "linux")]
use super::kernel::KernelClock;
use super::{SourceError, Unsynchronized};
use crate::Drift;

/// Knows what the kernel is told to correct.
///
/// On Linux the monotonic clocks run at the rate of the system clock, and so does what is
/// extrapolated by them. Nothing is known of it elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slewing {
    /// Reads the correction in force, in parts per billion.
    correction: fn() -> Result<u64, SourceError>,
}

/// What the kernel was told to correct before a source was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slewed {
    slewing: Slewing,
    before: u64,
}

impl Slewing {
    pub(super) const fn new() -> Self {
        Self { correction }
    }

    /// Makes one of a kernel that is told something else.
    #[cfg(test)]
    pub(super) const fn by(correction: fn() -> Result<u64, SourceError>) -> Self {
        Self { correction }
    }

    /// Reads the correction in force. To be called before the source is asked.
    pub(super) fn observe(self) -> Result<Slewed, SourceError> {
        Ok(Slewed { slewing: self, before: (self.correction)()? })
    }
}

impl Slewed {
    /// Reads it again, and returns the drift of a clock that is corrected by the greater of the two
    /// besides.
    pub(super) fn drift(self, assumed: Drift) -> Result<Drift, SourceError> {
        let after = (self.slewing.correction)()?;
        add(assumed, self.before.max(after))
    }
}

/// Adds parts per billion to what is assumed of a clock anyway.
pub(super) fn add(assumed: Drift, ppb: u64) -> Result<Drift, SourceError> {
    let ppb = ppb.saturating_add(assumed.as_ppb().into());
    let drift = u32::try_from(ppb).ok().and_then(|ppb| Drift::from_ppb(ppb).ok());
    drift.ok_or(Unsynchronized::Rate(ppb).into())
}

#[cfg(target_os = "linux")]
fn correction() -> Result<u64, SourceError> {
    KernelClock::new().read().map(|timex| timex.rate_correction())
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "where the kernel is asked, that can fail")]
const fn correction() -> Result<u64, SourceError> {
    Ok(0)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn what_is_corrected_comes_on_top_of_what_is_assumed() {
        assert_eq!(add(Drift::QUARTZ, 0).unwrap(), Drift::QUARTZ);
        assert_eq!(add(Drift::QUARTZ, 30_000).unwrap().as_ppb(), 80_000);
        assert_eq!(add(Drift::QUARTZ, 99_950_000).unwrap(), Drift::MAX);
        for (ppb, known) in [(99_950_001, 100_000_001), (u64::MAX, u64::MAX)] {
            let error = add(Drift::QUARTZ, ppb).unwrap_err().to_string();
            assert_eq!(
                error,
                alloc::format!("not synchronised: its rate is known only to {known} ppb")
            );
        }
    }

    #[test]
    fn the_greater_of_two_corrections_counts() {
        for before in [20_000, 30_000, 40_000] {
            let slewed = Slewed { slewing: Slewing::by(|| Ok(30_000)), before };
            let drift = slewed.drift(Drift::QUARTZ).unwrap();
            assert_eq!(u64::from(drift.as_ppb()), 50_000 + before.max(30_000));
        }
        let slewed = Slewing::by(|| Ok(30_000)).observe().unwrap();
        assert_eq!(slewed.before, 30_000);
    }

    #[test]
    fn a_correction_that_cannot_be_read_is_an_error() {
        let unknown = Slewing::by(|| Err(Unsynchronized::Unknown.into()));
        assert!(unknown.observe().is_err());
        assert!(Slewed { slewing: unknown, before: 0 }.drift(Drift::QUARTZ).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_is_asked() {
        let told = || KernelClock::new().read().unwrap().rate_correction();
        // A daemon may change it at any time.
        let undisturbed = |_| {
            let (before, observed) = (told(), Slewing::new().observe().unwrap().before);
            (before == told()).then_some((before, observed))
        };
        let (told, observed) = (0..1000).find_map(undisturbed).unwrap();
        assert_eq!(told, observed);
    }
}
