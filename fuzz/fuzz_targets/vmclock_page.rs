//! Any bytes in a hypervisor's page: an error, or what the kernel's header says of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use surmise_interval::source::vmclock::{DisruptionWatch, HostStatus, VmClock, VmClockPage};

fuzz_target!(|bytes: &[u8]| {
    let decoded = VmClockPage::decode(bytes);
    assert_eq!(decoded.is_ok(), is_page(bytes), "{decoded:?}");
    let Ok(page) = decoded else { return };
    let word = |offset: usize| number(bytes, offset, 8);
    assert_eq!(Some(page.disruption_marker), word(16));
    assert_eq!(Some(page.flags.bits()), word(24));
    let status = number(bytes, 34, 1).and_then(|status| u8::try_from(status).ok());
    if let Some(HostStatus::Other(other)) = page.status {
        assert!(other > 4 && Some(other) == status);
    }
    assert!(page.vm_generation.is_none_or(|generation| Some(generation) == word(104)));

    // A watch says that something happened if and only if a marker is another.
    let mut watch = DisruptionWatch::new(VmClock::new(VmClock::PATH));
    assert_eq!(watch.observe(&page), None);
    assert_eq!(watch.observe(&page), None);
    let mut other = page;
    other.disruption_marker = !page.disruption_marker;
    let disruption = watch.observe(&other);
    assert!(disruption.is_some_and(|disruption| disruption.marker == other.disruption_marker));
});

/// Reads the header in the plainest way.
fn is_page(bytes: &[u8]) -> bool {
    let at = |offset, length| number(bytes, offset, length);
    let (Some(magic), Some(size), Some(version)) = (at(0, 4), at(4, 4), at(8, 2)) else {
        return false;
    };
    let (Some(sequence), Some(flags)) = (at(12, 4), at(24, 8)) else { return false };
    let status = if size >= 35 { at(34, 1) } else { Some(0) };
    let counted = flags & 0x100 != 0 && size >= 112;
    let generation = if counted { at(104, 8) } else { Some(0) };
    let constant = magic == u64::from(u32::from_le_bytes(*b"VCLK")) && version == 1 && size >= 32;
    constant && sequence % 2 == 0 && status.is_some() && generation.is_some()
}

/// Reads a little-endian number.
fn number(bytes: &[u8], offset: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(offset..offset + length)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}
