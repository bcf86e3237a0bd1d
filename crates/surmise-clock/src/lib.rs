//! Logical clocks: what happened first?

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod causal_order;
mod dot;
mod vector;

pub use self::{
    causal_order::CausalOrder,
    dot::Dot,
    vector::{CounterOverflow, VectorClock},
};
