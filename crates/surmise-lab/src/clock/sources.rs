//! The sources that there are, and what each says besides the time.

mod chrony;
#[cfg(target_os = "linux")]
mod linux;
mod ntp;

use surmise_interval::select::Smearing;

use self::{chrony::Chrony, ntp::Ntp};
use super::{args::ClockArgs, probe::Probe};

/// Returns all sources, in the order in which they are shown.
pub(super) fn probes(args: &ClockArgs) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    #[cfg(target_os = "linux")]
    probes.extend(linux::probes(args));
    #[cfg(not(target_os = "linux"))]
    if args.clock_bound.is_some() || args.phc.is_some() {
        let (name, why) = ("clock-bound, phc".to_owned(), "only read on Linux".to_owned());
        probes.push(Box::new(super::probe::Absent { name, why }));
    }
    probes.push(Box::new(Chrony::new(args.chrony.clone())));
    for (servers, smearing) in
        [(&args.ntp, Smearing::Stepped), (&args.smeared_ntp, Smearing::Smeared)]
    {
        for server in servers {
            probes.push(Box::new(Ntp::new(server.clone(), smearing)));
        }
    }
    probes
}
