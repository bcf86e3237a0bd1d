/// What a decoder accepts at most.
///
/// Memory needs no limit of its own, since decoding takes it in proportion to the input's length: at most the
/// size of one entry or value in memory for each byte. The limits are there for what happens next: a clock
/// that was accepted may be merged, stored, and sent to others.
///
/// The default is meant for what peers send. Whoever reads back what it has stored itself, or stores longer
/// values, raises the limits.
///
/// # Examples
///
/// ```
/// use surmise_clock::wire::DecodeLimits;
///
/// const LIMITS: DecodeLimits = DecodeLimits { max_entries: 16, ..DecodeLimits::DEFAULT };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct DecodeLimits {
    /// Entries of one clock: replicas that took part, or will. 1024 by default.
    ///
    /// Too few, and a clock of all replicas is refused. Too many, and a faulty peer can make the clocks
    /// that it is merged into as large.
    pub max_entries: usize,
    /// Values that one set of siblings keeps. 1024 by default.
    ///
    /// It also bounds the time that values without bytes take to read, such as those of `[u8; 0]`.
    pub max_values: usize,
    /// Bytes of one string, text or not. 4096 by default.
    ///
    /// Each replica of a clock is a string where replicas have names, and so is each value of a set of
    /// siblings where values are strings.
    pub max_string_bytes: usize,
}

impl DecodeLimits {
    /// The default limits.
    pub const DEFAULT: Self = Self { max_entries: 1024, max_values: 1024, max_string_bytes: 4096 };
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
