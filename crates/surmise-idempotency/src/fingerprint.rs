use core::{fmt, hash::Hasher as _};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// What tells whether two requests with the same key are the same request.
///
/// It is made by a [`FingerprintKey`] of what the request consists of, and takes 16 bytes in each record, however long
/// the request is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of nothing, for requests whose key says it all. No
    /// [`FingerprintKey`] makes it of anything.
    pub const NONE: Self = Self([0; 16]);

    /// Returns the fingerprint that [`to_bytes`](Self::to_bytes) made these of.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the fingerprint as bytes, for a store.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Whatever hashes to the bytes of [`NONE`](Self::NONE) gets others.
    const fn of_hash(hash: u128) -> Self {
        Self(if hash == 0 { 1 } else { hash }.to_le_bytes())
    }
}

/// In hexadecimal digits.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({:032x})", u128::from_be_bytes(self.0))
    }
}

/// Makes fingerprints, and is what clients must not know: else they could make two requests with the same one.
///
/// It hashes with SipHash-1-3 of 128 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012).
/// Another request than the one before it has the same fingerprint with a chance of 2⁻¹²⁸. It is no signature: a client
/// learns whether two fingerprints are equal, and should be shown no more.
///
/// Fingerprints of different keys are never equal but by chance. So all processes that share a store need the same
/// key, and it must last as long as the store's records: with another one, each retry is a
/// [`Mismatch`](crate::Begin::Mismatch). For a cache in memory, draw it at random when the process starts.
///
/// # Examples
///
/// ```
/// use surmise_idempotency::FingerprintKey;
///
/// let key = FingerprintKey::new([7; 16]); // of the system's randomness, or a secret of the deployment
/// let body = br#"{"amount":100}"#;
/// let paid = key.of([&b"POST"[..], b"/payments", body]);
/// assert_eq!(paid, key.of([&b"POST"[..], b"/payments", body]));
/// assert_ne!(paid, key.of([&b"POST"[..], b"/payments", br#"{"amount":900}"#]));
/// ```
#[derive(Clone)]
pub struct FingerprintKey([u8; 16]);

impl FingerprintKey {
    /// Creates a key from 16 bytes that nobody can guess.
    #[must_use]
    pub const fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// Returns the fingerprint of a request with these fields, in this order.
    ///
    /// Where one field ends matters, and so does whether there is an empty one. The fingerprint is the
    /// same on all platforms and in all versions of this crate, and never [`Fingerprint::NONE`]: it is the hash, as the
    /// reference implementation writes it, of the fields, each after its length as a little-endian `u64`.
    ///
    /// A field is taken as it is. Whatever may differ from one retry to the next, such as a time or the order of
    /// names in JSON, should be left out or put in order before.
    #[must_use]
    pub fn of<F: AsRef<[u8]>>(&self, fields: impl IntoIterator<Item = F>) -> Fingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        for field in fields {
            let field = field.as_ref();
            hasher.write(&(field.len() as u64).to_le_bytes());
            hasher.write(field);
        }
        Fingerprint::of_hash(hasher.finish128().into())
    }
}

/// Without the secret.
impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FingerprintKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hash_is_the_fingerprint_of_nothing() {
        assert_ne!(Fingerprint::of_hash(0), Fingerprint::NONE);
        assert_eq!(Fingerprint::of_hash(0x0201).to_bytes()[..3], [1, 2, 0]);
    }
}
