//! Which of several time sources to believe.

mod intersection;
mod marzullo;
mod source;

pub use self::{
    intersection::intersection,
    marzullo::marzullo,
    source::{Candidate, Selection, SelectionError, Smearing},
};
