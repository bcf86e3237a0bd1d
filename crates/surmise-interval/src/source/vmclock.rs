//! What the hypervisor says of disruptions: `/dev/vmclock0`.

mod page;

use core::fmt;
use std::path::{Path, PathBuf};

pub use self::page::{HostStatus, VmClockFlags, VmClockPage};
use super::{
    SourceError,
    shared_file::{self, failed_to},
};

/// The page of memory in which a hypervisor says how a virtual machine's counter relates to true
/// time.
///
/// Its disruption marker changes when that relation breaks, as when the machine is moved to another
/// host. Nothing that was known of the time before holds then. Linux offers the page from 6.13 on,
/// where the hypervisor does.
///
/// # Examples
///
/// ```
/// use std::error::Error as _;
/// use surmise_interval::source::{SourceError, vmclock::VmClock};
///
/// match VmClock::new(VmClock::PATH).read() {
///     Ok(page) => println!("disruption marker {}", page.disruption_marker),
///     Err(error @ SourceError::Io { .. }) => {
///         // As in "could not open /dev/vmclock0: No such file or directory": there is none here.
///         print!("{error}");
///         let mut cause = error.source();
///         while let Some(error) = cause {
///             print!(": {error}");
///             cause = error.source();
///         }
///         println!();
///     }
///     Err(error) => return Err(error),
/// }
/// # Ok::<(), SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct VmClock {
    path: PathBuf,
}

impl VmClock {
    /// Where Linux has the first of them; there is rarely a second.
    pub const PATH: &str = "/dev/vmclock0";

    /// Creates a reader of the device at `path`, which is opened whenever it is read.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Reads the page, as it was at one time.
    ///
    /// # Errors
    ///
    /// If there is none, if it makes no sense, or if the hypervisor never finishes writing it.
    pub fn read(&self) -> Result<VmClockPage, SourceError> {
        let file = shared_file::open(&self.path)?;
        let is_settled = |header: &_| VmClockPage::sequence(header) % 2 == 0;
        let snapshot = shared_file::read::<{ VmClockPage::MAX_SIZE }, _>(&file, is_settled, || ());
        let snapshot = snapshot.map_err(failed_to("read", &self.path))?.map_err(|header| {
            let value = VmClockPage::sequence(&header).into();
            SourceError::Malformed { what: "sequence count", value }
        })?;
        VmClockPage::decode(snapshot.bytes())
    }

    /// Returns the path of the device.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Says when the machine was disrupted, so that its clock can be told: [`IntervalClock::disrupt`].
///
/// Ask it before every sample that is taken, and in between as often as a disruption must be known of. A
/// disruption after the last question is found by the next. A [`Sampler`] asks it before and after each round.
///
/// [`Sampler`]: crate::sampler::Sampler::with_watch
/// [`IntervalClock::disrupt`]: crate::IntervalClock::disrupt
///
/// # Examples
///
/// ```no_run
/// use surmise_interval::source::{SourceError, vmclock::{DisruptionWatch, VmClock}};
/// use surmise_time::{BootClock, MonotonicClock};
/// # use surmise_interval::{IntervalClock, IntervalClockConfig};
/// # let mut clock = IntervalClock::new(IntervalClockConfig::default());
///
/// let mut watch = DisruptionWatch::new(VmClock::new(VmClock::PATH));
/// if let Some(disruption) = watch.poll()? {
///     clock.disrupt(BootClock.now());
///     eprintln!("{disruption}");
/// }
/// # Ok::<(), SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DisruptionWatch {
    vmclock: VmClock,
    last: Option<Markers>,
}

/// What changes when the machine is disrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Markers {
    disruption: u64,
    vm_generation: Option<u64>,
}

impl DisruptionWatch {
    /// Creates a watch over a device. The first question finds out where things stand.
    #[must_use]
    pub const fn new(vmclock: VmClock) -> Self {
        Self { vmclock, last: None }
    }

    /// Returns what happened since this was last asked, if anything did.
    ///
    /// # Errors
    ///
    /// If the page cannot be read. What happened meanwhile is found by the next question.
    pub fn poll(&mut self) -> Result<Option<Disruption>, SourceError> {
        let page = self.vmclock.read()?;
        Ok(self.observe(&page))
    }

    /// Compares a page that was read otherwise with the last one.
    pub fn observe(&mut self, page: &VmClockPage) -> Option<Disruption> {
        let markers =
            Markers { disruption: page.disruption_marker, vm_generation: page.vm_generation };
        let last = self.last.replace(markers)?;
        (last != markers).then(|| Disruption {
            marker: markers.disruption,
            restored: last.vm_generation != markers.vm_generation,
        })
    }
}

/// The machine's counter lost its relation to true time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disruption {
    /// The disruption marker since then.
    pub marker: u64,
    /// Whether the machine was restored from a snapshot, as far as the hypervisor says: then there
    /// may be another one of it.
    pub restored: bool,
}

impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.restored { "restored from a snapshot" } else { "disrupted" };
        write!(f, "the machine was {how}; the disruption marker is now {}", self.marker)
    }
}

#[cfg(test)]
mod tests;
