use core::fmt::{self, Debug};

use surmise_clock::{
    Dot, HybridTimestamp, LamportTime, LamportTimestamp,
    wire::{DecodeError, DecodeLimits, Wire, decode, encode, encoded_len},
};

use super::{Random, Report};

/// Reports stamps and events; those who make larger values report these.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(15);
    for number in 0..100 {
        let stamp = HybridTimestamp::from_nanos(random.next()).unwrap_or(HybridTimestamp::MIN);
        let time = LamportTime::new(random.next());
        let counter = random.next() >> random.below(64);
        round_trip(report, number, &stamp)?;
        round_trip(report, number, &LamportTimestamp { time, node: random.next() as u16 })?;
        round_trip(report, number, &Dot { replica: u128::from(random.next()), counter })?;
    }
    Ok(())
}

/// Reports the bytes of a value, and what is read once one of them is another.
pub(super) fn round_trip<T: Debug + PartialEq + Wire>(
    report: &mut Report<'_>,
    number: u64,
    value: &T,
) -> fmt::Result {
    let mut buffer = [0; 512];
    let needed = encoded_len(value);
    let Ok(length) = encode(value, &mut buffer) else { panic!("{needed} bytes for {value:?}") };
    let bytes = &mut buffer[..length];
    assert!(length == needed && read(bytes).as_ref() == Ok(value), "{value:?} is {bytes:x?}");
    report.value("wire", number, &bytes)?;

    let mut random = Random::new(number);
    for _ in 0..3 {
        let at = random.below(length as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
    }
    report.value("wire_damaged", number, &read::<T>(bytes))
}

fn read<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode(bytes, &DecodeLimits::DEFAULT)
}
