use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::path::PathBuf;

use crate::Drift;

/// How `chronyd` is asked, and what is made of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct ChronyConfig {
    /// Where `chronyd` listens. By default on UDP port 323 of this machine.
    ///
    /// It must be the `chronyd` of this machine, since what it reports on is its own system clock.
    pub address: ChronyAddress,
    /// How long to wait for the answer. By default a second; on the same machine it takes
    /// microseconds.
    pub timeout: Duration,
    /// How far the rate of the system's clocks can be from the true one apart from what `chronyd`
    /// reports, since the reference was last measured and while a sample is extrapolated. By
    /// default [`Drift::QUARTZ`].
    ///
    /// It has to cover what chrony's `maxclockerror` does (1 ppm by default), and that `chronyd`
    /// may change the clocks' rate right after it was asked. Raised, bounds and samples grow
    /// faster: at 50 ppm, by 3.2 ms between measurements that are 64 s apart. Lowered to a few ppm,
    /// they rest on a temperature that stays as it is.
    ///
    /// AWS ClockBound counts the same, by asking for `maxclockerror 50` in `chrony.conf`. Where it
    /// is there, `chronyd` counts that too, which no report tells, and bounds grow twice as fast
    /// between measurements as they need to.
    pub drift: Drift,
    /// After how many of its own update intervals without an update the report is stale. By default
    /// 8, which is when NTP's reachability register has run empty.
    pub stale_after_updates: u32,
    /// The least age from which on a report is stale. By default 512 s, eight polls of chrony's
    /// shortest default interval: after the first measurements, made in quick succession, the
    /// update interval is shorter than the time to the next.
    pub min_stale_after: Duration,
    /// The greatest age up to which a report is not stale. By default 8192 s, eight polls of
    /// chrony's longest default interval. It takes precedence over the least.
    pub max_stale_after: Duration,
    /// Whether a `chronyd` that is its own reference (chrony's `local` directive) is believed. By
    /// default it is not: it claims an error of zero, of time that somebody typed in.
    pub trust_local_reference: bool,
    /// What a reference clock can be wrong by that `chronyd` was not told. By default nothing is
    /// known of any.
    pub reference_bound: Option<ReferenceBound>,
}

/// How far a reference clock can be from the truth, which `chronyd` does not know.
///
/// It is added to the bound as long as that is the reference which is followed. On AWS, for example,
/// the driver of the network device states it for the PTP hardware clock, in nanoseconds, in
/// `phc_error_bound` below `/sys/class/net`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct ReferenceBound {
    /// Which reference that is, as in [`Tracking::reference_id`](super::Tracking::reference_id): four characters of ASCII, such as
    /// `u32::from_be_bytes(*b"PHC0")`.
    pub reference_id: u32,
    /// How far it can be from the truth.
    pub error: Duration,
}

impl Default for ChronyConfig {
    fn default() -> Self {
        Self {
            address: ChronyAddress::Udp((Ipv4Addr::LOCALHOST, PORT).into()),
            timeout: Duration::from_secs(1),
            drift: Drift::QUARTZ,
            stale_after_updates: 8,
            min_stale_after: Duration::from_secs(8 * 64),
            max_stale_after: Duration::from_secs(8 * 1024),
            trust_local_reference: false,
            reference_bound: None,
        }
    }
}

/// Where a `chronyd` listens for commands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChronyAddress {
    /// An address and a UDP port.
    Udp(SocketAddr),
    /// A Unix socket, which by default is `/run/chrony/chronyd.sock`.
    ///
    /// The answer comes to a socket of our own, which is created beside it for as long as it takes.
    #[cfg(unix)]
    Unix(PathBuf),
}

/// chrony's port for commands, from its `candm.h`.
const PORT: u16 = 323;
