use core::{error::Error, fmt, ops::Range, time::Duration};

use super::{KissCode, NtpTimestamp};
use crate::source::{Leap, Unsynchronized};

/// How long a packet is, without the extensions that this client does not ask for.
pub const PACKET_LENGTH: usize = 48;

/// Encodes a client's request, NTP version 4.
///
/// It tells the server nothing but a random number where the time of transmission should be, which
/// the server repeats: that does not give away our clock, and nobody who does not see the request
/// can forge a reply (Franke and Malhotra, "NTP Client Data Minimization", Internet-Draft, 2019).
#[must_use]
pub fn encode_request(nonce: u64) -> [u8; PACKET_LENGTH] {
    let mut request = [0; PACKET_LENGTH];
    if let Some((first, rest)) = request.split_first_mut() {
        *first = VERSION << 3 | CLIENT;
        if let Some(transmit) = rest.last_chunk_mut() {
            *transmit = nonce.to_be_bytes();
        }
    }
    request
}

/// Decodes the reply to a client's request.
///
/// # Errors
///
/// If it is not the reply to this request, if it makes no sense, or if it says that the server will
/// not or cannot tell the time.
pub fn decode_reply(reply: &[u8], nonce: u64) -> Result<Reply, ReplyError> {
    if reply.get(ORIGIN) != Some(nonce.to_be_bytes().as_slice()) {
        return Err(ReplyError::Foreign);
    }
    let Ok(bytes) = <&[u8; PACKET_LENGTH]>::try_from(reply) else {
        let length = u64::try_from(reply.len()).unwrap_or(u64::MAX);
        return Err(ReplyError::Malformed { what: "length", value: length });
    };
    let [flags, stratum, poll, precision, ..] = *bytes;
    if flags & 0b111 != SERVER {
        return Err(ReplyError::Malformed { what: "mode", value: (flags & 0b111).into() });
    }
    let version = flags >> 3 & 0b111;
    if version != VERSION {
        return Err(ReplyError::Unsupported { what: "version", value: version.into() });
    }
    let reference_id = word(bytes, 12).to_be_bytes();
    // Without a code, it is the packet of a server that is not synchronised.
    if stratum == 0 && reference_id.iter().all(u8::is_ascii_graphic) {
        return Err(ReplyError::Kiss {
            code: KissCode::from_bytes(reference_id),
            poll: i8::from_be_bytes([poll]),
        });
    }
    let leap = Leap::from_indicator((flags >> 6).into()).unwrap_or(Leap::Unsynchronized);
    let decoded = Reply {
        leap,
        stratum,
        poll: i8::from_be_bytes([poll]),
        precision: i8::from_be_bytes([precision]),
        root_delay: short(word(bytes, 4)),
        root_dispersion: short(word(bytes, 8)),
        reference_id,
        reference: timestamp(bytes, 16),
        receive: timestamp(bytes, 32),
        transmit: timestamp(bytes, 40),
    };
    decoded.check()?;
    Ok(decoded)
}

/// What an NTP server replied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// Whether a leap second is due.
    pub leap: Leap,
    /// How many servers there are up to the one with a reference clock, which has 1; at most 15.
    pub stratum: u8,
    /// The binary logarithm of the seconds between a client's requests, as the server would have
    /// it.
    pub poll: i8,
    /// The binary logarithm of the seconds to which the server reads its clock.
    pub precision: i8,
    /// How long the round trip from the server to the reference clock takes; rounded up.
    pub root_delay: Duration,
    /// What the errors of all clocks and measurements up to the reference clock add up to; rounded
    /// up.
    pub root_dispersion: Duration,
    /// Which reference the server's clock is synchronised to: a name, an IPv4 address, or a hash of
    /// an IPv6 address.
    pub reference_id: [u8; 4],
    /// When the server's clock was last set or corrected, or [unset](NtpTimestamp::is_unset).
    pub reference: NtpTimestamp,
    /// When the request reached the server: T₂.
    pub receive: NtpTimestamp,
    /// When the reply left the server: T₃.
    pub transmit: NtpTimestamp,
}

impl Reply {
    /// Returns to what the server reads its clock, rounded up to nanoseconds.
    #[must_use]
    pub fn clock_precision(&self) -> Duration {
        let seconds = u32::from(self.precision.unsigned_abs());
        let power = 1_u64.checked_shl(seconds).unwrap_or(u64::MAX);
        if self.precision >= 0 {
            Duration::from_secs(power)
        } else {
            Duration::from_nanos(1_000_000_000_u64.div_ceil(power))
        }
    }

    /// Returns how long the server took to reply: T₃ − T₂.
    #[must_use]
    pub fn held(&self) -> Duration {
        // That it is not negative was checked when the reply was decoded.
        self.transmit.checked_duration_since(self.receive).unwrap_or_default()
    }

    /// Returns whether the server has no reference but itself: one called LOCL at stratum 1, where
    /// it is not an address, or 127.127.x.x.
    #[must_use]
    pub fn is_local_reference(&self) -> bool {
        let called_local = self.stratum == 1 && self.reference_id == *b"LOCL";
        called_local || self.reference_id.starts_with(&[127, 127])
    }

    /// Returns how long before it replied the server's clock was last set or corrected, or `None` if
    /// it does not tell.
    #[must_use]
    pub fn reference_age(&self) -> Option<Duration> {
        let reference = Some(self.reference).filter(|reference| !reference.is_unset())?;
        self.transmit.checked_duration_since(reference)
    }

    fn check(&self) -> Result<(), ReplyError> {
        if self.leap == Leap::Unsynchronized {
            return Err(Unsynchronized::LeapStatus.into());
        }
        if !(1..=MAX_STRATUM).contains(&self.stratum) {
            return Err(Unsynchronized::Stratum(self.stratum.into()).into());
        }
        let Self { reference, receive, transmit, .. } = *self;
        for (what, time) in [("receive timestamp", receive), ("transmit timestamp", transmit)] {
            if time.is_unset() {
                return Err(malformed(what, time));
            }
        }
        if transmit.checked_duration_since(receive).is_none() {
            return Err(malformed("transmit timestamp before the receive timestamp", transmit));
        }
        if !reference.is_unset() && transmit.checked_duration_since(reference).is_none() {
            return Err(malformed("reference timestamp after the transmit timestamp", reference));
        }
        Ok(())
    }
}

/// A datagram is not a reply from which the time can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// It is not the reply to our request.
    Foreign,
    /// It makes no sense.
    Malformed {
        /// Which part of it.
        what: &'static str,
        /// What was found there.
        value: u64,
    },
    /// It is of a version that this crate does not know.
    Unsupported {
        /// Which part of it.
        what: &'static str,
        /// What was found there.
        value: u64,
    },
    /// It is a kiss-o'-death packet: the server will not tell.
    Kiss {
        /// Why not.
        code: KissCode,
        /// The binary logarithm of the seconds between a client's requests, as the server would
        /// have it.
        poll: i8,
    },
    /// The server does not know.
    Unsynchronized(Unsynchronized),
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "not the reply to our request"),
            Self::Malformed { what, value } => write!(f, "{what} {value} makes no sense"),
            Self::Unsupported { what, value } => write!(f, "{what} {value} is not supported"),
            Self::Kiss { code, .. } => write!(f, "the kiss-o'-death code is {code}"),
            Self::Unsynchronized(reason) => write!(f, "not synchronised: {reason}"),
        }
    }
}

impl Error for ReplyError {}

impl From<Unsynchronized> for ReplyError {
    fn from(reason: Unsynchronized) -> Self {
        Self::Unsynchronized(reason)
    }
}

const fn malformed(what: &'static str, time: NtpTimestamp) -> ReplyError {
    ReplyError::Malformed { what, value: time.to_bits() }
}

/// Returns the four bytes from an offset on, all of which there are.
fn word(bytes: &[u8; PACKET_LENGTH], offset: usize) -> u32 {
    let word = bytes.get(offset..).and_then(<[u8]>::first_chunk);
    word.copied().map(u32::from_be_bytes).unwrap_or_default()
}

fn timestamp(bytes: &[u8; PACKET_LENGTH], offset: usize) -> NtpTimestamp {
    let (seconds, fraction) = (word(bytes, offset), word(bytes, offset + 4));
    NtpTimestamp::from_bits(u64::from(seconds) << 32 | u64::from(fraction))
}

/// Converts 2⁻¹⁶ of a second, rounded up to nanoseconds.
fn short(fraction: u32) -> Duration {
    Duration::from_nanos((u64::from(fraction) * 1_000_000_000).div_ceil(1 << 16))
}

/// Where a reply has the number of its request.
const ORIGIN: Range<usize> = 24..32;

const VERSION: u8 = 4;
const CLIENT: u8 = 3;
const SERVER: u8 = 4;
const MAX_STRATUM: u8 = 15;

#[cfg(test)]
mod tests;
