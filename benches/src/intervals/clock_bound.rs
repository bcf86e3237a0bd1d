use std::fs;

use clock_bound_client::{ClockBoundClient, ClockBoundNowResult};
use rustix::time::{ClockId, clock_gettime};

use crate::Made;

/// AWS's client of the ClockBound daemon, beside shared memory as that daemon would write it.
///
/// It reads two clocks: what time it is, and how long ago the daemon wrote.
#[expect(missing_debug_implementations, reason = "its client has none")]
pub struct ClockBound(ClockBoundClient);

impl ClockBound {
    /// Creates shared memory and a client that reads it.
    ///
    /// # Errors
    ///
    /// If there is no place for the memory, or the client refuses it.
    pub fn new() -> Made<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("shm0");
        fs::write(&path, segment())?;
        let path = path.to_str().ok_or("the temporary directory has no name")?;
        // The client maps it, and needs no name from then on.
        let client = ClockBoundClient::new_with_path(path).map_err(|error| error.detail)?;
        Ok(Self(client))
    }

    /// Returns what time it is, at least and at most.
    ///
    /// # Panics
    ///
    /// If the client refuses what it took before.
    #[inline]
    pub fn now(&mut self) -> ClockBoundNowResult {
        self.0.now().expect("the memory does not change")
    }
}

/// Returns shared memory of version 2, written now, with a bound of a millisecond at 50 ppm.
fn segment() -> Vec<u8> {
    // A daemon's own clock, which may be behind the others.
    let as_of = clock_gettime(ClockId::MonotonicCoarse);
    let void_after = as_of.tv_sec + 1000;
    let size: u32 = 80;
    let (version, generation): (u16, u16) = (2, 2);
    let (bound, disruption_marker) = (1_000_000_i64, 0_u64);
    let (drift_ppb, synchronized): (u32, i32) = (50_000, 1);
    let disruptions_supported = [0; 8];
    [
        &0x414D_5A4E_u32.to_ne_bytes()[..],
        &0x4342_0200_u32.to_ne_bytes(),
        &size.to_ne_bytes(),
        &version.to_ne_bytes(),
        &generation.to_ne_bytes(),
        &as_of.tv_sec.to_ne_bytes(),
        &as_of.tv_nsec.to_ne_bytes(),
        &void_after.to_ne_bytes(),
        &as_of.tv_nsec.to_ne_bytes(),
        &bound.to_ne_bytes(),
        &disruption_marker.to_ne_bytes(),
        &drift_ppb.to_ne_bytes(),
        &synchronized.to_ne_bytes(),
        &disruptions_supported,
    ]
    .concat()
}
