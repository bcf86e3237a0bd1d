//! Which of several time sources to believe.

mod candidate;
mod coverage;
mod intersection;
mod majority;
mod marzullo;

pub use self::{
    candidate::{Candidate, Selection, SelectionError, Smearing},
    intersection::intersection,
    majority::{majority, tolerating},
    marzullo::marzullo,
};
