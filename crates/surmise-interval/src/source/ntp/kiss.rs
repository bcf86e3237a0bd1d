use core::fmt;

/// What a kiss-o'-death packet says, by which a server asks a client to go away (RFC 5905, section
/// 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KissCode {
    /// DENY: access is denied. The client must stop.
    Deny,
    /// RSTR: access is denied by a local policy. The client must stop.
    Restrict,
    /// RATE: the client asks too often, and must do so less.
    Rate,
    /// Another code, in ASCII: INIT and STEP, for example, say that the server's clock is not set
    /// yet.
    Other([u8; 4]),
}

impl KissCode {
    /// Reads a code.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        match &bytes {
            b"DENY" => Self::Deny,
            b"RSTR" => Self::Restrict,
            b"RATE" => Self::Rate,
            _ => Self::Other(bytes),
        }
    }

    /// Returns the four bytes of the code.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        match self {
            Self::Deny => b"DENY",
            Self::Restrict => b"RSTR",
            Self::Rate => b"RATE",
            Self::Other(bytes) => bytes,
        }
    }

    /// Returns whether the server must not be asked again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Deny | Self::Restrict)
    }
}

/// The code, with escapes for what is not printable.
impl fmt::Display for KissCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}
