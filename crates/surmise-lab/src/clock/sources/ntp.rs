use core::time::Duration;

use surmise_interval::{
    select::Smearing,
    source::ntp::{Measurement, NtpConfig, NtpSource, PORT, Reply},
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
                age: age(measurement.reply()),
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

/// Returns how long before its reply the server's own clock was last set or corrected, if it says so.
fn age(reply: &Reply) -> Option<Duration> {
    let reference = Some(reply.reference).filter(|reference| !reference.is_unset())?;
    reply.transmit.checked_duration_since(reference)
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

#[cfg(test)]
mod tests {
    use surmise_interval::source::ntp::{PACKET_LENGTH, decode_reply};

    use super::*;

    #[test]
    fn an_answer_is_as_old_as_what_the_server_goes_by() {
        let nonce = 7_u64;
        let with_reference = |seconds: u32| {
            let mut bytes = [0; PACKET_LENGTH];
            bytes[..4].copy_from_slice(&[0o44, 2, 6, 0xec]);
            bytes[16..20].copy_from_slice(&seconds.to_be_bytes());
            bytes[24..32].copy_from_slice(&nonce.to_be_bytes());
            for offset in [32, 40] {
                bytes[offset..offset + 4].copy_from_slice(&4_000_000_100_u32.to_be_bytes());
            }
            decode_reply(&bytes, nonce).unwrap()
        };
        assert_eq!(age(&with_reference(4_000_000_070)), Some(Duration::from_secs(30)));
        assert_eq!(age(&with_reference(4_000_000_100)), Some(Duration::ZERO));
        assert_eq!(age(&with_reference(0)), None);
    }
}
