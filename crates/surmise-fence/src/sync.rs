//! A fence and a map of fenced values that many threads share.

mod fence;
mod loom;

pub use self::fence::AtomicFence;
