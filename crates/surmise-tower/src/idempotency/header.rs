mod parser;

use core::{error::Error, fmt, str::FromStr};

use http::{HeaderMap, HeaderName};
use surmise_idempotency::Key;

use self::parser::Parser;

/// The name of the header.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The value of an `Idempotency-Key` header: 1 to 255 printable ASCII characters.
///
/// # Examples
///
/// ```
/// use surmise_tower::idempotency::{IdempotencyKey, IdempotencyKeyError, KeyForm};
///
/// let key = IdempotencyKey::parse(br#""8e03978e-40d5-43dd-bc93-6894a57f9324""#, KeyForm::Quoted)?;
/// assert_eq!(key.as_str(), "8e03978e-40d5-43dd-bc93-6894a57f9324");
/// let bare = b"8e03978e-40d5-43dd-bc93-6894a57f9324";
/// assert_eq!(IdempotencyKey::parse(bare, KeyForm::QuotedOrBare), Ok(key));
/// assert_eq!(
///     IdempotencyKey::parse(bare, KeyForm::Quoted),
///     Err(IdempotencyKeyError::Malformed { at: 0 })
/// );
/// # Ok::<(), IdempotencyKeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The length of the longest key.
    pub const MAX_BYTES: usize = Key::MAX_PART;

    /// Parses the value of a header as an Item whose value is a String, as RFC 9651 has them (section 4.2).
    ///
    /// Parameters have to be well-formed, and mean nothing: the same key with others is the same key.
    ///
    /// # Errors
    ///
    /// If it is no such Item, and none of the bare keys that the form admits, or its length is not that of a key.
    pub fn parse(value: &[u8], form: KeyForm) -> Result<Self, IdempotencyKeyError> {
        let mut parser = Parser::new(value);
        let key = match (parser.string_item(), form) {
            (Some(key), _) => key,
            (None, KeyForm::QuotedOrBare) if !parser.began_string() => bare(value)?,
            (None, _) => return Err(IdempotencyKeyError::Malformed { at: parser.at() }),
        };
        match key.len() {
            0 => Err(IdempotencyKeyError::Empty),
            1..=Self::MAX_BYTES => Ok(Self(key)),
            length => Err(IdempotencyKeyError::TooLong { length }),
        }
    }

    /// Parses the header of a request, if it has one.
    ///
    /// # Errors
    ///
    /// If there are several, even alike, or its value is no key.
    pub fn from_headers(
        headers: &HeaderMap,
        form: KeyForm,
    ) -> Result<Option<Self>, IdempotencyKeyError> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        match (values.next(), values.count()) {
            (None, _) => Ok(None),
            (Some(value), 0) => Self::parse(value.as_bytes(), form).map(Some),
            (Some(_), others) => Err(IdempotencyKeyError::Repeated { times: others + 1 }),
        }
    }

    /// Returns the key, without quotes and escapes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// From the header's value, quoted or bare.
impl FromStr for IdempotencyKey {
    type Err = IdempotencyKeyError;

    fn from_str(value: &str) -> Result<Self, IdempotencyKeyError> {
        Self::parse(value.as_bytes(), KeyForm::QuotedOrBare)
    }
}

/// How a key may be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a key has quotes, or it has none")]
pub enum KeyForm {
    /// In quotes, as draft-ietf-httpapi-idempotency-key-header has it.
    Quoted,
    /// Without quotes too, as most clients send it: printable ASCII but for spaces and `"`, `,`, `;` and `\`.
    ///
    /// What begins with a quote has to be a String all the same. With and without quotes it is the same key.
    #[default]
    QuotedOrBare,
}

/// Why a header is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdempotencyKeyError {
    /// It is written in no form that is accepted.
    Malformed {
        /// Where it ceases to be one, in bytes.
        at: usize,
    },
    /// It says nothing.
    Empty,
    /// It has more than [`IdempotencyKey::MAX_BYTES`].
    TooLong {
        /// How many, without quotes and escapes.
        length: usize,
    },
    /// There are several.
    Repeated {
        /// How many.
        times: usize,
    },
}

impl fmt::Display for IdempotencyKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { at } => {
                write!(f, "the key is malformed after {at} bytes: it is to be a string in quotes")
            }
            Self::Empty => f.write_str("the key is empty"),
            Self::TooLong { length } => {
                write!(f, "the key has {length} bytes, and can have {}", IdempotencyKey::MAX_BYTES)
            }
            Self::Repeated { times } => write!(f, "there are {times} keys"),
        }
    }
}

impl Error for IdempotencyKeyError {}

/// Returns a key that has no quotes.
fn bare(value: &[u8]) -> Result<String, IdempotencyKeyError> {
    let key = value.trim_ascii();
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\",;\\".contains(byte);
    if let Some(at) = key.iter().position(|byte| !is_plain(byte)) {
        let before = value.len() - value.trim_ascii_start().len();
        return Err(IdempotencyKeyError::Malformed { at: before + at });
    }
    Ok(key.iter().copied().map(char::from).collect())
}
