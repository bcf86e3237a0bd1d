use core::{error::Error, fmt};

use crate::Refusal;

/// A write that a fenced map did not take, with all that was to be written.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// Why it was not written.
    pub reason: WriteRefusal,
}

impl<K, V> Refused<K, V> {
    pub(super) const fn new(key: K, value: V, reason: WriteRefusal) -> Self {
        Self { key, value, reason }
    }

    pub(crate) const fn is_full(&self) -> bool {
        matches!(self.reason, WriteRefusal::Full { .. })
    }
}

/// Only the reason: keys and values need not be printable, and may not be for every log.
impl<K, V> fmt::Debug for Refused<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<K, V> fmt::Display for Refused<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<K, V> Error for Refused<K, V> {}

/// Why a fenced map did not write or remove something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteRefusal {
    /// The writer may not.
    Refused(Refusal),
    /// The key is new, and there is no room for it.
    Full {
        /// How many keys there is room for, and how many there are, tombstones included.
        capacity: usize,
    },
}

impl From<Refusal> for WriteRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for WriteRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Full { capacity } => {
                write!(
                    f,
                    "no room for a new key: {capacity} keys are remembered, and no more can be"
                )
            }
        }
    }
}

impl Error for WriteRefusal {}
