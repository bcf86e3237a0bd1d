//! The processes of `fence` and `failover`: this program started again, as the one that starts them sees them.

mod child;
mod error;
mod host;
mod inbox;
pub(crate) mod pipe;
mod process;
mod times;

pub use self::error::RunError;
pub(crate) use self::{
    child::die_with_parent,
    host::StoreHost,
    inbox::{Inbox, stop_on_interrupt},
    process::{Heard, Process},
    times::nanos,
};
