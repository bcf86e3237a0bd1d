//! The command protocol, version 6, as far as the tracking report needs it.

use core::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
    time::Duration,
};

use surmise_time::WallTime;

use super::{float::Float, tracking::Tracking};
use crate::source::Leap;

/// How long a request for the tracking report is, and how long the reply.
///
/// The request is padded to that, so that no reply is longer than what it answers.
pub const PACKET_LENGTH: usize = 104;

/// Encodes a request for the tracking report.
///
/// The sequence number should be random: the reply repeats it, and nothing else ties the two
/// together.
#[must_use]
pub fn encode_request(sequence: u32) -> [u8; PACKET_LENGTH] {
    let mut request = [0; PACKET_LENGTH];
    let [command_high, command_low] = TRACKING.to_be_bytes();
    let [a, b, c, d] = sequence.to_be_bytes();
    // Version, type, two reserved bytes; command, attempt; sequence number; the rest is padding.
    let header = [VERSION, REQUEST, 0, 0, command_high, command_low, 0, 0, a, b, c, d];
    for (byte, value) in request.iter_mut().zip(header) {
        *byte = value;
    }
    request
}

/// Decodes the reply to a request for the tracking report.
///
/// # Errors
///
/// If it is not the reply to this request, if it is one that makes no sense, or one without a
/// report.
pub fn decode_reply(reply: &[u8], sequence: u32) -> Result<Tracking, ReplyError> {
    if reply.get(SEQUENCE) != Some(sequence.to_be_bytes().as_slice()) {
        return Err(ReplyError::Foreign);
    }
    let mut header = Reader { rest: reply, length: reply.len() };
    let (version, kind) = (header.u8()?, header.u8()?);
    let reserved = header.u16()?;
    let (command, format, status) = (header.u16()?, header.u16()?, header.u16()?);
    // The sequence number, between padding that is 0 in this version.
    _ = header.take::<18>()?;

    if (kind, reserved, command) != (REPLY, 0, TRACKING) {
        return Err(ReplyError::Foreign);
    }
    if version != VERSION || status == STATUS_BAD_VERSION {
        return Err(ReplyError::Unsupported { what: "protocol version", value: version.into() });
    }
    if status != STATUS_SUCCESS {
        return Err(ReplyError::Refused { status });
    }
    if format != TRACKING_FORMAT {
        return Err(ReplyError::Unsupported { what: "reply format", value: format.into() });
    }
    if reply.len() != PACKET_LENGTH {
        return Err(wrong_length(reply.len()));
    }
    read_tracking(&mut header)
}

fn read_tracking(body: &mut Reader<'_>) -> Result<Tracking, ReplyError> {
    Ok(Tracking {
        reference_id: body.u32()?,
        reference_address: body.address()?,
        stratum: body.u16()?,
        leap: {
            let status = body.u16()?;
            Leap::from_indicator(status).ok_or(malformed("leap status", status.into()))?
        },
        reference_time: body.time()?,
        system_time: body.float()?,
        last_offset: body.float()?,
        rms_offset: body.float()?,
        frequency: body.float()?,
        residual_frequency: body.float()?,
        skew: body.float()?,
        root_delay: body.positive("root delay")?,
        root_dispersion: body.positive("root dispersion")?,
        update_interval: body.float()?,
    })
}

/// Reads a packet from its beginning.
struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReplyError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(wrong_length(self.length))?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn u8(&mut self) -> Result<u8, ReplyError> {
        self.take().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, ReplyError> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, ReplyError> {
        self.take().map(u32::from_be_bytes)
    }

    fn float(&mut self) -> Result<Float, ReplyError> {
        self.u32().map(Float::from_bits)
    }

    fn positive(&mut self, what: &'static str) -> Result<Float, ReplyError> {
        let bits = self.u32()?;
        let float = Float::from_bits(bits);
        if float.is_negative() {
            return Err(malformed(what, bits.into()));
        }
        Ok(float)
    }

    /// Sixteen bytes of an address, two that say of which kind it is, and two of padding.
    fn address(&mut self) -> Result<Option<IpAddr>, ReplyError> {
        let bytes: [u8; 16] = self.take()?;
        let family = self.u16()?;
        _ = self.u16()?;
        let [a, b, c, d, ..] = bytes;
        Ok(match family {
            FAMILY_IPV4 => Some(Ipv4Addr::new(a, b, c, d).into()),
            FAMILY_IPV6 => Some(Ipv6Addr::from(bytes).into()),
            _ => None,
        })
    }

    /// Seconds since 1970 as two words, the higher first, and nanoseconds.
    fn time(&mut self) -> Result<WallTime, ReplyError> {
        let (high, low, nanos) = (self.u32()?, self.u32()?, self.u32()?);
        // A machine with seconds of 32 bits has no higher word.
        let high = if high == NO_HIGH_SECONDS { 0 } else { high };
        let seconds = u64::from(high) << 32 | u64::from(low);
        if nanos >= 1_000_000_000 {
            return Err(malformed("nanoseconds of the reference time", nanos.into()));
        }
        WallTime::UNIX_EPOCH
            .checked_add(Duration::new(seconds, nanos))
            .ok_or(malformed("seconds of the reference time", seconds))
    }
}

/// A datagram is not a tracking report.
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
    /// It is of a version or a kind that this crate does not know.
    Unsupported {
        /// Which part of it.
        what: &'static str,
        /// What was found there.
        value: u64,
    },
    /// `chronyd` did not do as it was asked.
    Refused {
        /// Why not: 2 stands for "not authorised". The numbers are those of chrony's `candm.h`.
        status: u16,
    },
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "not the reply to our request"),
            Self::Malformed { what, value } => write!(f, "{what} {value} makes no sense"),
            Self::Unsupported { what, value } => write!(f, "{what} {value} is not supported"),
            Self::Refused { status } => write!(f, "chronyd refused with status {status}"),
        }
    }
}

impl Error for ReplyError {}

const fn malformed(what: &'static str, value: u64) -> ReplyError {
    ReplyError::Malformed { what, value }
}

fn wrong_length(length: usize) -> ReplyError {
    malformed("length", u64::try_from(length).unwrap_or(u64::MAX))
}

/// Where a reply has the sequence number of its request.
const SEQUENCE: Range<usize> = 16..20;

const VERSION: u8 = 6;
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const TRACKING: u16 = 33;
const TRACKING_FORMAT: u16 = 5;
const STATUS_SUCCESS: u16 = 0;
const STATUS_BAD_VERSION: u16 = 18;
const FAMILY_IPV4: u16 = 1;
const FAMILY_IPV6: u16 = 2;
const NO_HIGH_SECONDS: u32 = 0x7fff_ffff;

#[cfg(test)]
mod tests;
