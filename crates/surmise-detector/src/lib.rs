//! stub
#![no_std]
#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod arrivals;
mod bertier;
mod chen;
mod detector;
mod error;
mod exponential;
mod fixed;
mod float;
mod incarnation;
mod jitter_scaled;
mod late;
mod limits;
mod micros;
mod normal;
mod phi;
mod qos;
mod rate_target;
mod satzger;
mod schedule;
#[cfg(feature = "std")]
pub mod sync;
mod two_window;
mod window;

pub use self::{
    bertier::{Bertier, BertierConfig},
    chen::{Chen, ChenConfig},
    detector::{AccrualDetector, Beat, FailureDetector, Verdict},
    error::ConfigError,
    exponential::{Exponential, ExponentialConfig, ExponentialScale},
    fixed::FixedTimeout,
    incarnation::Incarnated,
    jitter_scaled::{JitterScaled, JitterScaledConfig},
    late::LateIntervals,
    normal::{phi_from_z, z_from_phi},
    phi::{MinStdDeviation, PhiAccrual, PhiConfig, PhiScale},
    qos::{Link, QosContract, QosMeter, QosReport, Unattainable},
    rate_target::{RateTarget, RateTargetConfig},
    satzger::{Satzger, SatzgerConfig},
    two_window::{TwoWindow, TwoWindowConfig},
    window::{ExponentiallyWeighted, InlineStorage, IntervalStorage, OffsetStorage, WindowStorage},
};
