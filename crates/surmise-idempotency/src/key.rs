use alloc::{boxed::Box, vec::Vec};
use core::{borrow::Borrow, error::Error, fmt};

/// Whose request it is, to do what, and which: the scope of an idempotency key, and the key.
///
/// Clients choose their keys, and two of them can choose the same. So a key counts only within its tenant, and within
/// its operation: what one tenant did is never replayed to another.
///
/// The parts are bytes, and text as a rule. They lie in one allocation, in the form in which a store keeps
/// them, and two keys are equal if and only if all three parts are.
///
/// # Examples
///
/// ```
/// use surmise_idempotency::{Key, KeyError};
///
/// let key = Key::new("acme", "POST /payments", "8e03978e-40d5-43dd-bc93-6894a57f9324")?;
/// assert_eq!(key.tenant(), b"acme");
/// assert_eq!(Key::from_bytes(key.as_bytes()), Ok(key));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

impl Key {
    /// How many bytes each part can have.
    pub const MAX_PART: usize = 255;

    /// Creates a key from its parts. The tenant and the operation can be empty, where there is but one.
    ///
    /// # Errors
    ///
    /// If a part is longer than [`MAX_PART`](Self::MAX_PART), or the key is empty.
    pub fn new(
        tenant: impl AsRef<[u8]>,
        operation: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        Self::of_parts([tenant.as_ref(), operation.as_ref(), key.as_ref()])
    }

    fn of_parts(parts: [&[u8]; 3]) -> Result<Self, KeyError> {
        // Not more, however long a part is that is then refused.
        let lengths = parts.iter().map(|part| 1 + part.len().min(Self::MAX_PART));
        let mut bytes = Vec::with_capacity(lengths.sum());
        for (part, content) in KeyPart::ALL.into_iter().zip(parts) {
            let length = content.len();
            bytes.push(u8::try_from(length).map_err(|_| KeyError::TooLong { part, length })?);
            bytes.extend_from_slice(content);
        }
        if parts.last().is_none_or(|key| key.is_empty()) {
            return Err(KeyError::Empty);
        }
        Ok(Self(bytes.into_boxed_slice()))
    }

    /// Returns the key that [`as_bytes`](Self::as_bytes) made these of.
    ///
    /// # Errors
    ///
    /// If they are not exactly those of a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyBytesError> {
        let mut rest = bytes;
        for part in KeyPart::ALL {
            let (content, behind) =
                split(rest).map_err(|missing| KeyBytesError::Truncated { part, missing })?;
            if part == KeyPart::Key && content.is_empty() {
                return Err(KeyBytesError::Empty);
            }
            rest = behind;
        }
        if !rest.is_empty() {
            return Err(KeyBytesError::TrailingBytes { count: rest.len() });
        }
        Ok(Self(bytes.into()))
    }

    /// Returns the bytes under which a store keeps the key, 4 to 768 of them: each part after its length, which is one
    /// byte.
    ///
    /// No key's bytes begin with those of another. All keys of a tenant have the same bytes at first, and so do all
    /// those of its operations; keys are ordered as their bytes are, which is not the order of the alphabet.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns whose request it is.
    #[must_use]
    pub fn tenant(&self) -> &[u8] {
        let [tenant, ..] = self.parts();
        tenant
    }

    /// Returns what is to be done.
    #[must_use]
    pub fn operation(&self) -> &[u8] {
        let [_, operation, _] = self.parts();
        operation
    }

    /// Returns the key that the client chose.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        let [.., key] = self.parts();
        key
    }

    fn parts(&self) -> [&[u8]; 3] {
        let mut rest = self.as_bytes();
        KeyPart::ALL.map(|_| match split(rest) {
            Ok((part, behind)) => {
                rest = behind;
                part
            }
            // All three were there when the key was made.
            Err(_) => &[],
        })
    }
}

/// For maps that are asked with a store's bytes.
impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// The parts as text, with escapes where they are not ASCII.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tenant, operation, key] = self.parts().map(<[u8]>::escape_ascii);
        f.debug_struct("Key")
            .field("tenant", &format_args!("\"{tenant}\""))
            .field("operation", &format_args!("\"{operation}\""))
            .field("key", &format_args!("\"{key}\""))
            .finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.as_bytes())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        Self::from_bytes(&bytes).map_err(serde::de::Error::custom)
    }
}

/// A part of a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a key has three parts, by definition")]
pub enum KeyPart {
    /// Whose request it is.
    Tenant,
    /// What is to be done.
    Operation,
    /// The key that the client chose.
    Key,
}

impl KeyPart {
    /// In the order in which they lie.
    const ALL: [Self; 3] = [Self::Tenant, Self::Operation, Self::Key];
}

impl fmt::Display for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tenant => "tenant",
            Self::Operation => "operation",
            Self::Key => "key",
        })
    }
}

/// Why there is no [`Key`] with these parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// A part has more than [`Key::MAX_PART`] bytes.
    TooLong {
        /// Which.
        part: KeyPart,
        /// How many it has.
        length: usize,
    },
    /// The key itself is empty: it would tell no request from another.
    Empty,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { part, length } => {
                write!(f, "the {part} has {length} bytes, and can have {}", Key::MAX_PART)
            }
            Self::Empty => f.write_str("the key is empty"),
        }
    }
}

impl Error for KeyError {}

/// Why some bytes are not those of a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyBytesError {
    /// They end within a part.
    Truncated {
        /// Which.
        part: KeyPart,
        /// How many bytes it lacks, at least.
        missing: usize,
    },
    /// They go on after the key.
    TrailingBytes {
        /// How many are left.
        count: usize,
    },
    /// The key itself is empty.
    Empty,
}

impl fmt::Display for KeyBytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { part, missing } => {
                write!(f, "not a key: the {part} lacks {missing} bytes or more")
            }
            Self::TrailingBytes { count } => write!(f, "not a key: {count} bytes follow it"),
            Self::Empty => f.write_str("not a key: it is empty"),
        }
    }
}

impl Error for KeyBytesError {}

/// Returns the part at the beginning and what is behind it, or how many bytes are missing.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), usize> {
    let (&length, rest) = bytes.split_first().ok_or(1_usize)?;
    let length = usize::from(length);
    rest.split_at_checked(length).ok_or_else(|| length - rest.len())
}
