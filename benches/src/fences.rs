//! Fences, fenced maps and leases to be measured, and what one would write instead.
//!
//! `admit` shows the token of the latest holder again, which is nearly all that a fence ever sees; `admit newer` a
//! higher one each time. `write` replaces the value of a key that is there by one of the same holder, `refuse` tries
//! to with a stale token. Keys and values are 64-bit numbers, and the keys are drawn at random, from a fixed seed, out
//! of 1000 or a million.
//!
//! The peers are a token as a number in a mutex, a `HashMap` in a mutex, and a `DashMap` whose entry is locked while
//! it is checked and written. The `DashMap` keeps no floor, so that it does less: a stale holder could write
//! keys that the new one has not touched. The others all check the floor. All maps hash alike, as ours do; the standard
//! library's hash, which is those maps' own default, takes more.
//!
//! Leases have no peers here. `token` asks the holder's guard; the table of those who grant has 1000 leases.

mod check;
mod fence;
mod leases;
mod map;
pub mod peers;

pub use self::{
    check::check,
    fence::{FenceContender, FenceVisitor, visit_fences},
    map::{MapContender, MapVisitor, ours, random_keys, stale, visit_maps},
};
use crate::Meter;

/// Shows every operation of fences and fenced maps to a meter.
pub fn measure(meter: &mut impl Meter) {
    visit_fences(&mut fence::Fences(meter));
    leases::measure(meter);
    for (size, keys) in [("1k", 1000), ("1m", 1_000_000)] {
        visit_maps(&mut map::Maps { meter, size, keys }, keys);
    }
}
