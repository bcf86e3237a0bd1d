//! Ballots to be measured, and what one would write instead.
//!
//! `vote` takes one observer's vote after the other, each with a higher number than the last. `outcome` counts the votes
//! of all, every second of which suspects. Names end in the number of observers.
//!
//! No crate has ballots. The peer is a list of votes, as one writes it down: a vote is looked for and replaced, and
//! all are counted for an outcome. It knows neither the electorate nor whose votes do not count, and so it does less.

mod ballot;
mod check;
mod operations;

pub use self::{
    ballot::{BallotContender, BallotVisitor, visit_all},
    check::check,
    operations::measure,
};
