use core::ops::Range;

use crate::source::{SourceError, shared_file::HEADER};

/// What the hypervisor published: `struct vmclock_abi` of Linux, less what no driver of a clock
/// needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VmClockPage {
    /// How often the page was written, times two.
    pub sequence: u32,
    /// Changes to a value that it never had when the counter was disrupted.
    pub disruption_marker: u64,
    /// Which other fields hold, and what is about to happen.
    pub flags: VmClockFlags,
    /// What the hypervisor says of its own clock, if the page is long enough to say it.
    pub status: Option<HostStatus>,
    /// Changes when the machine was restored from a snapshot, if the hypervisor says so at all.
    pub vm_generation: Option<u64>,
}

/// What a page's `flags` say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VmClockFlags(u64);

/// What a hypervisor says of its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostStatus {
    /// Nothing.
    Unknown,
    /// It is being synchronised for the first time.
    Initializing,
    /// It is synchronised.
    Synchronized,
    /// It runs freely.
    FreeRunning,
    /// It is not to be relied on.
    Unreliable,
    /// Something that this version of the crate does not know, by its number.
    ///
    /// The page is read all the same: what matters of it is whether there was a disruption, and no
    /// status makes that untrue.
    Other(u8),
}

impl VmClockPage {
    /// How much of the page is read: all that version 1 has.
    pub const MAX_SIZE: usize = 112;

    /// Where the flags end. All that follows may be missing.
    const MIN_SIZE: usize = 32;

    /// "VCLK".
    const MAGIC: u32 = 0x4b4c_4356;

    /// Decodes the page, whose numbers are little-endian on every platform. What follows it is left
    /// alone.
    ///
    /// # Errors
    ///
    /// If the page is being written, is of another version than 1, is cut short, or says something
    /// that makes no sense.
    pub fn decode(bytes: &[u8]) -> Result<Self, SourceError> {
        let magic = u32::from_le_bytes(field(bytes, 0)?);
        if magic != Self::MAGIC {
            return Err(SourceError::Malformed { what: "magic number", value: magic.into() });
        }
        let version = u16::from_le_bytes(field(bytes, 8)?);
        if version != 1 {
            return Err(SourceError::Unsupported { what: "version", value: version.into() });
        }
        let sequence = u32::from_le_bytes(field(bytes, 12)?);
        if sequence % 2 == 1 {
            return Err(SourceError::Malformed { what: "sequence count", value: sequence.into() });
        }
        let stated = u32::from_le_bytes(field(bytes, 4)?);
        let size = usize::try_from(stated).unwrap_or(usize::MAX);
        if size < Self::MIN_SIZE {
            return Err(SourceError::Malformed { what: "page size", value: stated.into() });
        }
        let has = |field: Range<usize>| field.end <= size;

        let flags = VmClockFlags(u64::from_le_bytes(field(bytes, 24)?));
        let status = has(34..35).then(|| field(bytes, 34).map(HostStatus::decode));
        let counted = flags.contains(VmClockFlags::VM_GENERATION) && has(104..112);
        let vm_generation = counted.then(|| field(bytes, 104).map(u64::from_le_bytes));
        Ok(Self {
            sequence,
            disruption_marker: u64::from_le_bytes(field(bytes, 16)?),
            flags,
            status: status.transpose()?,
            vm_generation: vm_generation.transpose()?,
        })
    }

    /// Returns the sequence count, which is odd while somebody writes.
    pub(super) const fn sequence(header: &[u8; HEADER]) -> u32 {
        let [.., a, b, c, d] = *header;
        u32::from_le_bytes([a, b, c, d])
    }
}

impl VmClockFlags {
    /// A disruption is to be expected within about a day.
    pub const DISRUPTION_SOON: Self = Self(1 << 1);
    /// A disruption is to be expected within about an hour.
    pub const DISRUPTION_IMMINENT: Self = Self(1 << 2);
    /// The hypervisor counts how often the machine was restored from a snapshot.
    const VM_GENERATION: Self = Self(1 << 8);

    /// Returns the bits as the hypervisor has them.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Returns whether all of these bits are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl HostStatus {
    const fn decode([value]: [u8; 1]) -> Self {
        match value {
            0 => Self::Unknown,
            1 => Self::Initializing,
            2 => Self::Synchronized,
            3 => Self::FreeRunning,
            4 => Self::Unreliable,
            _ => Self::Other(value),
        }
    }
}

/// Returns the bytes of a field.
fn field<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N], SourceError> {
    let field = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    // Lossless: no platform has addresses of more than 64 bits.
    field.copied().ok_or(SourceError::Malformed { what: "length", value: bytes.len() as u64 })
}
