//! Any values, outcomes and round-trip times: windows, textbook timeouts and estimators do what the definitions
//! say, computed anew from all that went in.

#![no_main]

mod rtt;
mod textbook;
mod windows;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Windows { millionths: u32, floor: Value, values: Vec<Value> },
    Textbook(Vec<textbook::Calls>),
    Tcp { min_rto: Value, steps: Vec<rtt::TcpStep> },
    Quic(Vec<rtt::QuicStep>),
}

/// A number, often one that others are near to or the same as.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Any(u64),
    Few(u8),
    Millis(u16),
    BelowMax(u8),
    BelowPowerOfTwo(u8, u8),
}

impl From<Value> for u64 {
    fn from(value: Value) -> Self {
        match value {
            Value::Any(value) => value,
            Value::Few(value) => value.into(),
            Value::Millis(value) => Self::from(value) * 1_000_000,
            Value::BelowMax(less) => Self::MAX - Self::from(less),
            Value::BelowPowerOfTwo(power, less) => (1 << (power % 64)) - Self::from(less).min(1),
        }
    }
}

fuzz_target!(|input: Input| match input {
    Input::Windows { millionths, floor, values } => {
        let values: Vec<_> = values.into_iter().map(u64::from).collect();
        windows::check(millionths, floor.into(), &values);
    }
    Input::Textbook(calls) => textbook::check(&calls),
    Input::Tcp { min_rto, steps } => rtt::check_tcp(min_rto.into(), &steps),
    Input::Quic(steps) => rtt::check_quic(&steps),
});
