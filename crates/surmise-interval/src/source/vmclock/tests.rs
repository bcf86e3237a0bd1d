use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use std::fs;

use super::*;

/// A page as a hypervisor writes it that synchronises its own clock and counts snapshots.
const PAGE: [u8; 112] = {
    let mut page = [0; 112];
    let (fields, _) = page.split_at_mut(40);
    fields.copy_from_slice(
        b"VCLK\x00\x10\0\0\x01\0\x01\0\x08\0\0\0\xc8\x0d\0\0\0\0\0\0\
          \x01\x01\0\0\0\0\0\0\0\0\x02\0\x25\0\0\0",
    );
    page[104] = 7;
    page
};

fn with(offset: usize, part: &[u8]) -> [u8; 112] {
    let mut page = PAGE;
    page[offset..offset + part.len()].copy_from_slice(part);
    page
}

fn decode(page: &[u8]) -> Result<VmClockPage, String> {
    VmClockPage::decode(page).map_err(|error| error.to_string())
}

#[test]
fn the_page_is_read_as_in_the_kernels_header() {
    let page = decode(&PAGE).unwrap();
    assert_eq!((page.sequence, page.disruption_marker), (8, 3528));
    assert_eq!(page.flags.bits(), 0x101);
    assert_eq!(page.status, Some(HostStatus::Synchronized));
    assert_eq!(page.vm_generation, Some(7));
    assert_eq!(PAGE.first_chunk().map(VmClockPage::sequence), Some(8));
    for (bits, expected) in [(0x00, (false, false)), (0x02, (true, false)), (0x04, (false, true))] {
        let flags = decode(&with(24, &[bits])).unwrap().flags;
        let soon = flags.contains(VmClockFlags::DISRUPTION_SOON);
        assert_eq!((soon, flags.contains(VmClockFlags::DISRUPTION_IMMINENT)), expected);
    }
}

#[test]
fn each_status_of_the_host_is_known() {
    let statuses = [
        HostStatus::Unknown,
        HostStatus::Initializing,
        HostStatus::Synchronized,
        HostStatus::FreeRunning,
        HostStatus::Unreliable,
    ];
    for (value, status) in (0..).zip(statuses) {
        assert_eq!(decode(&with(34, &[value])).unwrap().status, Some(status));
    }
}

#[test]
fn a_status_that_is_not_known_hides_no_disruption() {
    let mut watch = DisruptionWatch::new(VmClock::new(""));
    for (value, marker) in [(5, 0xc9), (6, 0xca), (255, 0xcb)] {
        let mut page = with(16, &[marker]);
        let known = decode(&page).unwrap();
        page[34] = value;
        let page = decode(&page).unwrap();
        assert_eq!(page, VmClockPage { status: Some(HostStatus::Other(value)), ..known });
        let disruption = Disruption { marker: page.disruption_marker, restored: false };
        let expected = (value != 5).then_some(disruption);
        assert_eq!(watch.observe(&page), expected, "the first says where things stand");
        assert_eq!(watch.observe(&known), None, "the status is no disruption");
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    let cases: &[([u8; 112], &str)] = &[
        (with(0, b"KLCV"), "magic number 1447251019 makes no sense"),
        (with(4, &[31, 0]), "page size 31 makes no sense"),
        (with(8, &[2]), "version 2 is not supported"),
        (with(8, &[1, 1]), "version 257 is not supported"),
        (with(12, &[9]), "sequence count 9 makes no sense"),
    ];
    for (page, message) in cases {
        assert_eq!(decode(page).unwrap_err(), *message);
    }
}

#[test]
fn what_the_page_is_too_short_for_is_not_read() {
    // The region may be larger than what the hypervisor says it uses, and hold anything.
    let sized =
        |size: u8| decode(&with(4, &[size, 0])).map(|page| (page.status, page.vm_generation));
    assert_eq!(sized(32), Ok((None, None)));
    assert_eq!(sized(34), Ok((None, None)));
    assert_eq!(sized(35), Ok((Some(HostStatus::Synchronized), None)));
    assert_eq!(sized(111), Ok((Some(HostStatus::Synchronized), None)));
    assert_eq!(sized(112), Ok((Some(HostStatus::Synchronized), Some(7))));
    let uncounted = decode(&with(25, &[0])).unwrap();
    assert_eq!(uncounted.vm_generation, None);
}

#[test]
fn what_is_cut_short_is_refused() {
    for length in 0..PAGE.len() {
        let message = decode(&PAGE[..length]).unwrap_err();
        assert_eq!(message, alloc::format!("length {length} makes no sense"));
    }
    assert_eq!(decode(&[PAGE.as_slice(), &[0xff; 4096]].concat()), decode(&PAGE));
}

#[test]
fn a_watch_tells_each_disruption_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vmclock0");
    let mut watch = DisruptionWatch::new(VmClock::new(&path));
    assert!(matches!(watch.poll(), Err(SourceError::Io { .. })), "there is none");

    let mut poll = |page: &[u8]| {
        fs::write(&path, page).unwrap();
        watch.poll().map_err(|error| error.to_string())
    };
    assert_eq!(poll(&PAGE), Ok(None), "where things stand");
    assert_eq!(poll(&with(12, &[10])), Ok(None), "written again, the same");
    let moved = with(16, &[0xc9]);
    assert_eq!(poll(&moved), Ok(Some(Disruption { marker: 3529, restored: false })));
    assert_eq!(poll(&moved), Ok(None));
    assert!(poll(&moved[..20]).is_err());
    let restored = with(104, &[8]);
    assert_eq!(poll(&restored), Ok(Some(Disruption { marker: 3528, restored: true })));
    assert_eq!(poll(&PAGE), Ok(Some(Disruption { marker: 3528, restored: true })));
}

#[test]
fn a_hypervisor_that_never_finishes_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vmclock0");
    fs::write(&path, with(12, &[9])).unwrap();
    let error = VmClock::new(&path).read().unwrap_err();
    assert_eq!(error.to_string(), "sequence count 9 makes no sense");
}

#[test]
fn a_disruption_says_what_it_was() {
    let texts = [false, true].map(|restored| Disruption { marker: 5, restored }.to_string());
    let expected = [
        "the machine was disrupted; the disruption marker is now 5",
        "the machine was restored from a snapshot; the disruption marker is now 5",
    ];
    assert_eq!(Vec::from(texts), expected);
}
