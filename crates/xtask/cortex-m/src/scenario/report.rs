use core::fmt::{self, Debug, Write};

use surmise_time::Instant;

/// Writes results and keeps a digest of them.
pub(super) struct Report<'a> {
    out: Digest<'a>,
    results: u64,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out: Digest { out, digest: FNV_OFFSET_BASIS }, results: 0 }
    }

    pub(super) fn float(&mut self, name: &str, number: u64, result: f64) -> fmt::Result {
        self.bits(name, number, result.to_bits())
    }

    pub(super) fn deadline(
        &mut self,
        name: &str,
        number: u64,
        deadline: Option<Instant>,
    ) -> fmt::Result {
        self.bits(name, number, deadline.map_or(0, Instant::as_nanos))
    }

    pub(super) fn bits(&mut self, name: &str, number: u64, bits: u64) -> fmt::Result {
        self.text(name, number, format_args!("{bits:016x}"))
    }

    pub(super) fn value(&mut self, name: &str, number: u64, value: &dyn Debug) -> fmt::Result {
        self.text(name, number, format_args!("{value:?}"))
    }

    pub(super) fn text(
        &mut self,
        name: &str,
        number: u64,
        text: fmt::Arguments<'_>,
    ) -> fmt::Result {
        self.results += 1;
        writeln!(self.out, "{name} {number} {text}")
    }

    /// Writes the last line.
    pub(super) fn finish(self) -> fmt::Result {
        writeln!(self.out.out, "digest {} {:016x}", self.results, self.out.digest)
    }
}

/// Hashes what it passes on.
struct Digest<'a> {
    out: &'a mut dyn Write,
    digest: u64,
}

impl Write for Digest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
        self.out.write_str(text)
    }
}

/// FNV-1a, 64 bits.
const FNV_OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
