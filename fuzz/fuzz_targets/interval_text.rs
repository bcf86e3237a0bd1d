//! Any text as the JSON of each value of interval clocks: it is refused, or read and written without a
//! change, and what was read is valid.

#![no_main]

use core::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use surmise_interval::{ClockStatus, Drift, Interval, IntervalClockConfig, select::Smearing};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Some(drift) = round_trip::<Drift>(&text) {
        assert_eq!(Drift::from_ppb(drift.as_ppb()), Ok(drift));
    }
    if let Some(interval) = round_trip::<Interval>(&text) {
        assert_eq!(Interval::new(interval.earliest(), interval.latest()), Ok(interval));
        assert!(interval.contains(interval.middle()));
    }
    round_trip::<IntervalClockConfig>(&text);
    round_trip::<ClockStatus>(&text);
    round_trip::<Smearing>(&text);
});

/// Reads a value, and checks that it is the same after it is written and read again.
fn round_trip<T: Debug + DeserializeOwned + PartialEq + Serialize>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&value).expect("it is made of numbers and texts");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(again, value, "{written}");
    Some(value)
}
