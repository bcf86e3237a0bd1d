use surmise_interval::source::{
    Source as _,
    chrony::{ChronyAddress, ChronyConfig, ChronySource, Tracking},
};
use surmise_time::{Instant, MonotonicClock};

use crate::{
    clock::{
        args::ChronyPlace,
        probe::{Probe, Report, Silence, Vote},
        table::signed,
    },
    compare::text,
};

/// The chronyd of this machine.
#[derive(Debug)]
pub(super) struct Chrony {
    place: Option<ChronyPlace>,
    /// Made when its host is first found, and then kept: it remembers since when nothing is believed.
    source: Option<ChronySource>,
}

impl Chrony {
    /// Creates a probe of a chronyd that answers there, or where it does by default.
    pub(super) const fn new(place: Option<ChronyPlace>) -> Self {
        Self { place, source: None }
    }

    fn address(&self) -> Result<ChronyAddress, Silence> {
        match &self.place {
            None => Ok(ChronyConfig::default().address),
            Some(ChronyPlace::Address(host)) => Ok(ChronyAddress::Udp(host.resolve()?)),
            #[cfg(unix)]
            Some(ChronyPlace::Socket(path)) => Ok(ChronyAddress::Unix(path.clone())),
            #[cfg(not(unix))]
            Some(ChronyPlace::Socket(_)) => {
                Err(Silence::NotAsked("this system has no Unix sockets".to_owned()))
            }
        }
    }
}

impl Probe for Chrony {
    fn name(&self) -> &str {
        "chrony"
    }

    fn ask(&mut self, clock: &dyn MonotonicClock) -> Report {
        let address = match self.address() {
            Ok(address) => address,
            Err(silence) => return Report::silent(silence),
        };
        let source = self.source.get_or_insert_with(|| {
            ChronySource::new(ChronyConfig { address, ..ChronyConfig::default() })
        });
        match source.report(clock) {
            Ok(report) => Report {
                answer: report.sample().map_err(Silence::from),
                age: Some(report.age()),
                details: describe(report.tracking()),
            },
            Err(error) => Report::silent(error),
        }
    }

    fn vote(&self) -> Vote {
        Vote::SystemClock(0)
    }

    fn disrupted(&mut self, at: Instant) {
        if let Some(source) = &mut self.source {
            source.disrupted(at);
        }
    }
}

fn describe(tracking: &Tracking) -> String {
    let Tracking { stratum, reference_id, reference_address, .. } = tracking;
    let reference = reference_address
        .map_or_else(|| format!("{reference_id:08X}"), |address| address.to_string());
    format!(
        "stratum {stratum}, reference {reference}, correction {}, root delay {}, \
         root dispersion {}",
        signed(tracking.system_time.as_f64()),
        text::time(tracking.root_delay.as_f64()),
        text::time(tracking.root_dispersion.as_f64()),
    )
}
