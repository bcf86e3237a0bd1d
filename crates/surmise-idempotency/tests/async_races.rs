//! The cache that tasks share loses none of the races: each of those of `support::races`, by its name, between futures
//! that are polled by hand.
//!
//! `execute_async` has the ticket itself, so that here nobody renews or saves but who begins by the verbs.
#![cfg(feature = "std")]

extern crate alloc;

#[path = "async_races/caller.rs"]
mod caller;
#[path = "async_races/crashes.rs"]
mod crashes;
#[path = "async_races/drops.rs"]
mod drops;
#[path = "async_races/duplicates.rs"]
mod duplicates;
#[path = "async_races/results.rs"]
mod results;
#[path = "async_races/room.rs"]
mod room;
#[path = "async_races/zombies.rs"]
mod zombies;
