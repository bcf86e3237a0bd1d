//! The logical clocks to be measured, and the peers they are measured beside.

mod check;
pub mod hybrid;
mod lamport;
pub mod vector;

pub use self::check::check;
use crate::Meter;

/// Shows every operation of every clock to a meter.
pub fn measure(meter: &mut impl Meter) {
    hybrid::measure(meter);
    lamport::measure(meter);
    vector::measure(meter);
}
