//! One detector that many threads share.
//!
//! The cores are plain values with `&mut self`. Here heartbeats go through a short lock, and what nearly
//! everybody asks for, the verdict, is one atomic load and one comparison: it never waits, also while a
//! heartbeat is being taken in.

mod loom;
mod shared;

pub use self::shared::Shared;
