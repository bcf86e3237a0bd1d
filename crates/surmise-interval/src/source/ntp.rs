//! NTP: one exchange with a server of one's choice (Mills, Martin, Burbank and Kasch, "Network Time
//! Protocol Version 4", RFC 5905, 2010).
//!
//! This is a client of one packet, and no NTP daemon: it filters nothing, corrects no clock, and
//! remembers nothing but a server's refusals. What it gives is the bound that holds for any delays
//! on the way: the time at the server was T₃ when the reply left, the reply took no longer than the
//! round trip less what the server held it for, and the server says how far its own clock can be
//! from the truth.
//!
//! The packets are not authenticated. Who can read them on the way can forge them.

mod backoff;
mod kiss;
mod measurement;
mod packet;
mod timestamp;

use alloc::string::{String, ToString};
use core::{net::SocketAddr, time::Duration};

use surmise_time::{Instant, MonotonicClock};

use self::backoff::Backoff;
pub use self::{
    kiss::KissCode,
    measurement::Measurement,
    packet::{PACKET_LENGTH, Reply, ReplyError, decode_reply, encode_request},
    timestamp::NtpTimestamp,
};
use super::{
    Refusal, Source, SourceError,
    datagram::{self, Datagram},
    slewing::Slewing,
};
use crate::{Drift, Sample};

/// An NTP server.
///
/// Public servers are content to be asked once in 64 s. A [`Sampler`](crate::sampler::Sampler) that asks other
/// sources more often keeps to that if this one is added [with a pause](crate::sampler::Sampler::with_pause).
///
/// # Examples
///
/// ```no_run
/// use std::net::ToSocketAddrs as _;
/// use surmise_interval::source::{Source as _, ntp::{NtpConfig, NtpSource, PORT}};
/// use surmise_time::BootClock;
///
/// // A name is looked up once, here: a service that runs for long makes a new source now and then.
/// let server = ("ntp.example.org", PORT).to_socket_addrs()?.next().ok_or("it has no address")?;
/// let mut source = NtpSource::new(server, NtpConfig::default());
/// println!("{}", source.sample(&BootClock)?.interval());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct NtpSource {
    server: SocketAddr,
    name: String,
    config: NtpConfig,
    refused: Option<KissCode>,
    backoff: Option<Backoff>,
    slewing: Slewing,
}

/// How a server is asked, and what is made of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct NtpConfig {
    /// How long to wait for the reply. By default a second; what takes that long is worth little.
    pub timeout: Duration,
    /// How far the measurement may be from the truth at most. By default 1.5 s, as in `ntpd`;
    /// lowered, far and badly synchronised servers are refused.
    pub max_uncertainty: Duration,
    /// Whether a server that is its own reference is believed: one whose reference is called LOCL at
    /// stratum 1, as by Windows' time service, or 127.127.x.x, as by `ntpd` and `chronyd`. By default
    /// it is not: it claims next to no error, of time that somebody typed in.
    ///
    /// Of the hashes that servers state of an IPv6 address, one in 65536 looks like that.
    pub trust_local_reference: bool,
    /// How old the server's reference may be, as of when it replied. By default 8192 s, eight polls
    /// of NTP's longest interval in use: whoever has not reached a server for so long has none.
    ///
    /// Within that nothing is added for its age. RFC 5905 has a server state its dispersion as of
    /// the transmission, which grows by [`Drift::NTP`] since its clock was last set. A server that
    /// does not tell when that was is not refused for it.
    pub max_reference_age: Duration,
    /// How far the rate of our clock can be from the true one. By default [`Drift::SPANNER`].
    ///
    /// That is more than a crystal's [`Drift::QUARTZ`]: where no daemon corrects it, the monotonic
    /// clock has not only the crystal's error but also that by which the kernel has calibrated the
    /// CPU's counter at boot, which may be as much again and more. Lowered, samples rest on a daemon
    /// that has corrected both.
    ///
    /// On Linux a daemon that slews the system clock slews the monotonic clocks alike, `chronyd` by
    /// up to a twelfth. [`NtpSource`] adds the correction that was in force when the server was
    /// asked or had answered, whichever is more. What it cannot know of must be covered by this: a
    /// correction that begins later, or is over by then, one by `adjtime` of the C library, and any
    /// on other systems. [`Measurement`] adds nothing.
    ///
    /// Samples grow by it. During the exchange, what RFC 5905 assumes of both clocks is counted if
    /// that is more: [`Drift::NTP`].
    pub drift: Drift,
}

impl Default for NtpConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(1),
            max_uncertainty: Duration::from_millis(1500),
            trust_local_reference: false,
            max_reference_age: Duration::from_secs(8 * 1024),
            drift: Drift::SPANNER,
        }
    }
}

impl NtpSource {
    /// Creates a source. Nothing is sent until it is asked.
    #[must_use]
    pub fn new(server: SocketAddr, config: NtpConfig) -> Self {
        let (name, slewing) = (server.to_string(), Slewing::new());
        Self { server, name, config, refused: None, backoff: None, slewing }
    }

    /// Asks the server.
    ///
    /// Once the server has said that it must not be asked again, it is not: the error is the same
    /// then. How often it may be asked is for the caller to know; public servers are content with
    /// once in a minute.
    ///
    /// Once it has said that it is asked too often ([`KissCode::Rate`]), it is left alone for the
    /// interval that it states in the same packet, but for 64 s at least and 36 h at most; and
    /// twice as long as the last time, up to 1024 s, if it says so again before it has told the
    /// time. Meanwhile the error is [`Refusal::Rate`], which tells when that is over by the clock
    /// given here: it should always be the same.
    ///
    /// # Errors
    ///
    /// If there is no answer, or none from which the time can be told, or if our clock is slewed by
    /// more than [`Drift::MAX`] allows for. That the answer is uncertain is not an error before
    /// [`Measurement::sample`].
    pub fn measure(&mut self, clock: &dyn MonotonicClock) -> Result<Measurement, SourceError> {
        self.check_welcome(clock.now())?;
        self.measure_over(&datagram::connect(self.server)?, clock)
    }

    fn measure_over(
        &mut self,
        socket: &impl Datagram,
        clock: &dyn MonotonicClock,
    ) -> Result<Measurement, SourceError> {
        let nonce = u64::from_ne_bytes(datagram::random()?);
        let request = encode_request(nonce);
        let accept = |reply: &[u8]| match decode_reply(reply, nonce) {
            Err(ReplyError::Foreign) => None,
            answer => Some(answer),
        };
        let slewed = self.slewing.observe()?;
        let exchange = datagram::exchange(socket, &request, self.config.timeout, clock, accept)?;
        let reply = self.heed(exchange.answer, exchange.received)?;
        let config = NtpConfig { drift: slewed.drift(self.config.drift)?, ..self.config };
        Ok(Measurement::new(reply, exchange.sent, exchange.received, config)?)
    }

    /// Checks that the server may be asked.
    fn check_welcome(&self, now: Instant) -> Result<(), SourceError> {
        if let Some(code) = self.refused {
            return Err(Refusal::Kiss(code).into());
        }
        match self.backoff {
            Some(Backoff { again, .. }) if now < again => Err(Refusal::Rate { again }.into()),
            _ => Ok(()),
        }
    }

    /// Remembers how welcome we are by what the server has answered.
    fn heed(
        &mut self,
        answer: Result<Reply, ReplyError>,
        received: Instant,
    ) -> Result<Reply, SourceError> {
        match answer {
            Ok(_) => self.backoff = None,
            Err(ReplyError::Kiss { code: KissCode::Rate, poll }) => {
                let backoff = Backoff::new(self.backoff, poll, received);
                self.backoff = Some(backoff);
                return Err(Refusal::Rate { again: backoff.again }.into());
            }
            Err(ReplyError::Kiss { code, .. }) => {
                self.refused = Some(code).filter(KissCode::is_final);
            }
            Err(_) => {}
        }
        Ok(answer?)
    }
}

impl Source for NtpSource {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        self.measure(clock)?.sample()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl From<ReplyError> for SourceError {
    fn from(error: ReplyError) -> Self {
        match error {
            // Such replies are waited out, and so this is for completeness.
            ReplyError::Foreign => Self::NoAnswer { waited: Duration::ZERO },
            ReplyError::Malformed { what, value } => Self::Malformed { what, value },
            ReplyError::Unsupported { what, value } => Self::Unsupported { what, value },
            ReplyError::Kiss { code, .. } => Refusal::Kiss(code).into(),
            ReplyError::Unsynchronized(reason) => Self::Unsynchronized { reason },
        }
    }
}

/// The UDP port of NTP.
pub const PORT: u16 = 123;

#[cfg(test)]
mod tests;
