//! The quality of service of a detector: what it should be, and what it was.

mod configurator;
mod contract;
mod meter;

pub use self::{
    contract::{Link, QosContract, Unattainable},
    meter::{QosMeter, QosReport},
};
