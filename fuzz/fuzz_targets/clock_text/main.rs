//! Any text as a stamp and as the JSON of any value: it is refused, or read and written without a change.

#![no_main]

mod json;
mod stamps;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    stamps::read_stamp(&text);
    stamps::read_wall_logical(&text);
    json::read(&text);
    if let Ok(numbers) = stamps::Numbers::arbitrary(&mut Unstructured::new(bytes)) {
        stamps::convert(numbers);
    }
});
