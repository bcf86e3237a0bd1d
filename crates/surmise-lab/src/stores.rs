//! The stores of `fence` and `failover`: which there are, and how a process uses one that another has open.

mod ask;
mod choice;
mod error;
mod hosted;
mod opened;
mod store;

pub use self::error::OpenError;
pub(crate) use self::{
    ask::{Ask, Reply, answer},
    choice::{Kind, Server, StoreChoice, StoreParser},
    hosted::Hosted,
    opened::{Opened, runtime},
    store::Store,
};
