//! Any text as a stamp, and any stamp in the forms of other systems.

use arbitrary::Arbitrary;
use surmise_clock::{HybridTimestamp, OutOfRange, ParseTimestampError, WallLogical};
use surmise_time::WallTime;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Numbers {
    foreign: u64,
    logical: u32,
    /// Some stamp, ...
    any: u64,
    /// ... and one so close to the foreign one.
    near: i8,
}

pub(crate) fn read_stamp(text: &str) {
    let parsed = text.parse::<HybridTimestamp>();
    let expected = plainly(text, 9).and_then(|(seconds, nanos)| {
        let nanos = seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
        let stamp = u64::try_from(nanos).ok().and_then(HybridTimestamp::from_nanos);
        stamp.ok_or(ParseTimestampError::OutOfRange)
    });
    assert_eq!(parsed, expected);
    if let Ok(stamp) = parsed {
        assert_eq!(stamp.to_string().parse(), Ok(stamp));
        assert_eq!(HybridTimestamp::from_be_bytes(stamp.to_be_bytes()), Some(stamp));
    }
}

pub(crate) fn read_wall_logical(text: &str) {
    let parsed = text.parse::<WallLogical>();
    let expected = plainly(text, 10).and_then(|(wall, logical)| {
        let (wall, logical) = (i64::try_from(wall), i32::try_from(logical));
        let (Ok(wall), Ok(logical)) = (wall, logical) else {
            return Err(ParseTimestampError::OutOfRange);
        };
        Ok(wall_logical(wall.unsigned_abs(), logical.unsigned_abs()).expect("both are in range"))
    });
    assert_eq!(parsed, expected);
    if let Ok(stamp) = parsed {
        assert_eq!(stamp.to_string().parse(), Ok(stamp));
    }
}

/// Reads digits before and after a point, in the plainest way.
fn plainly(text: &str, decimals: usize) -> Result<(u128, u128), ParseTimestampError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    // The first byte where a digit is missing, or where something else is.
    let stray = |digits: &str| digits.bytes().position(|byte| !byte.is_ascii_digit());
    if let Some(at) = stray(whole) {
        return Err(ParseTimestampError::Malformed { at });
    }
    if let Some(at) = fraction.and_then(stray) {
        return Err(ParseTimestampError::Malformed { at: whole.len() + 1 + at });
    }
    let last = fraction.unwrap_or(whole);
    if last.is_empty() {
        return Err(ParseTimestampError::Malformed { at: text.len() });
    }
    let fraction = fraction.unwrap_or("0");
    if fraction.len() > decimals {
        return Err(ParseTimestampError::TooPrecise { digits: fraction.len(), max: decimals });
    }
    let value = |digits: &str| {
        let digits = digits.bytes().map(|digit| u128::from(digit - b'0'));
        digits.fold(0, |value: u128, digit| value.saturating_mul(10).saturating_add(digit))
    };
    Ok((value(whole), value(&format!("{fraction:0<decimals$}"))))
}

/// Checks that a stamp is after what a foreign one becomes exactly if its own counterpart is after that.
pub(crate) fn convert(numbers: Numbers) {
    let foreign = numbers.foreign;
    let ms48_16 = HybridTimestamp::from_ms48_16(foreign);
    for stamp in numbers.stamps(ms48_16) {
        match ms48_16 {
            Ok(from) => assert_eq!(stamp > from, stamp.to_ms48_16() > foreign, "{stamp} {foreign}"),
            Err(error) => assert!(stamp.to_ms48_16() <= error.max && error.max < foreign),
        }
    }
    let ntp64 = HybridTimestamp::from_ntp64(foreign);
    for stamp in numbers.stamps(ntp64) {
        match (ntp64, stamp.to_ntp64()) {
            (Ok(from), Ok(to)) => assert_eq!(stamp > from, to > foreign, "{stamp} {foreign}"),
            (Ok(from), Err(error)) => assert!(stamp > from && stamp.as_nanos() > error.max),
            (Err(error), to) => {
                assert!(foreign < error.min && to.is_ok_and(|to| to >= error.min) || to.is_err());
            }
        }
        let back = stamp.to_ntp64().map(HybridTimestamp::from_ntp64);
        assert!(back.is_err() || back == Ok(Ok(stamp)), "{stamp} becomes {back:?}");
    }
    let Ok(theirs) = wall_logical(foreign, numbers.logical) else {
        assert!(i64::try_from(foreign).is_err() || i32::try_from(numbers.logical).is_err());
        return;
    };
    let from = HybridTimestamp::from_wall_logical(theirs);
    for stamp in numbers.stamps(from) {
        match (from, stamp.to_wall_logical()) {
            (Ok(from), Ok(to)) => assert_eq!(stamp > from, to > theirs, "{stamp} {theirs}"),
            (Ok(from), Err(error)) => assert!(stamp > from && stamp.as_nanos() > error.max),
            (Err(_), _) => assert_eq!(foreign, 0),
        }
    }
}

impl Numbers {
    /// Returns stamps to compare with: any, and one close to what the foreign one became.
    fn stamps(self, from: Result<HybridTimestamp, OutOfRange>) -> [HybridTimestamp; 2] {
        let near = from.unwrap_or(HybridTimestamp::MAX).as_nanos();
        [self.any, near.saturating_add_signed(self.near.into())]
            .map(|nanos| HybridTimestamp::from_nanos(nanos).unwrap_or(HybridTimestamp::MIN))
    }
}

fn wall_logical(wall: u64, logical: u32) -> Result<WallLogical, OutOfRange> {
    WallLogical::new(WallTime::from_nanos(wall), logical)
}
