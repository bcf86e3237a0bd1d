//! This program started again, as one of the processes of `fence` and `failover`.

mod child;
pub(crate) mod pipe;

pub(crate) use self::child::{ChildProcess, die_with_parent};
