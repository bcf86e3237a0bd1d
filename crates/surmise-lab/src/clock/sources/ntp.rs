use core::time::Duration;

use surmise_interval::{
    select::Smearing,
    source::ntp::{Measurement, NtpConfig, NtpSource, PORT},
};
use surmise_time::MonotonicClock;

use crate::{
    clock::{
        address::HostPort,
        probe::{Probe, Report, Silence},
    },
    compare::text,
};

/// How long a server is left alone: what public servers are content with.
const PAUSE: Duration = Duration::from_secs(64);

/// An NTP server.
#[derive(Debug)]
pub(super) struct Ntp {
    server: HostPort,
    name: String,
    smearing: Smearing,
    /// Made when the server's name is first found to lead somewhere, and then kept: it remembers
    /// what the server refused.
    source: Option<NtpSource>,
}

impl Ntp {
    /// Creates a probe. Not even the server's name is looked up until it is asked.
    pub(super) fn new(server: HostPort, smearing: Smearing) -> Self {
        let name = format!("ntp {}", server.name(PORT));
        Self { server, name, smearing, source: None }
    }
}

impl Probe for Ntp {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, clock: &dyn MonotonicClock) -> Report {
        let source = match &mut self.source {
            Some(source) => source,
            none => match self.server.resolve() {
                Ok(address) => none.insert(NtpSource::new(address, NtpConfig::default())),
                Err(silence) => return Report::silent(silence),
            },
        };
        match source.measure(clock) {
            Ok(measurement) => Report {
                answer: measurement.sample().map_err(Silence::from),
                age: measurement.reply().reference_age(),
                details: describe(&measurement),
            },
            Err(error) => Report::silent(error),
        }
    }

    fn pause(&self) -> Duration {
        PAUSE
    }

    fn smearing(&self) -> Smearing {
        self.smearing
    }
}

fn describe(measurement: &Measurement) -> String {
    let reply = measurement.reply();
    let time = |time: Duration| text::time(time.as_secs_f64());
    format!(
        "stratum {}, delay {}, root delay {}, root dispersion {}",
        reply.stratum,
        time(measurement.delay()),
        time(reply.root_delay),
        time(reply.root_dispersion),
    )
}
