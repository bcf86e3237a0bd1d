use core::{fmt, time::Duration};

use crate::LimitExceeded;

/// The name of what a lease is about and a fence protects: 1 to 255 bytes of text without NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource<'a>(&'a str);

impl<'a> Resource<'a> {
    /// The length of the longest name.
    pub const MAX_BYTES: usize = 255;

    /// Creates the name of a resource.
    ///
    /// # Errors
    ///
    /// If it is empty, too long or has a NUL.
    pub fn new(name: &'a str) -> Result<Self, LimitExceeded> {
        if name.is_empty() || name.len() > Self::MAX_BYTES {
            return Err(LimitExceeded::Resource { bytes: name.len() });
        }
        match name.bytes().position(|byte| byte == 0) {
            Some(at) => Err(LimitExceeded::NulInResource { at }),
            None => Ok(Self(name)),
        }
    }

    /// Returns the name.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// For how long a lease is asked: from 10 ms to a day.
///
/// A store may grant another time, as one that counts in seconds does: what counts is
/// [`Grant::valid_for`](surmise_fence::Grant::valid_for).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(Duration);

impl Ttl {
    /// The shortest time. What is shorter is over before its holder hears of it.
    pub const MIN: Duration = Duration::from_millis(10);
    /// The longest time. Whoever needs longer renews.
    pub const MAX: Duration = Duration::from_secs(86_400);

    /// Creates a time.
    ///
    /// # Errors
    ///
    /// If it is shorter than [`MIN`](Self::MIN) or longer than [`MAX`](Self::MAX).
    pub fn new(ttl: Duration) -> Result<Self, LimitExceeded> {
        if (Self::MIN..=Self::MAX).contains(&ttl) {
            Ok(Self(ttl))
        } else {
            Err(LimitExceeded::Ttl { ttl })
        }
    }

    /// Returns the time.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}
