//! A fence and a map of fenced values that many threads share.

mod fence;
mod loom;
mod map;

pub use self::{fence::AtomicFence, map::FencedMap};
