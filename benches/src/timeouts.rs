//! The timeouts to be measured, what else there is about them, and the peers they are measured beside.
//!
//! Everything sees the same [`Latencies`]: log-normal with a median of 20 ms and σ 0.6, from a fixed
//! seed. Windows hold 1000 of them, unless the name says otherwise, and are full before anything is
//! measured, bytes included. What has a quantile has the 99th percentile.
//!
//! `record` takes in an answer, and whatever that leads to now and then counts: of our timeouts, that
//! they are renewed. `record unrenewed` is what it takes between two renewals. `call` reads the timeout
//! and records how a call went that takes so long, of which about one in a hundred times out.
//!
//! The peers take the units that are theirs: hdrhistogram microseconds, up to a minute with three
//! digits, ddsketch seconds, adaptive-timeout milliseconds. The first two never forget. Of quinn there
//! is nothing, as nobody else can make its estimator or feed it; s2n-quic's is public. Of tower's
//! budget only the time is measured: it reads the operating system's clock at each call.
//!
//! A hedge has the 95th percentile; `request` is all that it does for one, of which one in twenty has a
//! backup. Tables of destinations are measured beside the map that they are made of: the bytes of 100 with
//! their names and a number each; `get` and `get or create` of the only one that there is room for; and
//! `make room` for one more than 100, of which only the time is measured.

mod check;
mod contender;
mod contenders;
mod destinations;
mod hedging;
mod latencies;
mod operations;
pub mod peers;
mod rtt;
mod spending;

pub use self::{
    check::check,
    contender::{Contender, Timeout, TimeoutContender, Visitor},
    contenders::{config, visit_all},
    latencies::{Call, Latencies, P99, WINDOW, latency_law},
};
use crate::{Made, Meter};

/// Shows every operation of everything about timeouts to a meter.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn measure(meter: &mut impl Meter) -> Made<()> {
    operations::measure(meter)?;
    rtt::measure(meter)?;
    spending::measure(meter)?;
    hedging::measure(meter)?;
    destinations::measure(meter)
}
