//! Idempotency caches to be measured, and what one would take or write instead.
//!
//! `replay` asks for one of 100 000 requests that were executed, drawn at random from a fixed seed; `execute` begins a
//! new one, completes it, and does its share of forgetting the old: there always are 100 000. The bytes are those
//! of an entry, with what the whole takes spread over all of them. Keys and results are 64-bit numbers.
//!
//! The peers are caches that join those who ask for the same (moka, `quick_cache`), a map whose entry is locked while it
//! executes (`DashMap`), what collapses calls and remembers none of them (`singleflight`), and the layer of many a
//! tutorial, which looks at everything it knows in each call. Nothing but ours tells payloads apart, fences those
//! who are late, or says that it does not know; see [`drill`](crate::drill).

mod check;
mod contender;
mod contenders;
mod operations;
pub mod peers;

pub use self::{
    check::check,
    contender::{Contender, Visitor, filled},
    contenders::{Ours, ours, visit},
    operations::expiring,
};
use crate::{Made, Meter};

/// How many requests are remembered.
pub const KEYS: u64 = 100_000;

/// Shows every operation of idempotency caches to a meter.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn measure(meter: &mut impl Meter) -> Made<()> {
    visit(&mut operations::Operations(meter))?;
    operations::measure_expiry(meter)
}
