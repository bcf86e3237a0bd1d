//! Any bytes from the network: only what a recorder sends is taken for a datagram.

#![no_main]

use libfuzzer_sys::fuzz_target;
use surmise_lab::record::{Datagram, DatagramKind};

fuzz_target!(|bytes: &[u8]| {
    let decoded = Datagram::decode(bytes);
    assert_eq!(decoded.ok(), expected(bytes), "{decoded:?}");
    if let Ok(datagram) = decoded {
        assert_eq!(datagram.encode(), bytes);
    }
});

/// Reads the table in the documentation of [`Datagram`], in the plainest way.
fn expected(bytes: &[u8]) -> Option<Datagram> {
    let bytes: [u8; Datagram::LENGTH] = bytes.try_into().ok()?;
    let kind = match &bytes[..8] {
        b"SRMS\x01\0\0\0" => DatagramKind::Heartbeat,
        b"SRMS\x01\x01\0\0" => DatagramKind::End,
        _ => return None,
    };
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_be_bytes(word)
    };
    Some(Datagram::new(kind, word(8), word(16), word(24)))
}
