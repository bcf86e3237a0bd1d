//! What many threads share: `&self` instead of `&mut self`.

mod loom;
mod timeout;

pub use self::timeout::SharedAdaptiveTimeout;
